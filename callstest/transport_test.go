package callstest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ccaip-go/calls/callstest"
)

func TestHTTPClientIsTheSameEachTime(t *testing.T) {
	s := callstest.NewServer(t)
	if s.HTTPClient() != s.HTTPClient() {
		t.Error("two clients")
	}
	if _, ok := s.HTTPClient().Transport.(*http.Transport); !ok {
		t.Errorf("transport is a %T", s.HTTPClient().Transport)
	}
}

func TestRefuseConnectionRefusesTheConnection(t *testing.T) {
	s := callstest.NewServer(t)
	s.Fail(callstest.RefuseConnection)
	if r := do(s, http.MethodPost, callsPath, outboundBody); !errors.Is(r.err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", r.err)
	}
}

func TestRefuseConnectionWaitsForHTTPClient(t *testing.T) {
	s := callstest.NewServer(t)
	s.Fail(callstest.RefuseConnection)
	foreign := &http.Client{Transport: &http.Transport{}}
	defer foreign.CloseIdleConnections()
	for range 2 {
		wantStatus(t, doWith(foreign, s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
	}
	if unused := s.UnusedFaults(); !slices.Equal(unused, []string{"RefuseConnection"}) {
		t.Errorf("unused: %v", unused)
	}
	if r := do(s, http.MethodPost, callsPath, outboundBody); r.err == nil {
		t.Error("HTTPClient was not refused")
	}
}

// net/http finds out that an idle connection is broken when it writes to it. It retries the
// request on a new connection if it can rewind the body.
func TestCloseIdleIsNoticedOnWrite(t *testing.T) {
	for _, opts := range [][]callstest.Option{nil, {callstest.WithTLS()}} {
		s := callstest.NewServer(t, opts...)
		for range 3 {
			wantStatus(t, do(s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
			s.Fail(callstest.CloseIdle)
			wantStatus(t, do(s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
		}

		s.Fail(callstest.CloseIdle)
		r, _ := http.NewRequest(http.MethodPost, s.URL()+callsPath, strings.NewReader(outboundBody))
		r.GetBody = nil
		if response, err := s.HTTPClient().Do(r); err == nil {
			t.Errorf("the response to a request that cannot be retried is %d", response.StatusCode)
			response.Body.Close()
		}
		if n := len(s.Requests()); n != 6 {
			t.Errorf("%d requests, want 6", n)
		}
	}
}

// connectionsOf creates a call, and returns for each connection that net/http picked for
// the request whether it is a reused one.
func connectionsOf(t *testing.T, s *callstest.Server) (reused []bool) {
	t.Helper()
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = append(reused, info.Reused) }}
	if err := post(httptrace.WithClientTrace(t.Context(), trace), s.HTTPClient(), s); err != nil {
		t.Error(err)
	}
	return reused
}

func TestCloseIdleBreaksEveryIdleConnection(t *testing.T) {
	for _, opts := range [][]callstest.Option{nil, {callstest.WithTLS()}} {
		s := callstest.NewServer(t, opts...)
		var bodies []io.ReadCloser // each on a connection of its own, until it is read
		for range 3 {
			response, err := s.HTTPClient().Get(s.URL())
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			bodies = append(bodies, response.Body)
		}
		_, _ = io.ReadAll(io.MultiReader(bodies[0], bodies[1]))
		s.Fail(callstest.CloseIdle)
		if reused := connectionsOf(t, s); !slices.Equal(reused, []bool{true, true, false}) {
			t.Errorf("reused connections: %v, want two that break and a new one", reused)
		}
		_, _ = io.ReadAll(bodies[2])
		if reused := connectionsOf(t, s); !slices.Equal(reused, []bool{true}) {
			t.Errorf("reused connections after the fault: %v, want one", reused)
		}
	}
}

func TestCloseIdleOverHTTP2ClosesTheConnection(t *testing.T) {
	overHTTP2(t, func(t *testing.T, s *callstest.Server) {
		for range 10 {
			connectionsOf(t, s)
			s.Fail(callstest.CloseIdle)
			if reused := connectionsOf(t, s); !slices.Equal(reused, []bool{false}) {
				t.Errorf("reused connections: %v, want a new one", reused)
			}
		}
	})
}
