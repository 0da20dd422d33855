package transport

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// These tests are about what a middleware, a DialContext and a transport of the
// caller's do to the proof that a request did not leave.

// hangingUp is a server that responds to the first request of each connection, and
// hangs up on the second.
type hangingUp struct {
	root      string
	transport *http.Transport // of its client
	open      sync.WaitGroup  // connections, from the dial to their end at the server
	requests  atomic.Int32
}

func newHangingUp(t *testing.T) *hangingUp {
	h := &hangingUp{transport: newTransport(t)}
	h.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			h.open.Add(1)
		}
		return slowToClose{conn}, err
	}
	h.root = connections(t, func(_ int, conn net.Conn) {
		defer h.open.Done()
		r := bufio.NewReader(conn)
		for first := true; ; first = false {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			if h.requests.Add(1); !first {
				return
			}
			_, _ = io.WriteString(conn, created)
		}
	})
	return h
}

// arrived waits for what is under way, and returns how many requests there were.
func (h *hangingUp) arrived() int32 {
	h.transport.CloseIdleConnections()
	h.open.Wait()
	return h.requests.Load()
}

// slowToClose is a connection that can be written to for a while after net/http began
// to close it.
type slowToClose struct{ net.Conn }

func (c slowToClose) Close() error {
	time.Sleep(10 * time.Millisecond)
	return c.Conn.Close()
}

// adding returns a transport that adds a header field.
func adding(key string, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set(key, "8812")
		return next.RoundTrip(r)
	})
}

func TestAKeptConnectionThatHangsUpGetsOneRequestAnAttempt(t *testing.T) {
	empty := createRequest()
	empty.Body = nil
	emptyPatch := patchRequest()
	emptyPatch.Body = nil
	requests := map[string]Request{
		"create": createRequest(), "a POST without a body": empty,
		"read": readRequest(), "PATCH": patchRequest(), "a PATCH without a body": emptyPatch,
	}
	for _, key := range []string{"", "Idempotency-Key", "X-Idempotency-Key"} {
		for where, isBelow := range map[string]bool{"middleware": false, "transport": true} {
			for name, request := range requests {
				server := newHangingUp(t)
				var client http.Client
				var middleware []func(http.RoundTripper) http.RoundTripper
				client.Transport = server.transport
				switch {
				case key == "":
				case isBelow:
					client.Transport = adding(key, client.Transport)
				default:
					middleware = append(middleware, func(next http.RoundTripper) http.RoundTripper { return adding(key, next) })
				}
				s := senderTo(t, server.root, &client, func(c *Config) { c.Middleware, c.Policy.MaxAttempts = middleware, 1 })
				if first := s.Send(t.Context(), createRequest()); statusOf(first) != 201 {
					t.Fatalf("%+v", first)
				}
				result := s.Send(t.Context(), request)
				if n := server.arrived() - 1; n != 1 || !result.Undecided || result.CanRetry {
					t.Errorf("%s, %q of the %s: %d requests in an attempt, %+v", name, key, where, n, result)
				}
			}
		}
	}
}

// audit makes a request of its own with the context of another.
func audit(r *http.Request, url string) error {
	own, err := http.NewRequestWithContext(r.Context(), http.MethodPost, url, strings.NewReader(`{"seen":1}`))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(own)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func TestAMiddlewareThatFailsAfterTheRequestWasSent(t *testing.T) {
	for name, respond := range map[string]string{"a request that was lost": "", "a create that succeeded": created} {
		var arrived atomic.Int32
		root := connections(t, func(_ int, conn net.Conn) {
			if readHead(conn) {
				arrived.Add(1)
				_, _ = io.WriteString(conn, respond)
			}
		})
		auditing := func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				response, err := next.RoundTrip(r)
				if err == nil {
					_ = response.Body.Close()
				}
				return nil, audit(r, closedPort(t))
			})
		}
		s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) { c.Middleware = append(c.Middleware, auditing) })
		result := s.Send(t.Context(), createRequest())
		if !result.MaybeSent || !result.Undecided || result.CanRetry || arrived.Load() != 1 || !errors.Is(result.Err, syscall.ECONNREFUSED) {
			t.Errorf("%s: arrived %d times, %+v", name, arrived.Load(), result)
		}
	}
}

// closedPort returns a URL that nothing listens at.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func TestAMiddlewareThatFailsBeforeTheRequestWasSent(t *testing.T) {
	down := errors.New("the audit is down")
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	for name, before := range map[string]func(r *http.Request) error{
		"without a request of its own": func(*http.Request) error { return down },
		"after one that was refused":   func(r *http.Request) error { return audit(r, closedPort(t)) },
		"after one that succeeded":     func(r *http.Request) error { return errors.Join(audit(r, server.URL), down) },
	} {
		failing := func(http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) { return nil, before(r) })
		}
		s := senderTo(t, server.URL, &http.Client{Transport: newTransport(t)}, func(c *Config) { c.Middleware = append(c.Middleware, failing) })
		if result := s.Send(t.Context(), createRequest()); result.MaybeSent || result.Undecided || !result.CanRetry || result.Attempts != 4 {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// TestADialThatAsksForTheAddressOverHTTP resolves names over HTTPS with the context of
// the request, as DNS over HTTPS does, and is then refused.
func TestADialThatAsksForTheAddressOverHTTP(t *testing.T) {
	resolver := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	resolver.EnableHTTP2 = true
	resolver.StartTLS()
	defer resolver.Close()
	empty := createRequest()
	empty.Body = nil
	for name, request := range map[string]Request{"create": createRequest(), "a POST without a body": empty} {
		for method, authorization := range map[string]string{http.MethodGet: "", http.MethodPost: "Bearer of-the-resolver"} {
			transport := newTransport(t)
			asked := 0
			transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				asked++
				own, _ := http.NewRequestWithContext(ctx, method, resolver.URL, nil)
				if own.Header.Set("Authorization", authorization); authorization == "" {
					own.Header.Del("Authorization")
				}
				response, err := resolver.Client().Do(own)
				if err != nil {
					return nil, err
				}
				_ = response.Body.Close()
				return nil, syscall.ECONNREFUSED
			}
			result := senderTo(t, "https://customer.example.com", &http.Client{Transport: transport}).Send(t.Context(), request)
			if result.MaybeSent || result.Undecided || !result.CanRetry || asked != 4 {
				t.Errorf("%s, asked by %s: asked %d times, %+v", name, method, asked, result)
			}
		}
	}
}

// breaking is a middleware that gives up when it is told, while the request below
// it goes on, as circuit breakers do.
func breaking(giveUp <-chan struct{}) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			go func() {
				if response, err := next.RoundTrip(r); err == nil {
					_ = response.Body.Close()
				}
			}()
			<-giveUp
			return nil, errors.New("the circuit is open")
		})
	}
}

func TestACircuitBreakerThatGivesUpWhileTheRequestGoesOn(t *testing.T) {
	arrived, stay := make(chan struct{}), make(chan struct{})
	defer close(stay)
	root := connections(t, func(_ int, conn net.Conn) {
		readHead(conn)
		close(arrived)
		<-stay
	})
	s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) { c.Middleware = append(c.Middleware, breaking(arrived)) })
	if result := s.Send(t.Context(), createRequest()); !result.MaybeSent || !result.Undecided || result.CanRetry || result.Attempts != 1 {
		t.Errorf("%+v", result)
	}
}

// TestNothingLeavesAfterACircuitBreakerGaveUp has the request get its connection only
// after that, or go on with it only then.
func TestNothingLeavesAfterACircuitBreakerGaveUp(t *testing.T) {
	for _, paused := range []string{"dial", "connection"} {
		var whole atomic.Int32
		var serving sync.WaitGroup
		root := connections(t, func(_ int, conn net.Conn) {
			defer serving.Done()
			if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				if n, err := io.Copy(io.Discard, request.Body); err == nil && n == request.ContentLength {
					whole.Add(1)
				}
			}
		})
		begun, ended, goesOn := make(chan struct{}), make(chan struct{}), make(chan struct{})
		pause := func() {
			close(begun)
			<-ended
			close(goesOn)
		}
		transport := newTransport(t)
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if paused == "dial" {
				pause()
			}
			conn, err := (&net.Dialer{}).DialContext(context.WithoutCancel(ctx), network, address)
			return slowToClose{conn}, err
		}
		serving.Add(1)
		ctx := t.Context()
		if paused == "connection" {
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { pause() }})
		}
		s := senderTo(t, root, &http.Client{Transport: transport}, func(c *Config) { c.Middleware = append(c.Middleware, breaking(begun)) })
		result := s.Send(ctx, createRequest())
		close(ended)
		<-goesOn
		served := make(chan struct{})
		go func() { serving.Wait(); close(served) }()
		for isServed := false; !isServed; {
			transport.CloseIdleConnections() // a connection that nothing is written to
			select {
			case <-served:
				isServed = true
			case <-time.After(time.Millisecond):
			}
		}
		if whole.Load() != 0 || !result.Undecided || result.Attempts != 1 {
			t.Errorf("%s: %d arrived whole, %+v", paused, whole.Load(), result)
		}
	}
}

// TestARequestWithoutABodyThatIsCanceledOnItsConnectionCountsAsSent: no body keeps it
// from being written meanwhile.
func TestARequestWithoutABodyThatIsCanceledOnItsConnectionCountsAsSent(t *testing.T) {
	empty := createRequest()
	empty.Body = nil
	root := connections(t, func(_ int, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel() }})
		result := senderTo(t, root, &http.Client{Transport: newTransport(t)}).Send(ctx, empty)
		if !result.MaybeSent || !result.Undecided || result.CanRetry {
			t.Fatalf("%+v", result)
		}
	}
}

// TestATransportThatRetriesByItself is retryablehttp as the caller's transport: what
// came last says nothing about what was written before.
func TestATransportThatRetriesByItself(t *testing.T) {
	const head = " \r\nContent-Length: 16\r\n\r\n{\"message\":\"no\"}"
	for name, last := range map[string]string{
		"then refused with 400":  "HTTP/1.1 400" + head,
		"then refused with 404":  "HTTP/1.1 404" + head,
		"then hung up on":        "",
		"then limited with 429":  "HTTP/1.1 429" + head,
		"then failed with 503":   "HTTP/1.1 503" + head,
		"then created":           created,
		"then accepted with 202": "HTTP/1.1 202 \r\nContent-Length: 0\r\n\r\n",
	} {
		var arrived atomic.Int32
		root := connections(t, func(n int, conn net.Conn) {
			if readHead(conn) {
				arrived.Add(1)
				if n > 1 {
					_, _ = io.WriteString(conn, last)
				}
			}
		})
		retrying := retryablehttp.NewClient()
		retrying.Logger, retrying.RetryWaitMin, retrying.RetryWaitMax, retrying.RetryMax = nil, 1, 1, 1
		retrying.HTTPClient.Transport, retrying.ErrorHandler = newTransport(t), retryablehttp.PassthroughErrorHandler
		result := senderTo(t, root, retrying.StandardClient()).Send(t.Context(), createRequest())
		if arrived.Load() != 2 || result.Attempts != 1 || !result.MaybeSent || !result.Undecided || result.CanRetry {
			t.Errorf("%s: arrived %d times, %+v", name, arrived.Load(), result)
		}
	}
}
