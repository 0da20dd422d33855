package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestA429HoldsBackEveryRequest(t *testing.T) {
	for name, limiter := range map[string]Limiter{"paced": NewWindow(10), "not paced": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if limiter != nil {
					limiter = NewWindow(10) // its channel must belong to this bubble
				}
				rt := &script{steps: []step{tooMany("20"), respond(201)}}
				s := newTestSender(t, rt, func(c *Config) { c.Limiter = limiter; c.Policy.MaxAttempts = 1 })
				begin := time.Now()
				s.Send(t.Context(), createRequest())

				short, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				result := s.Send(short, createRequest())
				if time.Since(begin) != 0 || !errors.Is(result.Err, context.DeadlineExceeded) || result.MaybeSent {
					t.Errorf("a request with a short deadline: %+v after %v", result, time.Since(begin))
				}
				if result := s.Send(t.Context(), createRequest()); statusOf(result) != 201 {
					t.Errorf("a request without a deadline: %+v", result)
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
		s := newTestSender(t, &script{steps: []step{tooMany("86400"), respond(201)}}, nil)
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
		rt := &script{steps: []step{{status: 429, retryAfter: "20", takes: 500 * time.Millisecond}, respond(201)}}
		var waits atomic.Int32
		slow := limiterFunc(func(context.Context) error {
			if waits.Add(1) == 2 {
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

func TestAnErrorOfTheLimiterSendsNothing(t *testing.T) {
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

func TestALimiterIsCalledBeforeEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := 0
		limiter := limiterFunc(func(context.Context) error { waits++; return nil })
		rt := &script{steps: []step{{err: io.EOF, written: true}, respond(503), respond(200)}}
		s := newTestSender(t, rt, func(c *Config) { c.Limiter = limiter })
		if s.Send(t.Context(), readRequest()); waits != 3 {
			t.Errorf("called %d times", waits)
		}
	})
}

// TestAPanicGivesTheTurnBack has code of the caller's that panics once, in a server that
// recovers and goes on.
func TestAPanicGivesTheTurnBack(t *testing.T) {
	for name, hasWindow := range map[string]bool{"transport": true, "middleware": true, "journal": true, "limiter": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				panicking := ""
				trip := func(where string) {
					if where == panicking {
						panic(where)
					}
				}
				s := newTestSender(t, &script{steps: []step{respond(201)}}, func(c *Config) {
					c.Limiter = limiterFunc(func(context.Context) error { trip("limiter"); return nil })
					if hasWindow {
						c.Limiter = NewWindow(1)
					}
					c.HTTPClient.Transport = tripping(trip, "transport", c.HTTPClient.Transport)
					c.Middleware = append(c.Middleware, func(next http.RoundTripper) http.RoundTripper { return tripping(trip, "middleware", next) })
				})
				request := createRequest()
				request.Journal = trippingJournal(trip)
				func() {
					defer func() {
						if recover() == nil {
							t.Error("no panic")
						}
					}()
					panicking = name
					s.Send(t.Context(), request)
				}()
				panicking = ""
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for _, request := range []Request{request, readRequest()} {
					if result := s.Send(ctx, request); statusOf(result) != 201 {
						t.Errorf("%+v", result)
					}
				}
			})
		})
	}
}

func tripping(trip func(string), where string, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		trip(where)
		return response, err
	})
}

type trippingJournal func(string)

func (j trippingJournal) Sending(context.Context, time.Time) error { j("journal"); return nil }
func (trippingJournal) NotSent(context.Context)                    {}
