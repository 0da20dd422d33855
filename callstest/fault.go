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

// A Fault is what goes wrong with one attempt of a client. Faults are values:
// they can be compared, printed and put into the tables of tests. The zero
// Fault is Pass.
type Fault struct {
	name  string
	kind  faultKind
	inert bool // the operation is not carried out
	code  int
	text  string
}

// Faults of the connection. The request never arrives.
var (
	// RefuseConnection makes the attempt dial a port that nobody listens on.
	// Only HTTPClient does that: it waits, and what is scripted after it, for an
	// attempt of that client.
	RefuseConnection = Fault{name: "RefuseConnection", kind: refuseConnection, inert: true}
	// BreakHandshake closes the connection when the TLS handshake begins. It
	// needs WithTLS: a server without leaves it unused, and says why.
	BreakHandshake = Fault{name: "BreakHandshake", kind: breakHandshake, inert: true}
	// HangUpBeforeRead closes the connection when the first bytes of the request
	// arrive, so that the client cannot know how many did.
	HangUpBeforeRead = Fault{name: "HangUpBeforeRead", kind: hangUpBeforeRead, inert: true}
)

// Faults in place of the answer. The request has arrived as a whole.
var (
	// HangUpAfterRead closes the connection.
	HangUpAfterRead = Fault{name: "HangUpAfterRead", kind: hangUp, inert: true}
	// HangUpAfterCreate carries the operation out and closes the connection
	// without a byte of the answer.
	HangUpAfterCreate = Fault{name: "HangUpAfterCreate", kind: hangUp}
	// Reset resets the connection.
	Reset = Fault{name: "Reset", kind: reset, inert: true}
	// ResetAfterCreate carries the operation out and resets the connection.
	ResetAfterCreate = Fault{name: "ResetAfterCreate", kind: reset}
	// Stall says nothing until the client goes away or the server is closed.
	Stall = Fault{name: "Stall", kind: stall, inert: true}
	// StallAfterCreate carries the operation out and then stalls.
	StallAfterCreate = Fault{name: "StallAfterCreate", kind: stall}
	// NotHTTP answers a line that is not HTTP and closes the connection.
	NotHTTP = Fault{name: "NotHTTP", kind: notHTTP, inert: true}
)

// Faults in place of the response that only HTTP/2 has. The request has arrived as
// a whole. They need WithHTTP2: a server without leaves them unused, and says why.
// A request that comes over HTTP/1 nevertheless is hung up on.
var (
	// RefuseStream resets the stream with REFUSED_STREAM, which says that the
	// request was not looked at.
	RefuseStream = Fault{name: "RefuseStream", kind: resetStream, inert: true, code: int(http2.ErrCodeRefusedStream)}
	// RefuseStreamAfterCreate carries the operation out, and says the same.
	RefuseStreamAfterCreate = Fault{name: "RefuseStreamAfterCreate", kind: resetStream, code: int(http2.ErrCodeRefusedStream)}
	// GoAway announces the end of the connection with a last stream below the
	// request's, which says that the request was not looked at.
	GoAway = Fault{name: "GoAway", kind: goAway, inert: true}
	// GoAwayAfterCreate carries the operation out, and says the same.
	GoAwayAfterCreate = Fault{name: "GoAwayAfterCreate", kind: goAway}
)

// ResetStream resets the stream of HTTP/2 with a code, such as
// http2.ErrCodeProtocol. It needs WithHTTP2, as RefuseStream does.
func ResetStream(code http2.ErrCode) Fault {
	return Fault{name: fmt.Sprintf("ResetStream(%d)", code), kind: resetStream, inert: true, code: int(code)}
}

// ResetStreamAfterCreate carries the operation out and resets the stream with a
// code.
func ResetStreamAfterCreate(code http2.ErrCode) Fault {
	return Fault{name: fmt.Sprintf("ResetStreamAfterCreate(%d)", code), kind: resetStream, code: int(code)}
}

// Faults of the answer. The operation is carried out.
var (
	// CutStatusLine ends the answer within its first line, over HTTP/2 within the
	// head of its first frame.
	CutStatusLine = Fault{name: "CutStatusLine", kind: cutStatusLine}
	// CutHeaders ends the answer within its header.
	CutHeaders = Fault{name: "CutHeaders", kind: cutHeaders}
	// CutBody sends the whole header and half of the body. An answer that has no
	// body is announced with one of a single byte.
	CutBody = Fault{name: "CutBody", kind: cutBody}
	// StallBody sends what CutBody sends, and then stalls.
	StallBody = Fault{name: "StallBody", kind: stallBody}
	// DripBody sends the whole answer, its body byte by byte.
	DripBody = Fault{name: "DripBody", kind: dripBody}
	// HugeBody sends the answer with a body of 64 MiB: spaces, and then the true
	// one, so that it is well-formed JSON to whoever reads it all.
	HugeBody = Fault{name: "HugeBody", kind: hugeBody}
)

// Status answers the given status and a message without looking at the request.
func Status(code int) Fault {
	return Fault{name: fmt.Sprintf("Status(%d)", code), kind: answerCode, inert: true, code: code}
}

// StatusAfterCreate carries the operation out and answers the given status and
// a message.
func StatusAfterCreate(code int) Fault {
	return Fault{name: fmt.Sprintf("StatusAfterCreate(%d)", code), kind: answerCode, code: code}
}

// RateLimited answers 429 with the header Retry-After, as it is given, or
// without that header if retryAfter is empty.
func RateLimited(retryAfter string) Fault {
	return Fault{name: fmt.Sprintf("RateLimited(%q)", retryAfter), kind: answerRateLimit, inert: true, text: retryAfter}
}

// Redirect answers a redirection to location. The code is one of 3xx.
func Redirect(code int, location string) Fault {
	return Fault{name: fmt.Sprintf("Redirect(%d, %q)", code, location), kind: answerRedirect, inert: true, code: code, text: location}
}

// Attempts that are answered as they should be.
var (
	// CloseIdle breaks the idle connections of HTTPClient that the attempt would use.
	// The client learns that when it tries to write to one of them, which takes no
	// byte of the request; over HTTP/2 they are closed before the attempt. Other
	// clients have no idle connections.
	CloseIdle = Fault{name: "CloseIdle", kind: closeIdle}
	// Pass is no fault. It lets an attempt through in a script.
	Pass = Fault{}
)

// Acts reports whether the double carries the operation out, whatever the
// client learns of it.
func (f Fault) Acts() bool { return !f.inert }

// String returns the fault as it is written in Go, without the package.
func (f Fault) String() string {
	if f.name == "" {
		return "Pass"
	}
	return f.name
}

// problem says why a server cannot carry the fault out, empty if it can.
func (f Fault) problem(c *config) string {
	switch {
	case f.kind == breakHandshake && !c.tls:
		return "needs a server with TLS"
	case (f.kind == resetStream || f.kind == goAway) && !c.http2:
		return "needs a server with HTTP/2"
	case f.kind == answerCode && (f.code < 200 || f.code > 999):
		return "is not the status of an answer"
	case f.kind == answerRedirect && (f.code < 300 || f.code > 399):
		return "is not the status of a redirection"
	}
	return ""
}

// isHarmless tells of an attempt that is served like any other.
func (f Fault) isHarmless() bool { return f.kind == pass || f.kind == closeIdle }

// answers tells of a fault that is an answer itself.
func (f Fault) answers() bool {
	return f.kind == answerCode || f.kind == answerRateLimit || f.kind == answerRedirect
}

// answer is what a fault that answers says.
func (f Fault) answer() answer {
	switch f.kind {
	case answerRateLimit:
		a := answerStatus(http.StatusTooManyRequests)
		if f.text != "" {
			a.header = http.Header{"Retry-After": {f.text}}
		}
		return a
	case answerRedirect:
		a := answerStatus(f.code)
		a.header = http.Header{"Location": {f.text}}
		return a
	}
	return answerStatus(f.code)
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
	answerCode
	answerRateLimit
	answerRedirect
)

// script is the line of faults. Each is taken once. It is safe for concurrent
// use.
type script struct {
	mu         sync.Mutex
	faults     []Fault
	impossible []string // what the server cannot carry out, and why
}

func (s *script) add(faults []Fault, c *config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if problem := f.problem(c); problem != "" {
			s.impossible = append(s.impossible, f.String()+": "+problem)
			continue
		}
		s.faults = append(s.faults, f)
	}
}

// take takes the next fault if it is one that the caller wants, and else none.
func (s *script) take(wanted func(faultKind) bool) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 0 || !wanted(s.faults[0].kind) {
		return Pass
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f
}

func (s *script) unused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, f := range s.faults {
		names = append(names, f.String())
	}
	return append(names, s.impossible...)
}

const (
	maxBody   = 1 << 20  // of a request
	hugeSize  = 64 << 20 // of the body that HugeBody sends
	dripPause = 20 * time.Microsecond
)

// delivery is the way of one answer back to the client.
type delivery struct {
	w       http.ResponseWriter
	r       *http.Request
	conn    *conn
	stream  *http2Stream // nil over HTTP/1
	fault   Fault
	closing <-chan struct{} // closed when the server is
}

func (d *delivery) send(a answer) {
	switch d.fault.kind {
	case hangUp:
		d.abort()
	case reset:
		d.conn.reset()
		d.abort()
	case stall:
		d.stall()
	case notHTTP:
		d.sendRaw([]byte("this is not HTTP\r\n"))
	case resetStream, goAway:
		d.giveUp()
	case cutStatusLine:
		head, line := d.head(a)
		d.sendRaw(head[:line/2])
	case cutHeaders:
		head, line := d.head(a)
		d.sendRaw(head[:(line+len(head))/2])
	case cutBody:
		d.sendHalf(a)
		d.abort()
	case stallBody:
		d.sendHalf(a)
		d.stall()
	case dripBody:
		d.drip(a)
	case hugeBody:
		d.sendHuge(a)
	case answerCode, answerRateLimit, answerRedirect:
		d.sendWhole(d.fault.answer())
	default:
		d.sendWhole(a)
	}
}

// abort ends the handler and the connection. What was not flushed is not sent.
func (d *delivery) abort() {
	d.conn.hangUp()
	panic(http.ErrAbortHandler)
}

// stall waits for the client to go away.
func (d *delivery) stall() {
	select {
	case <-d.r.Context().Done():
	case <-d.closing:
	}
	if d.stream != nil { // there may be others beside it
		panic(http.ErrAbortHandler)
	}
	d.abort()
}

// giveUp ends the stream, and leaves the connection to those beside it.
func (d *delivery) giveUp() {
	switch {
	case d.stream == nil:
		d.abort()
	case d.fault.kind == goAway:
		d.stream.goAway()
	default:
		d.stream.reset(http2.ErrCode(d.fault.code))
	}
}

// head returns the header of an answer as it goes over the connection, and the
// length of its first line, or of the head of its frame.
func (d *delivery) head(a answer) (head []byte, line int) {
	if d.stream != nil {
		return d.stream.headFrame(a), http2FrameHead
	}
	head, _, _ = bytes.Cut(a.wire(), []byte("\r\n\r\n"))
	return head, bytes.IndexByte(head, '\n')
}

// sendRaw goes past net/http, which has written nothing so far.
func (d *delivery) sendRaw(raw []byte) {
	_, _ = d.conn.Write(raw)
	d.abort()
}

func (d *delivery) sendWhole(a answer) {
	d.sendHead(a, len(a.body))
	_, _ = d.w.Write(a.body)
}

func (d *delivery) sendHead(a answer, length int) {
	h := d.w.Header()
	maps.Copy(h, a.fields())
	h.Set("Content-Length", strconv.Itoa(length))
	if !d.conn.announced && d.stream == nil {
		h.Set("Connection", "close")
	}
	d.w.WriteHeader(a.status)
}

func (d *delivery) sendHalf(a answer) {
	d.sendHead(a, max(1, len(a.body)))
	_, _ = d.w.Write(a.body[:len(a.body)/2])
	d.flush()
}

func (d *delivery) drip(a answer) {
	d.sendHead(a, len(a.body))
	pause := time.NewTicker(dripPause)
	defer pause.Stop()
	for i := range a.body {
		if _, err := d.w.Write(a.body[i : i+1]); err != nil {
			return
		}
		d.flush()
		select {
		case <-pause.C:
		case <-d.closing:
			return
		}
	}
}

func (d *delivery) sendHuge(a answer) {
	d.sendHead(a, hugeSize)
	spaces := bytes.Repeat([]byte(" "), 64<<10)
	for left := hugeSize - len(a.body); left > 0; left -= len(spaces) {
		if _, err := d.w.Write(spaces[:min(left, len(spaces))]); err != nil {
			return
		}
	}
	_, _ = d.w.Write(a.body)
}

func (d *delivery) flush() { _ = http.NewResponseController(d.w).Flush() }
