package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// attempts is the attempts at one request, and their context. What came of them is
// kept in result, since net/http and retryablehttp drop responses and change errors
// on their way up.
type attempts struct {
	context.Context // the caller's
	sender          *Sender
	request         Request
	url             url.URL
	result          Result
	retry           bool // another attempt follows after result.Wait
}

type attemptsKey struct{}

// Value makes the attempts known to the loop.
func (a *attempts) Value(key any) any {
	if key == (attemptsKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// Format keeps the request out of a dump of the context, with any verb.
func (a *attempts) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "calls: "+a.request.Operation)
}

func attemptsOf(ctx context.Context) *attempts { return ctx.Value(attemptsKey{}).(*attempts) }

// Send makes as many attempts as the policy and the request allow.
func (s *Sender) Send(ctx context.Context, request Request) Result {
	if ctx == nil {
		return Result{Err: errors.New("nil context")}
	}
	a := &attempts{Context: ctx, sender: s, request: request}
	if err := s.setURL(&a.url, &request); err != nil {
		return Result{Err: err}
	}
	first := &http.Request{Method: request.Method, URL: &a.url, Header: s.newHeader(request.Body != nil)}
	response, err := s.loop.Do(&retryablehttp.Request{Request: first.WithContext(a)})
	if err == nil {
		_ = response.Body.Close()
	}
	switch {
	case a.retry && ctx.Err() != nil: // it ended between two attempts
		a.result.Err = errors.Join(a.result.Err, ctx.Err())
	case err != nil && a.result.Err == nil && a.result.Response == nil:
		a.result.Err = err // net/http refused the request before any attempt
	}
	return a.result
}

// newLoop returns the loop over the attempts of all requests of a Sender. What
// differs between requests is found by their context.
func newLoop(config Config) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: &http.Client{Transport: oneAttempt{}, Jar: config.HTTPClient.Jar, CheckRedirect: useLastResponse},
		RetryMax:   config.Policy.MaxAttempts - 1,
		CheckRetry: func(ctx context.Context, _ *http.Response, _ error) (bool, error) {
			return attemptsOf(ctx).retry, nil
		},
		// An attempt waits out its backoff itself, as it waits for its turn.
		Backoff: func(time.Duration, time.Duration, int, *http.Response) time.Duration { return 0 },
		// A cookie jar, and a middleware that changes the request, would otherwise add
		// to the header of the attempt before.
		PrepareRetry: func(r *http.Request) error {
			a := attemptsOf(r.Context())
			r.Header = a.sender.newHeader(a.request.Body != nil)
			return nil
		},
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

func useLastResponse(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// oneAttempt makes one attempt for each request that the loop sends.
type oneAttempt struct{}

func (oneAttempt) RoundTrip(r *http.Request) (*http.Response, error) {
	return attemptsOf(r.Context()).next(r)
}

// next makes one attempt: it waits out the backoff of the one before and for its
// turn, has it recorded in the journal, sends it, and decides about another one.
func (a *attempts) next(r *http.Request) (*http.Response, error) {
	s, ctx := a.sender, r.Context()
	if a.retry {
		a.retry = false
		if err := Sleep(ctx, a.result.Wait); err != nil {
			a.result.Err = errors.Join(a.result.Err, err)
			return nil, err
		}
	}
	asked := time.Now()
	turn, err := s.gate.enter(ctx, a.request.First)
	if err != nil {
		a.endUnsent(err)
		a.result.Wait = s.gate.held()
		return nil, err
	}
	permitEnd := s.permitEnd(ctx)
	if err := a.begin(ctx, turn, permitEnd); err != nil {
		a.endUnsent(err)
		return nil, err
	}
	a.result.Attempts++
	begin := time.Now()
	o := s.attempt(r, a.request.Body, turn, permitEnd)
	a.result.Ended = s.now().Round(0)
	a.record(ctx, o)
	a.decide(ctx, o)
	a.report(ctx, o, begin.Sub(asked), time.Since(begin))
	if o.err != nil {
		return nil, o.err
	}
	// net/http reads the status and the cookies; the body was read already.
	return &http.Response{
		StatusCode: o.response.StatusCode, Header: o.response.Header, Body: http.NoBody, Request: r,
	}, nil
}

// begin has an attempt recorded in the journal. Its turn is given back if that fails or
// panics.
func (a *attempts) begin(ctx context.Context, turn turn, permitEnd time.Time) error {
	if a.request.Journal == nil {
		return nil
	}
	isRecorded := false
	defer func() {
		if !isRecorded {
			turn.unused()
		}
	}()
	err := a.request.Journal.Sending(ctx, permitEnd)
	isRecorded = err == nil
	return err
}

// permitEnd returns when an attempt that begins now has to have left. It is a
// wall time, since the monotonic clock stands still while a machine sleeps.
func (s *Sender) permitEnd(ctx context.Context) time.Time {
	end := s.now().Add(s.timeout)
	if deadline, ok := ctx.Deadline(); ok {
		if left := s.now().Add(time.Until(deadline)); left.Before(end) {
			end = left
		}
	}
	return end.Round(0)
}

// endUnsent records an attempt that ended before anything was sent.
func (a *attempts) endUnsent(err error) {
	a.result.Responded, a.result.MaybeSent, a.result.CanRetry, a.result.Err = false, false, true, err
}

// record keeps what came of an attempt.
func (a *attempts) record(ctx context.Context, o attemptOutcome) {
	a.result.Responded, a.result.MaybeSent, a.result.Err = o.response != nil, o.maybeSent, o.err
	a.result.CanRetry = !o.undecided && o.wasNotCarriedOut()
	a.result.Undecided = a.result.Undecided || o.undecided
	switch {
	case o.response != nil:
		a.result.Response = o.response
	case o.maybeSent && !a.request.Repeatable:
		// An earlier refusal says nothing about an attempt that may have been
		// carried out.
		a.result.Response = nil
	}
	if journal := a.request.Journal; journal != nil && a.result.CanRetry {
		journal.NotSent(context.WithoutCancel(ctx))
	}
}

// decide settles whether there is another attempt, and when. A 429 holds back
// every request of the Sender, whether or not this one is retried.
func (a *attempts) decide(ctx context.Context, o attemptOutcome) {
	policy := a.sender.policy
	longest := max(policy.MaxRetryAfter, second) // a 429 that does not ask is waited out for a second
	wait := policy.backoff(a.result.Attempts)
	if o.response != nil && o.response.RetryAfter > 0 {
		wait = o.response.RetryAfter
	}
	a.result.Wait = wait
	if o.status() == http.StatusTooManyRequests {
		a.sender.gate.holdBack(min(wait, longest))
	}
	switch {
	case ctx.Err() != nil, a.result.Attempts >= policy.MaxAttempts, !a.mayRepeat(o),
		o.response != nil && wait > longest:
		return
	}
	if err := fits(ctx, wait); err != nil {
		a.result.Err = errors.Join(a.result.Err, err)
		return
	}
	a.retry = true
}

// mayRepeat is the whole rule of what is sent again.
func (a *attempts) mayRepeat(o attemptOutcome) bool {
	isRepeatable := a.request.Repeatable
	switch status := o.status(); {
	case o.undecided && !isRepeatable:
		return false
	case o.response == nil && !o.maybeSent:
		return !isCertificateError(o.err)
	case o.response == nil:
		return isRepeatable
	case status == http.StatusTooManyRequests:
		return true
	case status >= 500:
		return isRepeatable && status != http.StatusNotImplemented
	}
	// Only a read is repeated for its body.
	truncated := o.response.Truncated
	return a.request.Method == http.MethodGet && truncated != nil && !errors.Is(truncated, ErrTooLarge)
}

// isCertificateError reports whether a handshake will fail the same way again.
func isCertificateError(err error) bool {
	var unverified *tls.CertificateVerificationError
	return errors.As(err, &unverified)
}

// report logs an attempt and tells the observer about it.
func (a *attempts) report(ctx context.Context, o attemptOutcome, paced, took time.Duration) {
	wait := time.Duration(0)
	if a.retry {
		wait = a.result.Wait
	}
	if observe := a.sender.observe; observe != nil {
		observe(ctx, Event{
			Operation: a.request.Operation, Attempt: a.result.Attempts, Paced: paced, Duration: took,
			Status: o.status(), Err: o.err, Retry: a.retry, Wait: wait,
		})
	}
	logger := a.sender.logger
	if logger == nil || !logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attributes := []slog.Attr{
		slog.String("operation", a.request.Operation),
		slog.String("method", a.request.Method),
		slog.String("path", a.request.Template),
		slog.Int("attempt", a.result.Attempts),
		slog.Duration("duration", took),
	}
	if o.response != nil {
		attributes = append(attributes, slog.Int("status", o.response.StatusCode))
	}
	if o.err != nil {
		attributes = append(attributes, slog.String("error", a.sender.redact(o.err.Error())))
	}
	if a.retry {
		attributes = append(attributes, slog.Duration("wait", wait))
	}
	logger.LogAttrs(ctx, slog.LevelDebug, "calls: attempt", attributes...)
}
