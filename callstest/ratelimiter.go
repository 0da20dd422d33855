package callstest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

// TestRateLimiter checks that a limiter of your own keeps the contract of
// calls.RateLimiter:
//
//   - Wait returns nil when the caller may make one attempt.
//   - A context that has ended is refused at once, whatever there is to give.
//   - A caller whose context is canceled meanwhile gets its error promptly:
//     errors.Is(err, ctx.Err()).
//   - A caller whose turn cannot come before its deadline gets an error, of any
//     kind, no later than the deadline.
//   - Wait is safe for concurrent use.
//   - Every caller gets its turn, whoever else keeps asking.
//   - A caller who gave up leaves nothing taken for ever.
//
// It does not check the pace: how many turns there are is the limiter's own
// business, and what arrives at the platform tells (Server.Requests).
//
// newLimiter returns a limiter that nobody has used yet, for each check a new
// one. It gives about 10 turns a second, as the platform does; from 5 to 100 are
// fine, and up to 10 of them at once. A limiter that is much faster never makes
// anybody wait, and fails for it. Run the test with the race detector.
func TestRateLimiter(t *testing.T, newLimiter func(t *testing.T) calls.RateLimiter) {
	for _, check := range limiterChecks {
		t.Run(check.name, func(t *testing.T) {
			if err := check.run(newLimiter(t), limiterBounds); err != nil {
				t.Error(err)
			}
		})
	}
}

// bounds are far above what a limiter of 5 turns a second needs on a busy
// machine. Only a limiter that fails takes as long.
type bounds struct {
	turn time.Duration // to get a turn that has to come
	give time.Duration // to give up
}

var limiterBounds = bounds{turn: 30 * time.Second, give: 2 * time.Second}

var limiterChecks = []struct {
	name string
	run  func(calls.RateLimiter, bounds) error
}{
	{"refuses an ended context", refusesEnded},
	{"returns when the context is canceled", returnsOnCancel},
	{"keeps the deadline", keepsDeadline},
	{"starves nobody", starvesNobody},
	{"takes nothing for ever", takesNothing},
}

// queueing is how many callers wait at a time: more than can get a turn while
// a check looks on.
const queueing = 50

func refusesEnded(limiter calls.RateLimiter, within bounds) error {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	expired, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	for _, ctx := range []context.Context{canceled, expired} {
		// Several, since a limiter may choose at random between turn and context.
		errs, err := gather(crowd(ctx, limiter, queueing), queueing, within.give)
		if err != nil {
			return fmt.Errorf("the context had ended before Wait: %w", err)
		}
		for _, err := range errs {
			if !errors.Is(err, ctx.Err()) {
				return fmt.Errorf("the context had ended before with %v, and Wait returned %v", ctx.Err(), err) //nolint:errorlint // one of them can be nil
			}
		}
	}
	return nil
}

func returnsOnCancel(limiter calls.RateLimiter, within bounds) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	results := crowd(ctx, limiter, queueing)
	if err := firstTurn(results, within.turn); err != nil {
		return err
	}
	time.Sleep(50 * time.Millisecond) // the others are waiting by then
	cancel()
	errs, err := gather(results, queueing-1, within.give)
	if err != nil {
		return fmt.Errorf("the context was canceled: %w", err)
	}
	refused := 0
	for _, err := range errs {
		switch {
		case errors.Is(err, context.Canceled):
			refused++
		case err != nil: // nil: the turn came before the end, or with it
			return fmt.Errorf("the context was canceled, and Wait returned %w", err)
		}
	}
	if refused == 0 {
		return fmt.Errorf("%d callers got a turn though their context was canceled", queueing)
	}
	return nil
}

func keepsDeadline(limiter calls.RateLimiter, within bounds) error {
	const deadline = 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	errs, err := gather(crowd(ctx, limiter, queueing), queueing, deadline+within.give)
	if err != nil {
		return fmt.Errorf("the deadline was %v: %w", deadline, err)
	}
	for _, err := range errs {
		if err != nil {
			return nil
		}
	}
	return fmt.Errorf("%d callers got a turn, their deadline was %v", queueing, deadline)
}

// starvesNobody has callers who come back as soon as they had a turn, so that
// who is passed over once can be passed over for ever.
func starvesNobody(limiter calls.RateLimiter, within bounds) error {
	const callers, enough = 8, 2
	ctx, cancel := context.WithTimeout(context.Background(), within.turn)
	defer cancel()
	type turn struct {
		caller int
		err    error
	}
	turns := make(chan turn)
	for caller := range callers {
		go func() {
			for ctx.Err() == nil {
				err := limiter.Wait(ctx)
				select {
				case turns <- turn{caller, err}:
				case <-ctx.Done():
				}
			}
		}()
	}
	var had [callers]int
	for content := 0; content < callers; {
		select {
		case t := <-turns:
			if t.err != nil {
				return fmt.Errorf("a caller got no turn, those of all %d were %v: %w", callers, had, t.err)
			}
			if had[t.caller]++; had[t.caller] == enough {
				content++
			}
		case <-ctx.Done():
			return fmt.Errorf("within %v the turns of %d callers were %v, each had to have %d", within.turn, callers, had, enough)
		}
	}
	return nil
}

func takesNothing(limiter calls.RateLimiter, within bounds) error {
	if err := returnsOnCancel(limiter, within); err != nil {
		return err
	}
	if err := firstTurn(crowd(context.Background(), limiter, 1), within.turn); err != nil {
		return fmt.Errorf("after %d callers gave up: %w", queueing, err)
	}
	return nil
}

// crowd has so many callers Wait at the same time.
func crowd(ctx context.Context, limiter calls.RateLimiter, callers int) <-chan error {
	results := make(chan error, callers)
	for range callers {
		go func() { results <- limiter.Wait(ctx) }()
	}
	return results
}

func firstTurn(results <-chan error, within time.Duration) error {
	errs, err := gather(results, 1, within)
	if err != nil {
		return fmt.Errorf("no turn came: %w", err)
	}
	if errs[0] != nil {
		return fmt.Errorf("no turn came: Wait returned %w", errs[0])
	}
	return nil
}

// gather returns what n callers got. It is an error if one of them still waits
// after so long.
func gather(results <-chan error, n int, within time.Duration) ([]error, error) {
	timeout := time.After(within)
	errs := make([]error, 0, n)
	for len(errs) < n {
		select {
		case err := <-results:
			errs = append(errs, err)
		case <-timeout:
			return nil, fmt.Errorf("%d callers still wait %v later", n-len(errs), within)
		}
	}
	return errs, nil
}
