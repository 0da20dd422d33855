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

// This file is the double's own HTTP/2 server. The server of net/http chooses its frames
// by itself, but faults have to choose them: which stream is refused, with which code,
// and where a frame is truncated.

const (
	http2Window   = 65535 // the default of RFC 9113, for connections and streams
	http2MaxFrame = 16384
	// http2FrameHeader is the length of a frame's header.
	http2FrameHeader = 9
)

// http2Conn serves one connection.
type http2Conn struct {
	handler handler
	conn    *conn
	ctx     context.Context // ends with the connection
	framer  *http2.Framer   // read only by serve
	active  sync.WaitGroup  // streams that are being served

	writing sync.Mutex // held while a frame is encoded and written
	encoder *hpack.Encoder
	block   bytes.Buffer // what encoder writes to

	mu            sync.Mutex
	changed       *sync.Cond // signals that a window grew or a stream ended
	streams       map[uint32]*http2Stream
	window        int64 // how many bytes of response bodies may be sent
	initialWindow int64 // of a stream
}

// isHTTP2Preface reports whether a connection begins with the preface of HTTP/2. Read as
// HTTP/1, the preface is a request with the method PRI, which does not exist.
func isHTTP2Preface(first []byte) bool { return bytes.HasPrefix(first, []byte("PRI ")) }

// serveHTTP2 hijacks the connection of w from net/http, which has read the preface
// except its last six bytes, and serves the connection to its end.
func (h handler) serveHTTP2(w http.ResponseWriter, c *conn) {
	_, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.network.serving.Done()
	defer c.Close()
	if _, err := io.CopyN(io.Discard, buffered, int64(len(http2.ClientPreface)-len("PRI * HTTP/2.0\r\n\r\n"))); err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), connKey{}, c))
	served := &http2Conn{
		handler: h, conn: c, ctx: ctx, framer: http2.NewFramer(c, buffered),
		streams: map[uint32]*http2Stream{}, window: http2Window, initialWindow: http2Window,
	}
	served.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	served.encoder = hpack.NewEncoder(&served.block)
	served.encoder.SetMaxDynamicTableSize(0) // so that no header block depends on one that was truncated
	served.changed = sync.NewCond(&served.mu)
	served.write(func() error { return served.framer.WriteSettings() })
	served.serve()
	cancel()
	served.endAll()
	served.active.Wait()
}

func (c *http2Conn) serve() {
	for isOpen := true; isOpen; {
		frame, err := c.framer.ReadFrame()
		var malformed http2.StreamError
		switch {
		case errors.As(err, &malformed):
			c.write(func() error { return c.framer.WriteRSTStream(malformed.StreamID, malformed.Code) })
		case err != nil:
			return
		default:
			isOpen = c.handleFrame(frame)
		}
	}
}

// handleFrame reports whether the connection goes on.
func (c *http2Conn) handleFrame(frame http2.Frame) bool {
	id := frame.Header().StreamID
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			c.applySettings(f)
		}
	case *http2.MetaHeadersFrame:
		if c.stream(id) == nil && (!c.conn.allowRequest() || !c.open(f)) {
			return false
		}
		if f.StreamEnded() { // by trailers, too
			c.dispatch(id)
		}
	case *http2.DataFrame:
		c.receive(f)
		if f.StreamEnded() {
			c.dispatch(id)
		}
	case *http2.WindowUpdateFrame:
		c.growWindow(id, int64(f.Increment))
	case *http2.RSTStreamFrame:
		c.end(id)
	case *http2.PingFrame:
		if !f.IsAck() {
			c.write(func() error { return c.framer.WritePing(true, f.Data) })
		}
	}
	return true
}

func (c *http2Conn) applySettings(f *http2.SettingsFrame) {
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

// open begins a stream. It reports whether the request is well-formed.
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

// receive stores bytes of a request body, and lets the peer send as many more.
func (c *http2Conn) receive(f *http2.DataFrame) {
	if s := c.stream(f.StreamID); s != nil && !s.hasArrived && len(s.body) <= maxBody {
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

// dispatch serves a request that has arrived, or that breaks off.
func (c *http2Conn) dispatch(id uint32) {
	if s := c.stream(id); s != nil && !s.hasArrived {
		s.hasArrived = true
		c.active.Go(s.serve)
	}
}

func (c *http2Conn) growWindow(id uint32, by int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[id]; s != nil {
		s.window += by
	} else if id == 0 {
		c.window += by
	}
	c.changed.Broadcast()
}

// end ends a stream that the peer has reset. Its request counts as arrived, as over
// HTTP/1.
func (c *http2Conn) end(id uint32) {
	if s := c.stream(id); s != nil {
		s.end()
		c.dispatch(id)
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

// write writes frames. Errors are ignored: serve notices that the connection broke.
func (c *http2Conn) write(frames func() error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = frames()
}

// encode returns a response header in HPACK. The caller must hold writing.
func (c *http2Conn) encode(status int, header http.Header) []byte {
	c.block.Reset()
	_ = c.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(status)}) // never fails: it writes to memory
	for name, values := range header {
		for _, value := range values {
			_ = c.encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(name), Value: value})
		}
	}
	return c.block.Bytes()
}

// http2Stream is one request and the http.ResponseWriter of its response. Write does not
// buffer.
type http2Stream struct {
	conn    *http2Conn
	id      uint32
	request *http.Request
	cancel  context.CancelFunc
	header  http.Header // of the response

	// Used only by the goroutine that reads the connection.
	body       []byte
	hasArrived bool

	// Guarded by conn.mu.
	window int64
	ended  bool // no more frames may be written
}

func (s *http2Stream) serve() {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // net/http compares in the same way
			panic(p)
		}
		s.end()
		s.conn.mu.Lock()
		defer s.conn.mu.Unlock()
		delete(s.conn.streams, s.id)
	}()
	s.request.Body = io.NopCloser(bytes.NewReader(s.body))
	s.conn.handler.ServeHTTP(s, s.request)
	s.writeFrames(func() error { return s.conn.framer.WriteData(s.id, true, nil) })
}

// end forbids further frames of the stream.
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

// reserve waits until flow control permits part of a body, and returns how many of the
// wanted bytes may be written. It returns 0 if the stream has ended.
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

// headerFrame returns the first frame of a response.
func (s *http2Stream) headerFrame(res response) []byte {
	s.conn.writing.Lock()
	defer s.conn.writing.Unlock()
	block := s.conn.encode(res.status, res.fields())
	var frame bytes.Buffer
	param := http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block, EndHeaders: true}
	_ = http2.NewFramer(&frame, nil).WriteHeaders(param) // never fails: it writes to memory
	return frame.Bytes()
}

// reset ends the stream with a code. The connection stays open.
func (s *http2Stream) reset(code http2.ErrCode) {
	s.writeFrames(func() error { return s.conn.framer.WriteRSTStream(s.id, code) })
	s.end()
}

// goAway tells the client that this request and later ones were not processed.
func (s *http2Stream) goAway() {
	s.writeFrames(func() error { return s.conn.framer.WriteGoAway(s.id-1, http2.ErrCodeNo, nil) })
	s.end()
}
