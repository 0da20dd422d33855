package transport

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestADumpOfAContextShowsNothingPrivate(t *testing.T) {
	var dumps []string
	dump := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
				dumps = append(dumps, fmt.Sprintf(verb, r.Context()))
			}
			return response, err
		})
	}
	request := createRequest()
	request.Body = []byte(`"+18596579625"`)
	inner := roundTripper(func(r *http.Request) (*http.Response, error) {
		dumps = append(dumps, fmt.Sprintf("%#v", r.Context()))
		return &http.Response{StatusCode: 201, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
	newTestSender(t, inner, func(c *Config) { c.Middleware = append(c.Middleware, dump) }).Send(t.Context(), request)
	for _, text := range dumps {
		for _, private := range []string{"18596579625", fmt.Sprintf("%x", "8596579625"), strings.Trim(fmt.Sprintf("%d", []byte("859")), "[]"), "token", "Basic "} {
			if strings.Contains(text, private) {
				t.Errorf("%q in %s", private, text)
			}
		}
	}
	if len(dumps) == 0 {
		t.Error("nothing was dumped")
	}
}
