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
	// What cannot be read to its end has arrived all the same, and no answer
	// will find its way back.
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	c := r.Context().Value(connKey{}).(*conn)
	d := &delivery{w: w, r: r, conn: c, fault: c.requestFault(), closing: f.server.closing}
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
	case cutStatusLine:
		line, _, _ := bytes.Cut(a.wire(), []byte("\r\n"))
		d.sendRaw(line[:len(line)/2])
	case cutHeaders:
		head, _, _ := bytes.Cut(a.wire(), []byte("\r\n\r\n"))
		line := bytes.IndexByte(head, '\n')
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
	d.abort()
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
	if !d.conn.announced {
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
