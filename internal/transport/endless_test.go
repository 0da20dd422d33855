package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// These tests are about responses that have no end, or promise more than they send.

func TestASwitchOfProtocolsEndsTheAttempt(t *testing.T) {
	stay := make(chan struct{})
	defer close(stay)
	root := connections(t, func(_ int, conn net.Conn) {
		readHead(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		<-stay
	})
	transport := newTransport(t)
	for name, rt := range map[string]http.RoundTripper{"net/http": transport, "around it": roundTripper(transport.RoundTrip)} {
		result := senderTo(t, root, &http.Client{Transport: rt}).Send(t.Context(), createRequest())
		if !errors.Is(result.Err, errSwitched) || result.Response != nil || !result.Undecided || result.Attempts != 1 {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// TestABodyWithoutAnEndEndsWithTheAttempt sends one byte after another, for ever.
func TestABodyWithoutAnEndEndsWithTheAttempt(t *testing.T) {
	for _, head := range []string{
		"HTTP/1.1 201 Created\r\nContent-Length: 10000000\r\n\r\n{", "HTTP/1.1 400 Bad Request\r\nContent-Length: 10000000\r\n\r\n{", "HTTP/1.1 201 Created\r\n\r\n{",
	} {
		root := connections(t, func(_ int, conn net.Conn) {
			readHead(conn)
			for _, err := io.WriteString(conn, head); err == nil; time.Sleep(time.Millisecond) {
				_, err = io.WriteString(conn, " ")
			}
		})
		result := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) { c.Timeout = 200 * time.Millisecond }).Send(t.Context(), createRequest())
		if result.Response == nil || !errors.Is(result.Response.Truncated, context.DeadlineExceeded) || result.Attempts != 1 {
			t.Errorf("%q: %+v", head, result)
		}
	}
}

// deaf is a body that does not follow the context, and returns nothing until it is
// closed. It cannot be compared.
type deaf struct {
	io.ReadCloser
	isRead func()
}

func newDeaf(isRead func()) io.ReadCloser {
	silence, _ := io.Pipe()
	return deaf{silence, isRead}
}

func (d deaf) Read(p []byte) (int, error) {
	d.isRead()
	return d.ReadCloser.Read(p)
}

// TestABodyThatIsNotOfNetHTTPEndsWithTheAttempt has a middleware, or a protocol of the
// caller's transport, put another body in the place of net/http's.
func TestABodyThatIsNotOfNetHTTPEndsWithTheAttempt(t *testing.T) {
	root := connections(t, func(_ int, conn net.Conn) {
		readHead(conn)
		_, _ = io.WriteString(conn, created)
	})
	replacing := func(body io.ReadCloser) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				response, err := next.RoundTrip(r)
				if err == nil {
					_ = response.Body.Close()
					response.Body = body
				}
				return response, err
			})
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	protocol := newTransport(t)
	protocol.RegisterProtocol("http", replacing(newDeaf(func() { cancel() }))(newTransport(t)))
	for name, tt := range map[string]struct {
		transport  http.RoundTripper
		middleware []func(http.RoundTripper) http.RoundTripper
	}{
		"a middleware's":               {newTransport(t), []func(http.RoundTripper) http.RoundTripper{replacing(newDeaf(func() { cancel() }))}},
		"a middleware's, with a limit": {newTransport(t), []func(http.RoundTripper) http.RoundTripper{replacing(http.MaxBytesReader(nil, newDeaf(func() { cancel() }), 1<<20))}},
		"a registered protocol's":      {protocol, nil},
		"the caller's transport's":     {replacing(newDeaf(func() { cancel() }))(newTransport(t)), nil},
	} {
		ctx, cancel = context.WithCancel(t.Context())
		s := senderTo(t, root, &http.Client{Transport: tt.transport}, func(c *Config) { c.Middleware = tt.middleware })
		done := make(chan Result, 1)
		go func() { done <- s.Send(ctx, createRequest()) }()
		select {
		case result := <-done:
			if statusOf(result) != 201 || result.Response.Truncated == nil {
				t.Errorf("%s: %+v", name, result)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: it hangs", name)
		}
		cancel()
	}
}

// TestABodyThatIsFastAndEndlessIsReadUpToTheLimit has a server that writes as fast as
// it can.
func TestABodyThatIsFastAndEndlessIsReadUpToTheLimit(t *testing.T) {
	spaces := strings.Repeat(" ", 64<<10)
	for status, want := range map[int]int{200: maxBody, 201: maxBody, 400: maxErrorBody, 502: maxErrorBody} {
		root := connections(t, func(_ int, conn net.Conn) {
			readHead(conn)
			for _, err := fmt.Fprintf(conn, "HTTP/1.1 %d \r\n\r\n", status); err == nil; {
				_, err = io.WriteString(conn, spaces)
			}
		})
		result := senderTo(t, root, &http.Client{Transport: newTransport(t)}).Send(t.Context(), createRequest())
		if result.Response == nil || len(result.Response.Body) != want || cap(result.Response.Body) > 4*want || result.Attempts != 1 {
			t.Errorf("%d: %d bytes of %d, %d attempts", status, len(result.Response.Body), cap(result.Response.Body), result.Attempts)
		}
	}
}

// TestALengthThatIsPromisedTakesNoMemory has 100 responses promise 10 MB each and send
// nothing.
func TestALengthThatIsPromisedTakesNoMemory(t *testing.T) {
	const requests, each = 100, 128 << 10 // 64 KiB of each, and both ends of its connection
	stay := make(chan struct{})
	defer close(stay)
	root := connections(t, func(_ int, conn net.Conn) {
		readHead(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 10000000\r\n\r\n")
		<-stay
	})
	var reading, ended sync.WaitGroup
	reading.Add(requests)
	noticing := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if err == nil {
				response.Body = &noticed{ReadCloser: response.Body, reading: sync.OnceFunc(reading.Done)}
			}
			return response, err
		})
	}
	s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) {
		c.Timeout = time.Hour
		c.Middleware = append(c.Middleware, noticing)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := heap()
	for range requests {
		ended.Go(func() { s.Send(ctx, createRequest()) })
	}
	reading.Wait()
	if grown := heap() - before; grown > requests*each {
		t.Errorf("%d responses hold %d KiB each", requests, grown/requests>>10)
	}
	cancel()
	ended.Wait()
}

// noticed is a body that says when it is read.
type noticed struct {
	io.ReadCloser
	reading func()
}

func (b *noticed) Read(p []byte) (int, error) {
	b.reading()
	return b.ReadCloser.Read(p)
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
