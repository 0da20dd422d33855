package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// serve has the service shut down when stop is called, and returns the error
// that it ends with.
func (s *site) serve() (stop func(), ended <-chan error) {
	l := listen(s.T)
	s.url = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(s.Context())
	end := make(chan error, 1)
	go func() { end <- s.service.serve(ctx, l) }()
	return stop, end
}

func TestShutdownWaitsForACreateInFlight(t *testing.T) {
	s := newSite(t)
	stop, ended := s.serve()
	asked := s.gate.hold(http.MethodPost)
	s.service.patience = 0 // nobody waits for the page
	s.wants(s.call("71450"), http.StatusOK, "Calling…")
	<-asked
	stop()
	select {
	case err := <-ended:
		t.Fatalf("the service has ended with a create in flight: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := http.PostForm(s.url+"/tickets/71450/call", url.Values{}); err == nil {
		t.Error("a request got a response after the shutdown began")
	}
	s.gate.open()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.wantsCalls(1)
	if !strings.Contains(s.logs.String(), "state=created") || strings.Contains(s.logs.String(), "unsettled") {
		t.Errorf("logged:\n%s", s.logs)
	}
}

func TestShutdownRespondsToThoseWhoWait(t *testing.T) {
	s := newSite(t)
	stop, ended := s.serve()
	asked := s.gate.hold(http.MethodPost)
	form := url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}}
	responded := make(chan int)
	go func() {
		request := s.newPost("/tickets/71450/call", form)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Error(err)
			responded <- 0
			return
		}
		response.Body.Close()
		responded <- response.StatusCode
	}()
	<-asked
	stop()
	s.gate.open()
	if status := <-responded; status != http.StatusSeeOther {
		t.Errorf("got %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestShutdownTellsWhatIsUnsettled(t *testing.T) {
	s := newSite(t)
	stop, ended := s.serve()
	s.double.Fail(callstest.HangUpAfterRead)
	s.call("71450")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(s.logs.String(), `msg="unsettled: another instance or the next start goes on with it" ticket=71450 state=`) {
		t.Errorf("logged:\n%s", s.logs)
	}
}

func TestShutdownDoesNotWaitForever(t *testing.T) {
	s := newSite(t)
	s.service.timeout = 50 * time.Millisecond
	stop, ended := s.serve()
	asked := s.gate.hold(http.MethodPost)
	s.service.patience = 0
	s.call("71450")
	<-asked
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "still being asked for") {
		t.Errorf("got %v", err)
	}
}
