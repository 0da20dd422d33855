package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fileOf is a file of this content.
func fileOf(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func mustAccess(t *testing.T, set settings) *access {
	t.Helper()
	a, err := newAccess(set)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestListenersThatOthersReach(t *testing.T) {
	auth := settings{auth: "agent:" + fileOf(t, testHash)}
	proxy := settings{proxy: "X-Proxy-Secret:" + fileOf(t, "0123456789abcdef\n")}
	tests := []struct {
		name, addr      string
		set             settings
		refused, warned bool
	}{
		{"loopback", "127.0.0.1:80", settings{}, false, false},
		{"another loopback", "127.0.0.2:80", settings{}, false, false},
		{"loopback of IPv6", "[::1]:80", settings{}, false, false},
		{"loopback behind a proxy", "127.0.0.1:80", settings{host: "crm.example.com"}, false, true},
		{"loopback behind a proxy with a secret", "127.0.0.1:80", settings{host: "crm.example.com", proxy: proxy.proxy}, false, false},
		{"all", "0.0.0.0:80", settings{}, true, false},
		{"all of IPv6", "[::]:80", settings{}, true, false},
		{"all, by name", "0.0.0.0:80", settings{host: "crm.example.com"}, true, false},
		{"a private network", "192.168.1.2:80", settings{}, true, false},
		{"all, open", "0.0.0.0:80", settings{open: true}, false, true},
		{"all, open, by name", "0.0.0.0:80", settings{open: true, host: "crm.example.com"}, false, true},
		{"all, with a password", "0.0.0.0:80", auth, false, true},
		{"all, with a proxy", "0.0.0.0:80", proxy, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			addr, err := net.ResolveTCPAddr("tcp", test.addr)
			if err != nil {
				t.Fatal(err)
			}
			var logged bytes.Buffer
			err = mustAccess(t, test.set).allowListening(addr, slog.New(slog.NewTextHandler(&logged, nil)))
			if refused, warned := err != nil, strings.Contains(logged.String(), "level=WARN"); refused != test.refused || warned != test.warned {
				t.Errorf("got %v, logged %q", err, logged.String())
			}
		})
	}
}

func TestHostsThatAreNoNames(t *testing.T) {
	for _, host := range []string{"a b", "crm.example.com:8080", "https://crm.example.com", "crm/x", "-crm.example.com", "crm..example.com", ".", "crm.example.com\n", "agent@example.com", "*", strings.Repeat("a", 64)} {
		if _, err := newAccess(settings{host: host}); err == nil || !strings.Contains(err.Error(), "-host") {
			t.Errorf("%q: error is %v", host, err)
		}
	}
	for _, host := range []string{"", "crm", "crm.example.com", "CRM-2.example.com", "my_crm.example.com", "xn--bcher-kva.example", "10.0.0.7"} {
		mustAccess(t, settings{host: host})
	}
}

func TestHostsThatTheServiceGoesBy(t *testing.T) {
	named, unnamed := &access{host: "crm.example.com"}, &access{}
	tests := map[string]struct{ unnamed, named bool }{
		"127.0.0.1:8080":           {true, true},
		"127.0.0.2:8080":           {true, true},
		"127.0.0.1":                {true, true},
		"192.168.1.2:8080":         {true, true},
		"[::1]:8080":               {true, true},
		"[::1]":                    {true, true},
		"localhost:8080":           {true, true},
		"LocalHost":                {true, true},
		"crm.example.com":          {false, true},
		"CRM.example.com:443":      {false, true},
		"evil.example":             {false, false},
		"evil.example:8080":        {false, false},
		"localhost.evil.example":   {false, false},
		"127.0.0.1.evil.example":   {false, false},
		"127.0.0.1.:80":            {false, false},
		"crm.example.com.evil.org": {false, false},
		"":                         {false, false},
	}
	for host, want := range tests {
		if got := unnamed.knows(host); got != want.unnamed {
			t.Errorf("%q without -host: %t", host, got)
		}
		if got := named.knows(host); got != want.named {
			t.Errorf("%q with -host: %t", host, got)
		}
	}
}

func TestSettingsOfAccessAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		set  settings
		want string
	}{
		"no file":      {settings{auth: "agent"}, "-auth has to be a name, a colon and a file"},
		"no user":      {settings{auth: ":" + fileOf(t, testHash)}, "-auth has to be a name, a colon and a file"},
		"missing file": {settings{auth: "agent:/does/not/exist"}, "no such file"},
		"plain text":   {settings{auth: "agent:" + fileOf(t, "correct horse")}, "no password hash"},
		"weak hash":    {settings{auth: "agent:" + fileOf(t, strings.Replace(testHash, "100000", "1000", 1))}, "too weak"},
		"garbage":      {settings{auth: "agent:" + fileOf(t, "pbkdf2-sha256$x$y$z")}, "malformed"},
		"short secret": {settings{proxy: "X-Proxy-Secret:" + fileOf(t, "short")}, "fewer than 16"},
		"both":         {settings{auth: "a:b", proxy: "c:d"}, "choose one"},
	} {
		if _, err := newAccess(test.set); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestPasswordIsAskedFor(t *testing.T) {
	s := newSite(t)
	s.service.access = mustAccess(t, settings{auth: "agent:" + fileOf(t, testHash)})
	ask := func(user, password string) seen {
		request := s.newPost("/schedule", url.Values{})
		request.SetBasicAuth(user, password)
		return s.send(request)
	}
	p := s.get("/")
	s.wants(p, http.StatusUnauthorized, "Sign in first")
	if got := p.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic realm=") {
		t.Errorf("got %q", got)
	}
	s.wants(ask("agent", "wrong"), http.StatusUnauthorized)
	s.wants(ask("other", testPassword), http.StatusUnauthorized)
	s.wants(ask("agent", ""), http.StatusUnauthorized)
	s.wants(ask("agent", testPassword), http.StatusUnprocessableEntity)
	s.wants(ask("agent", testPassword), http.StatusUnprocessableEntity) // remembered
	s.wants(ask("agent", testPassword+"x"), http.StatusUnauthorized)
	s.wants(s.post("/tickets/71450/call", url.Values{"nonce": {s.service.nonces.issue(actionCall, "71450", 0)}}), http.StatusUnauthorized)
	s.wants(s.get("/style.css"), http.StatusOK)
	s.wants(s.get("/healthz"), http.StatusServiceUnavailable, "not checked yet")
	s.wantsCalls(0)
}

func TestSecretOfTheProxyIsAskedFor(t *testing.T) {
	s := newSite(t)
	s.service.access = mustAccess(t, settings{proxy: "X-Proxy-Secret:" + fileOf(t, "0123456789abcdef\n")})
	for secret, status := range map[string]int{"": http.StatusForbidden, "0123456789abcdeg": http.StatusForbidden, "0123456789abcdef": http.StatusUnprocessableEntity} {
		request := s.newPost("/schedule", url.Values{})
		if secret != "" {
			request.Header.Set("X-Proxy-Secret", secret)
		}
		s.wants(s.send(request), status)
	}
}
