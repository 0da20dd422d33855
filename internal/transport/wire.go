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

// RoundTrip adds its own trace to the caller's and notes whether anything of
// the request was written.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	transport := w.client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	seen, ok := r.Context().Value(sightingKey{}).(*sighting)
	if !ok { // a middleware has put another context in its place
		return transport.RoundTrip(r)
	}
	_, isNetHTTP := transport.(*http.Transport)
	return seen.roundTrip(transport, isNetHTTP, r)
}

// sighting collects what is known of the bytes of one attempt. Hooks of a trace
// run on other goroutines, so its fields are atomic.
type sighting struct {
	asked     atomic.Bool // net/http was asked for a connection
	connected atomic.Bool // and has given one
	written   atomic.Bool // a byte may have been written
}

type sightingKey struct{}

func watch(ctx context.Context) (context.Context, *sighting) {
	s := &sighting{}
	return context.WithValue(ctx, sightingKey{}, s), s
}

// nothingWritten is the proof that the platform cannot have seen the request.
// Without any sign of net/http (a mock, a transport of another kind) there is none.
func (s *sighting) nothingWritten() bool { return s.asked.Load() && !s.written.Load() }

func (s *sighting) roundTrip(transport http.RoundTripper, isNetHTTP bool, r *http.Request) (*http.Response, error) {
	before := s.written.Load()
	trace := &httptrace.ClientTrace{
		GetConn: func(string) {
			s.asked.Store(true)
			s.connected.Store(false)
			// net/http asks for a second connection only after it found that
			// nothing went out on the first, as long as nobody marks the request
			// as replayable. Of other transports nothing of the kind is known.
			if isNetHTTP && !isReplayable(r) {
				s.written.Store(before)
			}
		},
		GotConn:          func(httptrace.GotConnInfo) { s.connected.Store(true) },
		WroteHeaderField: func(string, []string) { s.written.Store(true) },
	}
	response, err := transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	// A request that is cancelled on an HTTP/2 connection can still be written
	// after RoundTrip has returned.
	cancelled := s.connected.Load() && r.Context().Err() != nil
	if err == nil || cancelled || !s.asked.Load() {
		s.written.Store(true)
	}
	return response, err
}

// isReplayable tells which requests net/http sends again after they were
// written.
func isReplayable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return r.Header["Idempotency-Key"] != nil || r.Header["X-Idempotency-Key"] != nil
}
