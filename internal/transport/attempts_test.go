package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// step is what a scripted transport does with one attempt.
type step struct {
	status     int
	retryAfter string
	body       io.Reader
	err        error // instead of an answer
	written    bool  // before the error
	mute       bool  // shows no sign of what it does
	takes      time.Duration
}

var (
	refused = step{err: syscall.ECONNREFUSED}
	reset   = step{err: syscall.ECONNRESET, written: true}
)

func answer(status int) step { return step{status: status} }

func tooMany(retryAfter string) step { return step{status: 429, retryAfter: retryAfter} }

// script is a transport that behaves as the steps say, the last one for ever,
// and shows net/http's signs of what it wrote.
type script struct {
	steps []step
	sent  []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	next := s.steps[min(len(s.sent), len(s.steps)-1)]
	s.sent = append(s.sent, time.Now())
	if trace := httptrace.ContextClientTrace(r.Context()); !next.mute {
		trace.GetConn("host:443")
		if next.err == nil || next.written {
			trace.WroteHeaderField("Host", nil)
		}
	}
	select {
	case <-time.After(next.takes):
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	if next.err != nil {
		return nil, next.err
	}
	body := next.body
	if body == nil {
		body = strings.NewReader(`{"message":"said"}`)
	}
	header := http.Header{}
	if next.retryAfter != "" {
		header.Set("Retry-After", next.retryAfter)
	}
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(body), ContentLength: -1, Request: r}, nil
}

var testPolicy = Policy{MaxAttempts: 4, MinWait: 200 * time.Millisecond, MaxWait: 10 * time.Second, MaxRetryAfter: time.Minute}

func newTestSender(t *testing.T, rt http.RoundTripper, change func(*Config)) *Sender {
	t.Helper()
	config := Config{
		Root: "https://customer.example.com", User: "customer", Password: "token", UserAgent: "test",
		HTTPClient: &http.Client{Transport: rt}, Timeout: 30 * time.Second, Policy: testPolicy, Redact: func(text string) string { return text }, Now: time.Now,
	}
	if change != nil {
		change(&config)
	}
	s, err := NewSender(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func createRequest() Request {
	return Request{Operation: "Create", Method: http.MethodPost, Path: "/calls", Template: "/calls", Body: []byte(`{"a":1}`), First: true}
}

func readRequest() Request {
	return Request{Operation: "Read", Method: http.MethodGet, Path: "/calls/1", Template: "/calls/:id", Repeatable: true}
}

func patchRequest() Request {
	return Request{Operation: "Patch", Method: http.MethodPatch, Path: "/calls/1", Template: "/calls/:id", Body: []byte(`{}`), Repeatable: true}
}

func TestWhatIsSentAgain(t *testing.T) {
	cutBody := func() step {
		return step{status: 200, body: io.MultiReader(strings.NewReader("{"), failing{syscall.ECONNRESET})}
	}
	tests := []struct {
		name    string
		request Request
		steps   []step
		sent    int
		status  int // of the last answer, 0: none
		err     error
		unsent  bool
	}{
		{"a create that is answered", createRequest(), []step{answer(201)}, 1, 201, nil, false},
		{"a create that could not connect", createRequest(), []step{refused, refused, answer(201)}, 3, 201, nil, false},
		{"a create that never connects", createRequest(), []step{refused}, 4, 0, syscall.ECONNREFUSED, true},
		{"a create after 429", createRequest(), []step{tooMany(""), answer(201)}, 2, 201, nil, false},
		{"a create that gets nothing but 429", createRequest(), []step{tooMany("")}, 4, 429, nil, false},
		{"a create after 429, then refused", createRequest(), []step{tooMany("1"), refused}, 4, 429, syscall.ECONNREFUSED, true},
		{"a create after 429, then reset", createRequest(), []step{tooMany("1"), reset}, 2, 0, syscall.ECONNRESET, false},
		{"not a create that was reset", createRequest(), []step{reset}, 1, 0, syscall.ECONNRESET, false},
		{"not a create that timed out", createRequest(), []step{{takes: time.Hour, written: true, err: io.EOF}}, 1, 0, context.DeadlineExceeded, false},
		{"not a create that got 500", createRequest(), []step{answer(500)}, 1, 500, nil, false},
		{"not a create that got 502", createRequest(), []step{answer(502)}, 1, 502, nil, false},
		{"not a create that got 503 with Retry-After", createRequest(), []step{{status: 503, retryAfter: "1"}}, 1, 503, nil, false},
		{"not a create that got 302", createRequest(), []step{answer(302)}, 1, 302, nil, false},
		{"not a create that got 400", createRequest(), []step{answer(400)}, 1, 400, nil, false},
		{"not a create that got 408", createRequest(), []step{answer(408)}, 1, 408, nil, false},
		{"not a create whose answer was cut", createRequest(), []step{cutBody()}, 1, 200, nil, false},
		{"a read that got 500", readRequest(), []step{answer(500), answer(200)}, 2, 200, nil, false},
		{"a read that got 503", readRequest(), []step{{status: 503, retryAfter: "2"}, answer(200)}, 2, 200, nil, false},
		{"a read that gets nothing but 502", readRequest(), []step{answer(502)}, 4, 502, nil, false},
		{"a read that was reset", readRequest(), []step{reset, answer(200)}, 2, 200, nil, false},
		{"a read that timed out", readRequest(), []step{{takes: time.Hour, written: true, err: io.EOF}, answer(200)}, 2, 200, nil, false},
		{"a read whose answer was cut", readRequest(), []step{cutBody(), answer(200)}, 2, 200, nil, false},
		{"a read that got 502, then was reset", readRequest(), []step{answer(502), reset}, 4, 502, syscall.ECONNRESET, false},
		{"not a read that got 501", readRequest(), []step{answer(501)}, 1, 501, nil, false},
		{"not a read that got 404", readRequest(), []step{answer(404)}, 1, 404, nil, false},
		{"not a read that got 301", readRequest(), []step{answer(301)}, 1, 301, nil, false},
		{"a patch that got 500", patchRequest(), []step{answer(500), answer(200)}, 2, 200, nil, false},
		{"a patch that was reset", patchRequest(), []step{reset, answer(200)}, 2, 200, nil, false},
		{"not a patch whose answer was cut", patchRequest(), []step{cutBody()}, 1, 200, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := &script{steps: tt.steps}
				result := newTestSender(t, rt, nil).Send(t.Context(), tt.request)
				if len(rt.sent) != tt.sent || result.Attempts != tt.sent {
					t.Errorf("sent %d times, said %d, want %d", len(rt.sent), result.Attempts, tt.sent)
				}
				if got := statusOf(result); got != tt.status {
					t.Errorf("last answer %d, want %d", got, tt.status)
				}
				if !errors.Is(result.Err, tt.err) {
					t.Errorf("error %v, want %v", result.Err, tt.err)
				}
				if result.MaybeSent == tt.unsent {
					t.Errorf("MaybeSent = %v", result.MaybeSent)
				}
			})
		})
	}
}

func statusOf(r Result) int {
	if r.Response == nil {
		return 0
	}
	return r.Response.StatusCode
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestMaxAttemptsOfOneMeansOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, first := range []step{refused, tooMany("1"), answer(503)} {
			rt := &script{steps: []step{first}}
			s := newTestSender(t, rt, func(c *Config) { c.Policy.MaxAttempts = 1 })
			s.Send(t.Context(), readRequest())
			if len(rt.sent) != 1 {
				t.Errorf("%+v: sent %d times", first, len(rt.sent))
			}
		}
	})
}

func TestRetryAfterIsObeyed(t *testing.T) {
	const atOnce = 0
	tests := []struct {
		name       string
		retryAfter string
		waits      time.Duration
		sent       int
	}{
		{"seconds", "7", 7 * time.Second, 2},
		{"the longest allowed", "60", time.Minute, 2},
		{"a date", time.Date(2000, 1, 1, 0, 0, 9, 0, time.UTC).Format(http.TimeFormat), 9 * time.Second, 2},
		{"beyond the cap", "61", atOnce, 1},
		{"a date beyond the cap", "Fri, 31 Dec 2066 23:59:59 GMT", atOnce, 1},
		{"more seconds than a Duration holds", "9223372036854775807", atOnce, 1},
		{"more seconds than an integer holds", "99999999999999999999999", atOnce, 1},
		{"a decimal, rounded up", "2.0", 2 * time.Second, 2},
		{"another decimal, rounded up", "2.25", 3 * time.Second, 2},
		{"negative", "-5", time.Second, 2},
		{"a date in the past", "Fri, 31 Dec 1999 23:59:59 GMT", time.Second, 2},
		{"no number", "soon", time.Second, 2},
		{"zero", "0", time.Second, 2},
		{"no header", "", time.Second, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // begins at 2000-01-01
				rt := &script{steps: []step{tooMany(tt.retryAfter), answer(201)}}
				begin := time.Now()
				result := newTestSender(t, rt, nil).Send(t.Context(), createRequest())
				waited := time.Since(begin)
				switch {
				case len(rt.sent) != tt.sent:
					t.Fatalf("sent %d times, want %d", len(rt.sent), tt.sent)
				case waited != tt.waits:
					t.Errorf("waited %v, want %v", waited, tt.waits)
				}
				if tt.sent == 1 && (result.Response.RetryAfter <= time.Minute || result.Err != nil) {
					t.Errorf("RetryAfter = %v, Err = %v", result.Response.RetryAfter, result.Err)
				}
			})
		})
	}
}

func TestAWaitThatDoesNotFitTheDeadlineFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		result := newTestSender(t, &script{steps: []step{tooMany("10")}}, nil).Send(ctx, createRequest())
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		if statusOf(result) != 429 || !errors.Is(result.Err, context.DeadlineExceeded) || !result.Responded {
			t.Errorf("got status %d and %v", statusOf(result), result.Err)
		}
	})
}

func TestCancelledWhileWaitingKeepsTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		rt := &script{steps: []step{tooMany("10")}}
		begin := time.Now()
		result := newTestSender(t, rt, nil).Send(ctx, createRequest())
		if waited := time.Since(begin); waited != 3*time.Second || len(rt.sent) != 1 {
			t.Errorf("waited %v, sent %d times", waited, len(rt.sent))
		}
		if statusOf(result) != 429 || !errors.Is(result.Err, context.Canceled) {
			t.Errorf("got status %d and %v", statusOf(result), result.Err)
		}
	})
}

func TestBackoffIsDrawnBetweenNothingAndABoundThatDoubles(t *testing.T) {
	bounds := []time.Duration{200, 400, 800, 1600, 3200, 6400, 10000, 10000}
	for i, bound := range bounds {
		bound *= time.Millisecond
		var longest time.Duration
		for range 2000 {
			longest = max(longest, testPolicy.backoff(i+1))
		}
		if longest >= bound || longest < bound*9/10 {
			t.Errorf("attempt %d: the longest of many waits is %v, the bound %v", i+1, longest, bound)
		}
	}
	if wait := testPolicy.backoff(1 << 40); wait > testPolicy.MaxWait || wait < 0 {
		t.Errorf("after very many attempts: %v", wait)
	}
	if wait := (Policy{MinWait: 1, MaxWait: 1<<63 - 1}).backoff(99); wait < 0 {
		t.Errorf("with the largest bound: %v", wait)
	}
}

func TestTheTimeoutBoundsAnAttemptAndNotTheSeries(t *testing.T) {
	for _, clientTimeout := range []time.Duration{0, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			rt := &script{steps: []step{{takes: time.Hour, err: io.EOF, written: true}}}
			s := newTestSender(t, rt, func(c *Config) {
				c.Timeout, c.HTTPClient.Timeout = 5*time.Second, clientTimeout
			})
			want := 5 * time.Second
			if clientTimeout > 0 {
				want = clientTimeout
			}
			begin := time.Now()
			result := s.Send(t.Context(), readRequest())
			if took := time.Since(begin); took < 4*want || took > 4*want+7*testPolicy.MinWait {
				t.Errorf("four attempts of %v took %v", want, took)
			}
			if !errors.Is(result.Err, context.DeadlineExceeded) || !strings.Contains(result.Err.Error(), want.String()) {
				t.Errorf("error %v", result.Err)
			}
		})
	}
}

func TestTheContextsEndIsFoundInTheErrorWhateverItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the shop closes")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		rt := &script{steps: []step{{takes: time.Hour, err: io.EOF, written: true}}}
		result := newTestSender(t, rt, nil).Send(ctx, createRequest())
		if !errors.Is(result.Err, context.Canceled) || !errors.Is(result.Err, cause) || !result.MaybeSent {
			t.Errorf("error %v", result.Err)
		}
	})
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	rt := &script{steps: []step{answer(201)}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result := newTestSender(t, rt, nil).Send(ctx, createRequest())
	if len(rt.sent) != 0 || result.MaybeSent || !errors.Is(result.Err, context.Canceled) || result.Attempts != 0 {
		t.Errorf("sent %d times, %+v", len(rt.sent), result)
	}
	//nolint:staticcheck // a nil context is what is tested
	if result := newTestSender(t, rt, nil).Send(nil, createRequest()); result.Err == nil || result.MaybeSent {
		t.Errorf("a nil context: %+v", result)
	}
}

func TestWithoutProofARequestCountsAsSent(t *testing.T) {
	mute := roundTripper(func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED })
	nothing := roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil })
	for name, rt := range map[string]http.RoundTripper{"a mock that fails": mute, "a mock that returns nothing": nothing} {
		result := newTestSender(t, rt, nil).Send(t.Context(), createRequest())
		if !result.MaybeSent || result.Attempts != 1 || result.Err == nil {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// TestWhoeverSendsTwiceIsSeenThrough has a request written by a first try and
// refused at a second, which must not pass for a request that was never sent.
func TestWhoeverSendsTwiceIsSeenThrough(t *testing.T) {
	tries := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if response, err := next.RoundTrip(r); err == nil {
				return response, nil
			}
			return next.RoundTrip(r)
		})
	}
	mute := step{err: io.EOF, mute: true}
	tests := []struct {
		name       string
		steps      []step
		middleware bool // who tries again: a middleware, or the caller's transport
	}{
		{"a middleware", []step{reset, refused}, true},
		{"a transport", []step{reset, refused}, false},
		{"a middleware above a mock", []step{mute, refused}, true},
	}
	for _, tt := range tests {
		var rt http.RoundTripper = &script{steps: tt.steps}
		if !tt.middleware {
			rt = tries(rt)
		}
		s := newTestSender(t, rt, func(c *Config) {
			if tt.middleware {
				c.Middleware = append(c.Middleware, tries)
			}
		})
		if result := s.Send(t.Context(), createRequest()); !result.MaybeSent || result.Attempts != 1 {
			t.Errorf("%s: %+v", tt.name, result)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}
