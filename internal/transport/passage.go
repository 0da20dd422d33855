package transport

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
)

// passage is one RoundTrip of the caller's transport. Its fields below getBody
// are guarded by trace.mu.
type passage struct {
	trace     *writeTrace
	ctx       context.Context // of the request, which a middleware can end
	hooks     httptrace.ClientTrace
	transport *http.Transport // nil if it is of another type
	method    string
	// authorization is the header field that tells the request from others that
	// are made with its context, such as those of a DialContext.
	authorization string
	length        int64 // of the body; -1 if it is not known
	getBody       func() (io.ReadCloser, error)

	body       *guardedBody // the one that may be read; nil for none
	room       guardedBody  // of the usual one
	asked      bool         // net/http asked for a connection
	connected  bool         // and got one
	reused     bool         // that was idle before
	writes     int          // how many times the header was written
	overHTTP2  bool         // the last time
	sawHTTP2   bool         // a connection was of HTTP/2, if only that of a DialContext
	wroteOther bool         // a header was written that may be this request's
	isReturned bool         // the RoundTrip is over
	status     int          // of its response, 0 if there was none
	// responseBody is the one that the transport returned.
	responseBody io.ReadCloser
}

// maySend reports whether the platform may have got the request, for all that is
// known. It reports false only with a proof.
func (p *passage) maySend() bool {
	switch {
	case !p.isReturned, p.status != 0:
		return true
	case p.transport == nil && !p.asked:
		return true // a transport that does not show what it does
	case p.transport == nil && p.wroteOther:
		return true
	case p.body == nil:
		// A request that is canceled when it has its connection can still be written.
		isCanceled := p.connected && p.ctx.Err() != nil
		return !p.asked || p.writes > 0 || isCanceled
	case p.transport != nil && p.body.refused && !p.body.ended:
		return false // a request without the end of its body is none
	}
	return p.writes > 0 || p.body.wasRead() // a transport can call no hooks
}

// isUndecided reports whether the passage may have been carried out and no
// response says whether it was. response is the one that the attempt ends with, nil
// for none: that of this passage, of another one, or one that a middleware made up.
func (p *passage) isUndecided(response *Response) bool {
	switch {
	case p.writes > 1 && (p.transport == nil || p.body != nil):
		return true // it retries, and shows its last response only
	case !p.maySend(), IsRefusal(p.status):
		return false
	}
	return response == nil || response.StatusCode != p.status
}

// getConn is a hook of net/http: a connection is asked for.
func (p *passage) getConn(string) {
	p.trace.mu.Lock()
	defer p.trace.mu.Unlock()
	p.asked = true
}

// gotConn is a hook of net/http: a connection was chosen, and the request is
// about to be written to it. It stops a request that was written before, since an
// attempt is at most one request, and one that was prepared for HTTP/1 only.
func (p *passage) gotConn(info httptrace.GotConnInfo) {
	t := p.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	p.connected, p.reused = true, info.Reused
	ofHTTP2 := isHTTP2(info.Conn)
	p.sawHTTP2 = p.sawHTTP2 || ofHTTP2
	switch {
	case t.ended || t.stop == nil:
		return
	case p.writes > 0 && p.isReplayed():
		t.stopped = errReplay
	case p.body != nil && p.body.memory != nil && ofHTTP2:
		t.stopped, p.overHTTP2 = errNotHTTP1, true
	default:
		return
	}
	t.stop()
	if !p.overHTTP2 && info.Conn != nil {
		// HTTP/1 does not look at the context again before it writes. HTTP/2 does, and
		// its connection has other requests.
		_ = info.Conn.Close()
	}
}

func isHTTP2(conn net.Conn) bool {
	secured, isTLS := conn.(interface{ ConnectionState() tls.ConnectionState })
	return isTLS && secured.ConnectionState().NegotiatedProtocol == "h2"
}

// isReplayed reports whether net/http can have asked for another connection
// although the request left on the one before. With a body it asks rewind first;
// over HTTP/1 it sends only some methods again.
func (p *passage) isReplayed() bool {
	switch {
	case p.body != nil:
		return false
	case p.overHTTP2 || p.transport == nil:
		return true
	}
	return p.isReplayable()
}

// isReplayable reports whether net/http sends the request again over HTTP/1 although it
// can have left. An empty method means GET.
func (p *passage) isReplayable() bool {
	switch p.method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// wroteHeaderField is a hook of net/http: a header field is about to be written.
// The field decides whose it is: a DialContext, or a middleware, can make other
// requests with the same context.
func (p *passage) wroteHeaderField(key string, values []string) {
	isHTTP2 := key == "authorization" || key == ":method"
	isOwn := key == ":method" || key == "Host"
	if p.authorization != "" {
		isOwn = (key == "authorization" || key == "Authorization") && len(values) > 0 && strings.TrimSpace(values[0]) == p.authorization
	}
	t := p.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	if !isOwn {
		p.wroteOther = true
		return
	}
	p.writes++
	p.overHTTP2 = isHTTP2
	t.turn.written()
}

// wroteHeaders is a hook of net/http: the head is in its buffer, and it is about to
// read the body and to write both. A body that is empty instead keeps it from that.
func (p *passage) wroteHeaders() {
	t := p.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	b := p.body
	switch {
	case b.memory == nil, b.ended, b.refused, p.writes == 0 && !t.ended:
		// It is decided already, or this is the head of another request.
	case b.mayRead():
		b.ended = true
		t.turn.written()
	default:
		t.stopped = errPermitEnded
		b.memory.Reset(nil)
	}
}

// rewind is the request's GetBody.
func (p *passage) rewind() (io.ReadCloser, error) {
	t := p.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case p.isSentAgain() || t.ended:
		return nil, errReplay
	case p.body.refused:
		return nil, errPermitEnded
	}
	body, err := p.getBody()
	if err != nil {
		return nil, err
	}
	p.body, p.writes = &guardedBody{ReadCloser: body, passage: p, left: p.length}, 0
	return p.body, nil
}

// isSentAgain reports whether the body is asked for again although the request can have
// left. net/http does that over HTTP/2, and over HTTP/1 with some methods; with others it
// does so only for a connection that was idle before, and that nothing was written to.
// Other transports do it to send the request again.
func (p *passage) isSentAgain() bool {
	if p.transport == nil || p.writes == 0 {
		return p.writes > 0 || p.body.wasRead()
	}
	return p.overHTTP2 || p.isReplayable() || !p.reused
}
