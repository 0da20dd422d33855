package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/ccaip-go/calls/internal/redact"
)

// series is the attempts at one request. retryablehttp drives it: it calls
// RoundTrip for each attempt, asks again whether there shall be another, and
// waits for pause in between. What came of the attempts is kept here, because
// retryablehttp and net/http drop answers and change errors on their way up.
type series struct {
	sender  *Sender
	request *Request
	loop    retryablehttp.Client
	client  http.Client

	result  Result
	repeat  bool          // decided after each attempt
	wait    time.Duration // before the next attempt
	waiting bool          // the wait has begun, and no attempt since
}

func newSeries(sender *Sender, request *Request) *series {
	s := &series{sender: sender, request: request}
	s.client = http.Client{Transport: s, Jar: sender.jar}
	s.loop = retryablehttp.Client{
		HTTPClient:   &s.client,
		RetryMax:     sender.policy.MaxAttempts - 1,
		CheckRetry:   s.again,
		Backoff:      s.pause,
		PrepareRetry: s.renewHeader,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return s
}

func (s *series) run(ctx context.Context) Result {
	request, err := s.sender.newHTTPRequest(ctx, s.request)
	if err != nil {
		return Result{Err: err}
	}
	// The answer that comes back here is the stand-in that RoundTrip returned.
	standIn, err := s.loop.Do(request)
	if err == nil {
		_ = standIn.Body.Close()
	}
	switch {
	case s.waiting:
		s.result.Err = errors.Join(s.result.Err, ctx.Err())
	case err != nil && s.result.Err == nil && s.result.Response == nil:
		s.result.Err = err // net/http refused the request before any attempt
	}
	return s.result
}

// RoundTrip makes one attempt. To net/http it shows an answer without status
// or body of interest: it would act on a redirect, and hand out another's answer.
func (s *series) RoundTrip(r *http.Request) (*http.Response, error) {
	s.waiting, s.repeat = false, false
	ctx := r.Context()
	leave, err := s.sender.gate.enter(ctx)
	if err != nil {
		s.record(nil, false, err)
		return nil, err
	}
	if journal := s.request.Journal; journal != nil {
		if err := journal.Sending(ctx, s.sender.now().Add(s.sender.timeout)); err != nil {
			leave()
			s.record(nil, false, err)
			return nil, err
		}
	}
	s.result.Attempts++
	start := time.Now()
	answer, maybeSent, err := s.sender.attempt(r)
	leave()
	s.result.Ended = s.sender.now().Round(0)
	s.record(answer, maybeSent, err)
	s.result.CanRetry = !maybeSent || answer != nil && answer.StatusCode == http.StatusTooManyRequests
	if s.result.CanRetry && s.request.Journal != nil {
		s.request.Journal.NotSent(ctx)
	}
	s.decide(ctx, answer, maybeSent, err)
	s.log(ctx, answer, err, time.Since(start))
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusNoContent, Header: answer.Header, Body: http.NoBody, Request: r}, nil
}

func (s *series) record(answer *Response, maybeSent bool, err error) {
	s.result.Answered, s.result.MaybeSent, s.result.Err = answer != nil, maybeSent, err
	if maybeSent && (answer == nil || !IsRefusal(answer.StatusCode) && answer.StatusCode >= 300) {
		s.result.Undecided = true
	}
	switch {
	case answer != nil:
		s.result.Response = answer
	case maybeSent && !s.request.Repeatable:
		// What the platform refused before says nothing of an attempt that it
		// may have carried out.
		s.result.Response = nil
	}
}

// decide settles whether there will be another attempt, and when. A 429 holds
// back every request of this Sender, whether or not this one is tried again.
func (s *series) decide(ctx context.Context, answer *Response, maybeSent bool, err error) {
	policy := s.sender.policy
	s.wait = policy.backoff(s.result.Attempts)
	defer func() { s.result.Wait = s.wait }()
	if answer != nil {
		if answer.RetryAfter > 0 {
			s.wait = answer.RetryAfter
		}
		if answer.StatusCode == http.StatusTooManyRequests {
			s.sender.gate.holdBack(min(s.wait, policy.MaxRetryAfter))
		}
	}
	switch {
	case ctx.Err() != nil,
		s.result.Attempts >= policy.MaxAttempts,
		!s.mayRepeat(answer, maybeSent, err),
		answer != nil && answer.RetryAfter > policy.MaxRetryAfter:
		return
	}
	if err := fits(ctx, s.wait); err != nil {
		s.result.Err = errors.Join(s.result.Err, err)
		return
	}
	s.repeat = true
}

// mayRepeat is the whole rule of what is sent again.
func (s *series) mayRepeat(answer *Response, maybeSent bool, err error) bool {
	switch {
	case answer == nil && !maybeSent:
		return !isCertificateError(err)
	case answer == nil:
		return s.request.Repeatable
	case answer.StatusCode == http.StatusTooManyRequests:
		return true
	case answer.StatusCode >= 500:
		return s.request.Repeatable && answer.StatusCode != http.StatusNotImplemented
	}
	// Only of a read is the body worth another attempt.
	return s.request.Method == http.MethodGet && answer.Truncated != nil && !errors.Is(answer.Truncated, ErrTooLarge)
}

// again is retryablehttp's CheckRetry.
func (s *series) again(context.Context, *http.Response, error) (bool, error) {
	s.waiting = s.repeat
	return s.repeat, nil
}

// pause is retryablehttp's Backoff.
func (s *series) pause(time.Duration, time.Duration, int, *http.Response) time.Duration {
	return s.wait
}

// renewHeader is retryablehttp's PrepareRetry. A cookie jar, and a middleware
// that does not keep to the rules, would otherwise add to the header of the
// attempt before.
func (s *series) renewHeader(r *http.Request) error {
	r.Header = s.sender.newHeader(s.request.Body != nil)
	return nil
}

func (s *series) log(ctx context.Context, answer *Response, err error, took time.Duration) {
	logger := s.sender.logger
	if logger == nil || !logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attributes := []slog.Attr{
		slog.String("operation", s.request.Operation),
		slog.String("method", s.request.Method),
		slog.String("path", s.request.Template),
		slog.Int("attempt", s.result.Attempts),
		slog.Duration("duration", took),
	}
	if answer != nil {
		attributes = append(attributes, slog.Int("status", answer.StatusCode))
	}
	if err != nil {
		attributes = append(attributes, slog.String("error", redact.Text(err.Error())))
	}
	if s.repeat {
		attributes = append(attributes, slog.Duration("wait", s.wait))
	}
	logger.LogAttrs(ctx, slog.LevelDebug, "calls: attempt", attributes...)
}
