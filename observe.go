package calls

import (
	"context"
	"time"

	"github.com/ccaip-go/calls/internal/transport"
)

// Observer is told what a Client does, so that it can be counted and measured. A
// nil function is not called. The functions are called synchronously and
// concurrently, so they must be fast and safe for concurrent use.
type Observer struct {
	// Attempt is called after each attempt at an operation.
	Attempt func(ctx context.Context, a ObservedAttempt)
	// Done is called when an operation has ended, with its error, nil for a
	// success. DeliveryOf(err) says which outcomes are unknown.
	Done func(ctx context.Context, operation string, err error)
	// Settled is called when Settle or SettleAll has come to a result: a call, or
	// the error that they return.
	Settled func(ctx context.Context, i Intent, call *Call, err error)
	// Tailed is called for each change that the shared reader hands to a watcher,
	// with how long ago the change was. It must not call WatchCall or Settle, which
	// wait for that reader.
	Tailed func(lag time.Duration)
}

// ObservedAttempt is one attempt at an operation.
type ObservedAttempt struct {
	Operation string
	Number    int           // 1 for the first attempt
	Paced     time.Duration // how long the attempt waited for its turn
	Duration  time.Duration // of the attempt itself
	// StatusCode is that of the response, 0 if there was none. 429 means that the
	// rate limit was hit.
	StatusCode int
	Err        error // why there was no response
	// Retry means that another attempt follows after Wait.
	Retry bool
	Wait  time.Duration
}

// WithObserver has the Client tell an Observer what it does. The default tells
// nobody.
func WithObserver(observer Observer) Option {
	return func(s *settings) error {
		s.observer = observer
		return nil
	}
}

// attempt returns the function that the transport calls after each attempt.
func (o Observer) attempt() func(context.Context, transport.Event) {
	if o.Attempt == nil {
		return nil
	}
	return func(ctx context.Context, e transport.Event) {
		o.Attempt(ctx, ObservedAttempt{
			Operation: e.Operation, Number: e.Attempt, Paced: e.Paced, Duration: e.Duration,
			StatusCode: e.Status, Err: e.Err, Retry: e.Retry, Wait: e.Wait,
		})
	}
}
