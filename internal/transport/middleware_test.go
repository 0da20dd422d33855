package transport

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
)

// around returns a middleware that does what f does with a request.
func around(f func(next http.RoundTripper, r *http.Request) (*http.Response, error)) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) { return f(next, r) })
	}
}

// again returns a copy of a request with a body of its own.
func again(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Body, _ = r.GetBody()
	return r
}

func head(status string) string { return "HTTP/1.1 " + status + " \r\nContent-Length: 0\r\n\r\n" }

// TestAResponseThatIsNotThatOfTheRequest has middleware that sends a create and returns a
// response that says nothing of it.
func TestAResponseThatIsNotThatOfTheRequest(t *testing.T) {
	madeUp := func(status int) func(http.RoundTripper, *http.Request) (*http.Response, error) {
		return func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			if response, err := next.RoundTrip(r); err == nil {
				_ = response.Body.Close()
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
	}
	hedged := func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(again(r))
		_, _ = next.RoundTrip(again(r)) // is carried out, and its response is lost
		return response, err
	}
	for name, tt := range map[string]struct {
		responses  []string
		middleware func(http.RoundTripper, *http.Request) (*http.Response, error)
		undecided  bool
	}{
		"429 for a create that succeeded": {[]string{created}, madeUp(429), true},
		"400 for a create that failed":    {[]string{head("503")}, madeUp(400), true},
		"429 for a create that was lost":  {[]string{""}, madeUp(429), true},
		"400 of the first of two":         {[]string{head("400"), ""}, hedged, true},
		"429 of the first of two":         {[]string{head("429"), ""}, hedged, true},
		"400 for another refusal":         {[]string{head("404")}, madeUp(400), false},
		"400 of the first of two refused": {[]string{head("400"), head("404")}, hedged, false},
	} {
		var arrived atomic.Int32
		root := connections(t, func(n int, conn net.Conn) {
			if readWhole(conn) {
				arrived.Add(1)
				_, _ = io.WriteString(conn, tt.responses[min(n, len(tt.responses))-1])
			}
		})
		s := senderTo(t, root, &http.Client{Transport: newTransport(t)}, func(c *Config) {
			c.Middleware = append(c.Middleware, around(tt.middleware))
		})
		result := s.Send(t.Context(), createRequest())
		if int(arrived.Load()) != len(tt.responses) || result.Attempts != 1 || result.Undecided != tt.undecided || result.CanRetry {
			t.Errorf("%s: arrived %d times, %d, %+v", name, arrived.Load(), statusOf(result), result)
		}
	}
}
