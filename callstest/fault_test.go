package callstest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ccaip-go/calls/callstest"
)

// faults has the faults that end by themselves, and what the client sees.
var faults = []struct {
	fault    callstest.Fault
	name     string
	status   int  // 0 means no response
	cut      bool // the body is truncated
	requests int
	calls    int
}{
	{callstest.RefuseConnection, "RefuseConnection", 0, false, 0, 0},
	{callstest.BreakHandshake, "BreakHandshake", 0, false, 0, 0},
	{callstest.HangUpBeforeRead, "HangUpBeforeRead", 0, false, 0, 0},
	{callstest.HangUpAfterRead, "HangUpAfterRead", 0, false, 1, 0},
	{callstest.HangUpAfterCreate, "HangUpAfterCreate", 0, false, 1, 1},
	{callstest.Reset, "Reset", 0, false, 1, 0},
	{callstest.ResetAfterCreate, "ResetAfterCreate", 0, false, 1, 1},
	{callstest.NotHTTP, "NotHTTP", 0, false, 1, 0},
	{callstest.CutStatusLine, "CutStatusLine", 0, false, 1, 1},
	{callstest.CutHeaders, "CutHeaders", 0, false, 1, 1},
	{callstest.CutBody, "CutBody", 201, true, 1, 1},
	{callstest.DripBody, "DripBody", 201, false, 1, 1},
	{callstest.CloseIdle, "CloseIdle", 201, false, 1, 1},
	{callstest.Pass, "Pass", 201, false, 1, 1},
	{callstest.Status(503), "Status(503)", 503, false, 1, 0},
	{callstest.StatusAfterCreate(502), "StatusAfterCreate(502)", 502, false, 1, 1},
	{callstest.RateLimited("2"), `RateLimited("2")`, 429, false, 1, 0},
	{callstest.Redirect(302, ""), `Redirect(302, "")`, 302, false, 1, 0},
}

// clients runs a test with HTTPClient and with a client that a user could bring, over http
// and https, in HTTP/1 and HTTP/2.
func clients(t *testing.T, run func(t *testing.T, s *callstest.Server, client *http.Client)) {
	own := func(s *callstest.Server) *http.Client { return s.HTTPClient() }
	foreign := func(s *callstest.Server) *http.Client {
		return &http.Client{Transport: s.HTTPClient().Transport.(*http.Transport).Clone()}
	}
	for _, test := range []struct {
		name   string
		opts   []callstest.Option
		client func(*callstest.Server) *http.Client
	}{
		{"http", nil, own},
		{"https", []callstest.Option{callstest.WithTLS()}, own},
		{"http, foreign client", nil, foreign},
		{"https, foreign client", []callstest.Option{callstest.WithTLS()}, foreign},
		{"HTTP/2 over http", []callstest.Option{callstest.WithHTTP2()}, own},
		{"HTTP/2 over https", []callstest.Option{callstest.WithHTTP2(), callstest.WithTLS()}, own},
		{"HTTP/2 over http, foreign client", []callstest.Option{callstest.WithHTTP2()}, foreign},
		{"HTTP/2 over https, foreign client", []callstest.Option{callstest.WithHTTP2(), callstest.WithTLS()}, foreign},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := callstest.NewServer(t, test.opts...)
			client := test.client(s)
			t.Cleanup(client.CloseIdleConnections)
			run(t, s, client)
		})
	}
}

// possible reports whether a client can meet a fault of a server.
func possible(f callstest.Fault, s *callstest.Server, client *http.Client) bool {
	switch f {
	case callstest.BreakHandshake: // requests of other clients share a connection over HTTP/2
		return strings.HasPrefix(s.URL(), "https:") && (client == s.HTTPClient() || !speaksHTTP2(client))
	case callstest.RefuseConnection:
		return client == s.HTTPClient()
	}
	return true
}

func speaksHTTP2(client *http.Client) bool {
	return client.Transport.(*http.Transport).Protocols != nil
}

func TestFaults(t *testing.T) {
	clients(t, func(t *testing.T, s *callstest.Server, client *http.Client) {
		requests, calls := 0, 0
		for _, test := range faults {
			if !possible(test.fault, s, client) {
				continue
			}
			s.Fail(test.fault)
			r := doWith(client, s, http.MethodPost, callsPath, outboundBody)
			if r.status != test.status || (r.err != nil) != (test.status == 0 || test.cut) {
				t.Errorf("%v: got %d, %v", test.fault, r.status, r.err)
			}
			requests, calls = requests+test.requests, calls+test.calls
			if len(s.Requests()) != requests || len(s.Calls()) != calls {
				t.Errorf("%v: %d requests, %d calls in all; want %d, %d", test.fault, len(s.Requests()), len(s.Calls()), requests, calls)
			}
			if unused := s.UnusedFaults(); len(unused) != 0 {
				t.Errorf("%v: left %v", test.fault, unused)
			}
		}
	})
}

// Each fault follows a successful attempt, whose connection could be reused, and the
// requests are GETs, which net/http retries by itself.
func TestScriptedFaults(t *testing.T) {
	clients(t, func(t *testing.T, s *callstest.Server, client *http.Client) {
		for _, test := range faults {
			if possible(test.fault, s, client) {
				s.Fail(callstest.Pass, test.fault, test.fault)
			}
		}
		for _, test := range faults {
			if !possible(test.fault, s, client) {
				continue
			}
			wantStatus(t, doWith(client, s, http.MethodGet, listingPath, ""), http.StatusOK)
			for range 2 {
				before := len(s.Requests())
				r := doWith(client, s, http.MethodGet, listingPath, "")
				failed := test.status == 0 || test.cut
				if (r.err != nil) != failed || len(s.Requests())-before != test.requests {
					t.Errorf("%v: got %d, %v, %d requests", test.fault, r.status, r.err, len(s.Requests())-before)
				}
			}
		}
		if unused := s.UnusedFaults(); len(unused) != 0 {
			t.Errorf("left %v", unused)
		}
	})
}

func TestStalls(t *testing.T) {
	clients(t, func(t *testing.T, s *callstest.Server, client *http.Client) {
		for _, fault := range []callstest.Fault{callstest.Stall, callstest.StallAfterCreate, callstest.StallBody} {
			requests, calls := len(s.Requests())+1, len(s.Calls())
			if fault.Acts() {
				calls++
			}
			s.Fail(fault)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- post(ctx, client, s) }()
			for len(s.Requests()) < requests || len(s.Calls()) < calls {
				runtime.Gosched()
			}
			select {
			case err := <-done:
				t.Errorf("%v: did not stall: %v", fault, err)
			default:
				cancel()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Errorf("%v: got %v", fault, err)
				}
			}
			cancel()
			if len(s.Requests()) != requests || len(s.Calls()) != calls {
				t.Errorf("%v: %d requests, %d calls", fault, len(s.Requests()), len(s.Calls()))
			}
		}
		wantStatus(t, doWith(client, s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
	})
}

// post creates a call and reads the whole response.
func post(ctx context.Context, client *http.Client, s *callstest.Server) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+callsPath, strings.NewReader(outboundBody))
	if err != nil {
		return err
	}
	r.SetBasicAuth(s.Subdomain(), s.Token())
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func TestFaultsAreValues(t *testing.T) {
	for _, test := range faults {
		if got := test.fault.String(); got != test.name {
			t.Errorf("got %q, want %q", got, test.name)
		}
		if test.fault.Acts() != (test.calls == 1) {
			t.Errorf("%v: Acts is %t", test.fault, test.fault.Acts())
		}
	}
	if callstest.Status(503) != callstest.Status(503) || callstest.Status(503) == callstest.StatusAfterCreate(503) || callstest.Pass != (callstest.Fault{}) {
		t.Error("faults do not compare")
	}
}

func TestResetIsAReset(t *testing.T) {
	s := callstest.NewServer(t)
	s.Fail(callstest.Reset)
	if r := do(s, http.MethodPost, callsPath, outboundBody); !errors.Is(r.err, syscall.ECONNRESET) {
		t.Errorf("got %v", r.err)
	}
}

func TestFaultsThatAreResponses(t *testing.T) {
	s := callstest.NewServer(t)
	client := *s.HTTPClient()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	attempt := func(f callstest.Fault) reply {
		s.Fail(f)
		return doWith(&client, s, http.MethodPost, callsPath, outboundBody)
	}
	if r := attempt(callstest.Status(503)); r.message(t) != "Service Unavailable" {
		t.Errorf("Status: %s", r.body)
	}
	if r := attempt(callstest.RateLimited("Wed, 21 Oct 2026 07:28:00 GMT")); r.header.Get("Retry-After") != "Wed, 21 Oct 2026 07:28:00 GMT" {
		t.Errorf("RateLimited: %v", r.header)
	}
	if r := attempt(callstest.Status(204)); r.status != 204 || r.body != "" || r.err != nil {
		t.Errorf("Status without a body: %d %q, %v", r.status, r.body, r.err)
	}
	if r := attempt(callstest.RateLimited("")); r.header["Retry-After"] != nil {
		t.Errorf("RateLimited without a wait: %v", r.header)
	}
	if r := attempt(callstest.Redirect(307, "https://elsewhere.example.com/")); r.status != 307 || r.header.Get("Location") != "https://elsewhere.example.com/" {
		t.Errorf("Redirect: %d %v", r.status, r.header)
	}
	if !callstest.HugeBody.Acts() || callstest.HugeBody.String() != "HugeBody" {
		t.Error("HugeBody does not act, or has another name")
	}
	r := attempt(callstest.HugeBody)
	length := len(r.body)
	r.body = strings.TrimLeft(r.body, " ")
	var call struct{ ID int64 }
	if r.decode(t, &call); length != 64<<20 || call.ID != 397 {
		t.Errorf("HugeBody: %d bytes, id %d", length, call.ID)
	}
	r = attempt(callstest.DripBody)
	if r.decode(t, &call); call.ID != 398 {
		t.Errorf("DripBody: %s", r.body)
	}
}

func TestCutBodyOfAnEmptyResponse(t *testing.T) {
	s := callstest.NewServer(t)
	s.Fail(callstest.CutBody)
	r := do(s, http.MethodPost, callsPath, outbound.with(params{"agent_email": `"chooser@example.com"`}))
	if r.status != http.StatusAccepted || !errors.Is(r.err, io.ErrUnexpectedEOF) {
		t.Errorf("got %d, %v", r.status, r.err)
	}
}

// Each of many concurrent attempts uses up one fault, and no fault is used twice.
func TestFaultsOfConcurrentAttempts(t *testing.T) {
	const each = 8
	clients(t, func(t *testing.T, s *callstest.Server, client *http.Client) {
		attempts, failures, delivered := 0, 0, 0
		for _, test := range faults {
			if !possible(test.fault, s, client) {
				continue
			}
			// The server cannot know whether the handshake of another client's
			// next request is over. Over HTTP/2 a fault of the connection breaks
			// other requests, too.
			if client != s.HTTPClient() && (test.fault == callstest.BreakHandshake || speaksHTTP2(client) && breaksConnection(test.fault)) {
				continue
			}
			for range each {
				s.Fail(test.fault)
			}
			attempts += each
			delivered += each * test.requests
			if test.status == 0 || test.cut {
				failures += each
			}
		}
		var group sync.WaitGroup
		results := make(chan error, attempts)
		for range attempts {
			group.Go(func() { results <- post(t.Context(), client, s) })
		}
		group.Wait()
		close(results)
		failed := 0
		for err := range results {
			if err != nil {
				failed++
			}
		}
		if failed != failures || len(s.Requests()) != delivered || len(s.UnusedFaults()) != 0 {
			t.Errorf("%d failed, %d requests, unused %v; want %d, %d, none",
				failed, len(s.Requests()), s.UnusedFaults(), failures, delivered)
		}
	})
}

func breaksConnection(f callstest.Fault) bool {
	switch f {
	case callstest.HangUpBeforeRead, callstest.HangUpAfterRead, callstest.HangUpAfterCreate, callstest.Reset, callstest.ResetAfterCreate,
		callstest.NotHTTP, callstest.CutStatusLine, callstest.CutHeaders, callstest.CutBody:
		return true
	}
	return false
}
