package callstest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

// TestRateLimiter checks that a limiter implements calls.RateLimiter correctly:
//
//   - Wait returns nil when the caller may make one attempt.
//   - Wait refuses a context that has ended at once, even if a permit is available.
//   - A caller whose context is canceled while it waits promptly gets an error that
//     matches ctx.Err().
//   - A caller that cannot get a permit before its deadline gets an error, of any kind,
//     no later than the deadline.
//   - Wait is safe for concurrent use.
//   - Every caller gets a permit in the end, even if other callers keep asking.
//   - A caller that gives up does not keep a permit.
//
// It does not check the rate. To check that, count the requests that reach a Server with
// [Server.Requests].
//
// newLimiter returns a new limiter; it is called once for each check. The limiter should
// issue about 10 permits a second, as the platform does. It may issue from 5 to 100 a
// second, and up to 10 at once. A much faster limiter fails, because callers never have
// to wait for it. Run the test with the race detector.
func TestRateLimiter(t *testing.T, newLimiter func(t *testing.T) calls.RateLimiter) {
	for _, check := range limiterChecks {
		t.Run(check.name, func(t *testing.T) {
			if err := check.run(newLimiter(t), limiterBounds); err != nil {
				t.Error(err)
			}
		})
	}
}

// bounds are much longer than a limiter of 5 permits a second needs on a busy machine. Only
// a limiter that fails takes as long.
type bounds struct {
	permit time.Duration // to get a permit that has to come
	giveUp time.Duration // to return an error
}

var limiterBounds = bounds{permit: 30 * time.Second, giveUp: 2 * time.Second}

var limiterChecks = []struct {
	name string
	run  func(calls.RateLimiter, bounds) error
}{
	{"refuses an ended context", refusesEndedContext},
	{"returns when the context is canceled", returnsOnCancel},
	{"keeps the deadline", keepsDeadline},
	{"serves every caller", servesEveryCaller},
	{"leaks no permit", leaksNoPermit},
}

// waiting is the number of callers that wait at the same time. It is more than can get a
// permit during a check.
const waiting = 50

func refusesEndedContext(limiter calls.RateLimiter, within bounds) error {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	expired, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	for _, ctx := range []context.Context{canceled, expired} {
		// Several callers, since a limiter can choose at random between permit and context.
		errs, err := collect(waitAll(ctx, limiter, waiting), waiting, within.giveUp)
		if err != nil {
			return fmt.Errorf("the context had ended before Wait was called: %w", err)
		}
		for _, err := range errs {
			if !errors.Is(err, ctx.Err()) {
				return fmt.Errorf("the context had ended with %v before Wait was called, and Wait returned %v", ctx.Err(), err) //nolint:errorlint // one of them can be nil
			}
		}
	}
	return nil
}

func returnsOnCancel(limiter calls.RateLimiter, within bounds) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	results := waitAll(ctx, limiter, waiting)
	if err := firstPermit(results, within.permit); err != nil {
		return err
	}
	time.Sleep(50 * time.Millisecond) // the others are waiting by then
	cancel()
	errs, err := collect(results, waiting-1, within.giveUp)
	if err != nil {
		return fmt.Errorf("the context was canceled: %w", err)
	}
	refused := 0
	for _, err := range errs {
		switch {
		case errors.Is(err, context.Canceled):
			refused++
		case err != nil: // nil: the permit came before the cancellation, or at the same time
			return fmt.Errorf("the context was canceled, and Wait returned %w", err)
		}
	}
	if refused == 0 {
		return fmt.Errorf("%d callers got a permit although their context was canceled", waiting)
	}
	return nil
}

func keepsDeadline(limiter calls.RateLimiter, within bounds) error {
	const deadline = 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	errs, err := collect(waitAll(ctx, limiter, waiting), waiting, deadline+within.giveUp)
	if err != nil {
		return fmt.Errorf("the deadline was %v: %w", deadline, err)
	}
	for _, err := range errs {
		if err != nil {
			return nil
		}
	}
	return fmt.Errorf("%d callers got a permit, although their deadline was %v", waiting, deadline)
}

// servesEveryCaller has callers that wait again as soon as they got a permit, so that a
// limiter can pass over one of them forever.
func servesEveryCaller(limiter calls.RateLimiter, within bounds) error {
	const callers, enough = 8, 2
	ctx, cancel := context.WithTimeout(context.Background(), within.permit)
	defer cancel()
	type result struct {
		caller int
		err    error
	}
	results := make(chan result)
	for caller := range callers {
		go func() {
			for ctx.Err() == nil {
				err := limiter.Wait(ctx)
				select {
				case results <- result{caller, err}:
				case <-ctx.Done():
				}
			}
		}()
	}
	var permits [callers]int
	for satisfied := 0; satisfied < callers; {
		select {
		case r := <-results:
			if r.err != nil {
				return fmt.Errorf("a caller got an error after the %d callers had got %v permits: %w", callers, permits, r.err)
			}
			if permits[r.caller]++; permits[r.caller] == enough {
				satisfied++
			}
		case <-ctx.Done():
			return fmt.Errorf("within %v the %d callers got %v permits, want %d each", within.permit, callers, permits, enough)
		}
	}
	return nil
}

func leaksNoPermit(limiter calls.RateLimiter, within bounds) error {
	if err := returnsOnCancel(limiter, within); err != nil {
		return err
	}
	if err := firstPermit(waitAll(context.Background(), limiter, 1), within.permit); err != nil {
		return fmt.Errorf("after %d callers gave up: %w", waiting, err)
	}
	return nil
}

// waitAll calls Wait from the given number of goroutines, and returns their results.
func waitAll(ctx context.Context, limiter calls.RateLimiter, callers int) <-chan error {
	results := make(chan error, callers)
	for range callers {
		go func() { results <- limiter.Wait(ctx) }()
	}
	return results
}

func firstPermit(results <-chan error, within time.Duration) error {
	errs, err := collect(results, 1, within)
	if err != nil {
		return fmt.Errorf("no permit came: %w", err)
	}
	if errs[0] != nil {
		return fmt.Errorf("no permit came: Wait returned %w", errs[0])
	}
	return nil
}

// collect returns n results. It is an error if they do not come within the given time.
func collect(results <-chan error, n int, within time.Duration) ([]error, error) {
	timeout := time.After(within)
	errs := make([]error, 0, n)
	for len(errs) < n {
		select {
		case err := <-results:
			errs = append(errs, err)
		case <-timeout:
			return nil, fmt.Errorf("%d callers still wait after %v", n-len(errs), within)
		}
	}
	return errs, nil
}
