package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// receiver is a server that counts the requests that arrive whole, and the writes of its
// client.
type receiver struct {
	*httptest.Server
	transport      *http.Transport
	wholes, writes atomic.Int32
}

func newReceiver(t *testing.T, isTLS bool, change func(*httptest.Server)) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if body, err := io.ReadAll(request.Body); err == nil && len(body) > 0 {
			r.wholes.Add(1)
		}
		w.WriteHeader(http.StatusCreated)
	}))
	if change != nil {
		change(r.Server)
	}
	if isTLS {
		r.StartTLS()
	} else {
		r.Start()
	}
	t.Cleanup(r.Close)
	r.transport = r.Client().Transport.(*http.Transport)
	r.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return countingConn{conn, &r.writes}, err
	}
	return r
}

type countingConn struct {
	net.Conn
	writes *atomic.Int32
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// TestHeadAndBodyAreOneWriteOverHTTP1 has requests that fit into net/http's buffer, from
// the second on, and others.
func TestHeadAndBodyAreOneWriteOverHTTP1(t *testing.T) {
	long := strings.Repeat("x", 3<<10)
	tests := []struct {
		name   string
		body   string
		change func(*http.Request)
		buffer int
		writes int32
	}{
		{name: "a create", writes: 1},
		{name: "a long body", body: `"` + long + `"`, writes: 2},
		{name: "a long header", change: func(r *http.Request) { r.Header.Set("X-Long", long) }, writes: 2},
		{name: "a long query", change: func(r *http.Request) { r.URL.RawQuery = long }, writes: 2},
		{name: "a small buffer", buffer: 2 << 10, writes: 2},
		{name: "a wait for 100", change: func(r *http.Request) { r.Header.Set("Expect", "100-continue") }, writes: 2},
		{name: "a chunked body", change: func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }, writes: 3},
		{name: "a body of another length", change: func(r *http.Request) { r.ContentLength = -1 }, writes: 3},
		{name: "a body of a middleware", change: func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(r.Body)) }, writes: 2},
	}
	for scheme, isTLS := range map[string]bool{"http": false, "https": true} {
		for _, tt := range tests {
			server := newReceiver(t, isTLS, nil)
			server.transport.WriteBufferSize = tt.buffer
			s := senderTo(t, server.URL, server.Client(), func(c *Config) {
				if tt.change != nil {
					c.Middleware = append(c.Middleware, changing(tt.change))
				}
			})
			request := createRequest()
			if tt.body != "" {
				request.Body = []byte(tt.body)
			}
			for range 3 {
				server.writes.Store(0)
				if result := s.Send(t.Context(), request); statusOf(result) != 201 || result.Attempts != 1 {
					t.Fatalf("%s, %s: %+v", scheme, tt.name, result)
				}
			}
			if writes, wholes := server.writes.Load(), server.wholes.Load(); writes != tt.writes || wholes != 3 {
				t.Errorf("%s, %s: %d writes, want %d; %d of 3 arrived", scheme, tt.name, writes, tt.writes, wholes)
			}
		}
	}
}

// TestNoBodyLeavesAfterThePermit moves the clock past the permit in the last hook before
// the body. The head has left then.
func TestNoBodyLeavesAfterThePermit(t *testing.T) {
	for name, isKnown := range map[string]bool{"the first request": false, "a later one": true} {
		server := newReceiver(t, false, nil)
		var late atomic.Int64
		s := senderTo(t, server.URL, server.Client(), func(c *Config) {
			c.Policy.MaxAttempts = 1
			c.Now = laterBy(&late)
		})
		if isKnown {
			s.wire.overHTTP1.Store(server.transport)
		}
		hooks := httptrace.ClientTrace{WroteHeaders: func() { late.Store(int64(time.Hour)) }}
		result := s.Send(httptrace.WithClientTrace(t.Context(), &hooks), createRequest())
		if server.wholes.Load() != 0 || result.MaybeSent || result.Undecided || !errors.Is(result.Err, errPermitEnded) {
			t.Errorf("%s: %d arrived, %+v", name, server.wholes.Load(), result)
		}
	}
}

// TestNoByteLeavesAfterThePermit moves the clock past the permit after the connection was
// chosen, or while the head is written to a buffer.
func TestNoByteLeavesAfterThePermit(t *testing.T) {
	var late atomic.Int64
	stop := func() { late.Store(int64(time.Hour)) }
	for when, hooks := range map[string]httptrace.ClientTrace{
		"connected":    {GotConn: func(httptrace.GotConnInfo) { stop() }},
		"head written": {WroteHeaderField: func(string, []string) { stop() }},
	} {
		server := newReceiver(t, false, nil)
		s := senderTo(t, server.URL, server.Client(), func(c *Config) {
			c.Policy.MaxAttempts = 1
			c.Now = laterBy(&late)
		})
		late.Store(0)
		if result := s.Send(t.Context(), createRequest()); statusOf(result) != 201 {
			t.Fatalf("%+v", result)
		}
		server.writes.Store(0)
		result := s.Send(httptrace.WithClientTrace(t.Context(), &hooks), createRequest())
		if result.MaybeSent || result.Undecided || !result.CanRetry || !errors.Is(result.Err, errPermitEnded) {
			t.Errorf("%s: %+v", when, result)
		}
		if writes, wholes := server.writes.Load(), server.wholes.Load(); writes != 0 || wholes != 1 {
			t.Errorf("%s: %d writes, %d requests", when, writes, wholes)
		}
	}
}

// TestAServerThatChangesToHTTP2 has a gateway that negotiates another protocol than for
// the request before.
func TestAServerThatChangesToHTTP2(t *testing.T) {
	var overHTTP2 atomic.Bool
	server := newReceiver(t, true, func(s *httptest.Server) {
		s.EnableHTTP2 = true
		s.TLS = &tls.Config{}
		s.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			config := s.TLS.Clone()
			config.GetConfigForClient = nil
			if !overHTTP2.Load() {
				config.NextProtos = []string{"http/1.1"}
			}
			return config, nil
		}
	})
	s := senderTo(t, server.URL, server.Client())
	for n, want := range []int{1, 1, 2, 1, 1, 1} {
		if n == 2 || n == 4 {
			overHTTP2.Store(n == 2)
			server.transport.CloseIdleConnections()
		}
		result := s.Send(t.Context(), createRequest())
		if wholes := server.wholes.Load(); statusOf(result) != 201 || result.Attempts != want || int(wholes) != n+1 {
			t.Errorf("create %d: %d attempts, want %d; %d arrived; %+v", n+1, result.Attempts, want, wholes, result)
		}
	}
}

// TestADialThatResolvesOverHTTP2 has a DialContext that sends a request over HTTP/2 with
// the context of each create, which itself uses HTTP/1.
func TestADialThatResolvesOverHTTP2(t *testing.T) {
	resolver := newReceiver(t, true, func(s *httptest.Server) { s.EnableHTTP2 = true })
	server := newReceiver(t, false, nil)
	server.transport.DisableKeepAlives = true
	server.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, resolver.URL, nil)
		response, err := resolver.Client().Do(r)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	s := senderTo(t, server.URL, server.Client(), func(c *Config) { c.Policy.MaxAttempts = 1 })
	for n := range 3 {
		if result := s.Send(t.Context(), createRequest()); statusOf(result) != 201 {
			t.Errorf("create %d: %+v", n+1, result)
		}
	}
}

// TestAProtocolOfTheCallersThatRetries registers a RoundTripper with the transport. Its
// first try is lost, and the second is refused.
func TestAProtocolOfTheCallersThatRetries(t *testing.T) {
	rewinding := func(next http.RoundTripper, closed *url.URL) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			_, _ = next.RoundTrip(r)
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			r = r.Clone(r.Context())
			r.Body, r.URL = body, closed
			return next.RoundTrip(r)
		})
	}
	for name, register := range map[string]func(next http.RoundTripper, closed *url.URL) http.RoundTripper{
		"by net/http": rewinding,
		"without hooks": func(next http.RoundTripper, closed *url.URL) http.RoundTripper {
			return rewinding(roundTripper(func(r *http.Request) (*http.Response, error) {
				return next.RoundTrip(r.WithContext(context.Background()))
			}), closed)
		},
		"by retryablehttp": func(next http.RoundTripper, _ *url.URL) http.RoundTripper {
			retrying := retryablehttp.NewClient()
			retrying.Logger, retrying.RetryWaitMin, retrying.RetryWaitMax, retrying.RetryMax = nil, 1, 1, 1
			retrying.HTTPClient.Transport = next
			return &retryablehttp.RoundTripper{Client: retrying}
		},
	} {
		var arrived atomic.Int32
		root := connections(t, func(n int, conn net.Conn) {
			if readWhole(conn) {
				arrived.Add(1)
				if n > 1 {
					_, _ = io.WriteString(conn, head("400"))
				}
			}
		})
		transport := newTransport(t)
		transport.RegisterProtocol("http", register(newTransport(t), mustParse(t, closedPort(t))))
		result := senderTo(t, root, &http.Client{Transport: transport}).Send(t.Context(), createRequest())
		if arrived.Load() == 0 || !result.MaybeSent || !result.Undecided || result.CanRetry || result.Attempts != 1 {
			t.Errorf("%s: arrived %d times, %+v", name, arrived.Load(), result)
		}
	}
}

// TestAProtocolOfTheCallersCountsAsSent registers a RoundTripper with the transport that
// calls no hooks.
func TestAProtocolOfTheCallersCountsAsSent(t *testing.T) {
	for name, isFirst := range map[string]bool{"at once": true, "after a request over HTTP/1": false} {
		server := newReceiver(t, false, nil)
		s := senderTo(t, server.URL, server.Client())
		if !isFirst && statusOf(s.Send(t.Context(), createRequest())) != 201 {
			t.Fatal("not created")
		}
		server.transport.RegisterProtocol("http", roundTripper(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			return nil, io.ErrUnexpectedEOF
		}))
		if result := s.Send(t.Context(), createRequest()); !result.MaybeSent || !result.Undecided || result.CanRetry || result.Attempts != 1 {
			t.Errorf("%s: %+v", name, result)
		}
	}
}
