package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestHealthTellsWhetherThePlatformAcceptsTheCredentials(t *testing.T) {
	tests := map[string]struct {
		fault  callstest.Fault
		status int
		says   string
		logged string
	}{
		"accepted":    {callstest.Pass, http.StatusOK, "ok", "the platform accepts the credentials"},
		"refused":     {callstest.Status(http.StatusUnauthorized), http.StatusServiceUnavailable, "the platform refuses the credentials", "status 401 from 127.0.0.1"},
		"not reached": {callstest.RefuseConnection, http.StatusServiceUnavailable, "the platform cannot be reached", "cause=\"the host 127.0.0.1"},
		"failing":     {callstest.Status(http.StatusBadGateway), http.StatusServiceUnavailable, "the platform cannot be reached", "status 502"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.wants(s.get("/healthz"), http.StatusServiceUnavailable, "not checked yet")
			s.double.Fail(test.fault)
			s.service.checkPlatform(t.Context())
			asked := len(s.double.Requests())
			s.wants(s.get("/healthz"), test.status, test.says)
			if len(s.double.Requests()) != asked {
				t.Error("the platform was asked for a GET")
			}
			if !strings.Contains(s.logs.String(), test.logged) {
				t.Errorf("%q is not in the log:\n%s", test.logged, s.logs)
			}
			s.service.checkPlatform(t.Context())
			s.wants(s.get("/healthz"), http.StatusOK, "ok")
		})
	}
}

func TestSameProblemIsLoggedOnce(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.Status(http.StatusUnauthorized), callstest.Status(http.StatusUnauthorized))
	s.service.checkPlatform(t.Context())
	s.service.checkPlatform(t.Context())
	if n := strings.Count(s.logs.String(), "the platform cannot be used"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.logs)
	}
}

func TestFollowedCallMovesByItself(t *testing.T) {
	s := newSite(t)
	s.service.interval = 1
	p := s.call("71450")
	s.wants(p, http.StatusOK, "Status assigned")
	ctx, stop := context.WithCancel(t.Context())
	defer s.service.startLoops(ctx)()
	defer stop()
	for _, status := range []calls.CallStatus{calls.CallStatusConnected, calls.CallStatusFinished} {
		if err := s.double.Advance(397, status); err != nil {
			t.Fatal(err)
		}
		s.eventually(func() bool { return strings.Contains(s.get(p.path).text(), "Status "+string(status)) })
	}
	s.wants(s.get("/"), http.StatusOK, "call finished")
	s.eventually(func() bool { // the call has ended: nobody is asked for it any more
		asked := len(s.double.Requests())
		s.get("/")
		return len(s.double.Requests()) == asked
	})
}
