package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const (
	maxAnswer      = 10 << 20
	maxErrorAnswer = 64 << 10
)

// ErrTooLarge: a successful answer was longer than 10 MiB.
var ErrTooLarge = errors.New("the answer is larger than 10 MiB")

// attempt sends a request once and reads the answer to its end. maybeSent is
// false only where provably no byte was written.
func (s *Sender) attempt(r *http.Request) (answer *Response, maybeSent bool, err error) {
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout)
	defer cancel()
	ctx, seen := watch(ctx)
	response, err := s.chain.RoundTrip(r.WithContext(ctx))
	if err == nil && response == nil {
		err = errors.New("a RoundTripper returned neither answer nor error")
	}
	if err != nil {
		return nil, !seen.nothingWritten(), s.explain(r.Context(), ctx, err)
	}
	answer = &Response{
		StatusCode: response.StatusCode,
		Header:     response.Header,
		RetryAfter: retryAfter(response.Header, s.now),
	}
	if response.Body != nil {
		answer.Body, err = readBody(response)
		answer.Truncated = s.explain(r.Context(), ctx, err)
		_ = response.Body.Close()
	}
	return answer, true, nil
}

// readBody reads up to the limit of the answer's kind. A successful answer
// above it is an error; of any other the beginning is all that is wanted.
func readBody(response *http.Response) ([]byte, error) {
	limit := int64(maxErrorAnswer)
	if response.StatusCode < 300 {
		limit = maxAnswer
	}
	var body bytes.Buffer
	if n := response.ContentLength; n > 0 && n <= limit {
		body.Grow(int(n) + bytes.MinRead) // MinRead: else ReadFrom grows it once more
	}
	n, err := body.ReadFrom(io.LimitReader(response.Body, limit+1))
	switch {
	case n <= limit:
		return body.Bytes(), err
	case limit == maxAnswer:
		return body.Bytes()[:limit], ErrTooLarge
	}
	return body.Bytes()[:limit], nil
}

// explain says whose time was over, and makes sure that the context's own error
// is found in err, whatever net/http made of it.
func (s *Sender) explain(caller, attempt context.Context, err error) error {
	switch {
	case err == nil || attempt.Err() == nil:
		return err
	case caller.Err() == nil:
		return fmt.Errorf("no complete answer within %v: %w", s.timeout, context.DeadlineExceeded)
	case errors.Is(err, caller.Err()):
		return err
	}
	return errors.Join(err, caller.Err())
}

// isCertificateError tells of a handshake that will fail the same way again.
func isCertificateError(err error) bool {
	var unverified *tls.CertificateVerificationError
	return errors.As(err, &unverified)
}
