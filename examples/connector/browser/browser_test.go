// Package browser drives the connector with a headless Chromium, as a person
// would. It is a module of its own because of its dependencies.
package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

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
	p.arm("response")
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

func TestTwoPeopleOnTheListMakeOneCall(t *testing.T) {
	one := sitDown(t)
	two := one.colleague()
	one.do(one.visit("/"))
	two.do(two.visit("/"), chromedp.Evaluate[chromedp.Void](`document.body.dataset.live = ""`)) // as it was shown
	one.do(press("71450"), see("h2", "The call is created"))
	two.do(press("71450"), see("h2", "The call is created"))
	if notice := get(two, chromedp.Text(chromedp.CSS("main > p.open:not([hidden])"))); !strings.HasPrefix(notice, "Nobody was called just now.") {
		t.Errorf("the second person reads %q", notice)
	}
	one.wantCalls(397)
}

func TestListUpdatesItselfAndKeepsTheFocus(t *testing.T) {
	p := sitDown(t)
	const focused = `[aria-label="Schedule a call for ticket 71450"]`
	p.do(p.visit("/"), chromedp.Focus(chromedp.CSS(focused)))
	other := p.colleague()
	other.do(other.visit("/"), press("71450"), see("h2", "The call is created"))
	p.do(see("a", "call created"))
	if label := get(p, chromedp.Evaluate[string](`document.activeElement.ariaLabel`)); !strings.Contains(focused, label) || label == "" {
		t.Errorf("the focus is on %q", label)
	}
}

func TestButtonThatChangedUnderTheFingerDoesNotRing(t *testing.T) {
	p := sitDown(t)
	p.do(p.visit("/"), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`
		const button = () => document.querySelector(%q)
		new MutationObserver(() => { if (button().textContent === "Call again") button().click() })
			.observe(button().closest("tr"), {childList: true})
		document.addEventListener("submit", event => { document.body.id = event.defaultPrevented ? "prevented" : "submitted" })`, callButton("71450"))))
	other := p.colleague()
	other.do(other.visit("/"), press("71450"), see("h2", "The call is created"))
	p.do(chromedp.WaitVisible(chromedp.CSS("#prevented")))
	p.wantCalls(397)
}

func TestStatusOfACallMovesByItself(t *testing.T) {
	p := sitDown(t)
	p.do(p.visit("/"), press("71450"), see("dd", "assigned"))
	other := p.colleague()
	other.do(other.visit("/"), chromedp.Click(chromedp.CSS("aside button[value=advance]")), see("a", "call connecting"))
	p.do(see("dd", "connecting"))
}
