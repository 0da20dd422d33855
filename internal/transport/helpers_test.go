package transport

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func newTestSender(t *testing.T, rt http.RoundTripper, change func(*Config)) *Sender {
	t.Helper()
	config := Config{
		Root: "https://customer.example.com", User: "customer", Password: "token", UserAgent: "test",
		HTTPClient: &http.Client{Transport: rt}, Timeout: 30 * time.Second, Policy: testPolicy, Redact: func(text string) string { return text }, Now: time.Now,
	}
	if change != nil {
		change(&config)
	}
	s, err := NewSender(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var testPolicy = Policy{MaxAttempts: 4, MinWait: 200 * time.Millisecond, MaxWait: 10 * time.Second, MaxRetryAfter: time.Minute}

func createRequest() Request {
	return Request{Operation: "Create", Method: http.MethodPost, Path: "/calls", Template: "/calls", Body: []byte(`{"a":1}`), First: true}
}

func readRequest() Request {
	return Request{Operation: "Read", Method: http.MethodGet, Path: "/calls/1", Template: "/calls/:id", Repeatable: true}
}

// emptyPost is a POST that has no body to show whether it left.
func emptyPost() Request {
	request := createRequest()
	request.Body = nil
	return request
}

func patchRequest() Request {
	return Request{Operation: "Patch", Method: http.MethodPatch, Path: "/calls/1", Template: "/calls/:id", Body: []byte(`{}`), Repeatable: true}
}

func statusOf(r Result) int {
	if r.Response == nil {
		return 0
	}
	return r.Response.StatusCode
}

// step is what a script does with one attempt.
type step struct {
	status     int
	retryAfter string
	body       io.Reader
	err        error // instead of a response
	written    bool  // before the error
	mute       bool  // calls no httptrace hooks
	takes      time.Duration
}

var (
	refused = step{err: syscall.ECONNREFUSED}
	reset   = step{err: syscall.ECONNRESET, written: true}
)

func respond(status int) step { return step{status: status} }

func tooMany(retryAfter string) step { return step{status: 429, retryAfter: retryAfter} }

// script is a transport that follows the steps and repeats the last one. It calls the
// httptrace hooks that net/http calls.
type script struct {
	steps []step
	sent  []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	next := s.steps[min(len(s.sent), len(s.steps)-1)]
	s.sent = append(s.sent, time.Now())
	if trace := httptrace.ContextClientTrace(r.Context()); !next.mute {
		trace.GetConn("host:443")
		if next.err == nil || next.written {
			trace.WroteHeaderField("Host", nil)
		}
	}
	select {
	case <-time.After(next.takes):
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	if next.err != nil {
		return nil, next.err
	}
	body := next.body
	if body == nil {
		body = strings.NewReader(`{"message":"done"}`)
	}
	header := http.Header{}
	if next.retryAfter != "" {
		header.Set("Retry-After", next.retryAfter)
	}
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(body), ContentLength: -1, Request: r}, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// around returns a middleware that does what f does with a request.
func around(f func(next http.RoundTripper, r *http.Request) (*http.Response, error)) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) { return f(next, r) })
	}
}

// changing returns a middleware that changes a copy of each request.
func changing(change func(*http.Request)) func(http.RoundTripper) http.RoundTripper {
	return around(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		change(r)
		return next.RoundTrip(r)
	})
}

// laterBy returns a clock that is late by a duration that can change.
func laterBy(late *atomic.Int64) func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func senderTo(t *testing.T, root string, client *http.Client, change ...func(*Config)) *Sender {
	t.Helper()
	return newTestSender(t, nil, func(c *Config) {
		withShortWaits(c)
		c.Root, c.HTTPClient = root, client
		for _, f := range change {
			f(c)
		}
	})
}

// withShortWaits keeps the waits of tests with real sockets short.
func withShortWaits(c *Config) {
	c.Policy = Policy{MaxAttempts: 4, MinWait: time.Millisecond, MaxWait: time.Millisecond, MaxRetryAfter: time.Second}
}

// newTransport returns a transport of its own for a test, so that no test closes the
// connections of another.
func newTransport(t *testing.T) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// connections accepts connections and calls serve for each with its number, from 1.
func connections(t *testing.T, serve func(n int, conn net.Conn)) (root string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(n, conn)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

const created = "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{\"id\":1}\n"

// readWhole reads a whole request, and reports false if there is none. The body comes
// after the head in a packet of its own: a connection that is closed before it was read
// is reset.
func readWhole(conn net.Conn) bool {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

// closedPort returns a URL without a listener.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func silent() *log.Logger { return log.New(io.Discard, "", 0) }
