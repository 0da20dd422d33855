package callstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// The fault of an attempt is bound to a connection. The connections of HTTPClient are
// known by their client addresses, and their faults were taken when the attempts
// began. On any other connection the fault is taken as late as it can have its effect:
// when the handshake begins, when the request begins, or when the request has arrived.
// Such a connection serves one request only, because net/http retries some requests by
// itself when a connection breaks that was used before.

// network holds the open connections by the address of the client. It is safe for
// concurrent use.
type network struct {
	faults  *faultQueue
	tls     bool
	http2   bool
	serving sync.WaitGroup // connections that are being served

	mu     sync.Mutex
	conns  map[string]*conn
	dialed map[string]Fault // by HTTPClient, until the first byte arrives
	closed bool
}

func newNetwork(faults *faultQueue, c config) *network {
	return &network{faults: faults, tls: c.tls, http2: c.http2, conns: map[string]*conn{}, dialed: map[string]Fault{}}
}

// announce binds a fault to a connection that HTTPClient has dialed. It must be called
// before the first byte is written.
func (n *network) announce(clientAddr string, f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialed[clientAddr] = f
}

func (n *network) newConn(tcp *net.TCPConn, s security) *conn {
	c := &conn{tcp: tcp, network: n}
	c.Conn = &checkedConn{
		Conn:  s.wrap(&checkedConn{Conn: tcp, allow: c.allowHandshake}),
		allow: c.allowHTTP,
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[tcp.RemoteAddr().String()] = c
	if n.closed {
		c.hangUp()
	}
	return c
}

// forget removes c, but not a later connection from the same port.
func (n *network) forget(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr := c.tcp.RemoteAddr().String(); n.conns[addr] == c {
		delete(n.conns, addr)
		delete(n.dialed, addr)
	}
}

// track is a hook for http.Server.ConnState. A connection that serveHTTP2 has hijacked
// never reaches StateClosed: serveHTTP2 ends it.
func (n *network) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		n.serving.Add(1)
	case http.StateClosed:
		n.serving.Done()
	}
}

// close breaks every connection, including those that are accepted later.
func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, c := range n.conns {
		c.hangUp()
	}
}

// conn is the server's side of one connection.
type conn struct {
	net.Conn // carries HTTP: the TCP connection, or TLS on top of it
	tcp      *net.TCPConn
	network  *network

	// Set when the first byte arrives.
	isOurs bool // HTTPClient dialed it
	fault  Fault
}

// allowHandshake runs when the first bytes of the connection arrive.
func (c *conn) allowHandshake([]byte) bool {
	n, addr := c.network, c.tcp.RemoteAddr().String()
	n.mu.Lock()
	c.fault, c.isOurs = n.dialed[addr]
	delete(n.dialed, addr)
	n.mu.Unlock()
	if !c.isOurs && n.tls {
		c.fault = n.faults.nextIf(func(k faultKind) bool { return k == breakHandshake })
	}
	return c.fault.kind != breakHandshake
}

// allowHTTP runs when the first bytes of HTTP arrive.
func (c *conn) allowHTTP(first []byte) bool {
	return c.network.http2 && isHTTP2Preface(first) || c.allowRequest()
}

// allowRequest runs when the first request begins, and over HTTP/2 when each request
// begins.
func (c *conn) allowRequest() bool {
	if !c.isOurs {
		c.fault = c.network.faults.nextIf(func(k faultKind) bool { return k == hangUpBeforeRead })
	}
	return c.fault.kind != hangUpBeforeRead
}

// requestFault returns the fault of a request that has arrived. RefuseConnection and
// BreakHandshake stay in the queue, since it is too late for them.
func (c *conn) requestFault() Fault {
	if c.isOurs {
		return c.fault
	}
	return c.network.faults.nextIf(func(k faultKind) bool {
		return k != refuseConnection && k != breakHandshake
	})
}

// hangUp closes the connection without TLS's close_notify.
func (c *conn) hangUp() { _ = c.tcp.Close() }

func (c *conn) reset() {
	_ = c.tcp.SetLinger(0)
	_ = c.tcp.Close()
}

// Close is called once, by the server of the connection.
func (c *conn) Close() error {
	c.network.forget(c)
	return c.Conn.Close()
}

// checkedConn asks, when the first bytes arrive, whether the connection is allowed. If
// not, it reads as closed.
type checkedConn struct {
	net.Conn
	once     sync.Once
	allow    func(first []byte) bool
	isDenied bool
}

func (c *checkedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.once.Do(func() { c.isDenied = !c.allow(p[:n]) })
	}
	if c.isDenied {
		return 0, io.EOF
	}
	return n, err
}

// listener accepts TCP connections and returns them as *conn.
type listener struct {
	net.Listener
	network  *network
	security security
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.network.newConn(c.(*net.TCPConn), l.security), nil
}

// security is the TLS of a server. The zero value means no TLS.
type security struct {
	config *tls.Config    // of the server
	roots  *x509.CertPool // with the server's certificate
}

func newSecurity(c config) (security, error) {
	if !c.tls {
		return security{}, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return security{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, certificateTemplate(), certificateTemplate(), &key.PublicKey, key)
	if err != nil {
		return security{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return security{}, err
	}
	s := security{
		config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		roots:  x509.NewCertPool(),
	}
	s.roots.AddCert(certificate)
	if c.http2 {
		s.config.NextProtos = []string{"h2", "http/1.1"}
	}
	return s, nil
}

// certificateTemplate describes a self-signed certificate for the loopback address.
func certificateTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "callstest"},
		NotBefore:             time.Now().Add(-time.Hour), // by the clients' clock, not the double's
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// wrap returns the server's side of c that carries HTTP.
func (s security) wrap(c net.Conn) net.Conn {
	if s.config == nil {
		return c
	}
	return tls.Server(c, s.config)
}

// closedPort is an address of the loopback interface that refuses connections until it
// is released: its port belongs to the client's end of a connection, so that no other
// program can listen on it.
type closedPort struct{ client, server net.Conn }

func newClosedPort() (*closedPort, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	server, err := l.Accept()
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	return &closedPort{client: client, server: server}, nil
}

func (p *closedPort) addr() string { return p.client.LocalAddr().String() }

func (p *closedPort) release() {
	_ = p.client.Close()
	_ = p.server.Close()
}
