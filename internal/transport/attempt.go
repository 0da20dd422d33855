package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

const (
	maxBody      = 10 << 20 // of a success
	maxErrorBody = 64 << 10
	// maxReserve is the most memory that an announced length reserves before the
	// body arrives.
	maxReserve = 64 << 10
	// maxEmptyReads is how often in a row a Read of a body may return nothing.
	maxEmptyReads = 100
)

// ErrTooLarge means that the body of a success was longer than 10 MiB.
var ErrTooLarge = errors.New("the response is larger than 10 MiB")

var (
	errSwitched    = errors.New("the response switches to another protocol (101)")
	errNeither     = errors.New("a RoundTripper returned neither response nor error")
	errReplay      = errors.New("the connection failed after the request was written, and net/http was about to send the request again")
	errPermitEnded = errors.New("the time in which the request was allowed to leave is over")
	errNotHTTP1    = errors.New("the server has changed to HTTP/2, which needs another request")
)

// attemptOutcome is what came of one attempt.
type attemptOutcome struct {
	response *Response // nil if there was none
	// maybeSent is false only if the request provably did not leave.
	maybeSent bool
	// undecided means that the request may have been carried out, and that no
	// response says whether it was.
	undecided bool
	err       error // why there is no response
}

func (o attemptOutcome) status() int {
	if o.response == nil {
		return 0
	}
	return o.response.StatusCode
}

// wasNotCarriedOut reports whether the platform provably did not act on the
// request: it did not leave, or the response was 429.
func (o attemptOutcome) wasNotCarriedOut() bool {
	return o.response == nil && !o.maybeSent || o.status() == http.StatusTooManyRequests
}

// attempt sends a request once and reads the response to its end.
func (s *Sender) attempt(r *http.Request, body []byte, turn turn, permitEnd time.Time) attemptOutcome {
	caller := r.Context()
	ctx, cancel := context.WithTimeout(caller, s.timeout)
	defer cancel()
	trace := &writeTrace{Context: ctx, stop: cancel, turn: turn, permitEnd: permitEnd, now: s.now}
	untracedBefore := s.wire.untraced.Load()
	isSent, hasResponse := true, false // for all that is known when a middleware panics
	defer func() { turn.arrived(isSent, hasResponse) }()

	response, err := s.roundTrip(r.WithContext(trace), body, trace)
	var read *Response
	if err == nil {
		if read, err = s.readResponse(trace, response); read != nil {
			read.Truncated = s.explain(caller, ctx, trace, read.Truncated)
		}
	}
	o := trace.end(read, int(s.wire.untraced.Load()-untracedBefore))
	o.err = s.explain(caller, ctx, trace, err)
	isSent, hasResponse = o.maybeSent, read != nil
	return o
}

// roundTrip hands a request with its body to the middleware and the transport.
func (s *Sender) roundTrip(r *http.Request, body []byte, trace *writeTrace) (*http.Response, error) {
	if body != nil {
		r.ContentLength = int64(len(body))
		r.Body = newRequestBody(body, trace)
		r.GetBody = func() (io.ReadCloser, error) { return newRequestBody(body, trace), nil }
	}
	response, err := s.chain.RoundTrip(r)
	if err == nil && response == nil {
		err = errNeither
	}
	return response, err
}

// readResponse reads the body up to the limit of its kind. A 101 is an error: its
// body is the other protocol and has no end.
func (s *Sender) readResponse(trace *writeTrace, response *http.Response) (*Response, error) {
	read := &Response{StatusCode: response.StatusCode, Header: response.Header}
	read.RetryAfter = retryAfter(response.Header, s.now)
	if response.StatusCode == http.StatusTooManyRequests && read.RetryAfter == 0 {
		read.RetryAfter = time.Second
	}
	switch {
	case response.Body == nil:
		return read, nil
	case response.StatusCode == http.StatusSwitchingProtocols:
		_ = response.Body.Close()
		return nil, errSwitched
	case trace.bodyFollows(response.Body):
		read.Body, read.Truncated = readBody(response)
		_ = response.Body.Close()
		return read, nil
	}
	// Closing the body ends a Read that does not follow the context.
	unwatch := context.AfterFunc(trace, func() { _ = response.Body.Close() })
	read.Body, read.Truncated = readBody(response)
	if unwatch() {
		_ = response.Body.Close()
	}
	return read, nil
}

// readBody reads up to the limit. A success above it is truncated; of any other
// response the beginning is all that is wanted.
func readBody(response *http.Response) ([]byte, error) {
	limit := maxErrorBody
	if isSuccess(response.StatusCode) {
		limit = maxBody
	}
	reserve := int(max(0, min(response.ContentLength, maxReserve)))
	body := make([]byte, 0, reserve+bytes.MinRead) // MinRead: room for the Read that finds the end
	empty := 0
	for {
		n, err := response.Body.Read(body[len(body):min(cap(body), limit+1)])
		body = body[:len(body)+n]
		if empty++; n > 0 {
			empty = 0
		}
		switch {
		case len(body) > limit && limit == maxBody:
			return body[:limit], ErrTooLarge
		case len(body) > limit:
			return body[:limit], nil
		case err == io.EOF:
			return body, nil
		case err != nil:
			return body, err
		case empty == maxEmptyReads:
			return body, io.ErrNoProgress
		case len(body) == cap(body):
			body = slices.Grow(body, len(body)) // doubling, so that little is copied
		}
	}
}

// explain says whose time was over, and makes sure that errors.Is finds the
// context's own error, whatever net/http made of it.
func (s *Sender) explain(caller, attempt context.Context, trace *writeTrace, err error) error {
	stopped := trace.whyStopped()
	switch {
	case err == nil:
		return nil
	case stopped != nil:
		return stopped
	case attempt.Err() == nil:
		return err
	case caller.Err() == nil:
		return fmt.Errorf("no complete response within %v: %w", s.timeout, context.DeadlineExceeded)
	case errors.Is(err, caller.Err()):
		return err
	}
	return errors.Join(err, caller.Err())
}
