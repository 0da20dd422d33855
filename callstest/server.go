package callstest

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
)

// A Server is a double of the platform that listens on a port of the loopback
// interface, or where WithAddress says. It is safe for concurrent use.
type Server struct {
	platform *platform
	journal  *journal
	script   *script
	network  *network
	attempts *attempts
	client   *http.Client
	posted   postedEvents
	http     *http.Server
	url      string

	closedPort *closedPort
	closing    chan struct{} // closed when Close begins
	served     chan struct{} // closed when no connection is accepted any more
	closeOnce  sync.Once
}

// NewServer starts a Server that is closed when the test ends. An option that
// is wrong ends the test at once. A fault that was scripted and never used fails
// the test at its end.
func NewServer(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s, err := Start(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		s.Close()
		for _, fault := range s.UnusedFaults() {
			tb.Errorf("callstest: fault never used: %s", fault)
		}
	})
	return s
}

// Start starts a Server outside of a test. The caller closes it.
func Start(opts ...Option) (*Server, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("callstest: %w", err)
	}
	sec, err := newSecurity(c)
	if err != nil {
		return nil, fmt.Errorf("callstest: %w", err)
	}
	port, err := newClosedPort()
	if err != nil {
		return nil, fmt.Errorf("callstest: %w", err)
	}
	l, err := net.Listen("tcp", c.address)
	if err != nil {
		port.release()
		return nil, fmt.Errorf("callstest: %w", err)
	}
	s := newServer(c, sec, port, local(l.Addr()))
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener{Listener: l, network: s.network, security: sec})
	}()
	return s, nil
}

// local returns the address by which this machine reaches a listener: the
// loopback interface where it listens on every one.
func local(listening net.Addr) string {
	tcp, ok := listening.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return listening.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

func newServer(c config, sec security, port *closedPort, addr string) *Server {
	s := &Server{
		platform:   &platform{config: c, history: newHistory(c.lag)},
		journal:    &journal{limit: c.rateLimit},
		script:     &script{},
		url:        c.scheme() + "://" + addr,
		closedPort: port,
		closing:    make(chan struct{}),
		served:     make(chan struct{}),
	}
	s.network = newNetwork(s.script, c)
	s.attempts = newAttempts(s.script, s.network, addr, port.addr(), newClientTransport(c, sec.roots))
	s.client = s.attempts.client()
	s.http = &http.Server{
		Handler:     front{s},
		ConnContext: withConn,
		ConnState:   s.network.count,
		ErrorLog:    log.New(io.Discard, "", 0), // broken connections are what the double is for
	}
	return s
}

// Close breaks every connection, stalled ones included, and waits until nothing
// runs any more. It can be called more than once.
func (s *Server) Close() {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.network.close()
		_ = s.http.Close()
		<-s.served
		s.network.open.Wait()
		s.attempts.pooled.CloseIdleConnections()
		s.closedPort.release()
	})
}

// URL returns the root of the server, such as "http://127.0.0.1:34567", without
// a final slash.
func (s *Server) URL() string { return s.url }

// Subdomain returns the user name that the server accepts.
func (s *Server) Subdomain() string { return s.platform.subdomain }

// Domain returns a domain that goes with Subdomain. The server does not look at
// it.
func (s *Server) Domain() string { return "uc1.ccaiplatform.com" }

// Token returns the password that the server accepts.
func (s *Server) Token() string { return s.platform.token }

// Environ returns the variables that have calls.NewClientFromEnv return a client of
// the server, in the form of os.Environ. A variable that names another account is in
// it with an empty value, so that append(os.Environ(), server.Environ()...) is the
// environment of a command that calls nobody.
func (s *Server) Environ() []string {
	return []string{
		"CCAIP_SUBDOMAIN=" + s.Subdomain(),
		"CCAIP_DOMAIN=" + s.Domain(),
		"CCAIP_TOKEN=" + s.Token(),
		"CCAIP_BASE_URL=" + s.URL(),
		"CCAIP_HOST=",
		"CCAIP_USERNAME=",
	}
}

// HTTPClient returns the client that takes part in the faults: it trusts the
// server's certificate, it can be refused a connection, and each of its attempts
// uses up exactly one fault, in the order in which the attempts begin. It is the
// same client each time. Its connections are closed with the server, not by its
// CloseIdleConnections. A client with a clone of its transport is another client.
// What net/http sends again by itself over HTTP/2 meets the fault of its attempt
// again.
func (s *Server) HTTPClient() *http.Client { return s.client }

// Fail scripts what happens to the next attempts, one fault each, after the
// faults that are scripted already. Attempts beyond the script are served as
// they should be.
//
// Clients other than HTTPClient use up the faults in the order in which their
// requests reach the server. They are answered with "Connection: close", so that
// each request comes on a new connection, and never meet RefuseConnection. Over
// HTTP/2 their requests share connections: a fault of a connection breaks all of
// those on it, and BreakHandshake waits for the next connection.
func (s *Server) Fail(faults ...Fault) {
	s.script.add(faults, &s.platform.config)
}

// UnusedFaults returns the names of the faults that no attempt has met so far,
// in their order, and at the end those that the server cannot carry out, with
// the reason.
func (s *Server) UnusedFaults() []string { return s.script.unused() }
