package main

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

func TestTicketPageShowsTheTickets(t *testing.T) {
	s := newSite(t)
	p := s.get("/")
	s.wants(p, http.StatusOK, "71450 Smart lock does not open any more +1 859-657-9625 agent@example.com", "1 Feedback without a name no contact")
	if strings.Contains(p.main(), " disabled") {
		t.Error("a Call button is disabled")
	}
}

func TestEverythingShownIsEscaped(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/schedule?ticket=2"} {
		p := s.get(path)
		if strings.Contains(p.main(), "<script") || strings.Contains(p.body, "<img") {
			t.Errorf("%s shows what a ticket has as HTML:\n%s", path, p.main())
		}
		if !strings.Contains(p.body, "&lt;script&gt;") {
			t.Errorf("%s does not show the ticket's subject", path)
		}
	}
	p := s.post("/schedule", url.Values{"nonce": {"x"}, "lang": {`"><script>`}, "end_user_number": {"<script>"}})
	s.wants(p, http.StatusUnprocessableEntity)
	if strings.Contains(p.main(), "<script") {
		t.Errorf("what was typed is shown as HTML:\n%s", p.main())
	}
}

func TestPagesAreHardened(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/schedule", "/attempts/none", "/style.css", "/nothing"} {
		h := s.get(path).header
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: %q is not in the policy %q", path, want, policy)
			}
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: got %v", path, h)
		}
		if !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s lets something of others run: %q", path, policy)
		}
	}
}

func TestWhatDoesNotComeFromOurPagesIsRefused(t *testing.T) {
	otherNonces := &nonces{key: newKey(), now: time.Now}
	tests := map[string]struct {
		change func(*http.Request)
		form   url.Values
		status int
	}{
		"of another site":            {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, nil, http.StatusForbidden},
		"of another site, by origin": {func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") }, nil, http.StatusForbidden},
		"for another name":           {func(r *http.Request) { r.Host = "evil.example" }, nil, http.StatusMisdirectedRequest},
		"too large":                  {nil, url.Values{"nonce": {strings.Repeat("x", maxBody)}}, http.StatusRequestEntityTooLarge},
		"without a nonce":            {nil, url.Values{}, http.StatusBadRequest},
		"with a nonce of its own":    {nil, url.Values{"nonce": {"AAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA"}}, http.StatusBadRequest},
		"with another key's nonce":   {nil, url.Values{"nonce": {otherNonces.issue(actionCall, "71450", 0)}}, http.StatusBadRequest},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			form := test.form
			if form == nil {
				form = url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}}
			}
			request := s.newPost("/tickets/71450/call", form)
			if test.change != nil {
				test.change(request)
			}
			s.wants(s.send(request), test.status)
			s.wantsCalls(0)
		})
	}
}

func TestUnknownPagesAreNotFound(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/nothing", "/attempts/none", "/calls/4711/flags", "/calls/x/flags"} {
		s.wants(s.get(path), http.StatusNotFound)
	}
	s.wants(s.post("/tickets/4711/call", nil), http.StatusNotFound, "There is no such ticket")
	s.wants(s.post("/attempts/none/decision", nil), http.StatusNotFound, "Check whether the customer was called")
	s.wants(s.post("/attempts/none/look", nil), http.StatusNotFound)
}

func TestThereIsNoDemonstrationOnTheRealPlatform(t *testing.T) {
	s := newSite(t)
	s.service.demo = nil
	s.wants(s.call("71450"), http.StatusOK, "The call is created")
	if strings.Contains(s.get("/").body, "Demonstration") {
		t.Error("the page offers tricks")
	}
}

func TestProblemsAreExplained(t *testing.T) {
	operation := func(delivery calls.Delivery, causes ...error) error {
		return &calls.OpError{Operation: "CreateOutbound", Delivery: delivery, Causes: causes}
	}
	for want, err := range map[string]error{
		"The platform is busy. Try again in 7s.":                                          operation(calls.DeliveryRejected, &calls.APIError{StatusCode: 429, RetryAfter: 7 * time.Second}),
		"The platform is busy. Try again in a moment.":                                    &calls.APIError{StatusCode: 429},
		"The request is not valid: Something new.":                                        operation(calls.DeliveryRejected, &calls.APIError{StatusCode: 400, Message: "Something new."}),
		`The request is not valid: a\nb\u{202e}c\u{1b}[1m.`:                               operation(calls.DeliveryRejected, &calls.APIError{StatusCode: 400, Message: "a\nb\u202ec\x1b[1m"}),
		"The platform could not be reached, and nothing was sent. Try again in a moment.": operation(calls.DeliveryNotSent, errors.New("dial tcp 10.0.0.1:443: connection refused")),
		"The records of this service could not be used. Try again in a moment.":           errors.New("pq: the host 10.0.0.1 is down"),
	} {
		if words := explain(err); words != want {
			t.Errorf("got %q, want %q", words, want)
		}
	}
}

// TestProblemsStandBesideTheirFields checks that each field that a refusal is put
// beside is one of the form.
func TestProblemsStandBesideTheirFields(t *testing.T) {
	for _, f := range fields {
		err := &calls.OpError{Operation: "CreateScheduled", Delivery: calls.DeliveryRejected, Causes: []error{f.problem}}
		isInForm := slices.ContainsFunc(scheduleFields, func(input field) bool { return input.Name == f.name })
		if found := problems(err); !isInForm || found[f.name] != calls.Explain(err) {
			t.Errorf("%v: problems are %q, want one beside %s", f.problem, found, f.name)
		}
	}
}
