// Package transport takes one request to the platform and brings its response
// back: authentication, pacing, attempts, limits. It knows HTTP and nothing of
// calls.
package transport

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Config is what a Sender is made of. NewSender does not validate it.
type Config struct {
	Root       string // scheme, host and optional path prefix; no final slash
	User       string
	Password   string
	UserAgent  string
	HTTPClient *http.Client
	Middleware []func(http.RoundTripper) http.RoundTripper // the first is the outermost
	Timeout    time.Duration                               // of one attempt, its response body included
	Policy     Policy
	Limiter    Limiter // nil: no pacing
	Logger     *slog.Logger
	Observe    func(ctx context.Context, e Event) // nil for none
	Redact     func(text string) string           // removes private data from a text
	Now        func() time.Time
}

// Request is one operation on its way to the platform.
type Request struct {
	Operation string // as logs name it
	Method    string
	Path      string // below Config.Root, escaped
	Template  string // Path with its variable parts named, as logs show it
	Query     string // encoded
	Body      []byte // JSON; nil for none
	// Repeatable means that the platform can carry the request out twice without
	// harm, so that it is sent again even if an earlier attempt may have been
	// carried out.
	Repeatable bool
	// First means that the request goes before those that are not First.
	First   bool
	Journal Journal // nil for none
}

// Journal is told about each attempt.
type Journal interface {
	// Sending is called right before the first byte of an attempt can leave. No
	// byte leaves after permitEnd. Its error ends the attempts.
	Sending(ctx context.Context, permitEnd time.Time) error
	// NotSent is called after an attempt that provably was not carried out.
	NotSent(ctx context.Context)
}

// Response is what the platform returned.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       []byte
	// Truncated says why Body is not the whole body. It is nil for an error
	// response that was merely longer than the limit.
	Truncated error
	// RetryAfter is how long the platform asked to wait, 0 if it did not ask. It
	// is at least a second for a 429.
	RetryAfter time.Duration
}

// Result is how the attempts ended.
type Result struct {
	// Response is the last response of the platform, nil if there was none. It can
	// be that of an earlier attempt if Err is about a later one.
	Response *Response
	// Responded means that Response is that of the last attempt.
	Responded bool
	// Err says why the last attempt brought no response, or why there was no
	// further one. It is nil if Response ended the matter.
	Err error
	// MaybeSent is false only if the last attempt provably was not sent.
	MaybeSent bool
	// Undecided means that this or an earlier attempt may have been carried out,
	// and that no response of its own says whether it was.
	Undecided bool
	Attempts  int
	// CanRetry means that the last attempt provably was not carried out, and can
	// be made again after Wait.
	CanRetry bool
	Wait     time.Duration
	// Ended is when the last attempt ended, by the Sender's clock. No byte of it
	// leaves later. It is zero if there was no attempt.
	Ended time.Time
}

// Event is something that an observer is told about.
type Event struct {
	Operation string
	Attempt   int           // 1 for the first
	Paced     time.Duration // how long the attempt waited for its turn
	Duration  time.Duration // of the attempt itself
	Status    int           // 0 if there was no response
	Err       error
	Retry     bool          // another attempt follows
	Wait      time.Duration // before it
}

// Sender sends requests. It is safe for concurrent use.
type Sender struct {
	root      url.URL
	newHeader func(hasBody bool) http.Header // a function, so that no dump of a Sender shows the password
	loop      *retryablehttp.Client
	chain     http.RoundTripper
	timeout   time.Duration
	policy    Policy
	gate      gate
	logger    *slog.Logger
	observe   func(ctx context.Context, e Event)
	redact    func(text string) string
	now       func() time.Time
	wire      *wire
}

// ErrNilTransport means that a middleware returned nil.
var ErrNilTransport = errors.New("a middleware returned a nil RoundTripper")

// NewSender returns a Sender that uses config.HTTPClient's transport, cookie jar
// and timeout, and does not change the client.
func NewSender(config Config) (*Sender, error) {
	root, err := url.Parse(config.Root)
	if err != nil {
		return nil, errors.New("the base URL is not a URL")
	}
	wire := &wire{client: config.HTTPClient}
	var chain http.RoundTripper = wire
	for i := len(config.Middleware) - 1; i >= 0; i-- {
		if chain = config.Middleware[i](chain); chain == nil {
			return nil, ErrNilTransport
		}
	}
	timeout := config.Timeout
	if t := config.HTTPClient.Timeout; t > 0 {
		timeout = min(timeout, t)
	}
	return &Sender{
		root:      *root,
		newHeader: headerMaker(config),
		loop:      newLoop(config),
		chain:     chain,
		timeout:   timeout,
		policy:    config.Policy,
		gate:      gate{pacer: newPacer(config.Limiter)},
		logger:    config.Logger,
		observe:   config.Observe,
		redact:    config.Redact,
		now:       config.Now,
		wire:      wire,
	}, nil
}

func headerMaker(config Config) func(hasBody bool) http.Header {
	credentials := base64.StdEncoding.EncodeToString([]byte(config.User + ":" + config.Password))
	accept := []string{"application/json"}
	authorization := []string{"Basic " + credentials}
	userAgent := []string{config.UserAgent}
	return func(hasBody bool) http.Header {
		h := http.Header{"Accept": accept, "Authorization": authorization, "User-Agent": userAgent}
		if hasBody {
			h["Content-Type"] = accept
		}
		return h
	}
}

// setURL sets u to the URL of a request.
func (s *Sender) setURL(u *url.URL, request *Request) error {
	*u = s.root
	if strings.Contains(request.Path, "%") || u.RawPath != "" {
		escaped := u.EscapedPath() + request.Path
		path, err := url.PathUnescape(escaped)
		if err != nil {
			return fmt.Errorf("the path is not escaped: %w", err)
		}
		u.Path, u.RawPath = path, escaped
	} else {
		u.Path += request.Path
	}
	u.RawQuery = request.Query
	return nil
}

// IsRefusal reports whether a status says that the platform did not carry the
// request out. 408, 460 and 499 come from proxies that stopped waiting, and 303
// is how HTTP says that a POST worked: they say nothing of the kind.
func IsRefusal(status int) bool {
	switch status {
	case http.StatusSeeOther, http.StatusRequestTimeout, 460, 499:
		return false
	}
	return status >= 300 && status < 500
}

func isSuccess(status int) bool { return status >= 200 && status < 300 }
