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

// The fault of an attempt is bound to a connection. A connection that HTTPClient
// has made is known by its client address, and its fault was taken when the
// attempt began. On any other the fault is taken as late as it can have its
// effect: when the handshake begins, when the request begins, or when it has
// arrived. Such a connection serves one request only: of a used one that breaks,
// net/http thinks that it was idle for too long, and sends some requests again.

// network keeps the open connections by the address of the client. It is safe
// for concurrent use.
type network struct {
	script *script
	tls    bool
	http2  bool
	open   sync.WaitGroup // connections that net/http serves

	mu     sync.Mutex
	conns  map[string]*conn
	dialed map[string]Fault // by HTTPClient, until the first byte arrives
	closed bool
}

// announce binds a fault to a connection that HTTPClient has made. It runs
// before the first byte is written.
func (n *network) announce(clientAddr string, f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialed[clientAddr] = f
}

func (n *network) newConn(tcp *net.TCPConn, s security) *conn {
	c := &conn{tcp: tcp, network: n}
	c.Conn = &gate{
		Conn:  s.wrap(&gate{Conn: tcp, admit: c.admitBytes}),
		admit: c.admitBeginning,
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns[tcp.RemoteAddr().String()] = c
	if n.closed {
		c.hangUp()
	}
	return c
}

// forget leaves alone what belongs to a later connection from the same port.
func (n *network) forget(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if addr := c.tcp.RemoteAddr().String(); n.conns[addr] == c {
		delete(n.conns, addr)
		delete(n.dialed, addr)
	}
}

// count is a hook for http.Server.ConnState. A connection of HTTP/2 is taken from
// net/http, and ends elsewhere.
func (n *network) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		n.open.Add(1)
	case http.StateClosed:
		n.open.Done()
	}
}

// close breaks every connection, those that come later included.
func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, c := range n.conns {
		c.hangUp()
	}
}

func newNetwork(s *script, c config) *network {
	return &network{script: s, tls: c.tls, http2: c.http2, conns: map[string]*conn{}, dialed: map[string]Fault{}}
}

// conn is the server's side of one connection.
type conn struct {
	net.Conn // what HTTP goes over: the TCP connection, or TLS on top of it
	tcp      *net.TCPConn
	network  *network

	// Set when the first byte arrives.
	announced bool // HTTPClient has made it
	fault     Fault
}

// admitBytes runs at the first bytes of the connection.
func (c *conn) admitBytes([]byte) bool {
	n, addr := c.network, c.tcp.RemoteAddr().String()
	n.mu.Lock()
	c.fault, c.announced = n.dialed[addr]
	delete(n.dialed, addr)
	n.mu.Unlock()
	if !c.announced && n.tls {
		c.fault = n.script.take(func(k faultKind) bool { return k == breakHandshake })
	}
	return c.fault.kind != breakHandshake
}

// admitBeginning runs at the first bytes of what HTTP goes over.
func (c *conn) admitBeginning(first []byte) bool {
	return c.network.http2 && isHTTP2Preface(first) || c.admitRequest()
}

// admitRequest runs when the first request begins, and over HTTP/2 when each does.
func (c *conn) admitRequest() bool {
	if !c.announced {
		c.fault = c.network.script.take(func(k faultKind) bool { return k == hangUpBeforeRead })
	}
	return c.fault.kind != hangUpBeforeRead
}

// requestFault is the fault of a request that has arrived, for which it is too
// late for two of them: they stay in line.
func (c *conn) requestFault() Fault {
	if c.announced {
		return c.fault
	}
	return c.network.script.take(func(k faultKind) bool {
		return k != refuseConnection && k != breakHandshake
	})
}

// hangUp closes the connection without the farewell that TLS sends.
func (c *conn) hangUp() { _ = c.tcp.Close() }

func (c *conn) reset() {
	_ = c.tcp.SetLinger(0)
	_ = c.tcp.Close()
}

// Close is called once, by what serves HTTP on the connection.
func (c *conn) Close() error {
	c.network.forget(c)
	return c.Conn.Close()
}

// gate asks, when the first bytes have arrived, whether they may be read.
type gate struct {
	net.Conn
	once  sync.Once
	admit func(first []byte) bool
	shut  bool
}

func (g *gate) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if n > 0 {
		g.once.Do(func() { g.shut = !g.admit(p[:n]) })
	}
	if g.shut {
		return 0, io.EOF
	}
	return n, err
}

// listener makes the double's connections of those that it accepts.
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

// security is TLS, or none: the zero value.
type security struct {
	config *tls.Config    // of the server
	roots  *x509.CertPool // that trust the server's certificate
}

func newSecurity(c config) (security, error) {
	if !c.tls {
		return security{}, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return security{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template(), template(), &key.PublicKey, key)
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

// template describes a certificate for the loopback address that signs itself.
func template() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "callstest"},
		NotBefore:             time.Now().Add(-time.Hour), // by the clock of clients, not the double's
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// wrap returns what HTTP goes over on the server's side of c.
func (s security) wrap(c net.Conn) net.Conn {
	if s.config == nil {
		return c
	}
	return tls.Server(c, s.config)
}

// closedPort is an address of the loopback interface that refuses connections
// for as long as it is held: its port belongs to the client's end of a
// connection, so that nobody can listen on it.
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
