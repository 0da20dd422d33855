package events

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
)

// MaxBody is the largest body of a request that the handler reads, in bytes.
const MaxBody = 1 << 20

// An Option changes the handler that Handler returns.
type Option func(*handler)

// WithLogger replaces slog.Default as the place where the handler logs what it
// refuses, events that receive failed for, and, at debug level, duplicates. The
// lines have ids of events and calls, IP addresses, counts and causes in them,
// nothing private. nil logs nothing.
func WithLogger(logger *slog.Logger) Option {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return func(h *handler) { h.logger = logger }
}

// Handler returns the handler of the platform's requests with external session
// events. It accepts only requests with this user name and password, and calls
// receive for each event, one after the other in the order of the request. See
// the package documentation for its responses.
//
// A request succeeds only after receive has returned nil for all of its events:
// where no event may be lost, return nil only once it is stored. If receive
// fails or panics for one event, the others are still received. The context ends
// with the request, and no receive begins after that. The handler neither logs
// nor sends the text of an error or a panic, since it can have private data in
// it; receive can log it.
//
// Two events with the same EventID are the same event. The handler remembers the
// last 10,000 that were received, in less than 2 MB of memory, and drops their
// duplicates. It never remembers an event that receive failed for, and a
// duplicate that arrives while receive is running waits for it to end. Events
// without an EventID are always received. Each handler has its own memory: where
// several processes receive events, receive must recognize duplicates itself, by
// the EventID.
//
// If user or password is empty, user has a colon, which basic authentication
// does not allow, or receive or an option is nil, the handler logs that and
// responds to every request with 503 Service Unavailable.
//
// The handler and receive are called concurrently, once for each request. The
// handler sets no time limits: set those of the http.Server. It expects TLS to
// end in the http.Server or in a proxy before it.
func Handler(user, password string, receive func(context.Context, Event) error, opts ...Option) http.Handler {
	h := &handler{receive: receive, credentials: digest(user, password), logger: slog.Default(), seen: newWindow(windowSize)}
	err := checkArguments(user, password, receive)
	for _, opt := range opts {
		if opt == nil {
			err = errors.Join(err, errors.New("nil option"))
			continue
		}
		opt(h)
	}
	if err != nil {
		return unusable(h.logger, err)
	}
	return h
}

func checkArguments(user, password string, receive func(context.Context, Event) error) error {
	var problems []error
	if user == "" || password == "" {
		problems = append(problems, errors.New("empty user name or password"))
	}
	if strings.Contains(user, ":") {
		problems = append(problems, errors.New("a user name with a colon"))
	}
	if receive == nil {
		problems = append(problems, errors.New("receive is nil"))
	}
	return errors.Join(problems...)
}

// unusable takes the place of a handler that would be open to strangers, or
// would lose events. After a 503 a sender can try again.
func unusable(logger *slog.Logger, err error) http.Handler {
	logger.Error("events: no event can be received", "cause", err)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		logger.Error("events: request refused, no event can be received", "cause", err)
		http.Error(w, "the receiver of events is not set up", http.StatusServiceUnavailable)
	})
}

type handler struct {
	receive     func(context.Context, Event) error
	credentials [2][sha256.Size]byte
	logger      *slog.Logger
	seen        *window
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !h.isAuthorized(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="events", charset="UTF-8"`)
		h.refuse(w, r, http.StatusUnauthorized, errors.New("wrong user name or password"))
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, r, http.StatusMethodNotAllowed, errors.New("the method is not POST"))
		return
	case !isJSON(r.Header.Get("Content-Type")):
		h.refuse(w, r, http.StatusUnsupportedMediaType, errors.New("the content type is not application/json"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		h.refuse(w, r, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes", tooLarge.Limit))
		return
	} else if err != nil {
		h.refuse(w, r, http.StatusBadRequest, errors.New("the body ends early"))
		return
	}
	entries, err := decodeBody(body)
	if err != nil {
		h.refuse(w, r, http.StatusBadRequest, err)
		return
	}
	if status, err := h.receiveAll(r.Context(), entries); err != nil {
		h.refuse(w, r, status, err)
	}
}

// refuse responds with cause, which must have nothing of the request in it.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, status int, cause error) {
	h.logger.Warn("events: request refused", "status", status, "cause", cause, "remote", r.RemoteAddr)
	http.Error(w, cause.Error(), status)
}

// isAuthorized compares digests, so that the time it takes depends neither on
// what is wrong nor on the lengths of the accepted ones.
func (h *handler) isAuthorized(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	given := digest(user, password)
	return subtle.ConstantTimeCompare(given[0][:], h.credentials[0][:])&
		subtle.ConstantTimeCompare(given[1][:], h.credentials[1][:]) == 1
}

func digest(user, password string) [2][sha256.Size]byte {
	return [2][sha256.Size]byte{sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password))}
}

func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return mediaType == "application/json" && (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter))
}

// receiveAll continues after a failure, since the platform may not send the rest
// again. If some events failed and some entries are not events, the status is
// that of the failure, so that a sender that retries on a 5xx does so.
func (h *handler) receiveAll(ctx context.Context, entries []json.RawMessage) (status int, err error) {
	var failed, notEvents int
	for i, entry := range entries {
		if ctx.Err() != nil {
			return http.StatusServiceUnavailable, fmt.Errorf("the request ended with %d of %d events left", len(entries)-i, len(entries))
		}
		event, err := decodeEvent(entry)
		if err != nil {
			notEvents++
			continue
		}
		if err := h.receiveOnce(ctx, event); err != nil {
			failed++
			h.logFailure(event, err)
		}
	}
	switch {
	case failed > 0:
		return http.StatusInternalServerError, fmt.Errorf("%d of %d events were not received", failed, len(entries))
	case notEvents > 0:
		return http.StatusBadRequest, fmt.Errorf("%d of %d entries are not events", notEvents, len(entries))
	}
	return http.StatusOK, nil
}

// receiveOnce drops a duplicate.
func (h *handler) receiveOnce(ctx context.Context, event Event) error {
	if event.EventID == "" {
		return h.callReceive(ctx, event)
	}
	isNew, err := h.seen.begin(ctx, event.EventID)
	if err != nil {
		return err
	}
	if !isNew {
		h.logger.Debug("events: duplicate dropped", "event", event)
		return nil
	}
	received := false
	defer func() { h.seen.end(event.EventID, received) }() // also when receive ends the goroutine
	err = h.callReceive(ctx, event)
	received = err == nil
	return err
}

func (h *handler) callReceive(ctx context.Context, event Event) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{kind: fmt.Sprintf("%T", value), stack: debug.Stack()}
		}
	}()
	return h.receive(ctx, event)
}

// panicError has nothing of the value of the panic but its type.
type panicError struct {
	kind  string
	stack []byte
}

func (e *panicError) Error() string { return "receive panicked with " + e.kind }

// logFailure shows the text of an error only where it cannot have private data in
// it.
func (h *handler) logFailure(event Event, err error) {
	attributes := []any{"event", event}
	var panicked *panicError
	switch {
	case errors.As(err, &panicked):
		attributes = append(attributes, "cause", panicked, "stack", string(panicked.stack))
	case errors.Is(err, context.Canceled):
		attributes = append(attributes, "cause", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		attributes = append(attributes, "cause", context.DeadlineExceeded)
	default:
		attributes = append(attributes, "cause", fmt.Sprintf("receive returned an error of type %T", err))
	}
	h.logger.Error("events: event not received", attributes...)
}
