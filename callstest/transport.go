package callstest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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
// has a connection for itself alone.
type attempts struct {
	script  *script
	network *network
	addr    string // of the double
	closed  string // address that refuses connections

	pooled *http.Transport // for what is served as it should be
	single *http.Transport // a new connection for each attempt

	mu    sync.Mutex
	conns map[*clientConn]struct{} // of pooled
}

func newAttempts(s *script, n *network, addr, closed string, roots *x509.CertPool) *attempts {
	a := &attempts{script: s, network: n, addr: addr, closed: closed, conns: map[*clientConn]struct{}{}}
	config := &tls.Config{RootCAs: roots}
	a.pooled = &http.Transport{DialContext: a.dialPooled, TLSClientConfig: config, MaxIdleConnsPerHost: 1000}
	// A negative number keeps connections out of the pool, and, unlike
	// DisableKeepAlives, does not show in the request.
	a.single = &http.Transport{DialContext: a.dialSingle, TLSClientConfig: config, MaxIdleConnsPerHost: -1}
	return a
}

// client returns a client with a transport of net/http's own type, which some
// code under test looks for. It hands every request for the double to a.
func (a *attempts) client(roots *x509.CertPool) *http.Client {
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
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
		return a.pooled.RoundTrip(a.following(r))
	}
	return a.single.RoundTrip(r.WithContext(context.WithValue(r.Context(), faultKey{}, f)))
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

// following makes the connection that serves r know whether it is in use.
func (a *attempts) following(r *http.Request) *http.Request {
	var conn *clientConn
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			conn = underlying(info.Conn)
			conn.use(r)
		},
		PutIdleConn: func(err error) {
			if err == nil {
				conn.release(r)
			}
		},
	}))
}

func underlying(c net.Conn) *clientConn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return c.(*clientConn)
}

// breakIdle resets the idle connections of the pool, unnoticed by the pool.
func (a *attempts) breakIdle() {
	a.mu.Lock()
	conns := slices.Collect(maps.Keys(a.conns))
	a.mu.Unlock()
	for _, c := range conns {
		if c.conceal() {
			a.network.resetFrom(c.LocalAddr().String())
			<-c.broken
		}
	}
}
