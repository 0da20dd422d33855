package transport

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// These tests are about when requests arrive at the platform: net/http's client and
// server, over a network that loses and delays, on virtual time.

// network makes connections of a client to a server.
type network struct {
	// delay is how long the n-th connection takes to be made.
	delay    func(n int) time.Duration
	accepted chan net.Conn
	closed   chan struct{}

	mu sync.Mutex
	n  int
}

func newNetwork(delay func(n int) time.Duration) *network {
	return &network{delay: delay, accepted: make(chan net.Conn), closed: make(chan struct{})}
}

// DialContext loses its first packets, and sends them again.
func (w *network) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	w.mu.Lock()
	w.n++
	delay := w.delay(w.n)
	w.mu.Unlock()
	if err := Sleep(ctx, delay); err != nil {
		return nil, err
	}
	client, server := net.Pipe()
	select {
	case w.accepted <- server:
		return client, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *network) Accept() (net.Conn, error) {
	select {
	case conn := <-w.accepted:
		return conn, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *network) Close() error   { close(w.closed); return nil }
func (w *network) Addr() net.Addr { return &net.TCPAddr{} }

func TestAtMostTenRequestsArriveWithinAnySecond(t *testing.T) {
	const each, requests = 10, 60
	random := rand.New(rand.NewPCG(7, 7))
	never := func(int) time.Duration { return 0 }
	everyThird := func(n int) time.Duration { return time.Duration(n%3/2) * 500 * time.Millisecond }
	tests := map[string]struct {
		delay func(n int) time.Duration // of a connection
		way   func() time.Duration      // of a request, after it was written
		stall func(n int) time.Duration // of a response
	}{
		"all goes well":                           {never, nil, never},
		"packets are lost":                        {everyThird, nil, never},
		"packets are lost in a row":               {func(n int) time.Duration { return time.Duration(n/10%2) * 700 * time.Millisecond }, nil, never},
		"the server stalls":                       {never, nil, func(n int) time.Duration { return time.Duration(n%4/3) * time.Hour }},
		"the server is slow":                      {never, nil, func(n int) time.Duration { return time.Duration(n%7) * 300 * time.Millisecond }},
		"the way takes a tenth of a second":       {never, func() time.Duration { return time.Duration(random.Int64N(int64(transit))) }, never},
		"all of that":                             {everyThird, func() time.Duration { return time.Duration(random.Int64N(int64(transit))) }, func(n int) time.Duration { return time.Duration(n%4) * 700 * time.Millisecond }},
		"no connection is made within an attempt": {func(n int) time.Duration { return time.Duration(n%5/4) * time.Hour }, nil, never},
	}
	for _, overHTTP2 := range []bool{false, true} {
		for name, tt := range tests {
			inBubble(t, func(t *testing.T) {
				var mu sync.Mutex
				var arrivals []time.Time
				way := newNetwork(tt.delay)
				server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					at := time.Now()
					mu.Lock()
					if tt.way != nil {
						at = at.Add(tt.way())
					}
					arrivals = append(arrivals, at)
					stall := tt.stall(len(arrivals))
					mu.Unlock()
					_, _ = io.Copy(io.Discard, r.Body)
					_ = Sleep(r.Context(), time.Until(at)+stall)
				})}
				transport := &http.Transport{DialContext: way.DialContext}
				transport.Protocols, server.Protocols = &http.Protocols{}, &http.Protocols{}
				for _, protocols := range []*http.Protocols{transport.Protocols, server.Protocols} {
					protocols.SetHTTP1(!overHTTP2)
					protocols.SetUnencryptedHTTP2(overHTTP2)
				}
				serving := make(chan error)
				go func() { serving <- server.Serve(way) }()
				s := newTestSender(t, nil, func(c *Config) {
					c.Root, c.HTTPClient, c.Limiter = "http://customer.localhost", &http.Client{Transport: transport}, NewWindow(each)
					c.Timeout, c.Policy.MaxAttempts = 5*time.Second, 1
				})
				var sending sync.WaitGroup
				for range requests {
					sending.Go(func() { s.Send(t.Context(), createRequest()) })
				}
				sending.Wait()
				transport.CloseIdleConnections()
				_ = server.Close()
				if err := <-serving; !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
				slices.SortFunc(arrivals, time.Time.Compare)
				if len(arrivals) < requests*2/3 {
					t.Errorf("%s, HTTP/2 %v: only %d of %d requests arrived", name, overHTTP2, len(arrivals), requests)
				}
				for i := range max(0, len(arrivals)-each) {
					if apart := arrivals[i+each].Sub(arrivals[i]); apart < time.Second {
						t.Fatalf("%s, HTTP/2 %v: %d requests within %v", name, overHTTP2, each+1, apart)
					}
				}
				synctest.Wait()
			})
		}
	}
}
