package callstest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/events"
)

// eventReceiver stores the request bodies that it receives, and their events.
type eventReceiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	events []events.Event
	err    error // returned for each event
}

func newEventReceiver(t *testing.T) *eventReceiver {
	r := &eventReceiver{}
	handler := events.Handler("ccaip", "secret", func(_ context.Context, e events.Event) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.err == nil {
			r.events = append(r.events, e)
		}
		return r.err
	}, events.WithLogger(nil))
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.bodies = append(r.bodies, string(body))
		r.mu.Unlock()
		request.Body = io.NopCloser(strings.NewReader(string(body)))
		handler.ServeHTTP(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

// take returns what has arrived since the last take. A line has the call, its state and the
// states of the participants of one event.
func (r *eventReceiver) take() (bodies []string, lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		line := fmt.Sprint(e.CallID, " ", e.State)
		for _, p := range e.Participants {
			line += fmt.Sprint(" ", p.Type, ":", p.State)
		}
		lines = append(lines, line)
	}
	bodies = r.bodies
	r.events, r.bodies = nil, nil
	return bodies, lines
}

func postEvents(t *testing.T, s *callstest.Server, r *eventReceiver, opts ...callstest.EventOption) (bodies, lines []string) {
	t.Helper()
	if err := s.PostEvents(r.URL, "ccaip", "secret", opts...); err != nil {
		t.Fatal(err)
	}
	return r.take()
}

func wantLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// endedCallEvents has all events of the call of addEndedCall.
var endedCallEvents = []string{
	"397 connected external:connected",
	"397 connected external:connected",
	"397 connected external:connected agent:accepted",
	"397 connected external:connected agent:connected",
	"397 disconnected external:disconnected agent:disconnected",
	"397 disconnected external:disconnected agent:dispositionSubmitted",
}

func addEndedCall(s *callstest.Server, id int64) {
	at := time.Date(2019, 9, 10, 0, 19, 14, 421e6, time.UTC).Add(time.Duration(id) * time.Hour)
	after := func(d time.Duration) *time.Time {
		t := at.Add(d)
		return &t
	}
	s.AddCall(callstest.Call{
		ID: id, Status: "finished", MenuID: 9, AgentEmail: "agent@example.com", EndUserNumber: "+18596579625",
		CreatedAt: at, QueuedAt: after(0), AssignedAt: after(time.Second), ConnectedAt: after(2 * time.Second), EndsAt: after(time.Minute),
	})
}

func TestPostEventsOfAnEndedCall(t *testing.T) {
	s, r := callstest.NewServer(t), newEventReceiver(t)
	addEndedCall(s, 397)
	if err := s.PostEvents(r.URL, "ccaip", "secret"); err != nil {
		t.Fatal(err)
	}
	last := r.events[len(r.events)-1]
	ended := time.Date(2019, 9, 26, 13, 20, 14, 421e6, time.UTC)
	connected := ended.Add(-58 * time.Second)
	want := events.Event{
		EventID: last.EventID, Timestamp: ended, CallID: 397, State: events.StateDisconnected, ConnectedAt: &connected, EndsAt: &ended,
		QueuePathNames: []string{"Lock Star"}, Initiator: "agent_1",
		Participants: []events.Participant{
			{Type: "external", State: "disconnected", DN: "+18596579625"},
			{Type: "agent", State: "dispositionSubmitted", AgentID: 1, AgentName: "Example Agent"},
		},
		Dispositions: []events.Disposition{{Code: "resolved", CustomCodeID: 12, Note: "Asked about the lock"}},
	}
	if diff := cmp.Diff(want, last, cmpopts.IgnoreUnexported(events.Event{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	bodies, lines := r.take()
	wantLines(t, lines, endedCallEvents...)
	var body struct {
		Count  int
		Events []json.RawMessage
	}
	if err := json.Unmarshal([]byte(bodies[0]), &body); err != nil || len(bodies) != 1 || body.Count != 6 || len(body.Events) != 6 {
		t.Errorf("%d bodies, the first: %s", len(bodies), bodies[0])
	}
}

func TestPostEventsPostsEachChangeOnce(t *testing.T) {
	clock := newClock()
	s, r := callstest.NewServer(t, callstest.WithClock(clock.now)), newEventReceiver(t)
	wantStatus(t, do(s, http.MethodPost, callsPath, inboundBody), http.StatusCreated)
	_, lines := postEvents(t, s, r)
	wantLines(t, lines, "397 connected external:connected", "397 connected external:connected")
	for _, step := range []struct {
		status string
		want   []string
	}{
		{"connected", []string{"397 connected external:connected"}},
		{"switching", nil},
		{"finished", []string{"397 disconnected external:disconnected"}},
		{"recovered", []string{"397 disconnected external:disconnected"}}, // ends again
	} {
		clock.move(time.Minute)
		advance(t, s, 397, step.status)
		_, lines = postEvents(t, s, r)
		wantLines(t, lines, step.want...)
	}
	if bodies, _ := postEvents(t, s, r); len(bodies) != 0 {
		t.Errorf("posted again: %s", bodies)
	}
	other := newEventReceiver(t)
	if _, lines := postEvents(t, s, other); len(lines) != 4 {
		t.Errorf("posted to another receiver: %q", lines)
	}
}

func TestPostEventsOfAnOutboundCall(t *testing.T) {
	s, r := callstest.NewServer(t), newEventReceiver(t)
	wantStatus(t, do(s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
	do(s, http.MethodPost, callsPath, strings.Replace(outboundBody, "agent@", "chooser@", 1)) // this call awaits its agent
	advance(t, s, 397, "assigned")
	advance(t, s, 397, "failed")
	_, lines := postEvents(t, s, r)
	wantLines(t, lines, "397 connected agent:accepted", "397 disconnected external:disconnected agent:disconnected")
}

func TestPostEventsOfAScheduledCall(t *testing.T) {
	s, r := callstest.NewServer(t), newEventReceiver(t)
	s.AddCall(callstest.Call{Status: "scheduled", MenuID: 9})
	if bodies, _ := postEvents(t, s, r); len(bodies) != 0 {
		t.Errorf("posted %s", bodies)
	}
}

func TestEventOptions(t *testing.T) {
	reversed := slices.Clone(endedCallEvents)
	slices.Reverse(reversed)
	tests := []struct {
		name   string
		opts   []callstest.EventOption
		bodies int
		lines  []string
		has    string
	}{
		{"none", nil, 1, endedCallEvents, `"event_id":`},
		{"duplicates", []callstest.EventOption{callstest.DuplicateEvents}, 2, endedCallEvents, `"event_id":`}, // the handler drops them
		{"reversed", []callstest.EventOption{callstest.ReverseEvents}, 1, reversed, `"event_id":`},
		{"without ends", []callstest.EventOption{callstest.WithoutEnds}, 1, endedCallEvents[:4], `"event_id":`},
		{"capitals", []callstest.EventOption{callstest.CapitalKeys}, 1, endedCallEvents, `"CustomCodeID":`},
		{"items", []callstest.EventOption{callstest.ItemEvents}, 1, endedCallEvents, `"item":{"call_id":397`},
		{"all", []callstest.EventOption{callstest.ItemEvents, callstest.CapitalKeys, callstest.WithoutEnds, callstest.ReverseEvents, callstest.DuplicateEvents},
			2, reversed[2:], `"Item":{"CallID":397`},
	}
	for _, test := range tests {
		s, r := callstest.NewServer(t), newEventReceiver(t)
		addEndedCall(s, 397)
		bodies, lines := postEvents(t, s, r, test.opts...)
		wantLines(t, lines, test.lines...)
		if len(bodies) != test.bodies || bodies[0] != bodies[len(bodies)-1] || !strings.Contains(bodies[0], test.has) {
			t.Errorf("%s: %d bodies: %s", test.name, len(bodies), bodies)
		}
	}
}

func TestOmittedEndsArePostedLater(t *testing.T) {
	s, r := callstest.NewServer(t), newEventReceiver(t)
	addEndedCall(s, 397)
	postEvents(t, s, r, callstest.WithoutEnds)
	_, lines := postEvents(t, s, r)
	wantLines(t, lines, endedCallEvents[4:]...)
}

func TestManyEventsTakeSeveralRequests(t *testing.T) {
	s, r := callstest.NewServer(t), newEventReceiver(t)
	const count = 40
	for id := range int64(count) {
		addEndedCall(s, count-id) // the call that is added last began first
	}
	bodies, lines := postEvents(t, s, r)
	if len(bodies) != 3 || len(lines) != 6*count || !strings.HasPrefix(lines[0], "1 ") || !strings.HasPrefix(lines[6*count-1], "40 ") {
		t.Errorf("%d bodies, %d events", len(bodies), len(lines))
	}
}

func TestPostEventsReportsAFailureAndRetries(t *testing.T) {
	s, r := callstest.NewServer(t), newEventReceiver(t)
	addEndedCall(s, 397)
	if err := s.PostEvents(r.URL, "ccaip", "wrong"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong password: %v", err)
	}
	r.err = errors.New("the queue is full")
	if err := s.PostEvents(r.URL, "ccaip", "secret"); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("a receiver that fails: %v", err)
	}
	r.err = nil
	_, lines := postEvents(t, s, r)
	wantLines(t, lines, endedCallEvents...)

	addEndedCall(s, 398)
	for name, err := range map[string]error{
		"an unknown option": s.PostEvents(r.URL, "ccaip", "secret", 0),
		"a bad URL":         s.PostEvents("://", "ccaip", "secret"),
		"a closed port":     s.PostEvents("http://127.0.0.1:1/", "ccaip", "secret"),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "callstest: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	redirecting := httptest.NewServer(http.RedirectHandler(r.URL, http.StatusTemporaryRedirect))
	defer redirecting.Close()
	if err := s.PostEvents(redirecting.URL, "ccaip", "secret"); err == nil {
		t.Error("a redirect was followed")
	}
}

func advance(t *testing.T, s *callstest.Server, id int64, status string) {
	t.Helper()
	if err := s.Advance(id, calls.CallStatus(status)); err != nil {
		t.Fatal(err)
	}
}
