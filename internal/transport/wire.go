package transport

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// wire is the end of the chain: the transport of the caller's client, looked up
// for each attempt so that one that is swapped in later is used.
type wire struct{ client *http.Client }

// RoundTrip notes what is known of the transport before a request goes into it.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	transport := w.client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	seen, ok := r.Context().Value(sightingKey{}).(*sighting)
	if !ok { // a middleware has put another context in its place, and the trace is gone with it
		return transport.RoundTrip(r)
	}
	_, isNetHTTP := transport.(*http.Transport)
	seen.begin(isNetHTTP && !isReplayable(r))
	response, err := transport.RoundTrip(r)
	seen.end(r.Context(), err)
	return response, err
}

// sighting is what is known of the bytes of one attempt. net/http's trace tells,
// from goroutines of its own.
type sighting struct {
	asked     atomic.Bool // net/http was asked for a connection
	connected atomic.Bool // and has given one
	written   atomic.Bool // a byte may have been written
	// Until it was written, a request that is sent once may be moved to another
	// connection: then what counts is whether it was written before it began.
	sendsOnce, before atomic.Bool
}

type sightingKey struct{}

// watch returns a context whose requests are seen, by a trace next to the
// caller's own.
func watch(ctx context.Context) (context.Context, *sighting) {
	s := &sighting{}
	ctx = context.WithValue(ctx, sightingKey{}, s)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:          s.getConn,
		GotConn:          s.gotConn,
		WroteHeaderField: s.wroteHeaderField,
	}), s
}

// nothingWritten is the proof that the platform cannot have seen the request.
// Without any sign of net/http (a mock, a transport of another kind) there is none.
func (s *sighting) nothingWritten() bool { return s.asked.Load() && !s.written.Load() }

func (s *sighting) begin(sendsOnce bool) {
	s.sendsOnce.Store(sendsOnce)
	s.before.Store(s.written.Load())
}

func (s *sighting) end(ctx context.Context, err error) {
	// A request that is cancelled on an HTTP/2 connection can still be written
	// after RoundTrip has returned.
	cancelled := s.connected.Load() && ctx.Err() != nil
	if err == nil || cancelled || !s.asked.Load() {
		s.written.Store(true)
	}
}

func (s *sighting) getConn(string) {
	s.asked.Store(true)
	s.connected.Store(false)
	// net/http asks for a second connection only after it found that nothing went
	// out on the first, as long as nobody marks the request as replayable. Of
	// other transports nothing of the kind is known.
	if s.sendsOnce.Load() {
		s.written.Store(s.before.Load())
	}
}

func (s *sighting) gotConn(httptrace.GotConnInfo) { s.connected.Store(true) }

func (s *sighting) wroteHeaderField(string, []string) { s.written.Store(true) }

// isReplayable tells which requests net/http sends again after they were
// written.
func isReplayable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return r.Header["Idempotency-Key"] != nil || r.Header["X-Idempotency-Key"] != nil
}
