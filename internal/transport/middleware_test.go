package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// again returns a copy of a request with a body of its own.
func again(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Body, _ = r.GetBody()
	return r
}

func head(status string) string {
	return "HTTP/1.1 " + status + " \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
}

// TestAResponseThatIsNotThatOfTheRequest has middleware that sends a create and returns a
// response that says nothing of it.
func TestAResponseThatIsNotThatOfTheRequest(t *testing.T) {
	madeUp := func(status int) func(http.RoundTripper, *http.Request) (*http.Response, error) {
		return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			if response, err := next.RoundTrip(r); err == nil {
				_ = response.Body.Close()
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
	}
	hedged := func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(again(r))
		_, _ = next.RoundTrip(again(r)) // is carried out, and its response is lost
		return response, err
	}
	for name, tt := range map[string]struct {
		responses  []string
		middleware func(http.RoundTripper, *http.Request) (*http.Response, error)
		undecided  bool
	}{
		"429 for a create that succeeded": {[]string{created}, madeUp(429), true},
		"400 for a create that failed":    {[]string{head("503")}, madeUp(400), true},
		"429 for a create that was lost":  {[]string{""}, madeUp(429), true},
		"400 of the first of two":         {[]string{head("400"), ""}, hedged, true},
		"429 of the first of two":         {[]string{head("429"), ""}, hedged, true},
		"400 for another refusal":         {[]string{head("404")}, madeUp(400), false},
		"400 of the first of two refused": {[]string{head("400"), head("404")}, hedged, false},
	} {
		var arrived atomic.Int32
		root := connections(t, func(n int, conn net.Conn) {
			if readWhole(conn) {
				arrived.Add(1)
				_, _ = io.WriteString(conn, tt.responses[min(n, len(tt.responses))-1])
			}
		})
		s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) {
			c.Middleware = append(c.Middleware, around(tt.middleware))
		})
		result := s.Send(t.Context(), createRequest())
		if int(arrived.Load()) != len(tt.responses) || result.Attempts != 1 || result.Undecided != tt.undecided || result.CanRetry {
			t.Errorf("%s: arrived %d times, %d, %+v", name, arrived.Load(), statusOf(result), result)
		}
	}
}

// detachments are ways of a middleware to part a request from its context. The last one
// replaces the body too, so that nothing shows whose it is.
var detachments = map[string]func(*http.Request) *http.Request{
	"without cancel": func(r *http.Request) *http.Request { return r.WithContext(context.WithoutCancel(r.Context())) },
	"background":     func(r *http.Request) *http.Request { return r.WithContext(context.Background()) },
	"new request": func(r *http.Request) *http.Request {
		detached, _ := http.NewRequest(r.Method, r.URL.String(), strings.NewReader(`{"a":1}`))
		return detached
	},
}

func TestADetachedRequestEndsWithItsAttempt(t *testing.T) {
	for _, how := range []string{"without cancel", "background"} {
		for phase, beginning := range map[string]string{"no response": "", "half a body": created[:len(created)-4]} {
			ctx, cancel := context.WithCancel(t.Context())
			root := connections(t, func(_ int, conn net.Conn) {
				readWhole(conn)
				if _, _ = io.WriteString(conn, beginning); beginning == "" {
					cancel()
				}
				_, _ = io.Copy(io.Discard, conn)
			})
			s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) {
				c.Middleware = append(c.Middleware, around(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
					defer cancel()
					return next.RoundTrip(detachments[how](r))
				}))
			})
			result := s.Send(ctx, createRequest())
			if !result.MaybeSent || result.CanRetry || (beginning == "") != result.Undecided {
				t.Errorf("%s, %s: %+v", how, phase, result)
			}
		}
	}
}

func TestADetachedRequestDoesNotLeaveAfterThePermit(t *testing.T) {
	for _, how := range []string{"without cancel", "background"} {
		server := newReceiver(t, false, nil)
		late := time.Duration(0)
		s := senderTo(t, server.URL, server.Client(), func(c *Config) {
			c.Policy.MaxAttempts = 1
			c.Now = func() time.Time { return time.Now().Add(late) }
			c.Middleware = append(c.Middleware, around(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				late = time.Hour
				return next.RoundTrip(detachments[how](r))
			}))
		})
		result := s.Send(t.Context(), createRequest())
		if server.wholes.Load() != 0 || result.MaybeSent || result.Undecided || !errors.Is(result.Err, errPermitEnded) {
			t.Errorf("%s: %d arrived, %+v", how, server.wholes.Load(), result)
		}
	}
}

// TestARetryThatIsDetachedCountsAsSent has middleware that sends a request again with
// another context. The first one is lost, and the second one is refused.
func TestARetryThatIsDetachedCountsAsSent(t *testing.T) {
	asItIs := func(r *http.Request) *http.Request { return r }
	for how, detach := range detachments {
		for first, detachFirst := range map[string]func(*http.Request) *http.Request{"as it is": asItIs, "detached too": detach} {
			for _, last := range []string{"400", "429"} {
				var arrived atomic.Int32
				root := connections(t, func(n int, conn net.Conn) {
					if readWhole(conn) {
						arrived.Add(1)
						if n > 1 {
							_, _ = io.WriteString(conn, head(last))
						}
					}
				})
				s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) {
					c.Middleware = append(c.Middleware, around(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
						if response, err := next.RoundTrip(detachFirst(again(r))); err == nil {
							return response, nil
						}
						return next.RoundTrip(detach(again(r)))
					}))
				})
				result := s.Send(t.Context(), createRequest())
				if arrived.Load() != 2 || !result.Undecided || result.CanRetry || result.Attempts != 1 {
					t.Errorf("%s, first %s, %s: arrived %d times, %+v", how, first, last, arrived.Load(), result)
				}
			}
		}
	}
}

// TestNothingBeginsAfterTheAttempt has a middleware that fails and sends the request
// later, as a queue would.
func TestNothingBeginsAfterTheAttempt(t *testing.T) {
	for name, request := range map[string]Request{"create": createRequest(), "a POST without a body": emptyPost()} {
		var arrived atomic.Int32
		root := connections(t, func(_ int, conn net.Conn) {
			if readWhole(conn) {
				arrived.Add(1)
			}
		})
		var queue []func() (*http.Response, error)
		s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) {
			c.Middleware = append(c.Middleware, around(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				queue = append(queue, func() (*http.Response, error) { return next.RoundTrip(detachments["without cancel"](r)) })
				return nil, errors.New("the queue is full")
			}))
		})
		result := s.Send(t.Context(), request)
		for _, send := range queue {
			if _, err := send(); !errors.Is(err, errPermitEnded) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if arrived.Load() != 0 || result.MaybeSent || result.Undecided || len(queue) != 4 {
			t.Errorf("%s: %d of %d arrived, %+v", name, arrived.Load(), len(queue), result)
		}
	}
}
