package main

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
)

func (s *site) schedule(typed map[string]string) seen {
	s.Helper()
	return s.post("/schedule", s.scheduleForm(s.nonceOf("/schedule", "/schedule"), typed))
}

func (s *site) scheduleForm(nonce string, typed map[string]string) url.Values {
	form := url.Values{"nonce": {nonce}}
	for name, value := range typed {
		form.Set(name, value)
	}
	return form
}

func valid() map[string]string {
	return map[string]string{
		"end_user_number": "+1 859-657-9625", "menu_id": "9", "lang": "en",
		"scheduled_at": time.Now().UTC().AddDate(1, 0, 0).Format(localTime),
	}
}

// problemOf is what stands beside a field, if it is marked as wrong.
func problemOf(p seen, field string) string {
	isMarked := regexp.MustCompile(`<(input|select) id="` + field + `"[^>]* aria-invalid="true" aria-describedby="` + field + `-problem[ "]`)
	_, problem, found := strings.Cut(p.body, `id="`+field+`-problem">`)
	problem, _, _ = strings.Cut(problem, "</p>")
	if found != isMarked.MatchString(p.body) {
		return "only half marked"
	}
	return seen{body: problem}.text()
}

func TestScheduledCall(t *testing.T) {
	s := newSite(t)
	typed := valid()
	p := s.schedule(typed)
	s.wants(p, http.StatusOK, "The call is created", "Scheduled for "+s.service.at(*s.double.Calls()[0].ScheduledAt))
	s.wantsCalls(1)
	if got := s.double.Calls()[0].ScheduledAt.Format(localTime); got != typed["scheduled_at"] {
		t.Errorf("scheduled at %s, want %s", got, typed["scheduled_at"])
	}
}

func TestScheduledCallOfATicketIsPrefilled(t *testing.T) {
	s := newSite(t)
	p := s.get("/schedule?ticket=71450")
	for _, want := range []string{`<option value="71450" selected>`, `value="&#43;1 859-657-9625"`} {
		if !strings.Contains(p.body, want) {
			t.Errorf("%s is not in the form", want)
		}
	}
	typed := valid()
	typed["ticket_id"] = "71450"
	s.wants(s.schedule(typed), http.StatusOK, "The call is created")
	s.wants(s.get("/"), http.StatusOK, "call created")
}

func TestScheduleShowsEveryProblemAndKeepsWhatWasTyped(t *testing.T) {
	tests := []struct {
		name     string
		typed    map[string]string
		problems map[string]string
	}{
		{"nothing", map[string]string{}, map[string]string{
			"end_user_number": "The telephone number to call is missing.", "scheduled_at": "The time of the call is missing.",
			"menu_id": "The queue menu is missing.",
		}},
		{"nonsense", map[string]string{
			"end_user_number": "123123", "scheduled_at": "2019-09-15T00:19", "menu_id": "-9", "call_id": "-1", "lang": "fr-ca", "recording_permission": "maybe",
		}, map[string]string{
			"end_user_number": "The number to call has no country code. Write it with its country code, such as +1 859-657-9625.", "scheduled_at": "The time of the call is not in the future. Choose a later time.",
			"menu_id": "The id of the queue menu is not a positive whole number.", "call_id": "The id of a call is a positive whole number.",
			"lang": "The language is not a code such as en or fr-CA. Upper and lower case matter.", "recording_permission": "The recording permission is not a documented one.",
		}},
		{"no numbers", map[string]string{"end_user_number": "+1 859-657-9625", "scheduled_at": "tomorrow", "menu_id": "nine", "call_id": "x", "ticket_id": "4711"}, map[string]string{
			"scheduled_at": "This is not a day and a time, such as 2030-01-31T12:00.", "menu_id": "This is not a whole number.",
			"call_id": "This is not a whole number.", "ticket_id": "There is no such ticket.",
		}},
		{"too much", map[string]string{
			"end_user_number": "+1 859-657-9625" + strings.Repeat(" ", 30) + "x", "scheduled_at": "2099-09-15T00:19", "menu_id": strings.Repeat("0", 14999) + "9", "call_id": strings.Repeat("0", 20), "lang": strings.Repeat("e", 40),
		}, map[string]string{
			"end_user_number": "This is too long: at most 40 characters.", "menu_id": "This is too long: at most 19 characters.",
			"call_id": "This is too long: at most 19 characters.", "lang": "This is too long: at most 35 characters.",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			p := s.schedule(test.typed)
			s.wants(p, http.StatusUnprocessableEntity, "Nobody was called")
			found := map[string]string{}
			for _, f := range scheduleFields {
				if problem := problemOf(p, f.Name); problem != "" {
					found[f.Name] = problem
				}
				value := strings.ReplaceAll(test.typed[f.Name], "+", "&#43;")
				if f.Options == nil && !strings.Contains(p.body, `name="`+f.Name+`" type="`+f.Type+`"`) {
					t.Errorf("%s is missing", f.Name)
				}
				if f.Options == nil && value != "" && !strings.Contains(p.body, `value="`+value+`"`) {
					t.Errorf("%s has forgotten %q", f.Name, value)
				}
			}
			if !maps.Equal(found, test.problems) {
				t.Errorf("got %q\nwant %q", found, test.problems)
			}
			if n := len(s.double.Requests()); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

func TestScheduleCanBeFixedAfterARefusal(t *testing.T) {
	s := newSite(t)
	typed := valid()
	typed["menu_id"] = "12"
	p := s.schedule(typed)
	s.wants(p, http.StatusOK, "Nobody was called The queue is redirected by hand", "Fix it and send it again")
	p = s.get("/schedule?fix=" + strings.TrimPrefix(p.path, "/attempts/"))
	if problem := problemOf(p, "menu_id"); !strings.Contains(problem, "redirected by hand") {
		t.Errorf("beside the menu stands %q", problem)
	}
	if !strings.Contains(p.body, `value="12"`) || !strings.Contains(p.body, `value="`+typed["scheduled_at"]+`"`) {
		t.Error("the form has forgotten what was typed")
	}
	s.wantsCalls(0)
}

func TestScheduleSubmittedTwiceMakesOneCall(t *testing.T) {
	s := newSite(t)
	form := s.scheduleForm(s.nonceOf("/schedule", "/schedule"), valid())
	first, second := s.post("/schedule", form), s.post("/schedule", form)
	s.wants(second, http.StatusOK, "The call is created")
	if first.path != second.path {
		t.Errorf("got %s, then %s", first.path, second.path)
	}
	s.wantsCalls(1)
}

func TestLostAnswerOfAScheduledCallSettlesItself(t *testing.T) {
	s := newSite(t)
	s.service.interval = time.Millisecond
	s.double.Fail(callstest.HangUpAfterCreate)
	looking := s.gate.hold(http.MethodGet)
	p := s.schedule(valid())
	<-looking
	s.wants(p, http.StatusOK, "We do not know yet")
	typed := valid()
	typed["end_user_number"] = "+1 (859) 657 9625"
	s.wants(s.schedule(typed), http.StatusConflict, "could ring the same person twice")
	s.wants(s.get("/"), http.StatusOK, "Calls for no ticket that are not settled Call at", ": not known yet")
	s.gate.open()
	s.wants(s.settled(p), http.StatusOK, "The call is created")
	defer s.service.startLoops(t.Context())()
	s.eventually(func() bool { return strings.Contains(s.get(p.path).text(), "Scheduled for") })
	s.wantsCalls(1)
	if strings.Contains(s.get("/").text(), "not settled") {
		t.Error("the list of tickets still shows it as unsettled")
	}
}
