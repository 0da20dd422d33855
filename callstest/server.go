package callstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
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

// NewClient returns a client of the server: with its credentials, its URL and
// its HTTPClient. Options come after these, so that they can replace them.
func (s *Server) NewClient(opts ...calls.Option) (*calls.Client, error) {
	own := []calls.Option{calls.WithBaseURL(s.URL()), calls.WithHTTPClient(s.HTTPClient())}
	return calls.NewClient(s.Subdomain(), s.Domain(), s.Token(), append(own, opts...)...)
}

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

// Requests returns copies of all requests that have arrived, in the order of
// their arrival, whatever became of them. Those that RefuseConnection,
// BreakHandshake and HangUpBeforeRead kept away have not.
func (s *Server) Requests() []Request { return s.journal.all() }

// Calls returns copies of all calls, the oldest first. It has those that await
// their agent too.
func (s *Server) Calls() []Call { return s.platform.history.all() }

// Call returns a copy of the call of that id. ok is false if there is none.
func (s *Server) Call(id int64) (call Call, ok bool) { return s.platform.history.call(id) }

// AddCall adds a call that no request has made, and returns its id, which is c's
// own unless that is 0. A call of the same id is replaced. An empty Type is
// inbound, an empty Status "queued", an empty Lang "en", an empty OutboundNumber
// the default one, a zero CreatedAt now, and a zero UpdatedAt CreatedAt. One that
// AwaitsAgent has the id 0.
func (s *Server) AddCall(c Call) (id int64) {
	return s.platform.history.add(c.normal(s.platform.now())).ID
}

// Place makes the oldest call that awaits its agent an assigned one, as if the
// agent had placed it by hand now. ok is false if no call awaits its agent.
func (s *Server) Place() (id int64, ok bool) {
	return s.platform.history.place(s.platform.now())
}

// Advance gives a call another status, and the timestamp that goes with it. Any
// status is taken, known or not. It is an error if the call does not exist.
func (s *Server) Advance(id int64, status calls.CallStatus) error {
	if !s.platform.history.advance(id, status, s.platform.now()) {
		return unknownCall(id)
	}
	return nil
}

// Script makes each reading of the listing move a call one status on, until the
// statuses are used up. A reading begins with its first page; further pages
// change nothing. Statuses of an earlier Script come first. It is an error if
// the call does not exist.
func (s *Server) Script(id int64, statuses ...calls.CallStatus) error {
	if !s.platform.history.script(id, statuses) {
		return unknownCall(id)
	}
	return nil
}

// Flag returns the reserved data attributes of a call. They are nil for a call
// that does not exist.
func (s *Server) Flag(callID int64) calls.CustomerFlag { return s.platform.history.flag(callID) }

// SetFlag sets all three reserved data attributes of a call; nil makes one
// unset. It can be done before the call exists.
func (s *Server) SetFlag(callID int64, f calls.CustomerFlag) { s.platform.history.setFlag(callID, f) }

// EndUsers returns the authentications that were accepted for a call, the oldest
// first.
func (s *Server) EndUsers(callID int64) []calls.EndUserAuth {
	return s.platform.history.endUsersOf(callID)
}

func unknownCall(id int64) error { return fmt.Errorf("callstest: there is no call %d", id) }

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

// respond notes a request and carries it out, unless the fault keeps it from that.
func (s *Server) respond(r *http.Request, body []byte, f Fault) answer {
	now := s.platform.now()
	tooMany := s.journal.note(newRequest(r, body, now))
	switch {
	case !f.Acts():
		return answer{}
	case tooMany:
		return answerStatus(http.StatusTooManyRequests)
	}
	return s.platform.perform(r, body, now)
}

// front takes requests in, and brings the platform's answers out as the faults
// want it.
type front struct{ server *Server }

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	if r.Method == "PRI" && c.network.http2 {
		f.serveHTTP2(w, c)
		return
	}
	// What cannot be read to its end has arrived all the same, and no answer
	// will find its way back.
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	d := &delivery{w: w, r: r, conn: c, fault: c.requestFault(), closing: f.server.closing}
	d.stream, _ = w.(*http2Stream)
	if d.fault.kind == hangUpBeforeRead { // it came first in line too late for this connection
		d.abort()
	}
	d.send(f.server.respond(r, body, d.fault))
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// A Request is one delivery: a request whose head and body the double has read,
// whatever it did then.
type Request struct {
	Method string
	Path   string
	Query  string // as it was sent, without the question mark
	Header http.Header
	Body   []byte    // at most 1 MiB; what arrived of it
	At     time.Time // by the double's clock
}

func newRequest(r *http.Request, body []byte, now time.Time) Request {
	return Request{
		Method: r.Method,
		Path:   r.URL.Path,
		Query:  r.URL.RawQuery,
		Header: r.Header.Clone(),
		Body:   body[:min(len(body), maxBody)],
		At:     now,
	}
}

// journal keeps the requests in the order of their arrival. It is safe for
// concurrent use.
type journal struct {
	limit int // requests a second; 0: unlimited

	mu       sync.Mutex
	requests []Request
}

// note reports whether r goes over the rate limit.
func (j *journal) note(r Request) (tooMany bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.requests) - j.limit; j.limit > 0 && n >= 0 {
		tooMany = r.At.Sub(j.requests[n].At) < time.Second
	}
	j.requests = append(j.requests, r)
	return tooMany
}

func (j *journal) all() []Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	requests := slices.Clone(j.requests)
	for i := range requests {
		requests[i].Header = requests[i].Header.Clone()
		requests[i].Body = bytes.Clone(requests[i].Body)
	}
	return requests
}
