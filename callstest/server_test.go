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

func TestCredentials(t *testing.T) {
	s := callstest.NewServer(t, callstest.WithCredentials("name-7xd3onk.ue1", "secret"))
	if s.Subdomain() != "name-7xd3onk.ue1" || s.Token() != "secret" || s.Domain() != "uc1.ccaiplatform.com" {
		t.Errorf("got %s, %s, %s", s.Subdomain(), s.Token(), s.Domain())
	}
	wantStatus(t, do(s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)

	for _, user := range []string{"name-7xd3onk.ue1", "customer"} {
		r, _ := http.NewRequest(http.MethodPost, s.URL()+callsPath, strings.NewReader(outboundBody))
		r.SetBasicAuth(user, "callstest-token")
		response, err := s.HTTPClient().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("got %d, want 401", response.StatusCode)
		}
	}
	if n := len(s.Calls()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func TestNotFound(t *testing.T) {
	s := callstest.NewServer(t)
	id := s.AddCall(callstest.Call{})
	if id != 397 {
		t.Errorf("first id %d, want 397", id)
	}
	for _, target := range []string{
		"GET /", "GET " + callsPath, "PUT " + callsPath, "POST " + callsPath + "/", "POST " + listingPath,
		"GET " + callsPath + "/397", "GET " + callsPath + "/397/customer_flags", "GET " + callsPath + "/x/customer_flag",
		"GET " + callsPath + "/1/customer_flag", "PATCH " + callsPath + "/1/customer_flag", "POST " + callsPath + "/1/end_user",
		"PUT " + callsPath + "/397/customer_flag", "GET " + callsPath + "/397/end_user",
	} {
		method, path, _ := strings.Cut(target, " ")
		r := do(s, method, path, "{}")
		wantStatus(t, r, http.StatusNotFound)
		if got := r.message(t); got != "Not Found" {
			t.Errorf("%s: %q", target, got)
		}
	}
}

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
		t.Error("Requests shares memory with its caller")
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

func TestTLS(t *testing.T) {
	s := callstest.NewServer(t, callstest.WithTLS())
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("URL %s", s.URL())
	}
	wantStatus(t, do(s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
	if r := doWith(&http.Client{}, s, http.MethodPost, callsPath, outboundBody); r.err == nil {
		t.Error("a client that does not know the certificate trusts it")
	}
}

func TestRateLimit(t *testing.T) {
	clock := newClock()
	s := callstest.NewServer(t, callstest.WithRateLimit(2), callstest.WithClock(clock.now))
	get := func(want int) {
		t.Helper()
		wantStatus(t, do(s, http.MethodGet, listingPath, ""), want)
	}
	get(http.StatusOK)
	clock.move(900 * time.Millisecond)
	get(http.StatusOK)
	get(http.StatusTooManyRequests)
	clock.move(999 * time.Millisecond)
	get(http.StatusTooManyRequests)
	clock.move(time.Second)
	get(http.StatusOK)
}

func TestWithAddress(t *testing.T) {
	first := callstest.NewServer(t, callstest.WithAddress("localhost:0"))
	for _, host := range []string{"127.0.0.1", "", "0.0.0.0"} {
		s := callstest.NewServer(t, callstest.WithAddress(host+":0"))
		if !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
			t.Errorf("%q is reached by %s", host, s.URL())
		}
		if r := do(s, http.MethodPost, callsPath, outboundBody); r.status != http.StatusCreated {
			t.Errorf("%q: %d, %v", host, r.status, r.err)
		}
	}
	if s, err := callstest.Start(callstest.WithAddress(strings.TrimPrefix(first.URL(), "http://"))); err == nil {
		s.Close()
		t.Error("two servers have the same address")
	}
}

// TestEnvironLeadsToTheServer whatever account the environment had before.
func TestEnvironLeadsToTheServer(t *testing.T) {
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

func TestStartRefusesWrongOptions(t *testing.T) {
	tests := map[string]callstest.Option{
		"nil option":          nil,
		"no token":            callstest.WithCredentials("customer", ""),
		"colon":               callstest.WithCredentials("cust:omer", "token"),
		"agent without email": callstest.WithAgents(callstest.Agent{Email: "agent"}),
		"unknown answer":      callstest.WithAgents(callstest.Agent{Email: "agent@example.com", Response: 9}),
		"menu without id":     callstest.WithMenus(callstest.Menu{Name: "Lock Star"}),
		"unknown channel":     callstest.WithMenus(callstest.Menu{ID: 9, Channels: []callstest.Channel{7}}),
		"unknown menu state":  callstest.WithMenus(callstest.Menu{ID: 9, State: 7}),
		"ticket without id":   callstest.WithTickets(callstest.Ticket{}),
		"ticket's number":     callstest.WithTickets(callstest.Ticket{ID: "1", Number: "123123"}),
		"empty language":      callstest.WithLanguages(nil, []string{""}),
		"nil clock":           callstest.WithClock(nil),
		"nil lag":             callstest.WithListingLag(nil),
		"no requests":         callstest.WithRateLimit(0),
		"no port":             callstest.WithAddress("127.0.0.1"),
	}
	for name, option := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := callstest.Start(option)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "callstest: ") {
				t.Errorf("error %q does not say where it is from", err)
			}
		})
	}
}

// recorder stands in for the test that a NewServer is of.
type recorder struct {
	testing.TB
	cleanups      []func()
	errors, fatal []string
}

func (r *recorder) Helper()          {}
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
		t.Error("the server still answers")
	}
}

func TestNewServerIsQuietWhenAllFaultsAreUsed(t *testing.T) {
	r := &recorder{}
	s := callstest.NewServer(r)
	s.Fail(callstest.Status(503))
	do(s, http.MethodGet, listingPath, "")
	if r.end(); len(r.errors) != 0 {
		t.Errorf("got %q", r.errors)
	}
}

func TestNewServerEndsTheTestOnAWrongOption(t *testing.T) {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		callstest.NewServer(r, callstest.WithRateLimit(-1))
		t.Error("NewServer has returned")
	}()
	<-done
	if len(r.fatal) != 1 {
		t.Errorf("got %q", r.fatal)
	}
}

func TestCloseEndsWhatIsStalled(t *testing.T) {
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
	for runtime.NumGoroutine() > before { // what net/http's client ends on its own
		runtime.Gosched()
	}
}
