package calls

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ccaip-go/calls/internal/phone"
	"github.com/ccaip-go/calls/internal/transport"
)

// Option sets up a Client. An option that is wrong makes NewClient fail.
type Option func(*settings) error

// settings is what the options write to.
type settings struct {
	root       string
	host       string
	username   string
	httpClient *http.Client
	middleware []func(http.RoundTripper) http.RoundTripper
	timeout    time.Duration
	retry      RetryPolicy
	limiter    RateLimiter
	region     string
	userAgent  string
	logger     *slog.Logger
	observer   Observer
	now        func() time.Time
}

const defaultTimeout = 30 * time.Second

// attemptsASecond is the platform's limit for each customer.
const attemptsASecond = 10

func defaultSettings() *settings {
	return &settings{
		httpClient: http.DefaultClient,
		timeout:    defaultTimeout,
		retry:      RetryPolicy{}.withDefaults(),
		limiter:    transport.NewWindow(attemptsASecond),
		userAgent:  userAgent,
		now:        time.Now,
	}
}

// WithBaseURL replaces https://{subdomain}.{domain} with root: a gateway, or a
// test server. The paths of the API ("/apps/api/v1/…") are appended to it. It must
// be https, or http to a loopback host or a host below ".localhost", and must not
// have a user, a query or a fragment.
func WithBaseURL(root string) Option {
	return func(s *settings) error {
		u, err := url.Parse(root)
		switch {
		case err != nil || u.Opaque != "" || !isHost(u.Hostname()) || !isPort(u.Port()):
			return errors.New("the base URL is not an absolute URL with a host")
		case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
			return errors.New("the base URL has a user, a query or a fragment")
		case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
			return errors.New("the base URL is not https (http is allowed for loopback hosts only)")
		case strings.Contains(u.Path, appsPath) || strings.Contains(u.Path, "/manager/api/"):
			return errors.New("the base URL ends with a path of the API, which the Client appends by itself: leave it out")
		}
		s.root = strings.TrimRight(u.String(), "/")
		return nil
	}
}

// WithHost replaces {subdomain}.{domain} with host: a custom domain, or a host
// without a region, such as "voice.example.com". The domain given to NewClient is
// then not used. Without WithUsername and without a subdomain the user name is the
// first label of host.
func WithHost(host string) Option {
	return func(s *settings) error {
		switch {
		case strings.ContainsAny(host, "/:"):
			return errors.New("the host is a URL or has a port: give the name alone, or use WithBaseURL")
		case !isHostName(host) || !strings.Contains(host, "."):
			return errors.New("the host is not a host name with a dot")
		}
		s.host = host
		return nil
	}
}

// WithUsername replaces the subdomain as the user name of the basic
// authentication. Where the subdomain has two labels, the platform's documentation
// uses the first label, and other clients use both: a 401 means to try the other.
func WithUsername(name string) Option {
	return func(s *settings) error {
		if name == "" || strings.TrimSpace(name) != name || strings.ContainsFunc(name, isNoUsernameRune) {
			return errors.New("the user name is empty, has white space around it, or has a colon or control characters in it")
		}
		s.username = name
		return nil
	}
}

// isNoUsernameRune reports whether basic authentication forbids r in a user name.
func isNoUsernameRune(r rune) bool { return r == ':' || isControl(r) }

func isLoopback(host string) bool {
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// isHost reports whether host is a host name or an IP address.
func isHost(host string) bool { return isHostName(host) || net.ParseIP(host) != nil }

func isPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// WithHTTPClient makes the Client send through client: its Transport (proxies,
// TLS, connection pool), its cookie Jar and its Timeout, which bounds one
// attempt like WithAttemptTimeout (the shorter of the two holds). Its CheckRedirect is
// not used, since redirects are never followed. The client is never changed,
// its idle connections are never closed, and a Transport that is put into it
// later is used from the next attempt on. The default is http.DefaultClient.
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) error {
		if client == nil {
			return errors.New("the HTTP client is nil")
		}
		s.httpClient = client
		return nil
	}
}

// WithMiddleware wraps the transport of every attempt, for tracing and the
// like: otelhttp.NewTransport gives a span for each attempt. The context of the
// call reaches it as it is. The first of several is the outermost.
//
// A middleware must pass the context on, and must not send a request twice: what
// was sent is observed below it.
func WithMiddleware(middleware func(http.RoundTripper) http.RoundTripper) Option {
	return func(s *settings) error {
		if middleware == nil {
			return errors.New("a middleware is nil")
		}
		s.middleware = append(s.middleware, middleware)
		return nil
	}
}

// WithAttemptTimeout bounds one attempt, from looking for a connection to the last
// byte of the response. The default is 30 seconds. The context bounds all attempts
// and the waits between them.
func WithAttemptTimeout(attempt time.Duration) Option {
	return func(s *settings) error {
		if attempt <= 0 {
			return errors.New("the timeout is not positive")
		}
		s.timeout = attempt
		return nil
	}
}

// RetryPolicy bounds the attempts at one operation. It does not decide what may be
// retried: see "Attempts" in the package documentation. A zero field means its
// default.
type RetryPolicy struct {
	// MaxAttempts includes the first attempt; 1 means no retry. Default 4.
	MaxAttempts int
	// MinWait bounds the wait after the first attempt, and the bound doubles
	// with each further one, up to MaxWait. The wait itself is drawn evenly
	// between nothing and the bound. Defaults 200 ms and 10 s.
	MinWait, MaxWait time.Duration
	// MaxRetryAfter is the longest Retry-After that is obeyed. A response that
	// asks for a longer wait ends the operation at once; APIError.RetryAfter is what
	// it asked for. Default 60 s.
	MaxRetryAfter time.Duration
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 4
	}
	if p.MaxWait == 0 {
		p.MaxWait = max(10*time.Second, p.MinWait)
	}
	if p.MinWait == 0 {
		p.MinWait = min(200*time.Millisecond, p.MaxWait)
	}
	if p.MaxRetryAfter == 0 {
		p.MaxRetryAfter = time.Minute
	}
	return p
}

// WithRetry sets how often an operation is retried, and how long it waits before
// that.
func WithRetry(policy RetryPolicy) Option {
	return func(s *settings) error {
		switch {
		case policy.MaxAttempts < 0:
			return errors.New("the retry policy has a negative number of attempts")
		case min(policy.MinWait, policy.MaxWait, policy.MaxRetryAfter) < 0:
			return errors.New("the retry policy has a negative wait")
		}
		s.retry = policy.withDefaults()
		if s.retry.MinWait > s.retry.MaxWait {
			return errors.New("the retry policy has a MinWait above its MaxWait")
		}
		return nil
	}
}

// RateLimiter paces attempts. Wait blocks until the next attempt may be made,
// or returns an error: the context's if that ends first, or one of its own.
// The operation then fails with that error and DeliveryNotSent; nothing was
// sent. Wait has to be safe for concurrent use. *rate.Limiter of
// golang.org/x/time/rate is a RateLimiter.
type RateLimiter interface {
	Wait(ctx context.Context) error
}

// HoldBacker is a RateLimiter that shares the hold after a 429 with other
// processes. HoldBack is called after each 429; no attempt should begin before
// wait is over. It must be safe for concurrent use and must not block for long.
type HoldBacker interface {
	RateLimiter
	HoldBack(wait time.Duration)
}

// WithRateLimiter paces every attempt by limiter, so that several processes can
// share the platform's limit of 10 requests a second for each customer. A nil
// limiter turns pacing off.
//
// The default lets at most 10 attempts of this Client reach the platform within
// any one second, as long as the way there takes no more than 100 ms longer for
// one request than for another: an attempt that was not written yet holds its
// place, and one that was written counts as arrived at its response, or 100 ms
// after the write. Where the way takes longer, the platform can return 429, which
// sends nothing twice. After a 429 the pace halves, and recovers by one attempt a
// second.
//
// Creates and other writes go before reads, with every limiter: reads wait while
// writes do, except for one in ten, and are spread over the second. After a 429 every
// operation of the Client is held back; a limiter that is a HoldBacker is told.
func WithRateLimiter(limiter RateLimiter) Option {
	return func(s *settings) error {
		if v := reflect.ValueOf(limiter); v.Kind() == reflect.Pointer && v.IsNil() {
			return errors.New("the rate limiter is a nil pointer (a plain nil turns pacing off)")
		}
		s.limiter = limiter
		return nil
	}
}

// WithDefaultRegion reads telephone numbers without a country code as numbers of an
// ISO 3166 region, such as "US", and sends them as E.164. Without it they are refused.
func WithDefaultRegion(region string) Option {
	return func(s *settings) error {
		if !phone.IsRegion(region) {
			return fmt.Errorf("the default region %q is no ISO 3166 region with telephone numbers", region)
		}
		s.region = region
		return nil
	}
}

// WithUserAgent puts product, such as "crm-connector/2.1", before this
// package's own name in the User-Agent header.
func WithUserAgent(product string) Option {
	return func(s *settings) error {
		if strings.TrimSpace(product) == "" || strings.ContainsFunc(product, isControl) {
			return errors.New("the user agent is empty or has control characters")
		}
		s.userAgent = product + " " + userAgent
		return nil
	}
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// WithLogger logs to logger: a line at debug level for each attempt, and warnings,
// such as for an unknown message of the platform, for an unknown outcome, or for a
// listing that failed and is read again. No line has the token, an e-mail address or a
// telephone number in it. The default, and nil, is silence.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		s.logger = logger
		return nil
	}
}

// WithClock replaces time.Now where the date and time matter: whether a call is
// scheduled in the future, how far ahead a Retry-After date is, and when a create
// began. Waits and timeouts do not follow it.
func WithClock(now func() time.Time) Option {
	return func(s *settings) error {
		if now == nil {
			return errors.New("the clock is nil")
		}
		s.now = now
		return nil
	}
}
