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

func TestWithoutProofARequestCountsAsSent(t *testing.T) {
	mute := roundTripper(func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED })
	nothing := roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil })
	for name, rt := range map[string]http.RoundTripper{"a mock that fails": mute, "a mock that returns nothing": nothing} {
		result := newTestSender(t, rt, nil).Send(t.Context(), createRequest())
		if !result.MaybeSent || result.Attempts != 1 || result.Err == nil {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// TestARetryBelowCountsAsSent has a middleware or a transport that retries by itself. The
// first try is written and the second is refused.
func TestARetryBelowCountsAsSent(t *testing.T) {
	tries := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if response, err := next.RoundTrip(r); err == nil {
				return response, nil
			}
			return next.RoundTrip(r)
		})
	}
	mute := step{err: io.EOF, mute: true}
	tests := []struct {
		name       string
		steps      []step
		middleware bool // false for the caller's transport
	}{
		{"a middleware", []step{reset, refused}, true},
		{"a transport", []step{reset, refused}, false},
		{"a middleware above a mock", []step{mute, refused}, true},
	}
	for _, tt := range tests {
		var rt http.RoundTripper = &script{steps: tt.steps}
		if !tt.middleware {
			rt = tries(rt)
		}
		s := newTestSender(t, rt, func(c *Config) {
			if tt.middleware {
				c.Middleware = append(c.Middleware, tries)
			}
		})
		if result := s.Send(t.Context(), createRequest()); !result.MaybeSent || result.Attempts != 1 {
			t.Errorf("%s: %+v", tt.name, result)
		}
	}
}

func TestADeadIdleConnection(t *testing.T) {
	var received atomic.Int32
	root := connections(t, func(n int, conn net.Conn) {
		if !readWhole(conn) {
			return
		}
		received.Add(1)
		conn.Write([]byte(created)) // and closes without Connection: close
	})
	s := senderTo(t, root, &http.Client{Transport: newTransport(t)})
	sent := int32(0)
	for range 200 {
		result := s.Send(t.Context(), createRequest())
		if statusOf(result) != 201 && result.MaybeSent && received.Load() == sent {
			// The connection was closed between its choice and the write. That cannot
			// be proved, so the request counts as sent.
			continue
		}
		if sent++; received.Load() != sent {
			t.Fatalf("%d requests arrived, want %d; %+v", received.Load(), sent, result)
		}
	}
	if sent < 150 {
		t.Errorf("only %d of 200 creates arrived", sent)
	}
}

// dying is a connection whose writes fail once dead is true.
type dying struct {
	net.Conn
	dead *atomic.Bool
}

func (d dying) Write(b []byte) (int, error) {
	if d.dead.Load() {
		return 0, syscall.EPIPE
	}
	return d.Conn.Write(b)
}

func TestADeadIdleConnectionBeforeRefusedOnes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201) }))
	defer server.Close()
	var dead atomic.Bool
	transport := newTransport(t)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dead.Load() {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return dying{conn, &dead}, err
	}
	s := senderTo(t, server.URL, &http.Client{Transport: transport})
	if result := s.Send(t.Context(), createRequest()); statusOf(result) != 201 {
		t.Fatalf("%+v", result)
	}
	dead.Store(true)
	if result := s.Send(t.Context(), createRequest()); result.MaybeSent || result.Attempts != 4 {
		t.Errorf("not written, but %+v", result)
	}
}

func TestAWrittenBodyCountsAsSentAfterThePermit(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"created": func(conn net.Conn) { _, _ = io.WriteString(conn, created) },
		"lost":    func(net.Conn) {},
	} {
		var arrived atomic.Int32
		root := connections(t, func(_ int, conn net.Conn) {
			request, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				return
			}
			if body, err := io.ReadAll(request.Body); err == nil && len(body) > 0 {
				arrived.Add(1)
				serve(conn)
			}
		})
		var late atomic.Int64
		transport := newTransport(t)
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			return stoppingConn{conn, '}', func() { late.Store(int64(time.Hour)) }}, err
		}
		s := senderTo(t, root, &http.Client{Transport: transport}, func(c *Config) {
			c.Now = laterBy(&late)
		})
		result := s.Send(t.Context(), createRequest())
		if !result.MaybeSent || result.CanRetry || arrived.Load() != 1 {
			t.Errorf("%s: %d arrived, MaybeSent %v, CanRetry %v, %v", name, arrived.Load(), result.MaybeSent, result.CanRetry, result.Err)
		}
		if name == "created" && (result.Response == nil || result.Response.StatusCode != http.StatusCreated) {
			t.Errorf("%s: the response is lost: %v", name, result.Err)
		}
	}
}

// stoppingConn calls stop after the last byte of a body, like a process that is stopped
// there until its permit has ended.
type stoppingConn struct {
	net.Conn
	last byte
	stop func()
}

func (c stoppingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if n > 0 && p[n-1] == c.last {
		c.stop()
	}
	return n, err
}

// closingServer responds to the first request of each connection, and closes the
// connection after the second.
type closingServer struct {
	root      string
	transport *http.Transport // of its client
	open      sync.WaitGroup  // connections, from the dial to their end at the server
	requests  atomic.Int32
}

// arrived waits for all connections to end, and returns the number of requests.
func (h *closingServer) arrived() int32 {
	h.transport.CloseIdleConnections()
	h.open.Wait()
	return h.requests.Load()
}

func newClosingServer(t *testing.T) *closingServer {
	h := &closingServer{transport: newTransport(t)}
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

// slowToClose is a connection that can be written to for 10 ms after Close was called.
type slowToClose struct{ net.Conn }

func (c slowToClose) Close() error {
	time.Sleep(10 * time.Millisecond)
	return c.Conn.Close()
}

func TestAnIdleConnectionThatClosesGetsOneRequest(t *testing.T) {
	emptyPatch := patchRequest()
	emptyPatch.Body = nil
	get, withoutMethod := createRequest(), emptyPost() // of a middleware that changes the method
	get.Method, withoutMethod.Method = http.MethodGet, ""
	requests := map[string]Request{
		"create": createRequest(), "a POST without a body": emptyPost(),
		"read": readRequest(), "PATCH": patchRequest(), "a PATCH without a body": emptyPatch,
		"a GET with a body": get, "a request without a method": withoutMethod,
	}
	for _, key := range []string{"", "Idempotency-Key", "X-Idempotency-Key"} {
		for where, isBelow := range map[string]bool{"middleware": false, "transport": true} {
			for name, request := range requests {
				server := newClosingServer(t)
				var client http.Client
				var middleware []func(http.RoundTripper) http.RoundTripper
				client.Transport = server.transport
				withKey := changing(func(r *http.Request) { r.Header.Set(key, "8812") })
				switch {
				case key == "":
				case isBelow:
					client.Transport = withKey(client.Transport)
				default:
					middleware = append(middleware, withKey)
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

// audit sends a request of its own with the context of r.
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
			if readWhole(conn) {
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

// TestAnOddAuthorizationDoesNotHideTheRequest has middleware that changes the header field
// that tells the request from others.
func TestAnOddAuthorizationDoesNotHideTheRequest(t *testing.T) {
	for what, change := range map[string]func(http.Header){
		"a second one": func(h http.Header) { h.Add("Authorization", "Bearer of-the-gateway") },
		"spaces":       func(h http.Header) { h.Set("Authorization", " Bearer of-the-gateway\t") },
		"none":         func(h http.Header) { h.Del("Authorization") },
		"an empty one": func(h http.Header) { h.Set("Authorization", "") },
		"another case": func(h http.Header) { h["authorization"] = h["Authorization"]; h.Del("Authorization") },
	} {
		for name, request := range map[string]Request{"create": createRequest(), "a POST without a body": emptyPost()} {
			var arrived atomic.Int32
			root := connections(t, func(_ int, conn net.Conn) {
				if readWhole(conn) {
					arrived.Add(1)
				}
			})
			s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) {
				c.Middleware = append(c.Middleware, changing(func(r *http.Request) { change(r.Header) }))
			})
			if result := s.Send(t.Context(), request); !result.MaybeSent || !result.Undecided || result.CanRetry || arrived.Load() != 1 {
				t.Errorf("%s, %s: arrived %d times, %+v", what, name, arrived.Load(), result)
			}
		}
	}
}

// TestADialThatResolvesOverHTTPS sends a request to a resolver with the context of the
// request, as DNS over HTTPS does. The connection is then refused.
func TestADialThatResolvesOverHTTPS(t *testing.T) {
	resolver := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	resolver.EnableHTTP2 = true
	resolver.StartTLS()
	defer resolver.Close()
	for name, request := range map[string]Request{"create": createRequest(), "a POST without a body": emptyPost()} {
		for method, authorization := range map[string]string{http.MethodGet: "", http.MethodPost: "Bearer of-the-resolver"} {
			transport := newTransport(t)
			lookups := 0
			transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				lookups++
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
			if result.MaybeSent || result.Undecided || !result.CanRetry || lookups != 4 {
				t.Errorf("%s, resolved by %s: %d lookups, %+v", name, method, lookups, result)
			}
		}
	}
}

// breaking returns a middleware that fails when giveUp is closed, while the request
// continues, as circuit breakers do.
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

func TestACircuitBreakerThatOpensDuringTheRequest(t *testing.T) {
	arrived, stay := make(chan struct{}), make(chan struct{})
	defer close(stay)
	root := connections(t, func(_ int, conn net.Conn) {
		readWhole(conn)
		close(arrived)
		<-stay
	})
	s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) { c.Middleware = append(c.Middleware, breaking(arrived)) })
	if result := s.Send(t.Context(), createRequest()); !result.MaybeSent || !result.Undecided || result.CanRetry || result.Attempts != 1 {
		t.Errorf("%+v", result)
	}
}

// TestNothingIsSentAfterACircuitBreakerOpened has a request that gets its connection, or
// continues with it, only after that. The wire knows whether the transport uses HTTP/1, or
// does not.
func TestNothingIsSentAfterACircuitBreakerOpened(t *testing.T) {
	for _, paused := range []string{"dial", "connection", "dial, known", "connection, known"} {
		paused, isKnown := strings.CutSuffix(paused, ", known")
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
		begun, ended, continued := make(chan struct{}), make(chan struct{}), make(chan struct{})
		pause := func() {
			close(begun)
			<-ended
			close(continued)
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
		if isKnown {
			s.wire.overHTTP1.Store(transport)
		}
		result := s.Send(ctx, createRequest())
		close(ended)
		<-continued
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

// TestARequestWithoutABodyThatIsCanceledCountsAsSent cancels once there is a connection.
// There is no body to hold back, so the request may be written meanwhile.
func TestARequestWithoutABodyThatIsCanceledCountsAsSent(t *testing.T) {
	root := connections(t, func(_ int, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	canceled := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel() }})
	}
	byMiddleware := func(c *Config) {
		c.Middleware = append(c.Middleware, changing(func(r *http.Request) { *r = *r.WithContext(canceled(r.Context())) }))
	}
	for range 200 {
		for by, result := range map[string]Result{
			"caller":     senderTo(t, root, &http.Client{Transport: newTransport(t)}).Send(canceled(t.Context()), emptyPost()),
			"middleware": senderTo(t, root, &http.Client{Transport: newTransport(t)}, byMiddleware).Send(t.Context(), emptyPost()),
		} {
			if !result.MaybeSent || !result.Undecided || result.CanRetry {
				t.Fatalf("by the %s: %+v", by, result)
			}
		}
	}
}

// TestATransportThatRetriesByItself has retryablehttp as the caller's transport. The last
// response does not show what was written before.
func TestATransportThatRetriesByItself(t *testing.T) {
	const head = " \r\nContent-Length: 16\r\n\r\n{\"message\":\"no\"}"
	for name, last := range map[string]string{
		"then refused with 400":  "HTTP/1.1 400" + head,
		"then refused with 404":  "HTTP/1.1 404" + head,
		"then closed":            "",
		"then limited with 429":  "HTTP/1.1 429" + head,
		"then failed with 503":   "HTTP/1.1 503" + head,
		"then created":           created,
		"then accepted with 202": "HTTP/1.1 202 \r\nContent-Length: 0\r\n\r\n",
	} {
		var arrived atomic.Int32
		root := connections(t, func(n int, conn net.Conn) {
			if readWhole(conn) {
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
