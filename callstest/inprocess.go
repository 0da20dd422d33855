package callstest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
)

// InProcess returns a transport that hands each request to the server in the
// caller's goroutine, without a network: with it, and with WithClock(time.Now),
// a server that was started outside of a bubble of testing/synctest can be used
// within, on virtual time. URL and HTTPClient have no part in it.
//
// Faults are used up by it as well. One that answers with a status does so, and
// any other than Pass and CloseIdle ends the attempt with io.ErrUnexpectedEOF,
// after the operation was carried out if the fault Acts.
func (s *Server) InProcess() http.RoundTripper { return inProcess{s} }

type inProcess struct{ server *Server }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1)); err != nil {
			return nil, err // a request without its body does not arrive
		}
	}
	if r.Host == "" {
		r = r.Clone(r.Context())
		r.Host = r.URL.Host
	}
	f := p.server.script.take(func(faultKind) bool { return true })
	a := p.server.respond(r, body, f)
	switch {
	case f.answers():
		a = f.answer()
	case !f.isHarmless():
		return nil, io.ErrUnexpectedEOF
	}
	return http.ReadResponse(bufio.NewReader(bytes.NewReader(a.wire())), r)
}
