package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestATruncatedResponseIsKept(t *testing.T) {
	const head = "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":"
	stay := make(chan struct{})
	defer close(stay)
	tests := map[string]struct {
		rest func(conn net.Conn)
		err  error
	}{
		"closed":    {func(net.Conn) {}, io.ErrUnexpectedEOF},
		"timed out": {func(net.Conn) { <-stay }, context.DeadlineExceeded},
		"reset": {func(conn net.Conn) {
			time.Sleep(50 * time.Millisecond) // a reset can overtake what was written before it
			conn.(*net.TCPConn).SetLinger(0)
		}, syscall.ECONNRESET},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := connections(t, func(_ int, conn net.Conn) {
				readWhole(conn)
				io.WriteString(conn, head)
				tt.rest(conn)
			})
			s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) { c.Timeout = 300 * time.Millisecond })
			result := s.Send(t.Context(), createRequest())
			if statusOf(result) != 201 || !result.Responded || result.Err != nil || result.Attempts != 1 {
				t.Fatalf("%+v", result)
			}
			if !errors.Is(result.Response.Truncated, tt.err) || string(result.Response.Body) != `{"id":` {
				t.Errorf("truncated: %v after %q", result.Response.Truncated, result.Response.Body)
			}
		})
	}
}

func TestBodiesAreReadUpToALimit(t *testing.T) {
	tests := []struct {
		name          string
		status, bytes int
		kept          int
		err           error
	}{
		{"the largest response", 200, maxBody, maxBody, nil},
		{"a larger response", 200, maxBody + 1, maxBody, ErrTooLarge},
		{"the largest error", 400, maxErrorBody, maxErrorBody, nil},
		{"a larger error", 400, maxErrorBody + 1, maxErrorBody, nil},
		{"a larger 3xx", 302, 1 << 20, maxErrorBody, nil},
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
				if result.Response == nil || len(result.Response.Body) != tt.kept || !errors.Is(result.Response.Truncated, tt.err) {
					t.Errorf("%v", result.Err)
				}
			})
		}
	}
}

func TestASwitchOfProtocolsEndsTheAttempt(t *testing.T) {
	stay := make(chan struct{})
	defer close(stay)
	root := connections(t, func(_ int, conn net.Conn) {
		readWhole(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		<-stay
	})
	transport := newTransport(t)
	for name, rt := range map[string]http.RoundTripper{"net/http": transport, "around net/http": roundTripper(transport.RoundTrip)} {
		result := senderTo(t, root, &http.Client{Transport: rt}).Send(t.Context(), createRequest())
		if !errors.Is(result.Err, errSwitched) || result.Response != nil || !result.Undecided || result.Attempts != 1 {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// TestAnEndlessBodyEndsWithTheAttempt has a server that sends one byte after another.
func TestAnEndlessBodyEndsWithTheAttempt(t *testing.T) {
	for _, head := range []string{
		"HTTP/1.1 201 Created\r\nContent-Length: 10000000\r\n\r\n{", "HTTP/1.1 400 Bad Request\r\nContent-Length: 10000000\r\n\r\n{", "HTTP/1.1 201 Created\r\n\r\n{",
	} {
		root := connections(t, func(_ int, conn net.Conn) {
			readWhole(conn)
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

// TestAReplacedBodyEndsWithTheAttempt has a middleware, or a protocol of the caller's
// transport, replace the body.
func TestAReplacedBodyEndsWithTheAttempt(t *testing.T) {
	root := connections(t, func(_ int, conn net.Conn) {
		readWhole(conn)
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
	protocol.RegisterProtocol("http", replacing(newStalled(func() { cancel() }))(newTransport(t)))
	for name, tt := range map[string]struct {
		transport  http.RoundTripper
		middleware []func(http.RoundTripper) http.RoundTripper
	}{
		"a middleware's":               {newTransport(t), []func(http.RoundTripper) http.RoundTripper{replacing(newStalled(func() { cancel() }))}},
		"a middleware's, with a limit": {newTransport(t), []func(http.RoundTripper) http.RoundTripper{replacing(http.MaxBytesReader(nil, newStalled(func() { cancel() }), 1<<20))}},
		"a registered protocol's":      {protocol, nil},
		"the caller's transport's":     {replacing(newStalled(func() { cancel() }))(newTransport(t)), nil},
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
			t.Errorf("%s: no result after a minute", name)
		}
		cancel()
	}
}

// stalled is a body that ignores the context and blocks until it is closed. It is not
// comparable.
type stalled struct {
	io.ReadCloser
	isRead func()
}

func (s stalled) Read(p []byte) (int, error) {
	s.isRead()
	return s.ReadCloser.Read(p)
}

func newStalled(isRead func()) io.ReadCloser {
	blocked, _ := io.Pipe()
	return stalled{blocked, isRead}
}

// TestAnEndlessBodyIsReadUpToTheLimit has a server that writes as fast as it can.
func TestAnEndlessBodyIsReadUpToTheLimit(t *testing.T) {
	spaces := strings.Repeat(" ", 64<<10)
	for status, want := range map[int]int{200: maxBody, 201: maxBody, 400: maxErrorBody, 502: maxErrorBody} {
		root := connections(t, func(_ int, conn net.Conn) {
			readWhole(conn)
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

// TestContentLengthTakesNoMemory has 100 responses with a Content-Length of 10 MB and no
// body.
func TestContentLengthTakesNoMemory(t *testing.T) {
	const requests, each = 100, 128 << 10 // 64 KiB of each, and both ends of its connection
	stay := make(chan struct{})
	defer close(stay)
	root := connections(t, func(_ int, conn net.Conn) {
		readWhole(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 10000000\r\n\r\n")
		<-stay
	})
	var reading, ended sync.WaitGroup
	reading.Add(requests)
	notifying := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if err == nil {
				response.Body = &notifyingBody{ReadCloser: response.Body, reading: sync.OnceFunc(reading.Done)}
			}
			return response, err
		})
	}
	s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) {
		c.Timeout = time.Hour
		c.Middleware = append(c.Middleware, notifying)
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

// notifyingBody is a body that calls reading before each Read.
type notifyingBody struct {
	io.ReadCloser
	reading func()
}

func (b *notifyingBody) Read(p []byte) (int, error) {
	b.reading()
	return b.ReadCloser.Read(p)
}

// heap returns the bytes in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// idle is a body that returns nothing, not even an error.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestABodyThatNeverReturnsAByteIsTruncated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status, attempts := range map[int]int{201: 1, 200: 4} {
			request := createRequest()
			if status == 200 {
				request = readRequest()
			}
			result := newTestSender(t, &script{steps: []step{{status: status, body: idle{}}}}, nil).Send(t.Context(), request)
			if statusOf(result) != status || result.Response.Truncated != io.ErrNoProgress || result.Attempts != attempts {
				t.Errorf("%d: %+v", status, result)
			}
		}
	})
}
