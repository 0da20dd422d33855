package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

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

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		for _, location := range []string{"/elsewhere", "https://other.example.com/", "", "::not a URL::", "http://[::1"} {
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

func TestTheCallersClientIsNotChanged(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	defer server.Close()
	first := &counted{RoundTripper: newTransport(t)}
	followed := func(*http.Request, []*http.Request) error { t.Error("CheckRedirect was called"); return nil }
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

// counted is a transport that counts requests and calls of CloseIdleConnections.
type counted struct {
	http.RoundTripper
	requests, closed atomic.Int32
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

func (c *counted) CloseIdleConnections() { c.closed.Add(1) }

func TestCookiesAreNotRepeated(t *testing.T) {
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
		t.Errorf("4 attempts: %d connections, %d written, %d with the caller's context", connected, wrote, seen)
	}
}

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
	isSeen := false
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { isSeen = true }))
	defer proxy.Close()
	for name, proxyOf := range map[string]func(*http.Request) (*url.URL, error){
		"http": http.ProxyURL(mustParse(t, proxy.URL)),
		"a malformed address": func(*http.Request) (*url.URL, error) {
			return nil, errors.New(`parse "http://user:secret@ x": invalid`)
		},
	} {
		transport := newTransport(t)
		transport.Proxy = proxyOf
		result := senderTo(t, "http://127.0.0.1:1", &http.Client{Transport: transport}).Send(t.Context(), createRequest())
		if isSeen || result.MaybeSent || result.Err == nil || strings.Contains(result.Err.Error(), "secret") {
			t.Errorf("%s: seen %v, %+v", name, isSeen, result)
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
		t.Errorf("with a certificate: %+v", result)
	}
}

func TestHTTP2(t *testing.T) {
	var received atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if received.Add(1); r.ProtoMajor != 2 {
			t.Errorf("proto %s", r.Proto)
		}
		switch r.URL.Path {
		case "/truncated":
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
		t.Errorf("an aborted stream: %d times, %+v", n, result)
	}
	if result, n := send("/truncated"); statusOf(result) != 201 || result.Response.Truncated == nil || n != 1 {
		t.Errorf("a truncated response: %d times, %+v", n, result)
	}
}
