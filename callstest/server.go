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
// interface, or on the address of WithAddress. It is safe for concurrent use.
type Server struct {
	platform  *platform
	requests  *requestLog
	faults    *faultQueue
	network   *network
	transport *faultTransport
	client    *http.Client
	posted    postedEvents
	http      *http.Server
	url       string

	closedPort *closedPort
	closing    chan struct{} // closed when Close begins
	served     chan struct{} // closed when no more connections are accepted
	closeOnce  sync.Once
}

// NewServer starts a Server that is closed when the test ends. An invalid option
// ends the test at once. A fault that was scripted and never used fails the test
// at its end.
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

// Start starts a Server outside of a test. The caller must close it.
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
	s := newServer(c, sec, port, dialAddress(l.Addr()))
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener{Listener: l, network: s.network, security: sec})
	}()
	return s, nil
}

// Close breaks every connection, stalled ones included, and waits until the server
// has stopped. It can be called more than once.
func (s *Server) Close() {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.network.close()
		_ = s.http.Close()
		<-s.served
		s.network.serving.Wait()
		s.transport.pooled.CloseIdleConnections()
		s.closedPort.release()
	})
}

// URL returns the root of the server, such as "http://127.0.0.1:34567", without
// a final slash.
func (s *Server) URL() string { return s.url }

// Subdomain returns the user name that the server accepts.
func (s *Server) Subdomain() string { return s.platform.subdomain }

// Domain returns a domain that goes with Subdomain. The server ignores it.
func (s *Server) Domain() string { return "uc1.ccaiplatform.com" }

// Token returns the password that the server accepts.
func (s *Server) Token() string { return s.platform.token }

// Environ returns the variables with which calls.NewClientFromEnv returns a client
// of the server, in the form of os.Environ. Variables that could name another
// account are empty in it, so that a command with the environment
// append(os.Environ(), server.Environ()...) can reach only the double.
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
// server's certificate, its connections can be refused, and each of its attempts
// uses up exactly one fault, in the order in which the attempts begin. A request
// that net/http itself retries over HTTP/2 meets the same fault again. HTTPClient
// returns the same client each time. Its connections are closed with the server,
// not by its CloseIdleConnections. A client with a clone of its transport counts as
// another client.
func (s *Server) HTTPClient() *http.Client { return s.client }

// NewClient returns a client of the server, with the server's credentials, URL and
// HTTPClient. The options are applied after these and can replace them.
func (s *Server) NewClient(opts ...calls.Option) (*calls.Client, error) {
	own := []calls.Option{calls.WithBaseURL(s.URL()), calls.WithHTTPClient(s.HTTPClient())}
	return calls.NewClient(s.Subdomain(), s.Domain(), s.Token(), append(own, opts...)...)
}

// Fail scripts the faults of the next attempts, one for each attempt, after the
// faults that are scripted already. Attempts beyond the last fault are served
// normally.
//
// Requests of clients other than HTTPClient use up the faults in the order in which
// they reach the server. Their responses have the header "Connection: close", so
// that each request arrives on a new connection, and they never meet
// RefuseConnection. Over HTTP/2 their requests share connections: a fault of a
// connection breaks all requests on it, and BreakHandshake waits for the next
// connection.
func (s *Server) Fail(faults ...Fault) {
	s.faults.add(faults, &s.platform.config)
}

// UnusedFaults returns the names of the faults that no attempt has met yet, in
// their order. Faults that the server cannot carry out come last, each with the
// reason.
func (s *Server) UnusedFaults() []string { return s.faults.unused() }

// Requests returns copies of all requests that have arrived, in the order of their
// arrival, including those whose response a fault replaced. Requests that
// RefuseConnection, BreakHandshake or HangUpBeforeRead stopped have not arrived.
func (s *Server) Requests() []Request { return s.requests.all() }

// Calls returns copies of all calls, the oldest first, including those that await
// their agent.
func (s *Server) Calls() []Call { return s.platform.history.all() }

// Call returns a copy of the call with the given id. ok is false if there is none.
func (s *Server) Call(id int64) (call Call, ok bool) { return s.platform.history.call(id) }

// AddCall adds a call that was not created by a request, and returns its id. A call
// with the same id is replaced. Zero fields of c get defaults: ID the next id, Type
// "Voice Inbound (API)", Status "queued", Lang "en", OutboundNumber the default
// number, CreatedAt the current time, and UpdatedAt the value of CreatedAt. A call
// that AwaitsAgent has the id 0.
func (s *Server) AddCall(c Call) (id int64) {
	return s.platform.history.add(c.withDefaults(s.platform.now())).ID
}

// Place places the oldest call that awaits its agent, as if the agent had placed it
// by hand now: the call gets an id and the status "assigned". ok is false if no call
// awaits its agent.
func (s *Server) Place() (id int64, ok bool) {
	return s.platform.history.place(s.platform.now())
}

// Advance sets the status of a call and the timestamp that belongs to it. The status
// need not be a documented one. It is an error if the call does not exist.
func (s *Server) Advance(id int64, status calls.CallStatus) error {
	if !s.platform.history.advance(id, status, s.platform.now()) {
		return errNoCall(id)
	}
	return nil
}

// Script sets the next of the given statuses each time that a client reads the
// listing, until all are used up. Reading begins with the first page; further pages
// change nothing. Statuses of an earlier Script come first. It is an error if the
// call does not exist.
func (s *Server) Script(id int64, statuses ...calls.CallStatus) error {
	if !s.platform.history.scheduleStatuses(id, statuses) {
		return errNoCall(id)
	}
	return nil
}

// Flag returns the reserved data attributes of a call. They are nil if the call does
// not exist.
func (s *Server) Flag(callID int64) calls.CustomerFlag { return s.platform.history.flag(callID) }

// SetFlag sets all three reserved data attributes of a call; nil unsets one. The
// call need not exist yet.
func (s *Server) SetFlag(callID int64, f calls.CustomerFlag) { s.platform.history.setFlag(callID, f) }

// EndUsers returns the end-user authentications that were accepted for a call, the
// oldest first.
func (s *Server) EndUsers(callID int64) []calls.EndUserAuth {
	return s.platform.history.endUsersOf(callID)
}

func newServer(c config, sec security, port *closedPort, addr string) *Server {
	s := &Server{
		platform:   &platform{config: c, history: newHistory(c.lag)},
		requests:   &requestLog{limit: c.rateLimit},
		faults:     &faultQueue{},
		url:        c.scheme() + "://" + addr,
		closedPort: port,
		closing:    make(chan struct{}),
		served:     make(chan struct{}),
	}
	s.network = newNetwork(s.faults, c)
	s.transport = newFaultTransport(s.faults, s.network, addr, port.addr(), newClientTransport(c, sec.roots))
	s.client = s.transport.client()
	s.http = &http.Server{
		Handler:     handler{s},
		ConnContext: withConn,
		ConnState:   s.network.track,
		ErrorLog:    log.New(io.Discard, "", 0), // broken connections are expected
	}
	return s
}

// dialAddress returns the address at which this machine reaches a listener: on the
// loopback interface if it listens on every interface.
func dialAddress(listening net.Addr) string {
	tcp, ok := listening.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return listening.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

func errNoCall(id int64) error { return fmt.Errorf("callstest: there is no call %d", id) }

// respond records a request and carries it out, unless the fault prevents that.
func (s *Server) respond(r *http.Request, body []byte, f Fault) response {
	now := s.platform.now()
	isOverLimit := s.requests.add(newRequest(r, body, now))
	switch {
	case !f.Acts():
		return response{}
	case isOverLimit:
		return respondStatus(http.StatusTooManyRequests)
	}
	return s.platform.handle(r, body, now)
}

// handler receives requests from the network, and sends the responses with their
// faults.
type handler struct{ server *Server }

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	if r.Method == "PRI" && c.network.http2 {
		h.serveHTTP2(w, c)
		return
	}
	// A request whose body breaks off has arrived all the same. Its client will not
	// read the response.
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	sender := &responder{w: w, r: r, conn: c, fault: c.requestFault(), closing: h.server.closing}
	sender.stream, _ = w.(*http2Stream)
	if sender.fault.kind == hangUpBeforeRead { // it was scripted after this request had begun
		sender.abort()
	}
	sender.send(h.server.respond(r, body, sender.fault))
}

// connKey is the key of a request's *conn in its context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// A Request is a request whose header and body the double has read.
type Request struct {
	Method string
	Path   string
	Query  string // as it was sent, without the question mark
	Header http.Header
	Body   []byte    // what arrived of it, at most 1 MiB
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

// requestLog holds the requests in the order of their arrival. It is safe for
// concurrent use.
type requestLog struct {
	limit int // requests a second; 0 means unlimited

	mu       sync.Mutex
	requests []Request
}

// add reports whether r exceeds the rate limit.
func (l *requestLog) add(r Request) (isOverLimit bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.requests) - l.limit; l.limit > 0 && n >= 0 {
		isOverLimit = r.At.Sub(l.requests[n].At) < time.Second
	}
	l.requests = append(l.requests, r)
	return isOverLimit
}

func (l *requestLog) all() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	requests := slices.Clone(l.requests)
	for i := range requests {
		requests[i].Header = requests[i].Header.Clone()
		requests[i].Body = bytes.Clone(requests[i].Body)
	}
	return requests
}
