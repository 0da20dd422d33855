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

// recorder responds to every request after a time and records when it arrived. The first
// requests can arrive late, as if they had to connect first.
type recorder struct {
	mu      sync.Mutex
	arrived []time.Time
	late    func(n int) time.Duration
	takes   time.Duration
	status  func(n int) int
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.mu.Lock()
	n := len(r.arrived)
	r.arrived = append(r.arrived, time.Time{})
	r.mu.Unlock()
	if r.late != nil {
		time.Sleep(r.late(n))
	}
	_, _ = io.Copy(io.Discard, request.Body)
	r.mu.Lock()
	r.arrived[n] = time.Now()
	r.mu.Unlock()
	select {
	case <-time.After(r.takes):
	case <-request.Context().Done():
		return nil, request.Context().Err()
	}
	status := 201
	if r.status != nil {
		status = r.status(n)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: request}, nil
}

// most returns the largest number of arrivals within any one second.
func (r *recorder) most() int {
	most := 0
	for _, from := range r.arrived {
		n := 0
		for _, at := range r.arrived {
			if !at.Before(from) && at.Before(from.Add(time.Second)) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func sendAll(t *testing.T, s *Sender, n int) (took time.Duration, results []Result) {
	t.Helper()
	begin := time.Now()
	results = make([]Result, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i] = s.Send(t.Context(), createRequest()) })
	}
	wg.Wait()
	return time.Since(begin), results
}

func withWindow(c *Config) { c.Limiter = NewWindow(10) }

func TestNeverMoreThanTenInASecond(t *testing.T) {
	t.Run("25 requests take no longer than the limit requires", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := &recorder{}
			took, _ := sendAll(t, newTestSender(t, rt, withWindow), 25)
			if took != 2*time.Second || rt.most() > 10 {
				t.Errorf("took %v, up to %d in a second", took, rt.most())
			}
		})
	})
	t.Run("the first requests arrive late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := &recorder{late: func(n int) time.Duration {
				if n < 10 {
					return 300 * time.Millisecond
				}
				return 0
			}}
			took, _ := sendAll(t, newTestSender(t, rt, withWindow), 25)
			if rt.most() > 10 || took > 2300*time.Millisecond {
				t.Errorf("took %v, up to %d in a second", took, rt.most())
			}
		})
	})
	t.Run("attempts at the same operation", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := &recorder{status: func(n int) int {
				if n < 30 {
					return 429
				}
				return 201
			}}
			s := newTestSender(t, rt, func(c *Config) {
				withWindow(c)
				c.Policy = Policy{MaxAttempts: 50, MinWait: 1, MaxWait: 1, MaxRetryAfter: 1}
			})
			if _, results := sendAll(t, s, 15); rt.most() > 10 || statusOf(results[14]) != 201 {
				t.Errorf("up to %d in a second", rt.most())
			}
		})
	})
	t.Run("requests that hang do not delay others", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := &recorder{takes: time.Hour}
			s := newTestSender(t, rt, withWindow)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var wg sync.WaitGroup
			for range 30 {
				wg.Go(func() { s.Send(ctx, createRequest()) })
			}
			wg.Wait()
			if len(rt.arrived) != 30 || rt.most() > 10 {
				t.Errorf("%d arrived, up to %d in a second", len(rt.arrived), rt.most())
			}
		})
	})
}

func TestAClientThatIdledSendsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSender(t, &recorder{}, withWindow)
		sendAll(t, s, 10)
		time.Sleep(time.Second)
		if took, _ := sendAll(t, s, 10); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

func TestATurnAfterTheDeadlineIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &recorder{}
		s := newTestSender(t, rt, withWindow)
		sendAll(t, s, 10)
		time.Sleep(600 * time.Millisecond)
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for range 20 {
			result := s.Send(short, createRequest())
			if !errors.Is(result.Err, context.DeadlineExceeded) || result.MaybeSent || result.Attempts != 0 {
				t.Fatalf("%+v", result)
			}
		}
		if took, _ := sendAll(t, s, 10); took != 400*time.Millisecond || len(rt.arrived) != 20 {
			t.Errorf("took %v, %d arrived", took, len(rt.arrived))
		}
	})
}

// TestAnAttemptThatEndsLateLeavesItsSlotToTheNext has a slot that was given to another
// attempt, which is not written yet, when the first one gets its response.
func TestAnAttemptThatEndsLateLeavesItsSlotToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWindow(1)
		enter := func() (turn, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			return w.enter(ctx, true)
		}
		first, _ := enter()
		first.written()
		second, err := enter()
		if err != nil {
			t.Fatal(err)
		}
		first.written() // a body that was held back
		first.arrived(true, true)
		if _, err := enter(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third attempt began before the second was written: %v", err)
		}
		second.arrived(true, true)
		if _, err := enter(); err != nil {
			t.Error(err)
		}
	})
}

// TestAnAttemptWithoutAResponseMayArriveLater ends right after it was written.
func TestAnAttemptWithoutAResponseMayArriveLater(t *testing.T) {
	for name, tt := range map[string]struct {
		isWritten, hasResponse bool
		wait                   time.Duration
	}{
		"a response":           {true, true, second},
		"none":                 {true, false, second + transit},
		"a response, no trace": {false, true, second},
		"none, and no trace":   {false, false, second + transit},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, begin := NewWindow(1), time.Now()
			first, _ := w.enter(t.Context(), true)
			if tt.isWritten {
				first.written()
			}
			first.arrived(true, tt.hasResponse)
			if _, err := w.enter(t.Context(), true); err != nil || time.Since(begin) != tt.wait {
				t.Errorf("%s: waited %v, want %v; %v", name, time.Since(begin), tt.wait, err)
			}
		})
	}
}

// network connects a client to a server on virtual time.
type network struct {
	// delay returns how long the n-th connection takes.
	delay    func(n int) time.Duration
	accepted chan net.Conn
	closed   chan struct{}

	mu sync.Mutex
	n  int
}

// DialContext takes as long as if packets were lost and sent again.
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

func (w *network) Close() error { close(w.closed); return nil }

func (w *network) Addr() net.Addr { return &net.TCPAddr{} }

func newNetwork(delay func(n int) time.Duration) *network {
	return &network{delay: delay, accepted: make(chan net.Conn), closed: make(chan struct{})}
}

// TestAtMostTenRequestsArriveWithinAnySecond measures when requests arrive at the server,
// over a network with delays.
func TestAtMostTenRequestsArriveWithinAnySecond(t *testing.T) {
	const each, requests = 10, 60
	random := rand.New(rand.NewPCG(7, 7))
	never := func(int) time.Duration { return 0 }
	everyThird := func(n int) time.Duration { return time.Duration(n%3/2) * 500 * time.Millisecond }
	tests := map[string]struct {
		delay   func(n int) time.Duration // of a connection
		transit func() time.Duration      // of a request, after it was written
		stall   func(n int) time.Duration // of a response
	}{
		"no delay":                                {never, nil, never},
		"packets are lost":                        {everyThird, nil, never},
		"packets are lost in a row":               {func(n int) time.Duration { return time.Duration(n/10%2) * 700 * time.Millisecond }, nil, never},
		"the server stalls":                       {never, nil, func(n int) time.Duration { return time.Duration(n%4/3) * time.Hour }},
		"the server is slow":                      {never, nil, func(n int) time.Duration { return time.Duration(n%7) * 300 * time.Millisecond }},
		"the transit takes up to 100 ms":          {never, func() time.Duration { return time.Duration(random.Int64N(int64(transit))) }, never},
		"all of these":                            {everyThird, func() time.Duration { return time.Duration(random.Int64N(int64(transit))) }, func(n int) time.Duration { return time.Duration(n%4) * 700 * time.Millisecond }},
		"no connection is made within an attempt": {func(n int) time.Duration { return time.Duration(n%5/4) * time.Hour }, nil, never},
	}
	for _, overHTTP2 := range []bool{false, true} {
		for name, tt := range tests {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var arrivals []time.Time
				pipes := newNetwork(tt.delay)
				server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					at := time.Now()
					mu.Lock()
					if tt.transit != nil {
						at = at.Add(tt.transit())
					}
					arrivals = append(arrivals, at)
					stall := tt.stall(len(arrivals))
					mu.Unlock()
					_, _ = io.Copy(io.Discard, r.Body)
					_ = Sleep(r.Context(), time.Until(at)+stall)
				})}
				transport := &http.Transport{DialContext: pipes.DialContext}
				transport.Protocols, server.Protocols = &http.Protocols{}, &http.Protocols{}
				for _, protocols := range []*http.Protocols{transport.Protocols, server.Protocols} {
					protocols.SetHTTP1(!overHTTP2)
					protocols.SetUnencryptedHTTP2(overHTTP2)
				}
				serving := make(chan error)
				go func() { serving <- server.Serve(pipes) }()
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
