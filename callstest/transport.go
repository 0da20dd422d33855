package callstest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// attempts is the way of HTTPClient to the double. It takes the fault of each
// attempt when the attempt begins, so that nothing that net/http does then can
// use up another: neither a spare connection that it dials, nor a request that
// it sends again because a used connection broke. An attempt that meets a fault
// has a connection for itself alone, which over HTTP/2 takes a transport for itself
// alone.
type attempts struct {
	script  *script
	network *network
	addr    string // of the double
	closed  string // address that refuses connections

	http2        bool
	newTransport func() *http.Transport
	pooled       *http.Transport // for what is served as it should be
	single       *http.Transport // a new connection for each attempt; not over HTTP/2
}

func newAttempts(s *script, n *network, addr, closed string, newTransport func() *http.Transport) *attempts {
	a := &attempts{
		script: s, network: n, addr: addr, closed: closed,
		http2: n.http2, newTransport: newTransport,
	}
	a.pooled = newTransport()
	a.pooled.DialContext, a.pooled.MaxIdleConnsPerHost = a.dialPooled, 1000
	// A negative number keeps connections out of the pool, and, unlike
	// DisableKeepAlives, does not show in the request.
	a.single = newTransport()
	a.single.DialContext, a.single.MaxIdleConnsPerHost = a.dialSingle, -1
	return a
}

// newClientTransport returns a function that makes transports which trust the
// server and speak its version of HTTP.
func newClientTransport(c config, roots *x509.CertPool) func() *http.Transport {
	return func() *http.Transport {
		t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
		if c.http2 {
			t.Protocols = &http.Protocols{}
			t.Protocols.SetHTTP2(c.tls)
			t.Protocols.SetUnencryptedHTTP2(!c.tls)
		}
		return t
	}
}

// client returns a client with a transport of net/http's own type, which some
// code under test looks for. It hands every request for the double to a.
func (a *attempts) client() *http.Client {
	t := a.newTransport()
	// The first use of a transport that speaks HTTP/2 registers that as well, which
	// can be done only once for a scheme. Here that has to find nothing to register;
	// a clone is to find it again.
	protocols := t.Protocols
	t.Protocols = &http.Protocols{}
	t.CloseIdleConnections()
	t.Protocols = protocols
	t.RegisterProtocol("http", a)
	t.RegisterProtocol("https", a)
	return &http.Client{Transport: t}
}

// RoundTrip is one attempt.
func (a *attempts) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != a.addr {
		return nil, http.ErrSkipAltProtocol
	}
	if r.Context().Err() != nil {
		return a.pooled.RoundTrip(r)
	}
	f := a.script.take(func(faultKind) bool { return true })
	switch f.kind {
	case pass:
		return a.pooled.RoundTrip(r)
	case closeIdle:
		return a.sendAfterIdle(r)
	}
	return a.sendSingle(r.WithContext(context.WithValue(r.Context(), faultKey{}, f)))
}

// sendAfterIdle sends r on a connection that was not idle. Over HTTP/1 each idle
// connection that net/http picks for r breaks before r is written to it. Over HTTP/2
// net/http would wait for the response on such a connection, so the idle ones are
// closed before.
func (a *attempts) sendAfterIdle(r *http.Request) (*http.Response, error) {
	if a.http2 {
		a.pooled.CloseIdleConnections()
		return a.pooled.RoundTrip(r)
	}
	trace := httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if info.WasIdle {
			underlying(info.Conn).isBroken.Store(true)
		}
	}}
	return a.pooled.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &trace)))
}

// sendSingle sends r on a connection of its own.
func (a *attempts) sendSingle(r *http.Request) (*http.Response, error) {
	if !a.http2 {
		return a.single.RoundTrip(r)
	}
	t := a.newTransport()
	t.DialContext = a.dialSingle
	response, err := t.RoundTrip(r)
	return whenRead(response, err, t.CloseIdleConnections)
}

func (a *attempts) dialSingle(ctx context.Context, network, addr string) (net.Conn, error) {
	f := ctx.Value(faultKey{}).(Fault)
	if f.kind == refuseConnection {
		addr = a.closed
	}
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, network, addr)
	if err == nil {
		a.network.announce(c.LocalAddr().String(), f)
	}
	return c, err
}

func (a *attempts) dialPooled(ctx context.Context, network, addr string) (net.Conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	a.network.announce(c.LocalAddr().String(), Pass)
	return &pooledConn{Conn: c}, nil
}

type faultKey struct{}

// whenRead calls done once a response is over with, or at once if there is none.
func whenRead(response *http.Response, err error, done func()) (*http.Response, error) {
	if err != nil {
		done()
		return nil, err
	}
	response.Body = &watchedBody{ReadCloser: response.Body, closed: sync.OnceFunc(done)}
	return response, nil
}

type watchedBody struct {
	io.ReadCloser
	closed func()
}

func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	b.closed()
	return err
}

// pooledConn is a connection of the pool of HTTPClient.
type pooledConn struct {
	net.Conn
	isBroken atomic.Bool // the peer has reset it, and writing tells the client
}

// Write fails on a broken connection as the operating system has it fail. The peer is
// not asked to break it: the client would read that too, sooner or later.
func (c *pooledConn) Write(p []byte) (int, error) {
	if c.isBroken.Load() {
		return 0, &net.OpError{
			Op: "write", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(),
			Err: os.NewSyscallError("write", syscall.EPIPE),
		}
	}
	return c.Conn.Write(p)
}

func underlying(c net.Conn) *pooledConn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return c.(*pooledConn)
}

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
