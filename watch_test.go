package calls_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// statuses watches a call. It returns the statuses that were yielded, and when.
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
			t.Errorf("the end was yielded at %v", last)
		}
		// Polls become rare from 4 s on, when nothing changes until the end.
		if n := len(server.Requests()); n < 5 || n > 15 {
			t.Errorf("%d polls", n)
		}
	})
}

// TestAWatchBeginsWithTheGivenCall yields it without a request.
func TestAWatchBeginsWithTheGivenCall(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		for range 250 {
			server.AddCall(callstest.Call{})
			time.Sleep(time.Minute)
		}
		result, err := client.CreateInbound(t.Context(), calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"})
		if err != nil {
			t.Fatal(err)
		}
		before := len(server.Requests())
		time.AfterFunc(3*time.Second, func() { _ = server.Advance(result.Call.ID, calls.CallStatusFailed) })
		seen, at, err := statuses(t.Context(), client, result.Call, calls.WatchOptions{})
		if err != nil || !slices.Equal(seen, []calls.CallStatus{calls.CallStatusQueued, calls.CallStatusFailed}) || at[0] != 0 {
			t.Errorf("%v at %v, %v", seen, at, err)
		}
		if n := len(server.Requests()) - before; n > 3 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestAWatchEndsWithTheCall(t *testing.T) {
	ended := time.Now()
	tests := []struct {
		name     string
		call     calls.Call
		requests int
	}{
		{"finished", calls.Call{ID: 7, Status: calls.CallStatusFinished}, 0},
		{"canceled", calls.Call{ID: 7, Status: "cancelled", EndsAt: &ended}, 0},
		{"of an unknown status, with an end", calls.Call{ID: 7, Status: "abandoned", EndsAt: &ended}, 0},
	}
	for _, tt := range tests {
		server := newServer(t)
		client := inProcessClient(t, server)
		seen, _, err := statuses(t.Context(), client, &tt.call, calls.WatchOptions{})
		if err != nil || !slices.Equal(seen, []calls.CallStatus{tt.call.Status}) || len(server.Requests()) != tt.requests {
			t.Errorf("%s: %v, %v, %d requests", tt.name, seen, err, len(server.Requests()))
		}
	}
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{Status: "abandoned"})
		time.AfterFunc(time.Minute, func() {
			call, _ := server.Call(id)
			now := time.Now()
			call.EndsAt, call.UpdatedAt, call.Status = &now, now, "vanished"
			server.AddCall(call)
		})
		seen, at, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{})
		if err != nil || !slices.Equal(seen, []calls.CallStatus{"abandoned", "vanished"}) {
			t.Errorf("%v at %v, %v", seen, at, err)
		}
	})
}

func TestWatchCallWaitsForACallThatIsNotListedYet(t *testing.T) {
	lagging := []callstest.Option{callstest.WithListingLag(func(int64) time.Duration { return 20 * time.Second })}
	onVirtualTime(t, lagging, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{Status: "finished"})
		// Other calls are listed at once, so that the reader advances.
		go func() {
			for range 19 {
				server.AddCall(callstest.Call{})
				time.Sleep(time.Second)
			}
		}()
		seen, at, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{Since: time.Now()})
		if err != nil || len(seen) != 1 || at[0] < 20*time.Second || at[0] > time.Minute {
			t.Errorf("%v at %v, %v", seen, at, err)
		}
	})
}

func TestWatchCallPollsAtMostOnceASecond(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{})
		ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
		defer cancel()
		_, _, err := statuses(ctx, client, &calls.Call{ID: id}, calls.WatchOptions{Interval: time.Nanosecond, MaxInterval: time.Nanosecond})
		if n := len(server.Requests()); n != 10 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d polls in 9.5 s, %v", n, err)
		}
	})
}

func TestWatchCallEndsWithAnError(t *testing.T) {
	server := newServer(t)
	client := inProcessClient(t, server)
	server.Fail(callstest.Status(403))
	for name, tt := range map[string]struct {
		call *calls.Call
		opts calls.WatchOptions
		err  error
	}{
		"no call":             {nil, calls.WatchOptions{}, calls.ErrInvalidRequest},
		"a negative id":       {&calls.Call{ID: -1}, calls.WatchOptions{}, calls.ErrCallIDInvalid},
		"a negative interval": {&calls.Call{ID: 1}, calls.WatchOptions{Interval: -1}, calls.ErrInvalidRequest},
		"a negative maximum":  {&calls.Call{ID: 1}, calls.WatchOptions{MaxInterval: -1}, calls.ErrInvalidRequest},
	} {
		if _, _, err := statuses(t.Context(), client, tt.call, tt.opts); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := statuses(t.Context(), client, &calls.Call{ID: 1}, calls.WatchOptions{}); !errors.Is(err, calls.ErrForbidden) {
		t.Errorf("refused: %v", err)
	}
	var none *calls.Client
	if _, _, err := statuses(t.Context(), none, &calls.Call{ID: 1}, calls.WatchOptions{}); calls.DeliveryOf(err) != calls.DeliveryNotSent {
		t.Errorf("a nil Client: %v", err)
	}
	//lint:ignore SA1012 it must not panic
	if _, _, err := statuses(nil, client, &calls.Call{ID: 1}, calls.WatchOptions{}); err == nil { //nolint:staticcheck
		t.Error("a nil context")
	}
	none.LookNow()
	(&calls.Client{}).LookNow()
	client.LookNow()
}

func TestBreakingOutOfAWatchStopsIt(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{})
		for range client.WatchCall(t.Context(), &calls.Call{ID: id}, calls.WatchOptions{}) {
			break
		}
		time.Sleep(time.Hour)
		if n := len(server.Requests()); n != 1 {
			t.Errorf("%d polls", n)
		}
		func() {
			defer func() { _ = recover() }()
			for range client.WatchCall(t.Context(), &calls.Call{ID: id}, calls.WatchOptions{}) {
				panic("of the caller")
			}
		}()
	}) // synctest fails if a goroutine is left
}

func TestLookNowWakesAWatch(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{})
		time.AfterFunc(20*time.Minute+7*time.Second, func() {
			_ = server.Advance(id, calls.CallStatusFinished)
			for range 100 {
				client.LookNow()
			}
		})
		var before atomic.Int64
		time.AfterFunc(20*time.Minute+7*time.Second-1, func() { before.Store(int64(len(server.Requests()))) })
		_, at, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{})
		if err != nil || len(at) != 2 || at[1] != 20*time.Minute+7*time.Second {
			t.Errorf("%v, %v", at, err)
		}
		if n := int64(len(server.Requests())) - before.Load(); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestLookNowWakesATail(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		begin := time.Now()
		time.AfterFunc(20*time.Minute+7*time.Second, func() {
			server.AddCall(callstest.Call{})
			client.LookNow()
		})
		for range client.TailCalls(t.Context(), begin, calls.TailOptions{}) {
			break
		}
		if took := time.Since(begin); took != 20*time.Minute+7*time.Second {
			t.Errorf("yielded after %v", took)
		}
	})
}

func TestWatchCallsEndsWithTheLastCall(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		var watched []*calls.Call
		for i := range 3 {
			id := server.AddCall(callstest.Call{})
			watched = append(watched, &calls.Call{ID: id}, &calls.Call{ID: id})
			time.AfterFunc(time.Duration(i+1)*time.Minute, func() { _ = server.Advance(id, calls.CallStatusFinished) })
		}
		count := map[calls.CallStatus]int{}
		for call, err := range client.WatchCalls(t.Context(), watched, calls.WatchOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			count[call.Status]++
		}
		if count[calls.CallStatusQueued] != 3 || count[calls.CallStatusFinished] != 3 {
			t.Errorf("%v", count)
		}
		for call, err := range client.WatchCalls(t.Context(), nil, calls.WatchOptions{}) {
			t.Errorf("without calls: %v, %v", call, err)
		}
	})
}
