package callstest_test

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestRequestsAreRecorded(t *testing.T) {
	clock := newClock()
	s := callstest.NewServer(t, callstest.WithClock(clock.now))
	do(s, http.MethodPost, callsPath, outboundBody)
	clock.move(time.Second)
	do(s, http.MethodGet, listingPath+"?page=1", "")

	requests := s.Requests()
	if len(requests) != 2 {
		t.Fatalf("%d requests, want 2", len(requests))
	}
	post, get := requests[0], requests[1]
	if post.Method != "POST" || post.Path != callsPath || string(post.Body) != outboundBody || post.Header.Get("Authorization") == "" {
		t.Errorf("POST: %+v", post)
	}
	if get.Query != "page=1" || get.At.Sub(post.At) != time.Second {
		t.Errorf("GET: %+v", get)
	}
	post.Header.Set("Authorization", "changed")
	post.Body[0] = 'x'
	if again := s.Requests()[0]; string(again.Body) != outboundBody || again.Header.Get("Authorization") == "changed" {
		t.Error("Requests shares memory with the caller")
	}
}

func TestOversizedBodyIsRefused(t *testing.T) {
	s := callstest.NewServer(t)
	r := do(s, http.MethodPost, callsPath, strings.Repeat(" ", 1<<20)+outboundBody)
	if r.err == nil && r.status != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d, want 413", r.status)
	}
	if requests := s.Requests(); len(requests) != 1 || len(requests[0].Body) != 1<<20 || len(s.Calls()) != 0 {
		t.Errorf("%d requests, %d calls", len(requests), len(s.Calls()))
	}
}

// The environment names another account before.
func TestEnvironNamesTheServer(t *testing.T) {
	for _, name := range []string{"CCAIP_SUBDOMAIN", "CCAIP_DOMAIN", "CCAIP_TOKEN", "CCAIP_BASE_URL", "CCAIP_HOST", "CCAIP_USERNAME"} {
		t.Setenv(name, "another.example.com")
	}
	s := callstest.NewServer(t)
	for _, variable := range s.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	client, err := calls.NewClientFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"}); err != nil || len(s.Calls()) != 1 {
		t.Errorf("%v, %d calls", err, len(s.Calls()))
	}
}

// recorder is a testing.TB that records what NewServer does with it.
type recorder struct {
	testing.TB
	cleanups      []func()
	errors, fatal []string
}

func (r *recorder) Helper() {}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (r *recorder) Fatal(args ...any) {
	r.fatal = append(r.fatal, fmt.Sprintf("%v", args...))
	runtime.Goexit()
}

func (r *recorder) end() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

func TestNewServerReportsUnusedFaults(t *testing.T) {
	r := &recorder{}
	s := callstest.NewServer(r)
	s.Fail(callstest.Status(503), callstest.Stall, callstest.BreakHandshake, callstest.Status(99))
	do(s, http.MethodGet, listingPath, "")
	want := []string{
		"callstest: fault never used: Stall",
		"callstest: fault never used: BreakHandshake: needs a server with TLS",
		"callstest: fault never used: Status(99): is not the status of a response",
	}
	if r.end(); !slices.Equal(r.errors, want) {
		t.Errorf("got %q, want %q", r.errors, want)
	}
	if err := do(s, http.MethodGet, listingPath, "").err; err == nil {
		t.Error("the server still responds")
	}
}

func TestNewServerReportsNothingIfAllFaultsAreUsed(t *testing.T) {
	r := &recorder{}
	s := callstest.NewServer(r)
	s.Fail(callstest.Status(503))
	do(s, http.MethodGet, listingPath, "")
	if r.end(); len(r.errors) != 0 {
		t.Errorf("got %q", r.errors)
	}
}

func TestNewServerEndsTheTestOnAnInvalidOption(t *testing.T) {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		callstest.NewServer(r, callstest.WithRateLimit(-1))
		t.Error("NewServer returned")
	}()
	<-done
	if len(r.fatal) != 1 {
		t.Errorf("got %q", r.fatal)
	}
}

func TestCloseEndsStalledResponses(t *testing.T) {
	for _, fault := range []callstest.Fault{callstest.Stall, callstest.StallAfterCreate, callstest.StallBody} {
		t.Run(fault.String(), func(t *testing.T) {
			s, err := callstest.Start()
			if err != nil {
				t.Fatal(err)
			}
			s.Fail(fault)
			replies := make(chan reply)
			go func() { replies <- do(s, http.MethodPost, callsPath, outboundBody) }()
			for len(s.Requests()) == 0 {
				runtime.Gosched()
			}
			s.Close()
			s.Close()
			if r := <-replies; r.err == nil {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := callstest.Start(callstest.WithTLS())
	if err != nil {
		t.Fatal(err)
	}
	s.Fail(callstest.Pass, callstest.CutBody, callstest.Reset, callstest.CloseIdle, callstest.RefuseConnection)
	for range 6 {
		do(s, http.MethodPost, callsPath, outboundBody)
	}
	s.Close()
	for runtime.NumGoroutine() > before { // net/http's client ends its goroutines asynchronously
		runtime.Gosched()
	}
}
