package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"
)

// writeTrace is the context of one attempt. It knows what of the attempt can have
// left: it follows each passage through the wire, of which there is one unless a
// middleware sends the request again. It is safe for concurrent use.
type writeTrace struct {
	context.Context                    // with the attempt's timeout
	stop            context.CancelFunc // ends the attempt
	turn            turn
	permitEnd       time.Time // no byte leaves later; zero for no limit
	now             func() time.Time

	mu       sync.Mutex
	passages []*passage
	room     passage // of the usual one
	ended    bool    // the attempt is over: no byte leaves any more
	stopped  error   // why a request was stopped by its hooks
}

type traceKey struct{}

// Value makes the trace known to the wire.
func (t *writeTrace) Value(key any) any {
	if key == (traceKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// traceOf returns the trace of the attempt that a request belongs to, nil if a
// middleware replaced both its context and its body.
func traceOf(r *http.Request) *writeTrace {
	if trace, ok := r.Context().Value(traceKey{}).(*writeTrace); ok {
		return trace
	}
	if body, isOwn := r.Body.(*requestBody); isOwn {
		return body.trace
	}
	return nil
}

// attached returns a request that ends with the attempt, even if a middleware detached
// its context.
func (t *writeTrace) attached(r *http.Request) *http.Request {
	if r.Context().Done() == t.Done() {
		return r
	}
	ctx, cancel := context.WithCancel(r.Context())
	context.AfterFunc(t, cancel)
	return r.WithContext(ctx)
}

// Format keeps the credentials out of a dump of the context, with any verb.
func (t *writeTrace) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "calls: an attempt") }

// begin notes that a request is about to enter the caller's transport. It returns nil if
// the attempt is over.
func (t *writeTrace) begin(r *http.Request, transport http.RoundTripper) *passage {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil
	}
	p := &t.room
	if len(t.passages) > 0 {
		p = new(passage)
	}
	*p = passage{trace: t, ctx: r.Context(), method: r.Method, authorization: strings.TrimSpace(r.Header.Get("Authorization")), getBody: r.GetBody}
	p.transport, _ = transport.(*http.Transport)
	if r.Body != nil && r.Body != http.NoBody {
		if p.length = r.ContentLength; p.length == 0 {
			p.length = -1
		}
		p.room = guardedBody{ReadCloser: r.Body, passage: p, left: p.length}
		p.body = &p.room
	}
	t.passages = append(t.passages, p)
	return p
}

// returned notes that a RoundTrip is over, and returns the version of HTTP that it
// used, 0 if it did not get so far. A connection that was not for the request counts
// too: the next one can be.
func (t *writeTrace) returned(p *passage, response *http.Response) (version int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.isReturned = true
	if response != nil {
		p.status, p.responseBody = response.StatusCode, response.Body
	}
	switch {
	case p.overHTTP2, p.sawHTTP2:
		return 2
	case p.writes > 0:
		return 1
	}
	return 0
}

// end closes the attempt, so that no byte leaves any more, and returns what is
// known about it. response is the one that the chain returned, nil for none. untraced
// is how many requests were sent that may be of the attempt.
func (t *writeTrace) end(response *Response, untraced int) attemptOutcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	o := attemptOutcome{response: response, maybeSent: untraced > 0}
	o.undecided = untraced > 0 && (response == nil || untraced+len(t.passages) > 1)
	for _, p := range t.passages {
		o.maybeSent = o.maybeSent || p.maySend()
		o.undecided = o.undecided || p.isUndecided(response)
	}
	if response != nil {
		o.maybeSent = true
		o.undecided = o.undecided || !isSuccess(response.StatusCode) && !IsRefusal(response.StatusCode)
	}
	return o
}

// bodyFollows reports whether the body of a response follows the context: it is
// net/http's own, and not one that a middleware put in its place.
func (t *writeTrace) bodyFollows(body io.ReadCloser) bool {
	ofBody := reflect.TypeOf(body)
	if ofBody.Kind() == reflect.Pointer {
		ofBody = ofBody.Elem()
	}
	if !strings.HasPrefix(ofBody.PkgPath(), "net/http") {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.passages) == 1 && t.passages[0].transport != nil && t.passages[0].responseBody == body
}

// whyStopped returns why a request was stopped by its hooks, nil if none was.
func (t *writeTrace) whyStopped() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stopped
}
