package browser

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "directory to write new pictures to, such as ../../../docs")

// hardTickets have long texts and special characters.
func hardTickets(t *testing.T) string {
	t.Helper()
	long := strings.Repeat("long", 15)
	list := []map[string]string{
		{"id": "71450", "subject": "Smart lock does not open any more", "contact": "+1 859-657-9625", "agent": "agent@example.com"},
		{"id": "INC/1", "subject": "Wants a second key", "contact": "+1 859-657-9626", "agent": "agent@example.com"},
		{"id": "80233", "subject": "Question", "contact": "+82-10-6861-2345", "agent": "chooser@example.com"},
		{"id": "80455", "subject": long, "contact": "+1 205-123-4567", "agent": "busy@example.com"},
		{"id": "76517", "subject": "Same number", "contact": "+1 859-657-9625", "agent": long + "@" + long + ".example.com"},
		{"id": strings.Repeat("9", 200), "subject": "Long id", "contact": "+1 205-123-4568", "agent": "agent@example.com"},
		{"id": "..", "subject": "Not callable", "contact": "", "agent": "agent@example.com"},
	}
	data, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tickets.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// eachPage visits each page in each of its states, and checks it.
func (p *person) eachPage(check func(name string)) {
	p.t.Helper()
	show := func(name string, actions ...chromedp.Action[chromedp.Void]) {
		p.t.Helper()
		p.do(actions...)
		check(name)
	}
	heading := func(text string) chromedp.Action[chromedp.Void] { return see("h2", text) }
	show("tickets", p.visit("/"))
	show("created", press("71450"), heading("The call is created"))
	show("flags", chromedp.Click(`//a[text()="Customer flag of this call"]`), chromedp.WaitVisible(chromedp.CSS("main form")))
	show("flags: changed", chromedp.Click(chromedp.CSS("input[name=bad_actor][value=no]")), chromedp.Click(chromedp.CSS("main button")), see("p", "The customer flag was changed."))
	show("flags: nothing chosen", chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS("[role=alert]")))
	show("awaits agent", p.visit("/"), press("80233"), heading("Waiting for the agent"))
	show("refused", p.visit("/"), press("80455"), heading("Nobody was called"))
	show("repeated", chromedp.Evaluate[chromedp.Void](`location.search = "repeated"`), see("p", "This form had been sent before. It was not sent a second time, and nobody is called twice."))
	p.arm("two")
	show("ambiguous", press("71450"), heading("Several calls match"))
	show("tickets: one is open", p.visit("/"), see("a", "Check"))
	show("busy", p.force("76517"), heading("Another call comes first"))
	p.do(p.visit("/"), chromedp.Click(`//tr[.//small="71450"]//a[contains(@class,"state")]`), heading("Several calls match"))
	show("nothing found out", chromedp.Click(chromedp.CSS("main form button")), chromedp.WaitVisible(chromedp.CSS("#finding-problem")))
	show("not made", chromedp.Click(chromedp.CSS("input[value='not made']")), chromedp.Click(chromedp.CSS("main form button")), heading("Checked: no call was made"))
	p.arm("request")
	show("not found", press("INC%2F1"), heading("The call was not found"))
	show("to check", p.visit("/open"), see("h1", "Calls to check"))
	show("schedule", p.visit("/schedule"), chromedp.WaitVisible(chromedp.CSS("#lang")))
	show("schedule: problems", chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS("[role=alert]")))
	show("not found page", p.visit("/nothing"), see("h1", "There is no such page"))
}

// force sends a form whose button is disabled.
func (p *person) force(ticket string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).form.submit()`, callButton(ticket)))
}

// inScheme has the browser prefer light or dark colors.
func inScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

func TestPagesAreAccessibleAndFitANarrowWindow(t *testing.T) {
	axe, whyNot := fetchAxe(t)
	p := sitDown(t, "-tickets", hardTickets(t))
	p.eachPage(func(name string) {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(name+" in "+scheme, func(t *testing.T) {
				if axe == "" {
					t.Skip(whyNot)
				}
				p.do(inScheme(scheme), chromedp.Evaluate[chromedp.Void](axe))
				for _, finding := range get(p, axeFindings) {
					t.Error(finding)
				}
			})
		}
		t.Run(name+" at 320 pixels", func(t *testing.T) {
			p.do(chromedp.EmulateViewport(320, 640))
			for _, element := range get(p, tooWide) {
				t.Errorf("wider than the window: %s", element)
			}
			p.do(chromedp.EmulateReset())
		})
	})
}

var axeFindings = chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ["violations"]}).then(found =>
	found.violations.flatMap(v => v.nodes.map(n => v.id + " (" + v.impact + "): " + n.html + ": " + n.failureSummary)))`, chromedp.EvalAwaitPromise)

// tooWide selects the elements that are wider than the window, or whose text is cut
// off.
var tooWide = chromedp.Evaluate[[]string](`[...document.querySelectorAll("*")]
	.filter(e => e.getBoundingClientRect().right > innerWidth + 0.5 ||
		e.scrollWidth > e.clientWidth && e.clientWidth > 0 && getComputedStyle(e).overflowX !== "visible" && !e.matches("input, select") ||
		e === document.documentElement && e.scrollWidth > 320)
	.map(e => e.outerHTML.slice(0, 200))`)

// TestPictures takes the pictures of the documentation.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("-pictures DIRECTORY takes new pictures")
	}
	p := sitDown(t)
	take := func(name, scheme string, width int64) {
		p.do(inScheme(scheme), chromedp.EmulateViewport(width, 400))
		if err := os.WriteFile(filepath.Join(*pictures, name), get(p, chromedp.FullScreenshot(100)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.do(
		p.visit("/"), press("71450"), see("h2", "The call is created"),
		p.visit("/"), press("80233"), see("h2", "Waiting for the agent"),
		p.visit("/"), press("80455"), see("h2", "Nobody was called"),
	)
	p.arm("two")
	p.do(press("76517"), see("h2", "Several calls match"), p.visit("/"), see("a", "Check"))
	take("connector.png", "light", 1000)
	take("connector-dark.png", "dark", 1000)
	take("connector-narrow.png", "light", 320)
	p.do(chromedp.Click(`//tr[.//small="76517"]//a[contains(@class,"state")]`), see("h2", "Several calls match"))
	take("connector-unknown.png", "light", 1000)
}
