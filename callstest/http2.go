package callstest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// This file is the double's own server of HTTP/2. The one of net/http chooses its
// frames by itself, and the double has to choose them: which stream is refused,
// with which code, and where a frame is cut.

const (
	http2Window   = 65535 // until a peer says otherwise
	http2MaxFrame = 16384
	// http2FrameHead is the length of what each frame begins with.
	http2FrameHead = 9
)

// http2Conn serves one connection.
type http2Conn struct {
	front  front
	conn   *conn
	ctx    context.Context // ends with the connection
	framer *http2.Framer   // read by serve alone
	active sync.WaitGroup  // streams that are being served

	writing sync.Mutex // held while a frame is encoded and written
	encoder *hpack.Encoder
	block   bytes.Buffer // what encoder writes to

	mu            sync.Mutex
	changed       *sync.Cond // a window grew, or a stream ended
	streams       map[uint32]*http2Stream
	window        int64 // how many bytes of bodies may be written
	initialWindow int64 // of a stream
}

// isHTTP2Preface reports whether a connection begins as one of HTTP/2 does. In
// HTTP/1 it is a request with a method that does not exist.
func isHTTP2Preface(first []byte) bool { return bytes.HasPrefix(first, []byte("PRI ")) }

// serveHTTP2 takes the connection of w from net/http, which has read the preface up
// to its last six bytes, and serves it to its end.
func (f front) serveHTTP2(w http.ResponseWriter, c *conn) {
	_, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.network.open.Done()
	defer c.Close()
	if _, err := io.CopyN(io.Discard, buffered, int64(len(http2.ClientPreface)-len("PRI * HTTP/2.0\r\n\r\n"))); err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), connKey{}, c))
	h := &http2Conn{
		front: f, conn: c, ctx: ctx, framer: http2.NewFramer(c, buffered),
		streams: map[uint32]*http2Stream{}, window: http2Window, initialWindow: http2Window,
	}
	h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	h.encoder = hpack.NewEncoder(&h.block)
	h.encoder.SetMaxDynamicTableSize(0) // so that no block depends on one that was cut
	h.changed = sync.NewCond(&h.mu)
	h.write(func() error { return h.framer.WriteSettings() })
	h.serve()
	cancel()
	h.endAll()
	h.active.Wait()
}

func (c *http2Conn) serve() {
	for goesOn := true; goesOn; {
		frame, err := c.framer.ReadFrame()
		var malformed http2.StreamError
		switch {
		case errors.As(err, &malformed):
			c.write(func() error { return c.framer.WriteRSTStream(malformed.StreamID, malformed.Code) })
		case err != nil:
			return
		default:
			goesOn = c.take(frame)
		}
	}
}

// take acts on a frame. It reports false if the connection is to be hung up.
func (c *http2Conn) take(frame http2.Frame) bool {
	id := frame.Header().StreamID
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			c.configure(f)
		}
	case *http2.MetaHeadersFrame:
		if c.stream(id) == nil && (!c.conn.admitRequest() || !c.open(f)) {
			return false
		}
		if f.StreamEnded() { // also that of trailers
			c.arrive(id)
		}
	case *http2.DataFrame:
		c.receive(f)
		if f.StreamEnded() {
			c.arrive(id)
		}
	case *http2.WindowUpdateFrame:
		c.grow(id, int64(f.Increment))
	case *http2.RSTStreamFrame:
		c.end(id)
	case *http2.PingFrame:
		if !f.IsAck() {
			c.write(func() error { return c.framer.WritePing(true, f.Data) })
		}
	}
	return true
}

func (c *http2Conn) configure(f *http2.SettingsFrame) {
	if window, ok := f.Value(http2.SettingInitialWindowSize); ok {
		c.mu.Lock()
		grown := int64(window) - c.initialWindow
		c.initialWindow += grown
		for _, s := range c.streams {
			s.window += grown
		}
		c.changed.Broadcast()
		c.mu.Unlock()
	}
	c.write(c.framer.WriteSettingsAck)
}

func (c *http2Conn) stream(id uint32) *http2Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams[id]
}

// open begins a stream. It reports false for a request that is not one.
func (c *http2Conn) open(f *http2.MetaHeadersFrame) bool {
	target, err := url.ParseRequestURI(f.PseudoValue("path"))
	if err != nil {
		return false
	}
	header := http.Header{}
	for _, field := range f.RegularFields() {
		header.Add(field.Name, field.Value)
	}
	ctx, cancel := context.WithCancel(c.ctx)
	r := &http.Request{
		Method: f.PseudoValue("method"), URL: target, Host: f.PseudoValue("authority"), Header: header,
		Proto: "HTTP/2.0", ProtoMajor: 2, RemoteAddr: c.conn.RemoteAddr().String(),
	}
	s := &http2Stream{conn: c, id: f.StreamID, request: r.WithContext(ctx), cancel: cancel, header: http.Header{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.window = c.initialWindow
	c.streams[s.id] = s
	return true
}

// receive keeps the bytes of a body, and lets the peer send as many more.
func (c *http2Conn) receive(f *http2.DataFrame) {
	if s := c.stream(f.StreamID); s != nil && !s.arrived && len(s.body) <= maxBody {
		s.body = append(s.body, f.Data()...)
	}
	if f.Length == 0 {
		return
	}
	c.write(func() error { return c.framer.WriteWindowUpdate(0, f.Length) })
	if !f.StreamEnded() {
		c.write(func() error { return c.framer.WriteWindowUpdate(f.StreamID, f.Length) })
	}
}

// arrive has a request served whose end was read, or that will have no more.
func (c *http2Conn) arrive(id uint32) {
	if s := c.stream(id); s != nil && !s.arrived {
		s.arrived = true
		c.active.Go(s.serve)
	}
}

func (c *http2Conn) grow(id uint32, by int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[id]; s != nil {
		s.window += by
	} else if id == 0 {
		c.window += by
	}
	c.changed.Broadcast()
}

// end ends a stream that the peer has left. What has arrived of its request has
// arrived all the same, as over HTTP/1.
func (c *http2Conn) end(id uint32) {
	if s := c.stream(id); s != nil {
		s.end()
		c.arrive(id)
	}
}

func (c *http2Conn) endAll() {
	c.mu.Lock()
	ids := slices.Collect(maps.Keys(c.streams))
	c.mu.Unlock()
	for _, id := range ids {
		c.end(id)
	}
}

// write writes frames. A connection that cannot be written to ends in serve.
func (c *http2Conn) write(frames func() error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = frames()
}

// encode returns the header of a response as HPACK has it. It is called while
// writing is held.
func (c *http2Conn) encode(status int, header http.Header) []byte {
	c.block.Reset()
	_ = c.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(status)}) // to memory
	for name, values := range header {
		for _, value := range values {
			_ = c.encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(name), Value: value})
		}
	}
	return c.block.Bytes()
}

// http2Stream is one request, and the ResponseWriter of its response, each Write
// of which is on the wire when it returns.
type http2Stream struct {
	conn    *http2Conn
	id      uint32
	request *http.Request
	cancel  context.CancelFunc
	header  http.Header // of the response

	// Of the goroutine that reads the connection.
	body    []byte
	arrived bool

	// Guarded by conn.mu.
	window int64
	ended  bool // no frame of it may be written any more
}

func (s *http2Stream) serve() {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // net/http compares like this too
			panic(p)
		}
		s.end()
		s.conn.mu.Lock()
		defer s.conn.mu.Unlock()
		delete(s.conn.streams, s.id)
	}()
	s.request.Body = io.NopCloser(bytes.NewReader(s.body))
	s.conn.front.ServeHTTP(s, s.request)
	s.writeFrames(func() error { return s.conn.framer.WriteData(s.id, true, nil) })
}

// end makes this the last of the stream's frames.
func (s *http2Stream) end() {
	s.cancel()
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.ended = true
	s.conn.changed.Broadcast()
}

func (s *http2Stream) isEnded() bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.ended
}

func (s *http2Stream) writeFrames(frames func() error) {
	if !s.isEnded() {
		s.conn.write(frames)
	}
}

func (s *http2Stream) Header() http.Header { return s.header }

func (s *http2Stream) WriteHeader(status int) {
	s.writeFrames(func() error {
		block := s.conn.encode(status, s.header)
		return s.conn.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block, EndHeaders: true})
	})
}

func (s *http2Stream) Write(p []byte) (int, error) {
	for written := 0; ; {
		if written == len(p) {
			return written, nil
		}
		n := s.reserve(len(p) - written)
		if n == 0 {
			return written, http.ErrAbortHandler
		}
		s.writeFrames(func() error { return s.conn.framer.WriteData(s.id, false, p[written:written+n]) })
		written += n
	}
}

// reserve waits until the peer takes bytes of the body, and returns how many of
// those that are wanted. It returns 0 once the stream has ended.
func (s *http2Stream) reserve(wanted int) int {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for min(s.window, c.window) <= 0 && !s.ended {
		c.changed.Wait()
	}
	if s.ended {
		return 0
	}
	n := min(int64(wanted), http2MaxFrame, s.window, c.window)
	s.window -= n
	c.window -= n
	return int(n)
}

// headFrame returns the frame that a response begins with.
func (s *http2Stream) headFrame(a answer) []byte {
	s.conn.writing.Lock()
	defer s.conn.writing.Unlock()
	block := s.conn.encode(a.status, a.fields())
	var frame bytes.Buffer
	param := http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block, EndHeaders: true}
	_ = http2.NewFramer(&frame, nil).WriteHeaders(param) // to memory
	return frame.Bytes()
}

// reset ends the stream with a code and leaves the connection alone.
func (s *http2Stream) reset(code http2.ErrCode) {
	s.writeFrames(func() error { return s.conn.framer.WriteRSTStream(s.id, code) })
	s.end()
}

// goAway says that the request, and what comes after it, was not looked at.
func (s *http2Stream) goAway() {
	s.writeFrames(func() error { return s.conn.framer.WriteGoAway(s.id-1, http2.ErrCodeNo, nil) })
	s.end()
}
