package transport

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
)

// requestBody is a body that is in memory. It knows its attempt even if a middleware
// replaced the context.
type requestBody struct {
	bytes.Reader
	trace *writeTrace
}

func newRequestBody(body []byte, trace *writeTrace) *requestBody {
	return &requestBody{*bytes.NewReader(body), trace}
}

func (*requestBody) Close() error { return nil }

// guardedBody is the body of a request that goes into the caller's transport. No
// byte of it leaves unnoticed, after the attempt, or after its permit. Its fields
// below left are guarded by trace.mu.
type guardedBody struct {
	io.ReadCloser
	passage *passage
	// memory is what net/http reads instead, nil for nothing. It writes head and body
	// together only if it knows the type of the body.
	memory *bytes.Reader
	left   int64 // what was not read yet; negative if the length is not known

	read  bool // a byte was handed out
	ended bool // all of it was, and can have left
	// refused means that the permit ended before all of it was.
	refused bool
}

// Read hands out the body as long as the attempt is not over and its permit has
// not ended. Over HTTP/2 the last byte comes by itself, so that a body that
// net/http holds back for the peer's flow control is not whole before Read was
// asked again.
func (b *guardedBody) Read(buffer []byte) (int, error) {
	mayRead, overHTTP2 := b.ask()
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

func (b *guardedBody) ask() (mayRead, overHTTP2 bool) {
	t := b.passage.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	return b.mayRead(), b.passage.overHTTP2
}

func (b *guardedBody) mayRead() bool {
	t := b.passage.trace
	isLate := !b.ended && !t.permitEnd.IsZero() && t.now().Round(0).After(t.permitEnd)
	b.refused = b.refused || isLate
	return b == b.passage.body && !t.ended && !isLate
}

// wasRead reports whether a byte was handed out.
func (b *guardedBody) wasRead() bool {
	return b.read || b.memory != nil && int64(b.memory.Len()) < b.passage.length
}

// inMemory returns the body of a request if net/http can write it together with the
// head over HTTP/1: both fit into its buffer, and nothing comes between them, such as a
// hook of the caller's, which can take long. It returns nil otherwise.
func inMemory(r *http.Request, t *http.Transport) *bytes.Reader {
	const (
		buffer = 4 << 10 // of net/http, unless it was told otherwise
		rest   = 1 << 10 // what net/http adds to the head, at most
	)
	body, isOwn := r.Body.(*requestBody)
	hooks := httptrace.ContextClientTrace(r.Context())
	if !isOwn || hooks != nil && hooks.WroteHeaders != nil || r.ContentLength != body.Size() || len(r.TransferEncoding) > 0 ||
		r.Header.Get("Expect") != "" || t.WriteBufferSize != 0 && t.WriteBufferSize < buffer {
		return nil
	}
	size := max(len(r.Host), len(r.URL.Host)) + 3*len(r.URL.Path) + len(r.URL.RawQuery) + int(body.Size()) + rest
	for key, values := range r.Header {
		for _, value := range values {
			size += len(key) + len(value) + len(": \r\n")
		}
	}
	if size > buffer {
		return nil
	}
	return &body.Reader
}
