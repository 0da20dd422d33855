package transport

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// These tests are about what a middleware, a DialContext and a transport of the
// caller's do to the proof that a request did not leave.

// hangingUp is a server that responds to the first request of each connection, and
// hangs up on the second. It counts the requests that it got.
func hangingUp(t *testing.T) (root string, arrived *atomic.Int32) {
	arrived = new(atomic.Int32)
	root = connections(t, func(_ int, conn net.Conn) {
		r := bufio.NewReader(conn)
		for first := true; ; first = false {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			if arrived.Add(1); !first {
				return
			}
			_, _ = io.WriteString(conn, created)
		}
	})
	return root, arrived
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
				root, arrived := hangingUp(t)
				var client http.Client
				var middleware []func(http.RoundTripper) http.RoundTripper
				client.Transport = newTransport(t)
				switch {
				case key == "":
				case isBelow:
					client.Transport = adding(key, client.Transport)
				default:
					middleware = append(middleware, func(next http.RoundTripper) http.RoundTripper { return adding(key, next) })
				}
				s := senderTo(t, root, &client, func(c *Config) { c.Middleware, c.Policy.MaxAttempts = middleware, 1 })
				if first := s.Send(t.Context(), createRequest()); statusOf(first) != 201 {
					t.Fatalf("%+v", first)
				}
				result := s.Send(t.Context(), request)
				if n := arrived.Load() - 1; n != 1 || !result.Undecided || result.CanRetry {
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

// TestNothingLeavesAfterACircuitBreakerGaveUp has the connection made only after that.
func TestNothingLeavesAfterACircuitBreakerGaveUp(t *testing.T) {
	var whole atomic.Int32
	served := make(chan struct{})
	root := connections(t, func(_ int, conn net.Conn) {
		defer close(served)
		if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			if n, err := io.Copy(io.Discard, request.Body); err == nil && n == request.ContentLength {
				whole.Add(1)
			}
		}
	})
	dialing, ended, dialed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	transport := newTransport(t)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		close(dialing)
		<-ended
		conn, err := (&net.Dialer{}).DialContext(context.WithoutCancel(ctx), network, address)
		dialed <- err
		return conn, err
	}
	s := senderTo(t, root, &http.Client{Transport: transport}, func(c *Config) { c.Middleware = append(c.Middleware, breaking(dialing)) })
	result := s.Send(t.Context(), createRequest())
	close(ended)
	if err := <-dialed; err != nil {
		t.Fatal(err)
	}
	transport.CloseIdleConnections()
	select {
	case <-served:
	case <-time.After(100 * time.Millisecond): // a connection that stays idle carries nothing
	}
	if whole.Load() != 0 || !result.Undecided || result.Attempts != 1 {
		t.Errorf("%d arrived whole, %+v", whole.Load(), result)
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
		retrying.HTTPClient.Transport = newTransport(t)
		result := senderTo(t, root, retrying.StandardClient()).Send(t.Context(), createRequest())
		if arrived.Load() != 2 || result.Attempts != 1 || !result.MaybeSent || !result.Undecided || result.CanRetry {
			t.Errorf("%s: arrived %d times, %+v", name, arrived.Load(), result)
		}
	}
}
