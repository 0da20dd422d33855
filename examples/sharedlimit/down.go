package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/ccaip-go/calls"
)

// OnDown decides about an attempt when Redis fails: nil lets it through, an
// error refuses it. The cause is a *DownError.
type OnDown func(ctx context.Context, cause error) error

// A DownError means that Redis gives no turn. It has the cause, and since when.
type DownError struct {
	Since time.Time
	Err   error
}

func (e *DownError) Error() string { return "the shared rate limit fails: " + e.Err.Error() }
func (e *DownError) Unwrap() error { return e.Err }

// Refuse lets nothing through while Redis is down. The error makes the operation fail
// with calls.DeliveryNotSent.
func Refuse(_ context.Context, cause error) error { return cause }

// FallBackTo paces the process by a share of its own while Redis is down. It
// begins a second later, so that no second has turns of Redis and shares in it;
// the Limiter waits a second before it goes back, too. If only some processes
// have lost Redis, the others do not know that, and a 429 is possible.
func FallBackTo(share calls.RateLimiter) OnDown {
	return func(ctx context.Context, cause error) error {
		var down *DownError
		if errors.As(cause, &down) {
			if err := sleep(ctx, time.Until(down.Since.Add(time.Second))); err != nil {
				return err
			}
		}
		return share.Wait(ctx)
	}
}

// perSecond is the platform's limit for each customer.
const perSecond = 10

// shareOf returns the share of each of so many processes. In any second a
// limiter lets through its rate and its burst: those of all processes together
// are 10. Each needs a burst of 1, so there is no share for 10 processes or more.
func shareOf(processes int) (*rate.Limiter, error) {
	if processes < 1 || processes >= perSecond {
		return nil, fmt.Errorf("%d processes cannot share %d requests a second, 1 to %d can", processes, perSecond, perSecond-1)
	}
	return rate.NewLimiter(rate.Limit(perSecond-processes)/rate.Limit(processes), 1), nil
}
