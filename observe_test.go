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

func TestObserverGetsAttemptsAndOutcomes(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var attempts []calls.ObservedAttempt
		var outcomes []calls.Delivery
		client := inProcessClient(t, server, calls.WithObserver(calls.Observer{
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
			t.Errorf("the lost create: %+v", lost)
		}
	})
}
