package callstest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// A Fault is what goes wrong with one attempt of a client. Faults are values: they can
// be compared, printed and put into test tables. The zero Fault is Pass.
type Fault struct {
	name  string
	kind  faultKind
	inert bool // the operation is not carried out
	code  int
	text  string
}

// Faults before the request arrives.
var (
	// RefuseConnection makes the attempt dial a port that refuses connections. Only
	// HTTPClient does that: the fault, and those after it, wait for an attempt of
	// HTTPClient.
	RefuseConnection = Fault{name: "RefuseConnection", kind: refuseConnection, inert: true}
	// BreakHandshake closes the connection when the TLS handshake begins. It needs
	// WithTLS; a server without TLS reports it as unused.
	BreakHandshake = Fault{name: "BreakHandshake", kind: breakHandshake, inert: true}
	// HangUpBeforeRead closes the connection when the first bytes of the request
	// arrive, so that the client cannot know how many bytes arrived.
	HangUpBeforeRead = Fault{name: "HangUpBeforeRead", kind: hangUpBeforeRead, inert: true}
)

// Faults in place of the response. The whole request has arrived.
var (
	// HangUpAfterRead closes the connection.
	HangUpAfterRead = Fault{name: "HangUpAfterRead", kind: hangUp, inert: true}
	// HangUpAfterCreate carries the operation out and closes the connection without
	// sending a byte of the response.
	HangUpAfterCreate = Fault{name: "HangUpAfterCreate", kind: hangUp}
	// Reset resets the connection.
	Reset = Fault{name: "Reset", kind: reset, inert: true}
	// ResetAfterCreate carries the operation out and resets the connection.
	ResetAfterCreate = Fault{name: "ResetAfterCreate", kind: reset}
	// Stall sends nothing until the client gives up or the server is closed.
	Stall = Fault{name: "Stall", kind: stall, inert: true}
	// StallAfterCreate carries the operation out and then stalls.
	StallAfterCreate = Fault{name: "StallAfterCreate", kind: stall}
	// NotHTTP sends a line that is not HTTP and closes the connection.
	NotHTTP = Fault{name: "NotHTTP", kind: notHTTP, inert: true}
)

// Faults in place of the response that exist only in HTTP/2. The whole request has
// arrived. They need WithHTTP2; a server without HTTP/2 reports them as unused. If the
// request arrives over HTTP/1, the connection is closed instead.
var (
	// RefuseStream resets the stream with REFUSED_STREAM, which means that the request
	// was not processed.
	RefuseStream = Fault{name: "RefuseStream", kind: resetStream, inert: true, code: int(http2.ErrCodeRefusedStream)}
	// RefuseStreamAfterCreate carries the operation out and resets the stream with
	// REFUSED_STREAM, which is false.
	RefuseStreamAfterCreate = Fault{name: "RefuseStreamAfterCreate", kind: resetStream, code: int(http2.ErrCodeRefusedStream)}
	// GoAway sends a GOAWAY whose last stream is below the request's, which means that
	// the request was not processed.
	GoAway = Fault{name: "GoAway", kind: goAway, inert: true}
	// GoAwayAfterCreate carries the operation out and sends the same GOAWAY, which is
	// false.
	GoAwayAfterCreate = Fault{name: "GoAwayAfterCreate", kind: goAway}
)

// ResetStream resets the HTTP/2 stream with a code, such as http2.ErrCodeProtocol. It
// needs WithHTTP2, as RefuseStream does.
func ResetStream(code http2.ErrCode) Fault {
	return Fault{name: fmt.Sprintf("ResetStream(%d)", code), kind: resetStream, inert: true, code: int(code)}
}

// ResetStreamAfterCreate carries the operation out and resets the stream with a code.
func ResetStreamAfterCreate(code http2.ErrCode) Fault {
	return Fault{name: fmt.Sprintf("ResetStreamAfterCreate(%d)", code), kind: resetStream, code: int(code)}
}

// Faults of the response. The operation is carried out.
var (
	// CutStatusLine ends the response in the middle of its status line, or over HTTP/2
	// in the middle of its first frame's header.
	CutStatusLine = Fault{name: "CutStatusLine", kind: cutStatusLine}
	// CutHeaders ends the response in the middle of its header.
	CutHeaders = Fault{name: "CutHeaders", kind: cutHeaders}
	// CutBody sends the whole header and half of the body. A response without a body
	// announces one of a single byte.
	CutBody = Fault{name: "CutBody", kind: cutBody}
	// StallBody sends what CutBody sends, and then stalls.
	StallBody = Fault{name: "StallBody", kind: stallBody}
	// DripBody sends the whole response, its body byte by byte.
	DripBody = Fault{name: "DripBody", kind: dripBody}
	// HugeBody sends the response with a body of 64 MiB: spaces followed by the real
	// body, which is well-formed JSON for a client that reads it to its end.
	HugeBody = Fault{name: "HugeBody", kind: hugeBody}
)

// Status responds with the given status and a message. The request is not looked at.
func Status(code int) Fault {
	return Fault{name: fmt.Sprintf("Status(%d)", code), kind: statusCode, inert: true, code: code}
}

// StatusAfterCreate carries the operation out and responds with the given status and a
// message.
func StatusAfterCreate(code int) Fault {
	return Fault{name: fmt.Sprintf("StatusAfterCreate(%d)", code), kind: statusCode, code: code}
}

// RateLimited responds with 429. The header Retry-After has the given value, and is
// absent if the value is empty.
func RateLimited(retryAfter string) Fault {
	return Fault{name: fmt.Sprintf("RateLimited(%q)", retryAfter), kind: rateLimited, inert: true, text: retryAfter}
}

// Redirect responds with a redirect to location. The code must be a 3xx.
func Redirect(code int, location string) Fault {
	return Fault{name: fmt.Sprintf("Redirect(%d, %q)", code, location), kind: redirect, inert: true, code: code, text: location}
}

// Attempts that get the normal response.
var (
	// CloseIdle breaks the idle connections of HTTPClient that the attempt would use.
	// The client learns that when it writes to one of them, before a byte of the request
	// is sent. Over HTTP/2 the idle connection is closed before the attempt. Other
	// clients have no idle connections.
	CloseIdle = Fault{name: "CloseIdle", kind: closeIdle}
	// Pass is no fault. It lets one attempt through between faults.
	Pass = Fault{}
)

// Acts reports whether the double carries the operation out in spite of the fault.
func (f Fault) Acts() bool { return !f.inert }

// String returns the fault as it is written in Go, without the package name.
func (f Fault) String() string {
	if f.name == "" {
		return "Pass"
	}
	return f.name
}

// problem returns the reason why a server cannot carry the fault out, or "" if it can.
func (f Fault) problem(c *config) string {
	switch {
	case f.kind == breakHandshake && !c.tls:
		return "needs a server with TLS"
	case (f.kind == resetStream || f.kind == goAway) && !c.http2:
		return "needs a server with HTTP/2"
	case f.kind == statusCode && (f.code < 200 || f.code > 999):
		return "is not the status of a response"
	case f.kind == redirect && (f.code < 300 || f.code > 399):
		return "is not the status of a redirect"
	}
	return ""
}

// isServed reports whether the attempt gets the normal response.
func (f Fault) isServed() bool { return f.kind == pass || f.kind == closeIdle }

// isResponse reports whether the fault is itself a complete response.
func (f Fault) isResponse() bool {
	return f.kind == statusCode || f.kind == rateLimited || f.kind == redirect
}

// response returns the response that a fault is. See isResponse.
func (f Fault) response() response {
	switch f.kind {
	case rateLimited:
		res := respondStatus(http.StatusTooManyRequests)
		if f.text != "" {
			res.header = http.Header{"Retry-After": {f.text}}
		}
		return res
	case redirect:
		res := respondStatus(f.code)
		res.header = http.Header{"Location": {f.text}}
		return res
	}
	return respondStatus(f.code)
}

type faultKind int

const (
	pass faultKind = iota
	refuseConnection
	breakHandshake
	hangUpBeforeRead
	hangUp
	reset
	stall
	notHTTP
	resetStream
	goAway
	cutStatusLine
	cutHeaders
	cutBody
	stallBody
	dripBody
	hugeBody
	closeIdle
	statusCode
	rateLimited
	redirect
)

// faultQueue holds the faults of the attempts to come. Each fault is taken once. It is
// safe for concurrent use.
type faultQueue struct {
	mu         sync.Mutex
	faults     []Fault
	impossible []string // faults that the server cannot carry out, with the reasons
}

func (q *faultQueue) add(faults []Fault, c *config) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, f := range faults {
		if problem := f.problem(c); problem != "" {
			q.impossible = append(q.impossible, f.String()+": "+problem)
			continue
		}
		q.faults = append(q.faults, f)
	}
}

// next takes the next fault. It returns Pass if there is none.
func (q *faultQueue) next() Fault {
	return q.nextIf(func(faultKind) bool { return true })
}

// nextIf takes the next fault if it is wanted. Otherwise it returns Pass.
func (q *faultQueue) nextIf(isWanted func(faultKind) bool) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.faults) == 0 || !isWanted(q.faults[0].kind) {
		return Pass
	}
	f := q.faults[0]
	q.faults = q.faults[1:]
	return f
}

func (q *faultQueue) unused() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var names []string
	for _, f := range q.faults {
		names = append(names, f.String())
	}
	return append(names, q.impossible...)
}

const (
	maxBody   = 1 << 20  // of a request
	hugeSize  = 64 << 20 // of the body that HugeBody sends
	dripPause = 20 * time.Microsecond
)

// responder sends one response to the client, with its fault.
type responder struct {
	w       http.ResponseWriter
	r       *http.Request
	conn    *conn
	stream  *http2Stream // nil over HTTP/1
	fault   Fault
	closing <-chan struct{} // closed when Server.Close begins
}

func (s *responder) send(res response) {
	switch s.fault.kind {
	case hangUp:
		s.abort()
	case reset:
		s.conn.reset()
		s.abort()
	case stall:
		s.stall()
	case notHTTP:
		s.sendRaw([]byte("this is not HTTP\r\n"))
	case resetStream, goAway:
		s.abandonStream()
	case cutStatusLine:
		head, line := s.encodeHeader(res)
		s.sendRaw(head[:line/2])
	case cutHeaders:
		head, line := s.encodeHeader(res)
		s.sendRaw(head[:(line+len(head))/2])
	case cutBody:
		s.sendHalf(res)
		s.abort()
	case stallBody:
		s.sendHalf(res)
		s.stall()
	case dripBody:
		s.drip(res)
	case hugeBody:
		s.sendHuge(res)
	case statusCode, rateLimited, redirect:
		s.sendWhole(s.fault.response())
	default:
		s.sendWhole(res)
	}
}

// abort ends the handler and the connection. Bytes that were not flushed are not sent.
func (s *responder) abort() {
	s.conn.hangUp()
	panic(http.ErrAbortHandler)
}

// stall waits until the client gives up or the server is closed.
func (s *responder) stall() {
	select {
	case <-s.r.Context().Done():
	case <-s.closing:
	}
	if s.stream != nil { // the connection may have other streams
		panic(http.ErrAbortHandler)
	}
	s.abort()
}

// abandonStream ends the stream, and leaves the connection to its other streams.
func (s *responder) abandonStream() {
	switch {
	case s.stream == nil:
		s.abort()
	case s.fault.kind == goAway:
		s.stream.goAway()
	default:
		s.stream.reset(http2.ErrCode(s.fault.code))
	}
}

// encodeHeader returns the header of a response as it is sent, and the length of its
// status line, or over HTTP/2 of its frame header.
func (s *responder) encodeHeader(res response) (head []byte, line int) {
	if s.stream != nil {
		return s.stream.headerFrame(res), http2FrameHeader
	}
	head, _, _ = bytes.Cut(res.wire(), []byte("\r\n\r\n"))
	return head, bytes.IndexByte(head, '\n')
}

// sendRaw writes to the connection below net/http, which has written nothing so far.
func (s *responder) sendRaw(raw []byte) {
	_, _ = s.conn.Write(raw)
	s.abort()
}

func (s *responder) sendWhole(res response) {
	s.sendHeader(res, len(res.body))
	_, _ = s.w.Write(res.body)
}

func (s *responder) sendHeader(res response, length int) {
	h := s.w.Header()
	maps.Copy(h, res.fields())
	h.Set("Content-Length", strconv.Itoa(length))
	if !s.conn.isOurs && s.stream == nil {
		h.Set("Connection", "close")
	}
	s.w.WriteHeader(res.status)
}

func (s *responder) sendHalf(res response) {
	s.sendHeader(res, max(1, len(res.body)))
	_, _ = s.w.Write(res.body[:len(res.body)/2])
	s.flush()
}

func (s *responder) drip(res response) {
	s.sendHeader(res, len(res.body))
	pause := time.NewTicker(dripPause)
	defer pause.Stop()
	for i := range res.body {
		if _, err := s.w.Write(res.body[i : i+1]); err != nil {
			return
		}
		s.flush()
		select {
		case <-pause.C:
		case <-s.closing:
			return
		}
	}
}

func (s *responder) sendHuge(res response) {
	s.sendHeader(res, hugeSize)
	spaces := bytes.Repeat([]byte(" "), 64<<10)
	for left := hugeSize - len(res.body); left > 0; left -= len(spaces) {
		if _, err := s.w.Write(spaces[:min(left, len(spaces))]); err != nil {
			return
		}
	}
	_, _ = s.w.Write(res.body)
}

func (s *responder) flush() { _ = http.NewResponseController(s.w).Flush() }
