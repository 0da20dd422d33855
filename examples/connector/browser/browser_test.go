// Package browser drives the connector with a headless Chromium, as a person
// would. It is a module of its own, so that nobody else needs its dependencies.
package browser

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var screenshot = flag.String("screenshot", "", "file to write a new picture of the ticket page to, such as ../../../docs/connector.png")

func TestCallButtonCreatesACall(t *testing.T) {
	p := sitDown(t)
	p.do(p.visit("/"), press("71450"), see("h2", "The call is created"), see("dd", "assigned"), chromedp.Reload(), see("h2", "The call is created"))
	p.do(p.visit("/"))
	if latest := get(p, chromedp.Text(`//tr[.//small="71450"]/td[2]`)); latest != "call created" {
		t.Errorf("the ticket shows %q", latest)
	}
	p.wantCalls(397)
}

func TestDoubleClickCreatesOneCall(t *testing.T) {
	p := sitDown(t)
	p.do(p.visit("/"), chromedp.DoubleClick(callButton("71450")), see("h2", "The call is created"))
	p.wantCalls(397)
}

func TestFormSentToTwoTabsCreatesOneCall(t *testing.T) {
	p := sitDown(t)
	p.do(p.visit("/"), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`
		const form = document.querySelector(%q).form
		for (const tab of ["one", "two", "_self"]) { form.target = tab; form.submit() }`, callButton("71450"))))
	p.do(see("h2", "The call is created"), see("p", "This form had been sent before. It was not sent a second time, and nobody is called twice."))
	p.wantCalls(397)
}

func TestFlagPanelChangesAFlag(t *testing.T) {
	p := sitDown(t)
	p.do(
		p.visit("/"), press("71450"),
		chromedp.Click(`//a[text()="Customer flag of this call"]`),
		chromedp.Click(chromedp.CSS("input[name=verified_customer][value=yes]")),
		chromedp.Click(chromedp.CSS("input[name=bad_actor][value=no]")),
		chromedp.Click(chromedp.CSS("main button")),
		see("p", "The customer flag was changed."),
	)
	flags := get(p, chromedp.Text(chromedp.CSS("main form")))
	for _, want := range []string{"Verified customer: yes", "Bad actor: no", "Repeat customer: not set"} {
		if !strings.Contains(flags, want) {
			t.Errorf("%q is not in %q", want, flags)
		}
	}
}

func TestScheduleFormShowsProblemsBesideTheFields(t *testing.T) {
	p := sitDown(t)
	p.do(
		p.visit("/schedule"),
		chromedp.SetValue(chromedp.CSS("#scheduled_at"), "2019-09-15T00:19"),
		chromedp.SendKeys(chromedp.CSS("#end_user_number"), "123123"),
		chromedp.SendKeys(chromedp.CSS("#lang"), "fr-ca"),
		chromedp.Click(chromedp.CSS("main button")),
		chromedp.WaitVisible(chromedp.CSS("[role=alert]")),
	)
	for field, typed := range map[string]string{"scheduled_at": "2019-09-15T00:19", "end_user_number": "123123", "lang": "fr-ca", "menu_id": ""} {
		value := get(p, chromedp.Value(chromedp.CSS("#"+field)))
		problem := get(p, chromedp.Text(chromedp.CSS("#"+field+"-problem")))
		gap := get(p, chromedp.Evaluate[float64](fmt.Sprintf(
			`document.querySelector("#%[1]s-problem").getBoundingClientRect().top - document.querySelector("#%[1]s").getBoundingClientRect().bottom`, field)))
		if value != typed || problem == "" || gap < 0 || gap > 50 {
			t.Errorf("%s holds %q, and %q stands %.0f pixels below it", field, value, problem, gap)
		}
	}
	p.do(
		chromedp.SetValue(chromedp.CSS("#scheduled_at"), time.Now().AddDate(1, 0, 0).Format("2006-01-02T15:04")),
		chromedp.SetValue(chromedp.CSS("#end_user_number"), "+1 859-657-9625"),
		chromedp.SetValue(chromedp.CSS("#lang"), "fr-CA"),
		chromedp.SendKeys(chromedp.CSS("#menu_id"), "9"),
		chromedp.Click(chromedp.CSS("main button")),
		see("h2", "The call is created"), see("dt", "Scheduled for"),
	)
	p.wantCalls(397)
}

func TestUnknownOutcomeBecomesKnownByItself(t *testing.T) {
	p := sitDown(t)
	p.arm("answer")
	p.do(press("71450"), see("h2", "We do not know yet"))
	if forms := get(p, chromedp.Evaluate[int](`document.querySelectorAll("main form").length`)); forms != 0 {
		t.Error("another call is offered before the outcome is known")
	}
	attempt := get(p, chromedp.Location())
	p.do(p.visit("/"))
	if !get(p, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q).disabled", callButton("71450")))) {
		t.Error("the ticket can be called before the outcome is known")
	}
	p.do(chromedp.Navigate(attempt), see("h2", "The call is created")) // the page looks by itself
	p.wantCalls(397)
}

// TestPicture takes a picture with something of everything in it.
func TestPicture(t *testing.T) {
	if *screenshot == "" {
		t.Skip("-screenshot FILE takes a new picture")
	}
	p := sitDown(t)
	p.do(
		chromedp.EmulateViewport(1000, 400),
		p.visit("/"), press("71450"), see("h2", "The call is created"),
		p.visit("/"), press("80233"), see("h2", "Waiting for the agent"),
		p.visit("/"), press("80455"), see("h2", "Nobody was called"),
	)
	p.arm("answer")
	p.do(press("76517"), see("h2", "We do not know yet"), p.visit("/"))
	if err := os.WriteFile(*screenshot, get(p, chromedp.FullScreenshot(100)), 0o644); err != nil {
		t.Fatal(err)
	}
}
