package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// follows has the service follow its calls until the test ends.
func (s *site) follows() {
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan struct{})
	go func() {
		s.service.follow(ctx)
		close(ended)
	}()
	s.Cleanup(func() {
		cancel()
		<-ended
	})
}

// moves gives calls of the double another status.
func (s *site) moves(status calls.CallStatus, ids ...int64) {
	s.Helper()
	for _, id := range ids {
		if err := s.double.Advance(id, status); err != nil {
			s.Fatal(err)
		}
	}
}

func (s *site) shows(path, text string) func() bool {
	return func() bool { return strings.Contains(s.get(path).text(), text) }
}

// listings counts the requests that read calls.
func (s *site) listings() (n int) {
	for _, request := range s.double.Requests() {
		if request.Method == http.MethodGet && strings.HasSuffix(request.Path, "/calls") {
			n++
		}
	}
	return n
}

func TestPagesFollowTheCalls(t *testing.T) {
	s := newSite(t)
	s.service.interval = time.Second
	first, second := s.call("71450").path, s.call("76517").path
	s.follows()
	s.moves(calls.CallStatusConnected, 397)
	s.eventually(s.shows(first, "Call 397 Status connected"))
	s.moves(calls.CallStatusFinished, 397)
	s.moves(calls.CallStatusFailed, 398)
	s.eventually(s.shows(first, "Call 397 Status finished"))
	s.eventually(s.shows(second, "Call 398 Status failed"))
	s.eventually(s.shows("/", "call finished"))
}

func TestOneTailFollowsAllCalls(t *testing.T) {
	list := make(tickets, 12)
	for i := range list {
		list[i] = ticket{ID: fmt.Sprint(i), Contact: fmt.Sprint("+185965796", 10+i), Agent: "agent@example.com"}
	}
	s := newSiteOf(t, list)
	s.service.interval = time.Hour // one look for those that begin, and none after it
	for i, ticket := range list {
		s.wants(s.call(ticket.ID), http.StatusOK, "The call is created")
		s.moves(calls.CallStatusFinished, int64(397+i))
	}
	before := s.listings()
	s.follows()
	s.eventually(func() bool {
		running, err := s.service.attempts.running(t.Context(), time.Time{})
		return err == nil && len(running) == 0
	})
	if n := s.listings() - before; n != 1 {
		t.Errorf("%d listings for %d calls, want 1", n, len(list))
	}
}

func TestEventHasThePagesFollowAtOnce(t *testing.T) {
	const user, password = "platform", "a secret of events"
	s := newSite(t)
	s.service.interval = time.Hour
	s.service.receiveEvents(user, password)
	server := httptest.NewServer(s.service.handler())
	t.Cleanup(server.Close)
	s.url = server.URL
	path := s.call("71450").path
	s.follows()
	s.eventually(func() bool { return s.listings() > 0 }) // the first look; the next is in an hour
	s.moves(calls.CallStatusConnected, 397)
	if err := s.double.PostEvents(s.url+"/events", user, "another secret"); err == nil {
		t.Error("events with a wrong password were received")
	}
	if err := s.double.PostEvents(s.url+"/events", user, password); err != nil {
		t.Error(err)
	}
	s.eventually(s.shows(path, "Call 397 Status connected"))
}

func TestCallsAreFollowedAgainAfterAFailure(t *testing.T) {
	s := newSite(t)
	s.service.interval, s.service.retry = time.Second, 10*time.Millisecond
	path := s.call("71450").path
	s.double.Fail(callstest.Status(http.StatusForbidden))
	s.moves(calls.CallStatusConnected, 397)
	s.follows()
	s.eventually(s.shows(path, "Call 397 Status connected"))
	if !strings.Contains(s.logs.String(), "the status of calls cannot be read") {
		t.Errorf("logged:\n%s", s.logs)
	}
}

func TestEventsNeedCredentials(t *testing.T) {
	short, long := fileOf(t, "short"), fileOf(t, "a secret of events\n")
	for _, setting := range []string{"platform", "platform:" + short, "platform:" + short + ".none"} {
		if _, _, err := eventCredentials(settings{events: setting}); err == nil || !strings.Contains(err.Error(), "-events") {
			t.Errorf("%q: error is %v, want one about -events", setting, err)
		}
	}
	if user, password, err := eventCredentials(settings{events: "platform:" + long}); user != "platform" || password != "a secret of events" || err != nil {
		t.Errorf("got %q, %q, %v", user, password, err)
	}
	s := newSite(t)
	if p := s.get("/events"); p.status != http.StatusNotFound {
		t.Errorf("status %d without -events, want 404", p.status)
	}
}
