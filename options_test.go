package calls_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/ccaip-go/calls"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		option calls.Option
		ok     bool
	}{
		{"a nil option", nil, false},

		{"an HTTP client", calls.WithHTTPClient(&http.Client{}), true},
		{"a nil HTTP client", calls.WithHTTPClient(nil), false},

		{"a middleware", calls.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return next }), true},
		{"a nil middleware", calls.WithMiddleware(nil), false},
		{"a middleware that returns nil", calls.WithMiddleware(func(http.RoundTripper) http.RoundTripper { return nil }), false},

		{"a timeout", calls.WithAttemptTimeout(time.Nanosecond), true},
		{"no timeout", calls.WithAttemptTimeout(0), false},
		{"a negative timeout", calls.WithAttemptTimeout(-time.Second), false},

		{"the default retry policy", calls.WithRetry(calls.RetryPolicy{}), true},
		{"one attempt", calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}), true},
		{"a negative number of attempts", calls.WithRetry(calls.RetryPolicy{MaxAttempts: -1}), false},
		{"a MinWait above the default MaxWait", calls.WithRetry(calls.RetryPolicy{MinWait: time.Hour}), true},
		{"a MaxWait below the default MinWait", calls.WithRetry(calls.RetryPolicy{MaxWait: time.Millisecond}), true},
		{"a MinWait that is the MaxWait", calls.WithRetry(calls.RetryPolicy{MinWait: time.Second, MaxWait: time.Second}), true},
		{"a MinWait above the MaxWait", calls.WithRetry(calls.RetryPolicy{MinWait: 2 * time.Second, MaxWait: time.Second}), false},
		{"a negative MinWait", calls.WithRetry(calls.RetryPolicy{MinWait: -1}), false},
		{"a negative MaxWait", calls.WithRetry(calls.RetryPolicy{MaxWait: -1}), false},
		{"a negative MaxRetryAfter", calls.WithRetry(calls.RetryPolicy{MaxRetryAfter: -1}), false},

		{"no rate limiter", calls.WithRateLimiter(nil), true},
		{"a rate limiter", calls.WithRateLimiter(rate.NewLimiter(10, 1)), true},

		{"a default region", calls.WithDefaultRegion("US"), true},
		{"no default region", calls.WithDefaultRegion(""), false},
		{"a region in lower case", calls.WithDefaultRegion("us"), false},
		{"a region that does not exist", calls.WithDefaultRegion("ZZ"), false},
		{"a country code for a region", calls.WithDefaultRegion("+1"), false},
		{"the region of the world", calls.WithDefaultRegion("001"), false},

		{"a user agent", calls.WithUserAgent("crm-connector/2.1"), true},
		{"no user agent", calls.WithUserAgent(""), false},
		{"only space for a user agent", calls.WithUserAgent(" \t"), false},
		{"a line break in the user agent", calls.WithUserAgent("crm\r\nX-Evil: 1"), false},

		{"a logger", calls.WithLogger(slog.New(slog.DiscardHandler)), true},
		{"no logger", calls.WithLogger(nil), true},

		{"a host", calls.WithHost("voice.example.com"), true},
		{"no host", calls.WithHost(""), false},
		{"a host without a dot", calls.WithHost("voice"), false},
		{"a URL for a host", calls.WithHost("https://voice.example.com"), false},
		{"a host with a port", calls.WithHost("voice.example.com:443"), false},
		{"a host with a path", calls.WithHost("voice.example.com/apps"), false},
		{"a host with a user", calls.WithHost("s3cret@voice.example.com"), false},

		{"a user name", calls.WithUsername("name-7xd3onk.ue1"), true},
		{"a user name with an @", calls.WithUsername("api@example.com"), true},
		{"no user name", calls.WithUsername(""), false},
		{"a colon in the user name", calls.WithUsername("a:b"), false},
		{"space around the user name", calls.WithUsername(" a"), false},
		{"a line break in the user name", calls.WithUsername("a\nb"), false},

		{"a clock", calls.WithClock(time.Now), true},
		{"no clock", calls.WithClock(nil), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, err := calls.NewClient("customer", "ccaiplatform.com", "s3cret-token", test.option)
			checkMade(t, client, err, test.ok)
		})
	}
}

func TestBaseURLs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, root string
		ok         bool
	}{
		{"https", "https://gateway.example.com", true},
		{"https with a port and a path", "https://gateway.example.com:8443/ujet/", true},
		{"https to an address", "https://192.0.2.1", true},
		{"http to a loopback name", "http://localhost:8080", true},
		{"http to a loopback address", "http://127.0.0.1:8080", true},
		{"http to another loopback address", "http://127.8.7.6", true},
		{"http to the IPv6 loopback", "http://[::1]:8080", true},
		{"http to a name below localhost", "http://api.localhost:8080", true},
		{"the path of the API at its end", "https://gateway.example.com/apps/api/v1", false},
		{"the path of the API and a slash", "https://gateway.example.com/x/apps/api/v1/", false},
		{"the path of the Manager API at its end", "https://gateway.example.com/manager/api/v1", false},
		{"a host of a dot", "https://.", false},
		{"an empty label", "https://a..b", false},
		{"a port above 65535", "https://gateway.example.com:99999", false},
		{"port 0", "https://gateway.example.com:0", false},
		{"http to elsewhere", "http://gateway.example.com", false},
		{"http to a name that begins like a loopback", "http://localhost.example.com", false},
		{"http to a name that begins like an address", "http://127.0.0.1.example.com", false},
		{"http to a private address", "http://10.0.0.1", false},
		{"http to every interface", "http://0.0.0.0", false},
		{"no scheme", "gateway.example.com", false},
		{"no scheme, but slashes", "//gateway.example.com", false},
		{"another scheme", "ftp://localhost", false},
		{"no host", "https://", false},
		{"no host, but a port", "https://:8443", false},
		{"no host, but a path", "https:///apps", false},
		{"an opaque URL", "https:gateway.example.com", false},
		{"nothing", "", false},
		{"a user", "https://user:s3cret-pass@gateway.example.com", false},
		{"a user without a password", "https://s3cret-pass@gateway.example.com", false},
		{"a query", "https://gateway.example.com?key=s3cret-pass", false},
		{"an empty query", "https://gateway.example.com/?", false},
		{"a fragment", "https://gateway.example.com/#s3cret-pass", false},
		{"a malformed URL", "https://gateway.example.com/%zz?s3cret-pass", false},
		{"a control character", "https://gateway.example.com/\x00s3cret-pass", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, err := calls.NewClient("customer", "ccaiplatform.com", "s3cret-token", calls.WithBaseURL(test.root))
			checkMade(t, client, err, test.ok)
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a secret is in %q", err)
			}
		})
	}
}

// TestOptionsCanBeReused makes two clients with one Option.
func TestOptionsCanBeReused(t *testing.T) {
	t.Parallel()
	var seen []string
	middleware := calls.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			seen = append(seen, r.URL.Path)
			return next.RoundTrip(r)
		})
	})
	for range 2 {
		if err := createError(t, broken, middleware); err == nil {
			t.Fatal("no error")
		}
	}
	if len(seen) != 2 {
		t.Errorf("the middleware saw %d requests, want 2", len(seen))
	}
}

func TestMiddlewareOrder(t *testing.T) {
	t.Parallel()
	var order []string
	mark := func(name string) calls.Option {
		return calls.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				order = append(order, name)
				return next.RoundTrip(r)
			})
		})
	}
	requestSent(t, mark("first"), mark("second"))
	if strings.Join(order, " ") != "first second" {
		t.Errorf("order %v, want the first outermost", order)
	}
}

func TestTheShorterTimeoutApplies(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]struct{ ours, theirs, want time.Duration }{
		"the default":       {0, 0, 30 * time.Second},
		"ours":              {2 * time.Second, 3 * time.Second, 2 * time.Second},
		"the HTTP client's": {3 * time.Second, 2 * time.Second, 2 * time.Second},
		"only ours":         {2 * time.Second, 0, 2 * time.Second},
		"ours, the longer":  {time.Hour, 0, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				opts := []calls.Option{calls.WithHTTPClient(&http.Client{Transport: roundTripper(silent), Timeout: limits.theirs})}
				if limits.ours > 0 {
					opts = append(opts, calls.WithAttemptTimeout(limits.ours))
				}
				start := time.Now()
				err := createError(t, nil, opts...)
				if took := time.Since(start); took != limits.want || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("took %v, want %v: %v", took, limits.want, err)
				}
			})
		})
	}
}

func TestAttemptsOfAReadAreBounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []calls.Option
		want int
	}{
		"the default":      {[]calls.Option{calls.WithRetry(calls.RetryPolicy{})}, 4},
		"one":              {[]calls.Option{calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1})}, 1},
		"seven":            {[]calls.Option{calls.WithRetry(calls.RetryPolicy{MaxAttempts: 7})}, 7},
		"the last one set": {[]calls.Option{calls.WithRetry(calls.RetryPolicy{MaxAttempts: 7}), calls.WithRetry(calls.RetryPolicy{MaxAttempts: 2})}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				client := newClient(t, roundTripper(func(*http.Request) (*http.Response, error) {
					attempts++
					return newResponse(http.StatusServiceUnavailable, ""), nil
				}), test.opts...)
				_, err := client.GetCustomerFlag(t.Context(), 397)
				if attempts != test.want || apiErrorOf(t, err).Attempts != test.want {
					t.Errorf("%d attempts: %v, want %d", attempts, err, test.want)
				}
			})
		})
	}
}

// TestDefaultRate checks that no second exceeds the platform's limit.
func TestDefaultRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token",
			calls.WithHTTPClient(&http.Client{Transport: responding(http.StatusAccepted, "")}))
		if err != nil {
			t.Fatal(err)
		}
		var sent []time.Time
		for range 100 {
			if _, err := client.CreateOutbound(t.Context(), anOutbound); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, time.Now())
		}
		for i := 10; i < len(sent); i++ {
			if apart := sent[i].Sub(sent[i-10]); apart < time.Second {
				t.Errorf("requests %d and %d are %v apart", i-10, i, apart)
			}
		}
		if took := sent[99].Sub(sent[0]); took != 9*time.Second {
			t.Errorf("took %v, more than the limit requires", took)
		}
	})
}

func TestWithoutARateLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := newClient(t, responding(http.StatusAccepted, ""))
		for range 100 {
			if _, err := client.CreateOutbound(t.Context(), anOutbound); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

func TestRateLimiterIsCalledBeforeEveryAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waits := 0
		limiter := limiterFunc(func(context.Context) error { waits++; return nil })
		client := newClient(t, responding(http.StatusServiceUnavailable, ""), calls.WithRateLimiter(limiter), calls.WithRetry(calls.RetryPolicy{MaxAttempts: 3}))
		if _, err := client.GetCustomerFlag(t.Context(), 397); !errors.Is(err, calls.ErrServer) {
			t.Error(err)
		}
		if waits != 3 {
			t.Errorf("the limiter was called %d times, want 3", waits)
		}
	})
}

func TestErrorOfTheRateLimiter(t *testing.T) {
	t.Parallel()
	cause := errors.New("the store is down")
	limiter := limiterFunc(func(context.Context) error { return cause })
	err := createError(t, untouched(t), calls.WithRateLimiter(limiter))
	if !errors.Is(err, cause) || calls.DeliveryOf(err) != calls.DeliveryNotSent || errors.Is(err, calls.ErrOutcomeUnknown) || errors.Is(err, calls.ErrRateLimited) {
		t.Errorf("error %v, delivery %v", err, calls.DeliveryOf(err))
	}
}

// TestNilPointerForARateLimiterDoesNotPanic has a nil *rate.Limiter, which is not a nil
// RateLimiter.
func TestNilPointerForARateLimiterDoesNotPanic(t *testing.T) {
	t.Parallel()
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("panic: %v", v)
		}
	}()
	var limiter *rate.Limiter
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token", calls.WithRateLimiter(limiter),
		calls.WithHTTPClient(&http.Client{Transport: responding(http.StatusAccepted, "")}))
	if err != nil {
		return
	}
	_, _ = client.CreateOutbound(t.Context(), anOutbound)
}

// TestHTTPClientIsNotChanged also checks that CheckRedirect is not called.
func TestHTTPClientIsNotChanged(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
	defer server.Close()
	theirs := &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { t.Error("CheckRedirect was called"); return nil },
	}
	err := createError(t, nil, calls.WithHTTPClient(theirs), calls.WithBaseURL(server.URL))
	if !errors.Is(err, calls.ErrRedirected) {
		t.Error(err)
	}
	if theirs.Transport != nil || theirs.Jar != nil || theirs.Timeout != time.Minute || theirs.CheckRedirect == nil {
		t.Errorf("the HTTP client was changed to %+v", theirs)
	}
}
