package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// peer is an HTTP/2 server that counts requests and calls whole for each.
type peer struct {
	listener net.Listener
	url      string
	client   *http.Client
	// whole is called after a request has arrived with its body.
	whole func(framer *http2.Framer, stream uint32)
	// noWindow keeps the client from sending a body.
	noWindow bool

	mu      sync.Mutex
	headers int // requests that began
	wholes  int // requests that arrived with their body
	conns   []net.Conn
	closed  bool
}

func newPeer(t *testing.T, isTLS bool, whole func(framer *http2.Framer, stream uint32)) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Protocols: &http.Protocols{}}
	p := &peer{listener: listener, url: "http://" + listener.Addr().String(), whole: whole, client: &http.Client{Transport: transport}}
	if isTLS {
		certificates := httptest.NewTLSServer(nil)
		config := certificates.TLS.Clone()
		config.NextProtos = []string{"h2"}
		transport.TLSClientConfig = certificates.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		certificates.Close()
		p.listener, p.url = tls.NewListener(listener, config), "https://"+listener.Addr().String()
		transport.Protocols.SetHTTP2(true)
	} else {
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, conn)
			if p.closed {
				_ = conn.Close()
			}
			p.mu.Unlock()
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = p.listener.Close()
		p.mu.Lock()
		p.closed = true
		for _, conn := range p.conns {
			_ = conn.Close()
		}
		p.mu.Unlock()
		serving.Wait()
	})
	return p
}

func (p *peer) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	if _, err := io.CopyN(io.Discard, r, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, r)
	window := uint32(1 << 16)
	if p.noWindow {
		window = 0
	}
	_ = framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		ended := false
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			p.count(&p.headers)
			ended = f.StreamEnded()
		case *http2.DataFrame:
			ended = f.StreamEnded()
		}
		if ended {
			p.count(&p.wholes)
			p.whole(framer, frame.Header().StreamID)
		}
	}
}

func (p *peer) count(n *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*n++
}

func (p *peer) counts() (headers, wholes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.headers, p.wholes
}

var protocols = map[string]bool{"h2 by ALPN": true, "h2 without TLS": false}

var resets = map[string]func(framer *http2.Framer, stream uint32){
	"PROTOCOL_ERROR": func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeProtocol) },
	"REFUSED_STREAM": func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) },
	"INTERNAL_ERROR": func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeInternal) },
	"GOAWAY below":   func(f *http2.Framer, stream uint32) { _ = f.WriteGoAway(0, http2.ErrCodeNo, nil) },
	"GOAWAY with an error": func(f *http2.Framer, stream uint32) {
		_ = f.WriteGoAway(0, http2.ErrCodeProtocol, nil)
	},
}

func TestNoAttemptIsMoreThanOneRequestOverHTTP2(t *testing.T) {
	cancel := patchRequest()
	cancel.Body = nil
	requests := map[string]Request{
		"create": createRequest(), "a POST without a body": emptyPost(), "read": readRequest(), "PATCH": patchRequest(), "a PATCH without a body": cancel,
	}
	for protocol, isTLS := range protocols {
		for fault, reset := range resets {
			for name, request := range requests {
				t.Run(protocol+"/"+fault+"/"+name, func(t *testing.T) {
					t.Parallel()
					p := newPeer(t, isTLS, reset)
					result := peerSender(t, p.url, p.client).Send(t.Context(), request)
					if headers, _ := p.counts(); headers != result.Attempts || headers == 0 {
						t.Errorf("%d requests arrived in %d attempts", headers, result.Attempts)
					}
					if !request.Repeatable && (result.Attempts != 1 || !result.MaybeSent || !result.Undecided || result.CanRetry) {
						t.Errorf("%+v", result)
					}
				})
			}
		}
	}
}

func peerSender(t *testing.T, root string, client *http.Client) *Sender {
	t.Helper()
	return newTestSender(t, nil, func(c *Config) {
		c.Root, c.HTTPClient = root, client
		c.Policy = Policy{MaxAttempts: 3, MinWait: 1, MaxWait: 1, MaxRetryAfter: time.Second}
	})
}

func TestATransportAroundNetHTTPDoesNotSendTwiceOverHTTP2(t *testing.T) {
	for protocol, isTLS := range protocols {
		p := newPeer(t, isTLS, resets["REFUSED_STREAM"])
		around := roundTripper(p.client.Transport.RoundTrip)
		result := peerSender(t, p.url, &http.Client{Transport: around}).Send(t.Context(), createRequest())
		if headers, _ := p.counts(); headers != 1 || !result.Undecided {
			t.Errorf("%s: %d requests, %+v", protocol, headers, result)
		}
	}
}

// TestABodyThatIsHeldBackIsNotSentAfterTheAttempt has a flow-control window of 0, which
// holds back the body until the attempt times out.
func TestABodyThatIsHeldBackIsNotSentAfterTheAttempt(t *testing.T) {
	for protocol, isTLS := range protocols {
		p := newPeer(t, isTLS, resets["INTERNAL_ERROR"])
		p.noWindow = true
		s := peerSender(t, p.url, p.client)
		s.policy.MaxAttempts, s.timeout = 1, 100*time.Millisecond
		s.Send(t.Context(), readRequest()) // makes the connection and gets the window
		result := s.Send(t.Context(), createRequest())
		if headers, wholes := p.counts(); headers != 2 || wholes != 1 || !result.MaybeSent {
			t.Errorf("%s: %d requests, %d whole, %+v", protocol, headers, wholes, result)
		}
	}
}

func TestCanceledOverHTTP2BeforeAndAfterTheWrite(t *testing.T) {
	for protocol, isTLS := range protocols {
		for when, wantSent := range map[string]bool{"before": false, "after": true} {
			ctx, cancel := context.WithCancel(t.Context())
			p := newPeer(t, isTLS, func(*http2.Framer, uint32) { cancel() })
			if !wantSent {
				ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel() }})
			}
			result := peerSender(t, p.url, p.client).Send(ctx, createRequest())
			if headers, _ := p.counts(); result.MaybeSent != wantSent || result.Undecided != wantSent || headers > 1 {
				t.Errorf("%s, %s the write: %+v", protocol, when, result)
			}
			cancel()
		}
	}
}

// TestNothingIsSentAfterThePermit moves the clock past the permit between the turn and the
// first byte, like a process that is stopped there.
func TestNothingIsSentAfterThePermit(t *testing.T) {
	for _, protocol := range []string{"h1", "h2 by ALPN", "h2 without TLS"} {
		var url string
		var client *http.Client
		var wholes func() int
		if protocol == "h1" {
			server := newReceiver(t, false, nil)
			url, client = server.URL, server.Client()
			wholes = func() int { return int(server.wholes.Load()) }
		} else {
			p := newPeer(t, protocols[protocol], resets["INTERNAL_ERROR"])
			url, client = p.url, p.client
			wholes = func() int { _, n := p.counts(); return n }
		}
		var late atomic.Int64
		s := peerSender(t, url, client)
		s.policy.MaxAttempts = 1
		s.now = laterBy(&late)
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
			late.Store(int64(time.Hour))
		}})
		result := s.Send(ctx, createRequest())
		if result.MaybeSent || result.Undecided || !result.CanRetry || wholes() != 0 {
			t.Errorf("%s: %d arrived, %+v", protocol, wholes(), result)
		}
	}
}
