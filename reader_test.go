package calls_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestAWatchSurvivesTransientErrors(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, _ *calls.Client) {
		client := inProcessClient(t, server, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}))
		id := server.AddCall(callstest.Call{Status: "finished"})
		server.Fail(callstest.Status(503), callstest.HangUpAfterRead, callstest.RateLimited("1"))
		if seen, _, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{}); err != nil || len(seen) != 1 {
			t.Errorf("%v, %v", seen, err)
		}
	})
}

// TestAFailedPollIsLogged has the platform repeat an e-mail address, which must not be in
// the log.
func TestAFailedPollIsLogged(t *testing.T) {
	var log bytes.Buffer
	polls := 0
	platform := roundTripper(func(*http.Request) (*http.Response, error) {
		if polls++; polls == 1 {
			return nil, errors.New("reset for agent@example.com")
		}
		return newResponse(http.StatusOK, `[{"id":397,"status":"finished","updated_at":"2019-09-01T00:00:00Z"}]`), nil
	})
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, platform, calls.WithClock(time.Now), calls.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		opts := calls.WatchOptions{Since: time.Date(2019, 8, 1, 0, 0, 0, 0, time.UTC)}
		if seen, _, err := statuses(t.Context(), client, &calls.Call{ID: 397}, opts); err != nil || len(seen) != 1 {
			t.Errorf("%v, %v", seen, err)
		}
	})
	if text := log.String(); !strings.Contains(text, "level=WARN") || !strings.Contains(text, "the listing failed") || strings.Contains(text, "agent@") {
		t.Errorf("logged %q", text)
	}
}

func TestObserverGetsTheAgeOfAChange(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, _ *calls.Client) {
		var mu sync.Mutex
		var ages []time.Duration
		client := inProcessClient(t, server, calls.WithObserver(calls.Observer{Tailed: func(age time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			ages = append(ages, age)
		}}))
		id := server.AddCall(callstest.Call{Status: "finished"})
		time.Sleep(7 * time.Second)
		if _, _, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{}); err != nil {
			t.Fatal(err)
		}
		if len(ages) != 1 || ages[0].Truncate(time.Second) != 7*time.Second {
			t.Errorf("ages %v, want 7 s and the wait before the poll", ages)
		}
	})
}

// TestManyEventsCauseFewPolls has an event every 10 ms.
func TestManyEventsCauseFewPolls(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		id := server.AddCall(callstest.Call{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			for ctx.Err() == nil {
				client.LookNow()
				time.Sleep(10 * time.Millisecond)
			}
		})
		_, _, _ = statuses(ctx, client, &calls.Call{ID: id}, calls.WatchOptions{})
		wg.Wait()
		if n := len(server.Requests()); n > 21 {
			t.Errorf("%d polls in 10 s", n)
		}
	})
}

// TestALaterWatchGetsEarlierChanges joins a reader that has passed the last change that
// the watch knows.
func TestALaterWatchGetsEarlierChanges(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		first := server.AddCall(callstest.Call{})
		old := server.AddCall(callstest.Call{})
		call, err := client.FindCall(t.Context(), old, calls.FindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = statuses(ctx, client, &calls.Call{ID: first}, calls.WatchOptions{}) })
		time.Sleep(10 * time.Minute)
		_ = server.Advance(old, calls.CallStatusConnected)
		time.Sleep(10 * time.Minute)
		server.AddCall(callstest.Call{})
		time.Sleep(10 * time.Minute)
		time.AfterFunc(5*time.Minute, func() { _ = server.Advance(old, calls.CallStatusFinished) })
		seen, at, err := statuses(t.Context(), client, call, calls.WatchOptions{})
		want := []calls.CallStatus{calls.CallStatusQueued, calls.CallStatusConnected, calls.CallStatusFinished}
		if err != nil || !slices.Equal(seen, want) || at[1] > 2*time.Second {
			t.Errorf("%v at %v, %v", seen, at, err)
		}
		cancel()
		wg.Wait()
	})
}

// TestAPanicInTheReaderIsAnErrorOfThoseWhoWait has code of the caller's panic in the
// goroutine of the reader, where the caller cannot recover from it.
func TestAPanicInTheReaderIsAnErrorOfThoseWhoWait(t *testing.T) {
	broken := func(http.RoundTripper) http.RoundTripper {
		return roundTripper(func(*http.Request) (*http.Response, error) { panic("+18596579625 is not in the cache") })
	}
	for name, option := range map[string]calls.Option{
		"a middleware": calls.WithMiddleware(broken),
		"an observer":  calls.WithObserver(calls.Observer{Tailed: func(time.Duration) { panic("+18596579625 is not in the cache") }}),
	} {
		onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, _ *calls.Client) {
			client := inProcessClient(t, server, option)
			id := server.AddCall(callstest.Call{})
			_, _, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{})
			if err == nil || !strings.Contains(err.Error(), "panicked: [redacted] is not in the cache") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
