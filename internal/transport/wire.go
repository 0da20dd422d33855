package transport

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// wire is the end of the chain: the transport of the caller's client, looked up
// for each attempt so that one that is swapped in later is used. It lets a
// request leave at most once, and notes what is known about that.
type wire struct {
	client *http.Client
	// untraced counts requests whose attempt is not known, so that nothing can be
	// proven about them.
	untraced atomic.Int64
	// overHTTP1 is the transport that wrote its last request over HTTP/1, nil for none.
	overHTTP1 atomic.Pointer[http.Transport]
	// sawHTTP2 means that a connection of HTTP/2 was seen, so that another can come.
	sawHTTP2 atomic.Bool
}

var (
	errProxyAddress = errors.New("the address of the proxy cannot be used")
	errPlainProxy   = errors.New("an http request would pass through a proxy in clear text")
)

// RoundTrip sends a request by the caller's transport.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	transport := w.client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	trace := traceOf(r)
	if trace == nil {
		w.untraced.Add(1)
		trace = &writeTrace{Context: r.Context(), now: time.Now}
	}
	r = trace.attached(r)
	p := trace.begin(r, transport)
	if p == nil {
		closeBody(r)
		return nil, errPermitEnded
	}
	usesHTTP1 := p.transport != nil && p.transport == w.overHTTP1.Load() && !w.sawHTTP2.Load()
	if p.body != nil && usesHTTP1 {
		p.body.memory = inMemory(r, p.transport)
	}
	response, err := p.roundTrip(r, transport)
	switch version := trace.returned(p, response); {
	case version == 1 && !usesHTTP1:
		w.overHTTP1.Store(p.transport)
	case version == 2:
		w.sawHTTP2.Store(true)
	}
	return response, err
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// checkProxy refuses a proxy that would see an http request, which is only ever
// sent to a loopback host. The text of a proxy error can contain a password.
func checkProxy(t *http.Transport, r *http.Request) error {
	if t == nil || t.Proxy == nil {
		return nil
	}
	switch proxy, err := t.Proxy(r); {
	case err != nil:
		return errProxyAddress
	case proxy != nil && r.URL.Scheme == "http":
		return errPlainProxy
	}
	return nil
}

// roundTrip hands a copy of the request to the transport: with the hooks, with
// the guarded body, and without what makes net/http send it again.
func (p *passage) roundTrip(r *http.Request, transport http.RoundTripper) (*http.Response, error) {
	if err := checkProxy(p.transport, r); err != nil {
		closeBody(r)
		return nil, err
	}
	p.hooks = httptrace.ClientTrace{GotConn: p.gotConn, WroteHeaderField: p.wroteHeaderField}
	if p.transport == nil || p.body == nil { // else the body is the proof
		p.hooks.GetConn = p.getConn
	}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &p.hooks))
	if p.body != nil {
		r.Body, r.GetBody = p.body, nil
		if p.body.memory != nil {
			r.Body, p.hooks.WroteHeaders = io.NopCloser(p.body.memory), p.wroteHeaders
		}
		if p.getBody != nil {
			r.GetBody = p.rewind
		}
	}
	r.Header = withoutIdempotencyKeys(r.Header)
	return transport.RoundTrip(r)
}

// withoutIdempotencyKeys returns a header without the fields that make net/http
// send a POST again. They are spelled in lower case instead, which means the same
// in HTTP and which net/http does not recognize.
func withoutIdempotencyKeys(header http.Header) http.Header {
	for _, key := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := header[key]; ok {
			header = header.Clone() // it may belong to a middleware
			delete(header, key)
			header[strings.ToLower(key)] = values
		}
	}
	return header
}
