package calls_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// statuses watches a call and returns what was seen, and when since the beginning.
func statuses(ctx context.Context, client *calls.Client, call *calls.Call, opts calls.WatchOptions) (seen []calls.CallStatus, at []time.Duration, err error) {
	begin := time.Now()
	for call, err := range client.WatchCall(ctx, call, opts) {
		if err != nil {
			return seen, at, err
		}
		seen, at = append(seen, call.Status), append(at, time.Since(begin))
	}
	return seen, at, nil
}

func TestWatchCallYieldsEachChangeUntilTheEnd(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{})
		server.AddCall(callstest.Call{})
		for status, after := range map[calls.CallStatus]time.Duration{
			calls.CallStatusAssigned: time.Second, calls.CallStatusConnected: 3 * time.Second, calls.CallStatusFinished: time.Minute,
		} {
			time.AfterFunc(after, func() { _ = server.Advance(id, status) })
		}
		seen, at, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{})
		want := []calls.CallStatus{calls.CallStatusQueued, calls.CallStatusAssigned, calls.CallStatusConnected, calls.CallStatusFinished}
		if err != nil || !slices.Equal(seen, want) {
			t.Errorf("%v at %v, %v", seen, at, err)
		}
		if last := at[len(at)-1]; last > 90*time.Second {
			t.Errorf("the end was seen at %v", last)
		}
		// From 4 s to the end nothing happens: the looks grow rare.
		if n := len(server.Requests()); n < 5 || n > 15 {
			t.Errorf("%d looks", n)
		}
	})
}

func TestWatchCallWaitsForACallThatIsNotListedYet(t *testing.T) {
	lagging := []callstest.Option{callstest.WithListingLag(func(int64) time.Duration { return 20 * time.Second })}
	onVirtualTime(t, lagging, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{Status: "finished"})
		seen, at, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{Since: time.Now()})
		if err != nil || len(seen) != 1 || at[0] < 20*time.Second {
			t.Errorf("%v at %v, %v", seen, at, err)
		}
	})
}

func TestWatchCallKeepsOffTheRateLimit(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{})
		ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
		defer cancel()
		_, _, err := statuses(ctx, client, &calls.Call{ID: id}, calls.WatchOptions{Interval: time.Nanosecond, MaxInterval: time.Nanosecond})
		if n := len(server.Requests()); n != 10 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d looks in 9.5 s, %v", n, err)
		}
	})
}

func TestWatchCallEndsWithAnError(t *testing.T) {
	server := newWorld(t)
	client := virtualClient(t, server)
	server.Fail(callstest.Status(403))
	for name, tt := range map[string]struct {
		id   int64
		opts calls.WatchOptions
		err  error
	}{
		"no such id":          {-1, calls.WatchOptions{}, calls.ErrCallIDInvalid},
		"a negative interval": {1, calls.WatchOptions{Interval: -1}, calls.ErrInvalidRequest},
		"a negative longest":  {1, calls.WatchOptions{MaxInterval: -1}, calls.ErrInvalidRequest},
	} {
		if _, _, err := statuses(t.Context(), client, &calls.Call{ID: tt.id}, tt.opts); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := statuses(t.Context(), client, &calls.Call{ID: 1}, calls.WatchOptions{}); !errors.Is(err, calls.ErrForbidden) {
		t.Errorf("refused: %v", err)
	}
}

func TestBreakingOutOfAWatchStopsIt(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{})
		for range client.WatchCall(t.Context(), &calls.Call{ID: id}, calls.WatchOptions{}) {
			break
		}
		if n := len(server.Requests()); n != 1 {
			t.Errorf("%d looks", n)
		}
	})
}
