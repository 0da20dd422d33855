package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// recorder answers every request after a while and notes when it arrived: late
// for the first ones, as if they had to connect first.
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
	t.Run("25 at once take no longer than the limit requires", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := &recorder{}
			took, _ := sendAll(t, newTestSender(t, rt, withWindow), 25)
			if took != 2*time.Second || rt.most() > 10 {
				t.Errorf("took %v, up to %d in a second", took, rt.most())
			}
		})
	})
	t.Run("also if the first ones arrive late", func(t *testing.T) {
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
	t.Run("also if they are attempts at the same operation", func(t *testing.T) {
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
	t.Run("requests that hang do not hold up the others", func(t *testing.T) {
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

func TestATurnThatDoesNotComeInTimeIsGivenBack(t *testing.T) {
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

func TestAfterA429EveryRequestIsHeldBack(t *testing.T) {
	for name, limiter := range map[string]Limiter{"paced": NewWindow(10), "not paced": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if limiter != nil {
					limiter = NewWindow(10) // its channel has to be of this bubble
				}
				rt := &script{steps: []step{tooMany("20"), answer(201)}}
				s := newTestSender(t, rt, func(c *Config) { c.Limiter = limiter; c.Policy.MaxAttempts = 1 })
				begin := time.Now()
				s.Send(t.Context(), createRequest())

				hasty, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				result := s.Send(hasty, createRequest())
				if time.Since(begin) != 0 || !errors.Is(result.Err, context.DeadlineExceeded) || result.MaybeSent {
					t.Errorf("a hasty request: %+v after %v", result, time.Since(begin))
				}
				if result := s.Send(t.Context(), createRequest()); statusOf(result) != 201 {
					t.Errorf("a patient request: %+v", result)
				}
				if waited := time.Since(begin); waited != 20*time.Second || len(rt.sent) != 2 {
					t.Errorf("sent %d times, the last after %v", len(rt.sent), waited)
				}
			})
		})
	}
}

func TestAHoldIsNoLongerThanTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSender(t, &script{steps: []step{tooMany("86400"), answer(201)}}, nil)
		begin := time.Now()
		s.Send(t.Context(), createRequest())
		s.Send(t.Context(), createRequest())
		if waited := time.Since(begin); waited != testPolicy.MaxRetryAfter {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestAHoldThatBeginsWhileWaitingForATurnIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []step{{status: 429, retryAfter: "20", takes: 500 * time.Millisecond}, answer(201)}}
		asked := 0
		slow := limiterFunc(func(context.Context) error {
			if asked++; asked == 2 {
				time.Sleep(time.Second)
			}
			return nil
		})
		s := newTestSender(t, rt, func(c *Config) { c.Limiter = slow; c.Policy.MaxAttempts = 1 })
		if took, _ := sendAll(t, s, 2); took != 20500*time.Millisecond {
			t.Errorf("the second attempt was made after %v", took)
		}
	})
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func TestALimitersErrorEndsTheRequestUnsent(t *testing.T) {
	broken := errors.New("the store is down")
	calls := 0
	limiter := limiterFunc(func(context.Context) error {
		if calls++; calls == 2 {
			return broken
		}
		return nil
	})
	synctest.Test(t, func(t *testing.T) {
		rt := &script{steps: []step{tooMany("1")}}
		s := newTestSender(t, rt, func(c *Config) { c.Limiter = limiter })
		result := s.Send(t.Context(), createRequest())
		if !errors.Is(result.Err, broken) || result.MaybeSent || result.Attempts != 1 || statusOf(result) != 429 {
			t.Errorf("%+v", result)
		}
	})
}

func TestALimiterIsAskedBeforeEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		limiter := limiterFunc(func(context.Context) error { asked++; return nil })
		rt := &script{steps: []step{{err: io.EOF, written: true}, answer(503), answer(200)}}
		s := newTestSender(t, rt, func(c *Config) { c.Limiter = limiter })
		if s.Send(t.Context(), readRequest()); asked != 3 {
			t.Errorf("asked %d times", asked)
		}
	})
}
