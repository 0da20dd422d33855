package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// hasty keeps the waits of tests on real sockets short.
func hasty(c *Config) {
	c.Policy = Policy{MaxAttempts: 4, MinWait: time.Millisecond, MaxWait: time.Millisecond, MaxRetryAfter: time.Second}
}

func senderTo(t *testing.T, root string, client *http.Client, change ...func(*Config)) *Sender {
	t.Helper()
	return newTestSender(t, nil, func(c *Config) {
		hasty(c)
		c.Root, c.HTTPClient = root, client
		for _, f := range change {
			f(c)
		}
	})
}

// newTransport is one of the test's own, so that no test closes another's connections.
func newTransport(t *testing.T) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// connections accepts connections and hands each to serve with its number, from 1.
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

// readHead reads a request up to its body, which the tests keep in the same packet.
func readHead(conn net.Conn) bool {
	n, err := conn.Read(make([]byte, 4096))
	return err == nil && n > 0
}

func TestARefusedConnectionIsTriedAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	result := senderTo(t, "http://"+listener.Addr().String(), &http.Client{Transport: newTransport(t)}).Send(t.Context(), createRequest())
	if result.MaybeSent || result.Attempts != 4 || !errors.Is(result.Err, syscall.ECONNREFUSED) {
		t.Errorf("%+v", result)
	}
}

func TestAFailedLookUpIsTriedAgain(t *testing.T) {
	transport := newTransport(t)
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "customer.example.com", IsNotFound: true}
	}
	result := senderTo(t, "https://customer.example.com", &http.Client{Transport: transport}).Send(t.Context(), createRequest())
	if result.MaybeSent || result.Attempts != 4 {
		t.Errorf("%+v", result)
	}
}

func TestAFailedHandshakeIsTriedAgain(t *testing.T) {
	root := connections(t, func(_ int, conn net.Conn) {
		readHead(conn)
		conn.Write([]byte("no TLS at all\r\n"))
	})
	result := senderTo(t, strings.Replace(root, "http:", "https:", 1), &http.Client{Transport: newTransport(t)}).Send(t.Context(), createRequest())
	if result.MaybeSent || result.Attempts != 4 {
		t.Errorf("%+v", result)
	}
}

func TestACertificateThatIsNotTrustedIsNotTriedAgain(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = silent()
	server.StartTLS()
	defer server.Close()
	result := senderTo(t, server.URL, &http.Client{Transport: newTransport(t)}).Send(t.Context(), createRequest())
	var unverified *tls.CertificateVerificationError
	if result.MaybeSent || result.Attempts != 1 || !errors.As(result.Err, &unverified) {
		t.Errorf("%+v", result)
	}
}

func TestAProxyThatRefusesTheTunnelIsTriedAgain(t *testing.T) {
	var tunnels atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnels.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	transport := newTransport(t)
	proxyURL := mustParse(t, proxy.URL)
	transport.Proxy = http.ProxyURL(proxyURL)
	result := senderTo(t, "https://customer.example.com", &http.Client{Transport: transport}).Send(t.Context(), createRequest())
	if result.MaybeSent || result.Attempts != 4 || tunnels.Load() != 4 {
		t.Errorf("%d tunnels, %+v", tunnels.Load(), result)
	}
}

func TestADeadIdleConnectionDoesNoHarm(t *testing.T) {
	var received atomic.Int32
	root := connections(t, func(n int, conn net.Conn) {
		if !readHead(conn) {
			return
		}
		received.Add(1)
		conn.Write([]byte(created)) // and closes, though it did not say so
	})
	s := senderTo(t, root, &http.Client{Transport: newTransport(t)})
	sent := int32(0)
	for range 200 {
		result := s.Send(t.Context(), createRequest())
		if statusOf(result) != 201 && result.MaybeSent && received.Load() == sent {
			// The connection died between being chosen and being written to:
			// nobody can prove that, so it counts as sent. Rare, and harmless.
			continue
		}
		if sent++; received.Load() != sent {
			t.Fatalf("%d requests arrived, want %d; %+v", received.Load(), sent, result)
		}
	}
	if sent < 150 {
		t.Errorf("only %d of 200 creates came through", sent)
	}
}

// dying is a connection that cannot be written to any more, and does not show it.
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

func TestADeadIdleConnectionAndThenNobodyListening(t *testing.T) {
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
		t.Errorf("nothing was written, and yet %+v", result)
	}
}

func TestWhatMayHaveArrivedIsNotSentAgain(t *testing.T) {
	tests := map[string]func(conn net.Conn){
		"hung up":               func(conn net.Conn) { readHead(conn) },
		"reset":                 func(conn net.Conn) { readHead(conn); conn.(*net.TCPConn).SetLinger(0) },
		"half a status line":    func(conn net.Conn) { readHead(conn); io.WriteString(conn, "HTTP/1.1 20") },
		"half a header":         func(conn net.Conn) { readHead(conn); io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Le") },
		"no HTTP":               func(conn net.Conn) { readHead(conn); io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n\r\n") },
		"only an informational": func(conn net.Conn) { readHead(conn); io.WriteString(conn, "HTTP/1.1 102 Processing\r\n\r\n") },
	}
	for name, serve := range tests {
		t.Run(name, func(t *testing.T) {
			var received atomic.Int32
			root := connections(t, func(_ int, conn net.Conn) {
				received.Add(1)
				serve(conn)
			})
			result := senderTo(t, root, &http.Client{Transport: newTransport(t)}).Send(t.Context(), createRequest())
			if !result.MaybeSent || result.Responded || result.Attempts != 1 || received.Load() != 1 {
				t.Errorf("received %d times, %+v", received.Load(), result)
			}
		})
	}
}

func TestAnAnswerThatBeganIsKept(t *testing.T) {
	const head = "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":"
	stay := make(chan struct{})
	defer close(stay)
	tests := map[string]struct {
		rest func(conn net.Conn)
		cut  error
	}{
		"cut":  {func(net.Conn) {}, io.ErrUnexpectedEOF},
		"late": {func(net.Conn) { <-stay }, context.DeadlineExceeded},
		"reset": {func(conn net.Conn) {
			time.Sleep(50 * time.Millisecond) // a reset overtakes what was written before it
			conn.(*net.TCPConn).SetLinger(0)
		}, syscall.ECONNRESET},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := connections(t, func(_ int, conn net.Conn) {
				readHead(conn)
				io.WriteString(conn, head)
				tt.rest(conn)
			})
			s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) { c.Timeout = 300 * time.Millisecond })
			result := s.Send(t.Context(), createRequest())
			if statusOf(result) != 201 || !result.Responded || result.Err != nil || result.Attempts != 1 {
				t.Fatalf("%+v", result)
			}
			if !errors.Is(result.Response.Truncated, tt.cut) || string(result.Response.Body) != `{"id":` {
				t.Errorf("cut %v after %q", result.Response.Truncated, result.Response.Body)
			}
		})
	}
}

func TestAnswersAreReadUpToALimit(t *testing.T) {
	tests := []struct {
		name          string
		status, bytes int
		kept          int
		cut           error
	}{
		{"the largest answer", 200, maxBody, maxBody, nil},
		{"an answer above it", 200, maxBody + 1, maxBody, ErrTooLarge},
		{"the largest error", 400, maxErrorBody, maxErrorBody, nil},
		{"an error above it", 400, maxErrorBody + 1, maxErrorBody, nil},
		{"a 3xx above it", 302, 1 << 20, maxErrorBody, nil},
	}
	for _, chunked := range []bool{false, true} {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(tt.status)
					if chunked {
						w.(http.Flusher).Flush()
					}
					w.Write(bytes.Repeat([]byte("x"), tt.bytes))
				}))
				defer server.Close()
				result := senderTo(t, server.URL, &http.Client{Transport: newTransport(t)}).Send(t.Context(), createRequest())
				if result.Response == nil || len(result.Response.Body) != tt.kept || !errors.Is(result.Response.Truncated, tt.cut) {
					t.Errorf("%v", result.Err)
				}
			})
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		for _, location := range []string{"/elsewhere", "https://other.example.com/", "", "::no url::", "http://[::1"} {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				if location != "" {
					w.Header().Set("Location", location)
				}
				w.WriteHeader(status)
			}))
			result := senderTo(t, server.URL, &http.Client{Transport: newTransport(t)}).Send(t.Context(), createRequest())
			server.Close()
			if statusOf(result) != status || result.Err != nil || requests != 1 {
				t.Errorf("%d to %q: %d requests, %+v", status, location, requests, result)
			}
		}
	}
}

// counted is a transport that notices being told to close its connections.
type counted struct {
	http.RoundTripper
	requests, closed atomic.Int32
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

func (c *counted) CloseIdleConnections() { c.closed.Add(1) }

func TestTheCallersClientIsLeftAlone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	defer server.Close()
	first := &counted{RoundTripper: newTransport(t)}
	followed := func(*http.Request, []*http.Request) error { t.Error("CheckRedirect was asked"); return nil }
	client := &http.Client{Transport: first, CheckRedirect: followed, Timeout: time.Hour}
	s := senderTo(t, server.URL, client)
	if s.Send(t.Context(), readRequest()); first.requests.Load() != 4 || first.closed.Load() != 0 {
		t.Errorf("%d requests, idle connections closed %d times", first.requests.Load(), first.closed.Load())
	}
	if client.Transport != http.RoundTripper(first) || client.Timeout != time.Hour || client.Jar != nil {
		t.Errorf("the client was changed: %+v", client)
	}
	second := &counted{RoundTripper: newTransport(t)}
	client.Transport = second
	if s.Send(t.Context(), readRequest()); second.requests.Load() != 4 || first.requests.Load() != 4 {
		t.Errorf("after the transport was replaced: %d and %d requests", first.requests.Load(), second.requests.Load())
	}
}

func TestCookiesDoNotPileUp(t *testing.T) {
	var cookies []int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies = append(cookies, len(r.Cookies()))
		http.SetCookie(w, &http.Cookie{Name: "route", Value: "a"})
		w.WriteHeader(503)
	}))
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	senderTo(t, server.URL, &http.Client{Transport: newTransport(t), Jar: jar}).Send(t.Context(), readRequest())
	if want := []int{0, 1, 1, 1}; len(cookies) != 4 || [4]int(cookies) != [4]int(want) {
		t.Errorf("cookies of the attempts: %v, want %v", cookies, want)
	}
}

func TestTheCallersTraceAndContextReachTheWire(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	defer server.Close()
	type key struct{}
	var connected, wrote, seen int
	ctx := httptrace.WithClientTrace(context.WithValue(t.Context(), key{}, "span"), &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { connected++ },
		WroteRequest: func(httptrace.WroteRequestInfo) { wrote++ },
	})
	middleware := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Context().Value(key{}) == "span" {
				seen++
			}
			return next.RoundTrip(r)
		})
	}
	s := senderTo(t, server.URL, &http.Client{Transport: newTransport(t)}, func(c *Config) { c.Middleware = append(c.Middleware, middleware) })
	if s.Send(ctx, readRequest()); connected != 4 || wrote != 4 || seen != 4 {
		t.Errorf("of 4 attempts: %d connections, %d written, %d with the caller's context", connected, wrote, seen)
	}
}

func TestHTTP2(t *testing.T) {
	var received atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if received.Add(1); r.ProtoMajor != 2 {
			t.Errorf("proto %s", r.Proto)
		}
		switch r.URL.Path {
		case "/cut":
			w.WriteHeader(201)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/abort":
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(201)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = silent()
	server.StartTLS()
	defer server.Close()
	send := func(path string) (Result, int32) {
		before := received.Load()
		request := createRequest()
		request.Path = path
		return senderTo(t, server.URL, server.Client()).Send(t.Context(), request), received.Load() - before
	}
	if result, n := send("/calls"); statusOf(result) != 201 || result.Response.Truncated != nil || n != 1 {
		t.Errorf("a create: %d times, %+v", n, result)
	}
	if result, n := send("/abort"); !result.MaybeSent || result.Responded || n != 1 {
		t.Errorf("an aborted one: %d times, %+v", n, result)
	}
	if result, n := send("/cut"); statusOf(result) != 201 || result.Response.Truncated == nil || n != 1 {
		t.Errorf("a cut one: %d times, %+v", n, result)
	}
}

func TestWhatIsOnTheWire(t *testing.T) {
	var got *http.Request
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
	}))
	defer server.Close()
	s := senderTo(t, server.URL+"/gateway", &http.Client{Transport: newTransport(t)})
	s.Send(t.Context(), createRequest())
	user, password, _ := got.BasicAuth()
	if user != "customer" || password != "token" || got.URL.Path != "/gateway/calls" || body != `{"a":1}` {
		t.Errorf("%s:%s at %s with %s", user, password, got.URL, body)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "test", "Idempotency-Key": ""} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: %q, want %q", name, value, want)
		}
	}
	read := readRequest()
	read.Query = "page=2"
	s.Send(t.Context(), read)
	if got.Header["Content-Type"] != nil || got.ContentLength != 0 || got.URL.RawQuery != "page=2" || body != "" {
		t.Errorf("a read: %v, %d bytes, %s", got.Header, got.ContentLength, got.URL)
	}
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

func TestTheProxyOfTheCallersClientIsUsed(t *testing.T) {
	platform := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201) }))
	defer platform.Close()
	var through string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through = r.Method + " " + r.Host
		upstream, err := net.Dial("tcp", r.Host)
		if err != nil {
			return
		}
		w.WriteHeader(200)
		client, _, _ := http.NewResponseController(w).Hijack()
		go func() { _, _ = io.Copy(upstream, client); upstream.Close() }()
		_, _ = io.Copy(client, upstream)
	}))
	defer proxy.Close()
	transport := platform.Client().Transport.(*http.Transport)
	transport.Proxy = http.ProxyURL(mustParse(t, proxy.URL))
	result := senderTo(t, platform.URL, &http.Client{Transport: transport}).Send(t.Context(), createRequest())
	if host := mustParse(t, platform.URL).Host; statusOf(result) != 201 || through != "CONNECT "+host {
		t.Errorf("through the proxy: %q, %+v", through, result)
	}
	transport.CloseIdleConnections()
}

func TestAProxyNeverSeesTheToken(t *testing.T) {
	saw := false
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { saw = true }))
	defer proxy.Close()
	for name, of := range map[string]func(*http.Request) (*url.URL, error){
		"http": http.ProxyURL(mustParse(t, proxy.URL)),
		"a malformed address": func(*http.Request) (*url.URL, error) {
			return nil, errors.New(`parse "http://user:secret@ x": invalid`)
		},
	} {
		transport := newTransport(t)
		transport.Proxy = of
		result := senderTo(t, "http://127.0.0.1:1", &http.Client{Transport: transport}).Send(t.Context(), createRequest())
		if saw || result.MaybeSent || result.Err == nil || strings.Contains(result.Err.Error(), "secret") {
			t.Errorf("%s: seen %v, %+v", name, saw, result)
		}
	}
}

func TestTheClientCertificateOfTheCallersClientIsUsed(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 1 {
			w.WriteHeader(201)
		}
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = silent()
	server.StartTLS()
	defer server.Close()
	if result := senderTo(t, server.URL, server.Client()).Send(t.Context(), createRequest()); result.Response != nil {
		t.Errorf("without a certificate: %+v", result)
	}
	server.Client().Transport.(*http.Transport).TLSClientConfig.Certificates = server.TLS.Certificates
	if result := senderTo(t, server.URL, server.Client()).Send(t.Context(), createRequest()); statusOf(result) != 201 {
		t.Errorf("with one: %+v", result)
	}
}

// stoppingConn stands for a process that is stopped, as SIGSTOP does, right after
// the last byte of a body was written, until its permit is over.
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

func TestABodyThatHasLeftIsNotProvedUnsentByTheEndOfItsPermit(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"answered": func(conn net.Conn) { _, _ = io.WriteString(conn, created) },
		"lost":     func(net.Conn) {},
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
			c.Now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
		})
		result := s.Send(t.Context(), createRequest())
		if !result.MaybeSent || result.CanRetry || arrived.Load() != 1 {
			t.Errorf("%s: %d arrived, may have been sent %v, can be sent again %v, %v", name, arrived.Load(), result.MaybeSent, result.CanRetry, result.Err)
		}
		if name == "answered" && (result.Response == nil || result.Response.StatusCode != http.StatusCreated) {
			t.Errorf("%s: the response is lost: %v", name, result.Err)
		}
	}
}
