package callstest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
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

	mu    sync.Mutex
	conns map[*clientConn]struct{} // of pooled
}

func newAttempts(s *script, n *network, addr, closed string, newTransport func() *http.Transport) *attempts {
	a := &attempts{
		script: s, network: n, addr: addr, closed: closed,
		http2: n.http2, newTransport: newTransport, conns: map[*clientConn]struct{}{},
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
	if f.kind == closeIdle {
		a.breakIdle()
	}
	if f.isHarmless() {
		return a.sendPooled(r)
	}
	return a.sendSingle(r.WithContext(context.WithValue(r.Context(), faultKey{}, f)))
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

type faultKey struct{}

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
	conn := newClientConn(c, a.forget)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns[conn] = struct{}{}
	return conn, nil
}

func (a *attempts) forget(c *clientConn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.conns, c)
}

// sendPooled sends r on a connection of the pool, which knows whether it is in use.
func (a *attempts) sendPooled(r *http.Request) (*http.Response, error) {
	var conn *clientConn
	release := func() {
		if conn != nil {
			conn.release()
		}
	}
	trace := httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		conn = underlying(info.Conn)
		conn.use()
	}}
	if !a.http2 {
		trace.PutIdleConn = func(err error) {
			if err == nil {
				release()
			}
		}
		return a.pooled.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &trace)))
	}
	response, err := a.pooled.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), &trace)))
	return whenRead(response, err, release)
}

func underlying(c net.Conn) *clientConn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return c.(*clientConn)
}

// breakIdle resets the idle connections of the pool, over HTTP/1 unnoticed by the
// pool. Over HTTP/2 a request that is written to a broken connection is lost.
func (a *attempts) breakIdle() {
	a.mu.Lock()
	conns := slices.Collect(maps.Keys(a.conns))
	a.mu.Unlock()
	for _, c := range conns {
		switch {
		case a.http2 && c.isIdle():
			a.network.resetFrom(c.LocalAddr().String())
			<-c.noticed
		case !a.http2 && c.conceal():
			a.network.resetFrom(c.LocalAddr().String())
			<-c.broken
		}
	}
}
