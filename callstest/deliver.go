package callstest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/http2"
)

const (
	maxBody   = 1 << 20  // of a request
	hugeSize  = 64 << 20 // of the body that HugeBody sends
	dripPause = 20 * time.Microsecond
)

// front takes requests in, and brings the platform's answers out as the faults
// want it.
type front struct{ server *Server }

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	if r.Method == "PRI" && c.network.http2 {
		f.serveHTTP2(w, c)
		return
	}
	// What cannot be read to its end has arrived all the same, and no answer
	// will find its way back.
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	d := &delivery{w: w, r: r, conn: c, fault: c.requestFault(), closing: f.server.closing}
	d.stream, _ = w.(*http2Stream)
	if d.fault.kind == hangUpBeforeRead { // it came first in line too late for this connection
		d.abort()
	}
	d.send(f.server.respond(r, body, d.fault))
}

// respond notes a request and carries it out, unless the fault keeps it from that.
func (s *Server) respond(r *http.Request, body []byte, f Fault) answer {
	now := s.platform.now()
	tooMany := s.journal.note(newRequest(r, body, now))
	switch {
	case !f.Acts():
		return answer{}
	case tooMany:
		return answerStatus(http.StatusTooManyRequests)
	}
	return s.platform.perform(r, body, now)
}

func newRequest(r *http.Request, body []byte, now time.Time) Request {
	return Request{
		Method: r.Method,
		Path:   r.URL.Path,
		Query:  r.URL.RawQuery,
		Header: r.Header.Clone(),
		Body:   body[:min(len(body), maxBody)],
		At:     now,
	}
}

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
