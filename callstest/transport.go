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

// InProcess returns a transport that passes each request to the server in the caller's
// goroutine, without a network. With it and WithClock(time.Now), a server that was
// started outside of a testing/synctest bubble can be used in the bubble, on virtual
// time. InProcess uses neither URL nor HTTPClient.
//
// Its requests use up faults, too. A fault that is a response, such as Status, is
// returned. Every other fault except Pass and CloseIdle ends the attempt with
// io.ErrUnexpectedEOF, after carrying the operation out if the fault Acts.
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
			return nil, err // a request whose body cannot be read does not arrive
		}
	}
	if r.Host == "" {
		r = r.Clone(r.Context())
		r.Host = r.URL.Host
	}
	f := p.server.faults.next()
	res := p.server.respond(r, body, f)
	switch {
	case f.isResponse():
		res = f.response()
	case !f.isServed():
		return nil, io.ErrUnexpectedEOF
	}
	return http.ReadResponse(bufio.NewReader(bytes.NewReader(res.wire())), r)
}

// faultTransport is the transport of HTTPClient. It takes the fault of each attempt
// when the attempt begins, so that net/http cannot use up another fault for it: neither
// when it dials a spare connection, nor when it retries a request because a used
// connection broke. An attempt with a fault has a connection to itself, and over HTTP/2
// a transport to itself.
type faultTransport struct {
	faults     *faultQueue
	network    *network
	addr       string // of the double
	closedAddr string // refuses connections

	http2        bool
	newTransport func() *http.Transport
	pooled       *http.Transport // for attempts without a fault
	single       *http.Transport // a new connection for each attempt; not over HTTP/2
}

func newFaultTransport(faults *faultQueue, n *network, addr, closedAddr string, newTransport func() *http.Transport) *faultTransport {
	t := &faultTransport{
		faults: faults, network: n, addr: addr, closedAddr: closedAddr,
		http2: n.http2, newTransport: newTransport,
	}
	t.pooled = newTransport()
	t.pooled.DialContext, t.pooled.MaxIdleConnsPerHost = t.dialPooled, 1000
	// A negative number keeps connections out of the pool. Unlike DisableKeepAlives, it
	// does not change the request.
	t.single = newTransport()
	t.single.DialContext, t.single.MaxIdleConnsPerHost = t.dialSingle, -1
	return t
}

// newClientTransport returns a function that returns new transports, which trust the
// server's certificate and speak its version of HTTP.
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

// client returns a client whose transport is a *http.Transport, since some code under
// test asserts that type. It passes every request for the double to t.
func (t *faultTransport) client() *http.Client {
	outer := t.newTransport()
	// On its first use, a transport that speaks HTTP/2 registers HTTP/2 for https, which
	// fails if it is registered already. The first use is here, without HTTP/2, so that
	// RegisterProtocol can register t. Clones of the transport still speak HTTP/2.
	protocols := outer.Protocols
	outer.Protocols = &http.Protocols{}
	outer.CloseIdleConnections()
	outer.Protocols = protocols
	outer.RegisterProtocol("http", t)
	outer.RegisterProtocol("https", t)
	return &http.Client{Transport: outer}
}

// RoundTrip makes one attempt.
func (t *faultTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != t.addr {
		return nil, http.ErrSkipAltProtocol
	}
	if r.Context().Err() != nil {
		return t.pooled.RoundTrip(r)
	}
	f := t.faults.next()
	switch f.kind {
	case pass:
		return t.pooled.RoundTrip(r)
	case closeIdle:
		return t.sendCloseIdle(r)
	}
	return t.sendSingle(r.WithContext(context.WithValue(r.Context(), faultKey{}, f)))
}

// sendCloseIdle sends r with the fault CloseIdle. Over HTTP/1 each idle connection that
// net/http picks for r breaks before r is written to it. Over HTTP/2 the idle connection
// is closed first, because net/http does not retry what was written to a broken one.
func (t *faultTransport) sendCloseIdle(r *http.Request) (*http.Response, error) {
	if t.http2 {
		t.pooled.CloseIdleConnections()
		return t.pooled.RoundTrip(r)
	}
	trace := httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if info.WasIdle {
			pooledConnOf(info.Conn).isBroken.Store(true)
		}
	}}
	return t.pooled.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &trace)))
}

// sendSingle sends r on a connection of its own.
func (t *faultTransport) sendSingle(r *http.Request) (*http.Response, error) {
	if !t.http2 {
		return t.single.RoundTrip(r)
	}
	own := t.newTransport()
	own.DialContext = t.dialSingle
	response, err := own.RoundTrip(r)
	if err != nil {
		own.CloseIdleConnections()
		return nil, err
	}
	response.Body = &closingBody{ReadCloser: response.Body, onClose: sync.OnceFunc(own.CloseIdleConnections)}
	return response, nil
}

// faultKey is the key of an attempt's Fault in its context.
type faultKey struct{}

func (t *faultTransport) dialSingle(ctx context.Context, network, addr string) (net.Conn, error) {
	f := ctx.Value(faultKey{}).(Fault)
	if f.kind == refuseConnection {
		addr = t.closedAddr
	}
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, network, addr)
	if err == nil {
		t.network.announce(c.LocalAddr().String(), f)
	}
	return c, err
}

func (t *faultTransport) dialPooled(ctx context.Context, network, addr string) (net.Conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	t.network.announce(c.LocalAddr().String(), Pass)
	return &pooledConn{Conn: c}, nil
}

// closingBody is a response body that calls onClose after it was closed.
type closingBody struct {
	io.ReadCloser
	onClose func()
}

func (b *closingBody) Close() error {
	err := b.ReadCloser.Close()
	b.onClose()
	return err
}

// pooledConn is a connection in the pool of HTTPClient.
type pooledConn struct {
	net.Conn
	isBroken atomic.Bool
}

// Write fails on a broken connection as it does after the peer has reset it. The server
// does not really reset it: depending on the speed of the machine, net/http would read
// the reset and drop the connection before it writes.
func (c *pooledConn) Write(p []byte) (int, error) {
	if c.isBroken.Load() {
		return 0, &net.OpError{
			Op: "write", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(),
			Err: os.NewSyscallError("write", syscall.EPIPE),
		}
	}
	return c.Conn.Write(p)
}

// pooledConnOf returns the pooledConn below a connection of the pool, which can be TLS.
func pooledConnOf(c net.Conn) *pooledConn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return c.(*pooledConn)
}
