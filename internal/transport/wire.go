package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// wire is the end of the chain: the transport of the caller's client, looked up
// for each attempt so that one that is swapped in later is used. It lets a
// request leave at most once, and notes what is known about that.
type wire struct {
	client   *http.Client
	untraced *atomic.Int64
}

var (
	errProxyAddress = errors.New("the address of the proxy cannot be used")
	errPlainProxy   = errors.New("an http request would pass through a proxy in clear text")
)

// RoundTrip sends a request by the caller's transport.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	transport := w.client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	trace, ok := r.Context().Value(traceKey{}).(*writeTrace)
	if !ok { // a middleware replaced the context
		w.untraced.Add(1)
		trace = &writeTrace{Context: r.Context(), now: time.Now}
	}
	p := trace.begin(r, transport)
	response, err := p.roundTrip(r, transport)
	trace.returned(p, response)
	return response, err
}

// checkProxy refuses a proxy that would see an http request, which is only ever
// sent to a loopback host. The text of a proxy error can contain a password.
func checkProxy(t *http.Transport, r *http.Request) error {
	if t == nil || t.Proxy == nil {
		return nil
	}
	switch proxy, err := t.Proxy(r); {
	case err != nil:
		return errProxyAddress
	case proxy != nil && r.URL.Scheme == "http":
		return errPlainProxy
	}
	return nil
}

// writeTrace is the context of one attempt. It knows what of the attempt can have
// left: it follows each passage through the wire, of which there is one unless a
// middleware sends the request again. It is safe for concurrent use.
type writeTrace struct {
	context.Context                    // with the attempt's timeout
	stop            context.CancelFunc // ends the attempt
	turn            turn
	permitEnd       time.Time // no byte leaves later; zero for no limit
	now             func() time.Time

	mu            sync.Mutex
	passages      []*passage
	room          passage // of the usual one
	ended         bool    // the attempt is over: no byte leaves any more
	replayStopped bool
}

type traceKey struct{}

// Value makes the trace known to the wire.
func (t *writeTrace) Value(key any) any {
	if key == (traceKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// Format keeps the credentials out of a dump of the context, with any verb.
func (t *writeTrace) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "calls: an attempt") }

// passage is one RoundTrip of the caller's transport. Its fields below getBody
// are guarded by trace.mu.
type passage struct {
	trace     *writeTrace
	hooks     httptrace.ClientTrace
	transport *http.Transport // nil if it is of another type
	method    string
	// authorization is the header field that tells the request from others that
	// are made with its context, such as those of a DialContext.
	authorization string
	length        int64 // of the body; -1 if it is not known
	getBody       func() (io.ReadCloser, error)

	body       *guardedBody // the one that may be read; nil for none
	room       guardedBody  // of the usual one
	asked      bool         // net/http asked for a connection
	connected  bool         // and got one
	writes     int          // how many times the header was written
	overHTTP2  bool         // the last time
	wroteOther bool         // a header was written that may be this request's
	isReturned bool         // the RoundTrip is over
	status     int          // of its response, 0 if there was none
	// responseBody is the one that the transport returned.
	responseBody io.ReadCloser
}

// guardedBody is the body of a request that goes into the caller's transport. No
// byte of it leaves unnoticed, after the attempt, or after its permit. Its fields
// below left are guarded by trace.mu.
type guardedBody struct {
	io.ReadCloser
	passage *passage
	left    int64 // what was not read yet; negative if the length is not known

	read  bool // a byte was handed out
	ended bool // all of it was, and can have left
	// refused means that the permit ended before all of it was.
	refused bool
}

// begin notes that a request is about to enter the caller's transport.
func (t *writeTrace) begin(r *http.Request, transport http.RoundTripper) *passage {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.room
	if len(t.passages) > 0 {
		p = new(passage)
	}
	*p = passage{trace: t, method: r.Method, authorization: r.Header.Get("Authorization"), getBody: r.GetBody}
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

// roundTrip hands a copy of the request to the transport: with the hooks, with
// the guarded body, and without what makes net/http send it again.
func (p *passage) roundTrip(r *http.Request, transport http.RoundTripper) (*http.Response, error) {
	if err := checkProxy(p.transport, r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	p.hooks = httptrace.ClientTrace{GotConn: p.gotConn, WroteHeaderField: p.wroteHeaderField}
	if p.transport == nil || p.body == nil { // else the body is the proof
		p.hooks.GetConn = p.getConn
	}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &p.hooks))
	if p.body != nil {
		r.Body, r.GetBody = p.body, nil
		if p.getBody != nil {
			r.GetBody = p.rewind
		}
	}
	r.Header = withoutIdempotencyKeys(r.Header)
	return transport.RoundTrip(r)
}

// withoutIdempotencyKeys returns a header without the fields that make net/http
// send a POST again. They are spelled in lower case instead, which means the same
// in HTTP and which net/http does not recognize.
func withoutIdempotencyKeys(header http.Header) http.Header {
	for _, key := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := header[key]; ok {
			header = header.Clone() // it may belong to a middleware
			delete(header, key)
			header[strings.ToLower(key)] = values
		}
	}
	return header
}

// returned notes that a RoundTrip is over.
func (t *writeTrace) returned(p *passage, response *http.Response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.isReturned = true
	if response != nil {
		p.status, p.responseBody = response.StatusCode, response.Body
	}
}

// end closes the attempt, so that no byte leaves any more, and returns what is
// known about it. response is the one that the chain returned, nil for none.
func (t *writeTrace) end(response *Response) attemptOutcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	o := attemptOutcome{response: response}
	for i, p := range t.passages {
		isLast := i == len(t.passages)-1
		o.maybeSent = o.maybeSent || p.maySend()
		o.undecided = o.undecided || p.isUndecided(isLast && response != nil)
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

func (t *writeTrace) wasReplayStopped() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.replayStopped
}

// maySend reports whether the platform may have got the request, for all that is
// known. It reports false only with a proof.
func (p *passage) maySend() bool {
	switch {
	case !p.isReturned, p.status != 0:
		return true
	case p.transport == nil && !p.asked:
		return true // a transport that does not show what it does
	case p.transport == nil && p.wroteOther:
		return true
	case p.body == nil:
		// A request that is canceled when it has its connection can still be written.
		isCanceled := p.connected && p.trace.Err() != nil
		return !p.asked || p.writes > 0 || isCanceled
	case p.transport == nil:
		return p.writes > 0 || p.body.read
	case p.body.refused && !p.body.ended:
		return false // a request without the end of its body is none
	}
	return p.writes > 0
}

// isUndecided reports whether the passage may have been carried out and no
// response says whether it was. hasResponse means that the attempt ends with the
// response of this passage.
func (p *passage) isUndecided(hasResponse bool) bool {
	if p.transport == nil && p.writes > 1 { // it retries, and shows its last response only
		return true
	}
	return !hasResponse && p.maySend() && !IsRefusal(p.status)
}

// getConn is a hook of net/http: a connection is asked for.
func (p *passage) getConn(string) {
	p.trace.mu.Lock()
	defer p.trace.mu.Unlock()
	p.asked = true
}

// gotConn is a hook of net/http: a connection was chosen, and the request is
// about to be written to it. If it was written before, net/http is about to send
// it again, which is stopped, since an attempt is at most one request.
func (p *passage) gotConn(info httptrace.GotConnInfo) {
	t := p.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	p.connected = true
	if p.writes == 0 || t.ended || !p.isReplayed() || t.stop == nil {
		return
	}
	t.replayStopped = true
	t.stop()
	if !p.overHTTP2 {
		// HTTP/1 does not look at the context again before it writes. HTTP/2 does, and
		// its connection has other requests.
		_ = info.Conn.Close()
	}
}

// isReplayed reports whether net/http can have asked for another connection
// although the request left on the one before. With a body it asks rewind first;
// over HTTP/1 it sends only some methods again.
func (p *passage) isReplayed() bool {
	switch {
	case p.body != nil:
		return false
	case p.overHTTP2 || p.transport == nil:
		return true
	}
	switch p.method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// wroteHeaderField is a hook of net/http: a header field is about to be written.
// The field decides whose it is: a DialContext, or a middleware, can make other
// requests with the same context.
func (p *passage) wroteHeaderField(key string, values []string) {
	isHTTP2 := key == "authorization" || key == ":method"
	isOwn := key == ":method" || key == "Host"
	if p.authorization != "" {
		isOwn = (key == "authorization" || key == "Authorization") && len(values) == 1 && values[0] == p.authorization
	}
	t := p.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	if !isOwn {
		p.wroteOther = true
		return
	}
	p.writes++
	p.overHTTP2 = isHTTP2
	t.turn.written()
}

// rewind is the request's GetBody. net/http calls it over HTTP/1 only if nothing
// left, but over HTTP/2 also after the request was written, and other transports
// call it to send the request again.
func (p *passage) rewind() (io.ReadCloser, error) {
	t := p.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	isSentAgain := p.overHTTP2 && p.writes > 0 || p.transport == nil && p.body.read
	if isSentAgain || t.ended {
		return nil, errReplay
	}
	body, err := p.getBody()
	if err != nil {
		return nil, err
	}
	p.body, p.writes = &guardedBody{ReadCloser: body, passage: p, left: p.length}, 0
	return p.body, nil
}

// Read hands out the body as long as the attempt is not over and its permit has
// not ended. Over HTTP/2 the last byte comes by itself, so that a body that
// net/http holds back for the peer's flow control is not whole before Read was
// asked again.
func (b *guardedBody) Read(buffer []byte) (int, error) {
	mayRead, overHTTP2 := b.mayRead()
	if !mayRead {
		return 0, errPermitEnded
	}
	if overHTTP2 && b.left > 1 && int64(len(buffer)) >= b.left {
		buffer = buffer[:b.left-1]
	}
	n, err := b.ReadCloser.Read(buffer)
	b.left -= int64(n)
	t := b.passage.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	b.read = b.read || n > 0
	// Over HTTP/1 net/http writes to the connection what it has read, and only then
	// asks for the end of a body whose length it knows.
	hasLeft := b.left == 0 && !overHTTP2
	if b.ended = b.ended || hasLeft || err == io.EOF; b.ended && !t.ended {
		t.turn.written()
	}
	return n, err
}

func (b *guardedBody) mayRead() (mayRead, overHTTP2 bool) {
	t := b.passage.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	isLate := !b.ended && !t.permitEnd.IsZero() && t.now().Round(0).After(t.permitEnd)
	b.refused = b.refused || isLate
	return b == b.passage.body && !t.ended && !isLate, b.passage.overHTTP2
}
