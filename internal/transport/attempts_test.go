package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatIsRetried(t *testing.T) {
	truncatedBody := func() step {
		return step{status: 200, body: io.MultiReader(strings.NewReader("{"), failing{syscall.ECONNRESET})}
	}
	tests := []struct {
		name    string
		request Request
		steps   []step
		sent    int
		status  int // of the last response, 0 for none
		err     error
		unsent  bool
	}{
		{"a create with a response", createRequest(), []step{respond(201)}, 1, 201, nil, false},
		{"a create that could not connect", createRequest(), []step{refused, refused, respond(201)}, 3, 201, nil, false},
		{"a create that never connects", createRequest(), []step{refused}, 4, 0, syscall.ECONNREFUSED, true},
		{"a create after 429", createRequest(), []step{tooMany(""), respond(201)}, 2, 201, nil, false},
		{"a create that always gets 429", createRequest(), []step{tooMany("")}, 4, 429, nil, false},
		{"a create after 429, then refused", createRequest(), []step{tooMany("1"), refused}, 4, 429, syscall.ECONNREFUSED, true},
		{"a create after 429, then reset", createRequest(), []step{tooMany("1"), reset}, 2, 0, syscall.ECONNRESET, false},
		{"not a create that was reset", createRequest(), []step{reset}, 1, 0, syscall.ECONNRESET, false},
		{"not a create that timed out", createRequest(), []step{{takes: time.Hour, written: true, err: io.EOF}}, 1, 0, context.DeadlineExceeded, false},
		{"not a create that got 500", createRequest(), []step{respond(500)}, 1, 500, nil, false},
		{"not a create that got 502", createRequest(), []step{respond(502)}, 1, 502, nil, false},
		{"not a create that got 503 with Retry-After", createRequest(), []step{{status: 503, retryAfter: "1"}}, 1, 503, nil, false},
		{"not a create that got 302", createRequest(), []step{respond(302)}, 1, 302, nil, false},
		{"not a create that got 400", createRequest(), []step{respond(400)}, 1, 400, nil, false},
		{"not a create that got 408", createRequest(), []step{respond(408)}, 1, 408, nil, false},
		{"not a create with a truncated response", createRequest(), []step{truncatedBody()}, 1, 200, nil, false},
		{"a read that got 500", readRequest(), []step{respond(500), respond(200)}, 2, 200, nil, false},
		{"a read that got 503", readRequest(), []step{{status: 503, retryAfter: "2"}, respond(200)}, 2, 200, nil, false},
		{"a read that always gets 502", readRequest(), []step{respond(502)}, 4, 502, nil, false},
		{"a read that was reset", readRequest(), []step{reset, respond(200)}, 2, 200, nil, false},
		{"a read that timed out", readRequest(), []step{{takes: time.Hour, written: true, err: io.EOF}, respond(200)}, 2, 200, nil, false},
		{"a read with a truncated response", readRequest(), []step{truncatedBody(), respond(200)}, 2, 200, nil, false},
		{"a read that got 502, then was reset", readRequest(), []step{respond(502), reset}, 4, 502, syscall.ECONNRESET, false},
		{"not a read that got 501", readRequest(), []step{respond(501)}, 1, 501, nil, false},
		{"not a read that got 404", readRequest(), []step{respond(404)}, 1, 404, nil, false},
		{"not a read that got 301", readRequest(), []step{respond(301)}, 1, 301, nil, false},
		{"a patch that got 500", patchRequest(), []step{respond(500), respond(200)}, 2, 200, nil, false},
		{"a patch that was reset", patchRequest(), []step{reset, respond(200)}, 2, 200, nil, false},
		{"not a patch with a truncated response", patchRequest(), []step{truncatedBody()}, 1, 200, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := &script{steps: tt.steps}
				result := newTestSender(t, rt, nil).Send(t.Context(), tt.request)
				if len(rt.sent) != tt.sent || result.Attempts != tt.sent {
					t.Errorf("sent %d times, Attempts %d, want %d", len(rt.sent), result.Attempts, tt.sent)
				}
				if got := statusOf(result); got != tt.status {
					t.Errorf("last status %d, want %d", got, tt.status)
				}
				if !errors.Is(result.Err, tt.err) {
					t.Errorf("error %v, want %v", result.Err, tt.err)
				}
				if result.MaybeSent == tt.unsent {
					t.Errorf("MaybeSent = %v", result.MaybeSent)
				}
			})
		})
	}
}

func TestMaxAttemptsOfOneMeansOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, first := range []step{refused, tooMany("1"), respond(503)} {
			rt := &script{steps: []step{first}}
			s := newTestSender(t, rt, func(c *Config) { c.Policy.MaxAttempts = 1 })
			s.Send(t.Context(), readRequest())
			if len(rt.sent) != 1 {
				t.Errorf("%+v: sent %d times", first, len(rt.sent))
			}
		}
	})
}

func TestAWaitThatDoesNotFitTheDeadlineFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		result := newTestSender(t, &script{steps: []step{tooMany("10")}}, nil).Send(ctx, createRequest())
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		if statusOf(result) != 429 || !errors.Is(result.Err, context.DeadlineExceeded) || !result.Responded {
			t.Errorf("got status %d and %v", statusOf(result), result.Err)
		}
	})
}

func TestCanceledWhileWaitingKeepsTheLastResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		rt := &script{steps: []step{tooMany("10")}}
		begin := time.Now()
		result := newTestSender(t, rt, nil).Send(ctx, createRequest())
		if waited := time.Since(begin); waited != 3*time.Second || len(rt.sent) != 1 {
			t.Errorf("waited %v, sent %d times", waited, len(rt.sent))
		}
		if statusOf(result) != 429 || !errors.Is(result.Err, context.Canceled) {
			t.Errorf("got status %d and %v", statusOf(result), result.Err)
		}
	})
}

func TestTheTimeoutIsForEachAttempt(t *testing.T) {
	for _, clientTimeout := range []time.Duration{0, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			rt := &script{steps: []step{{takes: time.Hour, err: io.EOF, written: true}}}
			s := newTestSender(t, rt, func(c *Config) {
				c.Timeout, c.HTTPClient.Timeout = 5*time.Second, clientTimeout
			})
			want := 5 * time.Second
			if clientTimeout > 0 {
				want = clientTimeout
			}
			begin := time.Now()
			result := s.Send(t.Context(), readRequest())
			if took := time.Since(begin); took < 4*want || took > 4*want+7*testPolicy.MinWait {
				t.Errorf("four attempts of %v took %v", want, took)
			}
			if !errors.Is(result.Err, context.DeadlineExceeded) || !strings.Contains(result.Err.Error(), want.String()) {
				t.Errorf("error %v", result.Err)
			}
		})
	}
}

func TestTheErrorHasTheContextsErrorAndItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		rt := &script{steps: []step{{takes: time.Hour, err: io.EOF, written: true}}}
		result := newTestSender(t, rt, nil).Send(ctx, createRequest())
		if !errors.Is(result.Err, context.Canceled) || !errors.Is(result.Err, cause) || !result.MaybeSent {
			t.Errorf("error %v", result.Err)
		}
	})
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	rt := &script{steps: []step{respond(201)}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result := newTestSender(t, rt, nil).Send(ctx, createRequest())
	if len(rt.sent) != 0 || result.MaybeSent || !errors.Is(result.Err, context.Canceled) || result.Attempts != 0 {
		t.Errorf("sent %d times, %+v", len(rt.sent), result)
	}
	//nolint:staticcheck // a nil context is what is tested
	if result := newTestSender(t, rt, nil).Send(nil, createRequest()); result.Err == nil || result.MaybeSent {
		t.Errorf("a nil context: %+v", result)
	}
}

func TestARefusedConnectionIsRetried(t *testing.T) {
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

func TestAFailedLookupIsRetried(t *testing.T) {
	transport := newTransport(t)
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "customer.example.com", IsNotFound: true}
	}
	result := senderTo(t, "https://customer.example.com", &http.Client{Transport: transport}).Send(t.Context(), createRequest())
	if result.MaybeSent || result.Attempts != 4 {
		t.Errorf("%+v", result)
	}
}

func TestAFailedHandshakeIsRetried(t *testing.T) {
	root := connections(t, func(_ int, conn net.Conn) {
		readWhole(conn)
		conn.Write([]byte("not TLS\r\n"))
	})
	result := senderTo(t, strings.Replace(root, "http:", "https:", 1), &http.Client{Transport: newTransport(t)}).Send(t.Context(), createRequest())
	if result.MaybeSent || result.Attempts != 4 {
		t.Errorf("%+v", result)
	}
}

func TestACertificateThatIsNotTrustedIsNotRetried(t *testing.T) {
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

func TestAProxyThatRefusesTheTunnelIsRetried(t *testing.T) {
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

func TestWhatMayHaveArrivedIsNotRetried(t *testing.T) {
	tests := map[string]func(conn net.Conn){
		"closed":             func(conn net.Conn) { readWhole(conn) },
		"reset":              func(conn net.Conn) { readWhole(conn); conn.(*net.TCPConn).SetLinger(0) },
		"half a status line": func(conn net.Conn) { readWhole(conn); io.WriteString(conn, "HTTP/1.1 20") },
		"half a header":      func(conn net.Conn) { readWhole(conn); io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Le") },
		"not HTTP":           func(conn net.Conn) { readWhole(conn); io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n\r\n") },
		"only a 102":         func(conn net.Conn) { readWhole(conn); io.WriteString(conn, "HTTP/1.1 102 Processing\r\n\r\n") },
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

func TestTheJournalGetsEachAttempt(t *testing.T) {
	const sending0 = "sending until 00:00:30"
	tests := map[string]struct {
		steps []step
		want  []string
	}{
		"a success":             {[]step{respond(201)}, []string{sending0}},
		"refused, then created": {[]step{{err: errNeither, written: false}, respond(201)}, []string{sending0, "not sent", sending0}},
		"429, then lost":        {[]step{tooMany("2"), reset}, []string{sending0, "not sent", "sending until 00:00:32"}},
		"lost":                  {[]step{reset}, []string{sending0}},
		"rejected":              {[]step{respond(400)}, []string{sending0}},
	}
	for name, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			journal := &journalOf{}
			request := createRequest()
			request.Journal = journal
			s := newTestSender(t, &script{steps: tt.steps}, func(c *Config) { c.Policy.MinWait, c.Policy.MaxWait = 1, 1 })
			s.Send(t.Context(), request)
			if !slices.Equal(journal.calls, tt.want) {
				t.Errorf("%s: %q, want %q", name, journal.calls, tt.want)
			}
		})
	}
}

func TestAJournalThatFailsEndsTheAttemptsUnsent(t *testing.T) {
	journal := &journalOf{err: io.ErrClosedPipe}
	request := createRequest()
	request.Journal = journal
	rt := &script{steps: []step{respond(201)}}
	result := newTestSender(t, rt, nil).Send(t.Context(), request)
	if result.MaybeSent || result.Err != io.ErrClosedPipe || len(rt.sent) != 0 || result.Attempts != 0 || len(journal.calls) != 1 {
		t.Errorf("%+v, %q", result, journal.calls)
	}
}

// journalOf records the calls of a Journal.
type journalOf struct {
	calls []string
	err   error
}

func (j *journalOf) Sending(_ context.Context, permitEnd time.Time) error {
	j.calls = append(j.calls, "sending until "+permitEnd.UTC().Format("15:04:05"))
	return j.err
}

func (j *journalOf) NotSent(ctx context.Context) {
	if ctx.Err() == nil {
		j.calls = append(j.calls, "not sent")
	}
}
