package callstest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
)

func TestAdvance(t *testing.T) {
	clock := newClock()
	s := callstest.NewServer(t, callstest.WithClock(clock.now))
	wantStatus(t, do(s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
	advanced := func(err error) callstest.Call {
		t.Helper()
		c, _ := s.Call(397)
		if err != nil || !c.UpdatedAt.Equal(clock.now()) {
			t.Errorf("got %+v, %v", c, err)
		}
		clock.move(time.Minute)
		return c
	}
	clock.move(time.Minute)
	if c := advanced(s.Advance(397, "connected")); c.ConnectedAt == nil || c.EndsAt != nil {
		t.Errorf("connected: %+v", c)
	}
	if c := advanced(s.Advance(397, "a status of tomorrow")); c.Status != "a status of tomorrow" || c.EndsAt != nil {
		t.Errorf("unknown status: %+v", c)
	}
	if c := advanced(s.Advance(397, "finished")); c.EndsAt == nil || c.EndsAt.Sub(*c.ConnectedAt) != 2*time.Minute {
		t.Errorf("finished: %+v", c)
	}
	if r := do(s, http.MethodGet, listingPath, ""); !strings.Contains(r.body, `"call_duration":120`) {
		t.Errorf("listing: %s", r.body)
	}
	if err := s.Advance(1, "finished"); err == nil {
		t.Error("no error for a call that does not exist")
	}
}

func TestScriptAdvancesACallWithEachReading(t *testing.T) {
	s := callstest.NewServer(t)
	id := s.AddCall(callstest.Call{})
	s.AddCall(callstest.Call{})
	if err := s.Script(id, "connecting", "connected"); err != nil {
		t.Fatal(err)
	}
	if err := s.Script(id, "finished"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"connecting", "connected", "finished", "finished"} {
		calls, _ := list(t, s, "per=1")
		list(t, s, "per=1&page=2")
		if calls[0].Status != want {
			t.Errorf("got %s, want %s", calls[0].Status, want)
		}
	}
	if err := s.Script(1, "finished"); err == nil {
		t.Error("no error for a call that does not exist")
	}
}

func TestCallsThatAwaitTheirAgent(t *testing.T) {
	s := callstest.NewServer(t)
	accepted := do(s, http.MethodPost, callsPath, outbound.with(params{"agent_email": `"chooser@example.com"`}))
	wantStatus(t, accepted, http.StatusAccepted)
	if accepted.body != "" {
		t.Errorf("202 with body %q", accepted.body)
	}
	prompted := do(s, http.MethodPost, callsPath, outbound.with(params{"agent_email": `"prompted@example.com"`}))
	wantStatus(t, prompted, http.StatusOK)
	if want := `{"call_type":"Voice Outbound (API)","agent_email":"prompted@example.com","end_user_number":"+1 859-657-9625","lang":"en"}`; prompted.body != want {
		t.Errorf("200 with body %s, want %s", prompted.body, want)
	}

	calls := s.Calls()
	if len(calls) != 2 || !calls[0].AwaitsAgent || calls[0].ID != 0 || !calls[1].AwaitsAgent {
		t.Fatalf("calls: %+v", calls)
	}
	if r := do(s, http.MethodGet, listingPath, ""); r.body != "[]" {
		t.Errorf("listing: %s", r.body)
	}
	id, ok := s.Place()
	placed, _ := s.Call(id)
	if !ok || placed.AgentEmail != "chooser@example.com" || placed.AwaitsAgent || placed.Status != "assigned" {
		t.Errorf("placed %d, %t: %+v", id, ok, placed)
	}
	if s.Place(); len(s.Calls()) != 2 {
		t.Errorf("placing a call changed the number of calls to %d", len(s.Calls()))
	}
	if id, ok := s.Place(); ok {
		t.Errorf("placed %d although no call awaits its agent", id)
	}
}
