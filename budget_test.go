package calls_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// These tests measure, in virtual time, how the ten requests a second are spent. With
// -v they print the figures that docs/performance.md quotes.

// longestWait makes a create every 300 ms for 15 s and returns the longest time that
// one took. The double responds at once, so that time is the wait for a turn.
func longestWait(t *testing.T, client *calls.Client) (longest time.Duration) {
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		begin := time.Now()
		if _, err := client.CreateOutbound(t.Context(), benchByTicket); err != nil {
			t.Error(err)
		}
		longest = max(longest, time.Since(begin))
	}
	return longest
}

func TestACreateDoesNotWaitForWatchedCalls(t *testing.T) {
	for _, n := range []int{1, 10, 200, 1000} {
		server := newServer(t)
		synctest.Test(t, func(t *testing.T) {
			client := pacedClient(t, server)
			var watched []*calls.Call
			for range n {
				now := time.Now()
				watched = append(watched, &calls.Call{ID: server.AddCall(callstest.Call{}), Status: calls.CallStatusQueued, CreatedAt: &now})
			}
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for _, call := range watched {
				wg.Go(func() {
					for _, err := range client.WatchCall(ctx, call, calls.WatchOptions{}) {
						if err != nil && ctx.Err() == nil {
							t.Error(err)
						}
					}
				})
			}
			longest := longestWait(t, client)
			cancel()
			wg.Wait()
			reads := 0
			for _, r := range server.Requests() {
				if r.Method == http.MethodGet {
					reads++
				}
			}
			t.Logf("%4d watched calls: a create waits %v at the most, beside %d reads in 15 s", n, longest, reads)
			if longest > 100*time.Millisecond {
				t.Errorf("beside %d watched calls a create waits %v", n, longest)
			}
		})
	}
}

// TestACreateDoesNotWaitForAListing has a listing of 2,000 pages, which takes all the
// requests there are.
func TestACreateDoesNotWaitForAListing(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	for range 2000 {
		server.AddCall(callstest.Call{})
	}
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name    string
			options []calls.Option
		}{
			{"the default pace", nil},
			{"a limiter of the caller's", []calls.Option{calls.WithRateLimiter(rate.NewLimiter(10, 1))}},
		} {
			client := pacedClient(t, server, tt.options...)
			ctx, cancel := context.WithCancel(t.Context())
			var read atomic.Int64
			var wg sync.WaitGroup
			wg.Go(func() {
				for range client.ListCalls(ctx, calls.ListOptions{PerPage: 1}) {
					read.Add(1)
				}
			})
			time.Sleep(time.Second)
			longest := longestWait(t, client)
			cancel()
			wg.Wait()
			t.Logf("a listing of %d calls, %s: a create waits %v at the most", read.Load(), tt.name, longest)
			if longest > 200*time.Millisecond {
				t.Errorf("%s: a create waits %v", tt.name, longest)
			}
		}
	})
}

// pipes is a network within a bubble: a listener, and what dials it.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// createsPerSecond has 40 goroutines create calls for 30 s at a platform that takes so
// long to respond, and returns how many arrived a second, and how many at the most
// within one.
func createsPerSecond(t *testing.T, latency time.Duration) (rate float64, most int) {
	created := documentedResponse(t, createdByTicket)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var arrivals []time.Time
		network := make(pipes)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			mu.Lock()
			arrivals = append(arrivals, time.Now())
			mu.Unlock()
			time.Sleep(latency)
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(created)
		})}
		go func() { _ = server.Serve(network) }()
		transport := &http.Transport{DialContext: network.dial, MaxIdleConnsPerHost: 40}
		client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token",
			calls.WithBaseURL("http://127.0.0.1"), calls.WithHTTPClient(&http.Client{Transport: transport}))
		if err != nil {
			t.Fatal(err)
		}
		const lasts = 30 * time.Second
		begin := time.Now()
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				for time.Since(begin) < lasts {
					if _, err := client.CreateOutbound(t.Context(), benchByTicket); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		transport.CloseIdleConnections()
		_ = server.Close()

		inTime, first := 0, 0
		for i, at := range arrivals {
			if at.Sub(begin) < lasts {
				inTime++
			}
			for at.Sub(arrivals[first]) >= time.Second {
				first++
			}
			most = max(most, i-first+1)
		}
		rate = float64(inTime) / lasts.Seconds()
	})
	return rate, most
}

func TestCreatesPerSecondAtAnyLatency(t *testing.T) {
	for _, latency := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, 1500 * time.Millisecond} {
		rate, most := createsPerSecond(t, latency)
		t.Logf("latency %v: %.1f creates a second, at most %d within one", latency, rate, most)
		if rate < 9 || most > 10 {
			t.Errorf("latency %v: %.1f creates a second, at most %d within one", latency, rate, most)
		}
	}
}
