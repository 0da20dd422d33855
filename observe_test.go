package calls_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestAnObserverIsToldOfAttemptsAndOutcomes(t *testing.T) {
	server := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var attempts []calls.ObservedAttempt
		var outcomes []calls.Delivery
		client := virtualClient(t, server, calls.WithObserver(calls.Observer{
			Attempt: func(_ context.Context, a calls.ObservedAttempt) {
				mu.Lock()
				defer mu.Unlock()
				attempts = append(attempts, a)
			},
			Done: func(_ context.Context, operation string, err error) {
				mu.Lock()
				defer mu.Unlock()
				if operation == "CreateInbound" {
					outcomes = append(outcomes, calls.DeliveryOf(err))
				}
			},
		}))
		server.Fail(callstest.RateLimited("2"), callstest.Pass, callstest.HangUpAfterCreate)
		for range 2 {
			_, _ = creates["CreateInbound"](t.Context(), client)
		}
		if len(attempts) != 3 || len(outcomes) != 2 || outcomes[0] != calls.DeliveryAccepted || outcomes[1] != calls.DeliveryUnknown {
			t.Fatalf("%+v, %v", attempts, outcomes)
		}
		limited, created, lost := attempts[0], attempts[1], attempts[2]
		if limited.StatusCode != http.StatusTooManyRequests || !limited.Retry || limited.Wait != 2*time.Second || limited.Number != 1 {
			t.Errorf("the 429: %+v", limited)
		}
		if created.StatusCode != http.StatusCreated || created.Retry || created.Wait != 0 || created.Number != 2 || created.Operation != "CreateInbound" {
			t.Errorf("the success: %+v", created)
		}
		if lost.StatusCode != 0 || lost.Err == nil || lost.Retry {
			t.Errorf("the lost one: %+v", lost)
		}
	})
}

func TestRetryAfterSaysWhatCanBeSentAgain(t *testing.T) {
	server := newWorld(t)
	once := calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1})
	for fault, want := range map[callstest.Fault]time.Duration{
		callstest.RateLimited("7"):   7 * time.Second,
		callstest.RateLimited("2.0"): 2 * time.Second,
		callstest.RateLimited(""):    time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			server.Fail(fault)
			_, err := creates["CreateInbound"](t.Context(), virtualClient(t, server, once))
			if wait, ok := calls.RetryAfter(err); wait != want || !ok || apiErrorOf(t, err).RetryAfter != want {
				t.Errorf("%v: %v, %v, %v", fault, wait, ok, err)
			}
		})
	}
	refused := callstest.NewServer(t)
	refused.Fail(callstest.RefuseConnection)
	client := hastyClient(t, refused, once)
	_, err := creates["CreateInbound"](t.Context(), client)
	if _, ok := calls.RetryAfter(err); !ok || calls.DeliveryOf(err) != calls.DeliveryNotSent {
		t.Errorf("a refused connection: %v", err)
	}
	for _, fault := range []callstest.Fault{callstest.HangUpAfterCreate, callstest.Status(400), callstest.Status(503)} {
		refused.Fail(fault)
		_, err := creates["CreateInbound"](t.Context(), client)
		if _, ok := calls.RetryAfter(err); ok || err == nil {
			t.Errorf("%v: %v", fault, err)
		}
	}
	for name, err := range map[string]error{
		"nil": nil, "foreign": context.Canceled, "not valid": client.Validate(calls.InboundRequest{}), "not made": (*calls.Client)(nil).Validate(anInbound),
	} {
		if _, ok := calls.RetryAfter(err); ok {
			t.Errorf("%s: can be sent again", name)
		}
	}
}
