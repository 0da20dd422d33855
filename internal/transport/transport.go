// Package transport takes one request to the wire and brings its answer back:
// authentication, pacing, attempts, limits. It knows HTTP and nothing of calls.
package transport

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Config is what a Sender is made of. NewSender takes it as valid.
type Config struct {
	Root       string // scheme, host and optional path prefix; no final slash
	User       string
	Password   string
	UserAgent  string
	HTTPClient *http.Client
	Middleware []func(http.RoundTripper) http.RoundTripper // the first is the outermost
	Timeout    time.Duration                               // of one attempt, its answer's body included
	Policy     Policy
	Limiter    Limiter // nil: no pacing
	Logger     *slog.Logger
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
	// Repeatable: the platform may carry it out twice without harm, so that it
	// is sent again also where an earlier attempt may have been carried out.
	Repeatable bool
	Journal    Journal // nil for none
}

// Journal is told about each attempt.
type Journal interface {
	// Sending is called right before the first byte of an attempt can leave. No
	// byte leaves after permitEnd. Its error ends the attempts.
	Sending(ctx context.Context, permitEnd time.Time) error
	// NotSent is called after an attempt that provably was not carried out.
	NotSent(ctx context.Context)
}

// Response is what the platform said.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       []byte
	// Truncated tells why Body is not the whole body. It is nil for an error answer
	// that was merely longer than the limit.
	Truncated error
	// RetryAfter is the wait that the platform asked for, 0 if it did not.
	RetryAfter time.Duration
}

// Result tells how the attempts ended.
type Result struct {
	// Response is the last answer of the platform, nil if there was none. It may
	// be that of an earlier attempt where Err tells of a later one.
	Response *Response
	// Answered: Response is that of the last attempt.
	Answered bool
	// Err tells why the last attempt brought no answer, or why there was no
	// further one. It is nil when Response ended the matter.
	Err error
	// MaybeSent is false only if provably no byte of the last attempt was written.
	MaybeSent bool
	// Undecided: this or an earlier attempt may have been carried out, and no
	// answer of its own says whether it was.
	Undecided bool
	Attempts  int
	// CanRetry: the last attempt provably was not carried out, and can be made
	// again after Wait.
	CanRetry bool
	Wait     time.Duration
	// Ended is when the last attempt ended, by the Sender's clock.
	Ended time.Time
}

// IsRefusal reports whether a status says that the platform did not carry the
// request out.
func IsRefusal(status int) bool {
	switch status {
	case http.StatusSeeOther, http.StatusRequestTimeout, 460, 499:
		return false
	}
	return status >= 300 && status < 500
}

// Sender sends requests. It is safe for concurrent use.
type Sender struct {
	root      string
	newHeader func(hasBody bool) http.Header // a function, so that no dump of a Sender shows the password
	jar       http.CookieJar
	chain     http.RoundTripper
	timeout   time.Duration
	policy    Policy
	gate      gate
	logger    *slog.Logger
	now       func() time.Time
}

// ErrNilTransport: a middleware returned nil.
var ErrNilTransport = errors.New("a middleware returned a nil RoundTripper")

// NewSender returns a Sender that uses config.HTTPClient's transport, cookie
// jar and timeout, and leaves the client itself alone.
func NewSender(config Config) (*Sender, error) {
	var chain http.RoundTripper = wire{config.HTTPClient}
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
		root:      config.Root,
		newHeader: headers(config),
		jar:       config.HTTPClient.Jar,
		chain:     chain,
		timeout:   timeout,
		policy:    config.Policy,
		gate:      gate{pacer: newPacer(config.Limiter)},
		logger:    config.Logger,
		now:       config.Now,
	}, nil
}

func headers(config Config) func(hasBody bool) http.Header {
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

// Send makes as many attempts as the policy and the request allow.
func (s *Sender) Send(ctx context.Context, request Request) Result {
	if ctx == nil {
		return Result{Err: errors.New("nil context")}
	}
	return newSeries(s, &request).run(ctx)
}

func (s *Sender) newHTTPRequest(ctx context.Context, request *Request) (*retryablehttp.Request, error) {
	url := s.root + request.Path
	if request.Query != "" {
		url += "?" + request.Query
	}
	var body any
	if request.Body != nil {
		body = request.Body
	}
	r, err := retryablehttp.NewRequestWithContext(ctx, request.Method, url, body)
	if err != nil {
		return nil, err
	}
	r.Header = s.newHeader(request.Body != nil)
	return r, nil
}
