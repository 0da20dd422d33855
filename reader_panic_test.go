package calls_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestAPanicInTheReaderIsAnErrorOfThoseWhoWait has code of the caller's panic in the
// goroutine of the reader, where the caller cannot recover from it.
func TestAPanicInTheReaderIsAnErrorOfThoseWhoWait(t *testing.T) {
	broken := func(http.RoundTripper) http.RoundTripper {
		return roundTripper(func(*http.Request) (*http.Response, error) { panic("+18596579625 is not in the cache") })
	}
	for name, option := range map[string]calls.Option{
		"a middleware": calls.WithMiddleware(broken),
		"an observer":  calls.WithObserver(calls.Observer{Tailed: func(time.Duration) { panic("+18596579625 is not in the cache") }}),
	} {
		onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, _ *calls.Client) {
			client := virtualClient(t, server, option)
			id := server.AddCall(callstest.Call{})
			_, _, err := statuses(t.Context(), client, &calls.Call{ID: id}, calls.WatchOptions{})
			if err == nil || !strings.Contains(err.Error(), "panicked: [redacted] is not in the cache") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
