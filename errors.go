package calls

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ccaip-go/calls/internal/redact"
)

// The sentinels of this package. Each stands for one problem, whether this
// package noticed it before anything was sent (*ValidationError) or the
// platform said so (*APIError): branch with errors.Is.
//
// Reference: "Call endpoints", error messages.
var (
	// ErrInvalidRequest is the parent of every problem with a request: any 400,
	// and any ValidationError.
	ErrInvalidRequest = newSentinel("the request is not valid", nil)

	ErrAgentEmailRequired = newSentinel("an agent e-mail is required", ErrInvalidRequest)
	// ErrAgentEmailInvalid: no agent has this e-mail address.
	ErrAgentEmailInvalid = newSentinel("the agent e-mail is not valid", ErrInvalidRequest)
	// ErrAgentUnavailable: the agent cannot take this call now.
	ErrAgentUnavailable = newSentinel("the agent is not available", ErrInvalidRequest)
	// ErrAgentNotPermitted: the agent may not make calls.
	ErrAgentNotPermitted = newSentinel("the agent may not make calls", ErrInvalidRequest)

	// ErrTicketOrNumberRequired: an outbound call needs a ticket or a number.
	ErrTicketOrNumberRequired = newSentinel("a ticket or an end user number is required", ErrInvalidRequest)
	// ErrContactNotFound: nobody to dial is tied to the ticket.
	ErrContactNotFound         = newSentinel("the ticket has no contact", ErrInvalidRequest)
	ErrEndUserNumberRequired   = newSentinel("an end user number is required", ErrInvalidRequest)
	ErrEndUserNumberMalformed  = newSentinel("the end user number is malformed", ErrInvalidRequest)
	ErrOutboundNumberMalformed = newSentinel("the outbound number is malformed", ErrInvalidRequest)

	ErrCallTypeInvalid = newSentinel("the call type is not valid", ErrInvalidRequest)

	ErrMenuIDRequired  = newSentinel("a menu is required", ErrInvalidRequest)
	ErrMenuIDMalformed = newSentinel("the menu id is malformed", ErrInvalidRequest)
	ErrMenuNotFound    = newSentinel("the menu is not found", ErrInvalidRequest)
	// ErrMenuTypeNotPermitted: an inbound call takes IVR and mobile menus, a
	// scheduled one mobile and web menus.
	ErrMenuTypeNotPermitted = newSentinel("the menu is of a type that is not permitted", ErrInvalidRequest)
	// ErrMenuClosed: the menu takes no calls now. APIError.Param has its state.
	ErrMenuClosed            = newSentinel("the menu takes no calls now", ErrInvalidRequest)
	ErrMenuManualRedirection = newSentinel("the menu is redirected by hand", ErrMenuClosed)
	ErrMenuAfterHours        = newSentinel("the menu is after hours", ErrMenuClosed)

	// ErrLanguageUnavailable: the platform knows the language, the menu has it not.
	ErrLanguageUnavailable = newSentinel("the language is not available", ErrInvalidRequest)
	ErrLanguageNotFound    = newSentinel("the language is not found", ErrInvalidRequest)
	ErrLanguageMalformed   = newSentinel("the language is malformed", ErrInvalidRequest)

	ErrScheduledAtRequired = newSentinel("a time to schedule the call at is required", ErrInvalidRequest)
	ErrScheduledAtPast     = newSentinel("the time to schedule the call at is not in the future", ErrInvalidRequest)

	ErrRecordingPermissionInvalid = newSentinel("the recording permission is not valid", ErrInvalidRequest)
	ErrCallIDInvalid              = newSentinel("the call id is not valid", ErrInvalidRequest)
	// ErrFlagUpdateEmpty: a CustomerFlagUpdate sets nothing.
	ErrFlagUpdateEmpty = newSentinel("the update sets no flag", ErrInvalidRequest)
	// ErrParameterMissing: the platform misses some other parameter.
	// APIError.Param has its name.
	ErrParameterMissing = newSentinel("a parameter is missing", ErrInvalidRequest)
)

// The sentinels of the answer's status.
var (
	ErrUnauthorized = newSentinel("unauthorized", nil) // 401
	ErrForbidden    = newSentinel("forbidden", nil)    // 403
	// ErrNotFound is a 404: no such call, or no such subdomain.
	ErrNotFound    = newSentinel("not found", nil)
	ErrRateLimited = newSentinel("rate limited", nil)                 // 429
	ErrServer      = newSentinel("the platform failed", nil)          // 5xx
	ErrRedirected  = newSentinel("redirected, and not followed", nil) // 3xx
)

var (
	// ErrOutcomeUnknown: the platform may have acted on the request, and no
	// answer settles whether it did. Sending it again can ring a person twice.
	ErrOutcomeUnknown = newSentinel("outcome unknown", nil)
	// ErrUndecodable: the platform's answer could not be read. Of a create
	// DeliveryOf then tells whether the call exists.
	ErrUndecodable = newSentinel("the answer could not be read", nil)
)

// sentinel is an error that is known by its identity. Its parent is matched by
// errors.Is too.
type sentinel struct {
	text   string
	parent error
}

func newSentinel(text string, parent error) error { return &sentinel{text, parent} }

func (s *sentinel) Error() string { return "calls: " + s.text }
func (s *sentinel) Unwrap() error { return s.parent }

// Delivery tells what became of a request that failed. It answers the one
// question that matters after a failed create: can sending it again ring a
// person twice?
type Delivery int

const (
	// DeliveryUnknown: the platform may have created the call, or may not have.
	// Sending it again can ring a person twice.
	DeliveryUnknown Delivery = iota
	// DeliveryNotSent: no byte of the request left. It can be sent again.
	DeliveryNotSent
	// DeliveryRejected: the platform refused the request and created nothing.
	DeliveryRejected
	// DeliveryAccepted: the platform did what was asked, and only its answer
	// could not be read. Sending it again rings a person twice.
	DeliveryAccepted
)

// String returns "unknown", "not sent", "rejected" or "accepted".
func (d Delivery) String() string {
	switch d {
	case DeliveryNotSent:
		return "not sent"
	case DeliveryRejected:
		return "rejected"
	case DeliveryAccepted:
		return "accepted"
	}
	return "unknown"
}

// DeliveryOf tells what became of the request whose error is err. For nil it is
// DeliveryAccepted, for an error that is not of this package DeliveryUnknown.
func DeliveryOf(err error) Delivery {
	if err == nil {
		return DeliveryAccepted
	}
	var failed *failure
	if errors.As(err, &failed) {
		return failed.delivery
	}
	var answered *APIError
	if errors.As(err, &answered) {
		return deliveryOfStatus(answered.StatusCode)
	}
	var invalid *ValidationError
	if errors.As(err, &invalid) {
		return DeliveryNotSent
	}
	return DeliveryUnknown
}

func deliveryOfStatus(status int) Delivery {
	switch {
	case isSuccess(status):
		return DeliveryAccepted
	case status >= 300 && status < 500:
		return DeliveryRejected
	}
	return DeliveryUnknown
}

// APIError is an answer of the platform that is not a success. It is used as a
// pointer only: errors.As(err, &apiError) with a *APIError.
//
// errors.Is finds in it the sentinel of its message, that one's parents, and
// the sentinel of its status. When printed it shows the request line, the
// status and the platform's message, and never its header or body.
type APIError struct {
	StatusCode int
	// Message is the platform's text as it came, "" if the body had none.
	Message string
	// Param is what the message names: the language "fr", the menu "9999", the
	// menu's state "manual redirection", the parameter that is missing.
	Param string
	// Method and Path are those of the request.
	Method, Path string
	// Attempts counts the attempts that were made, this answer's one included.
	Attempts int
	// RetryAfter is the wait that the platform asked for, 0 if it did not.
	RetryAfter time.Duration
	Header     http.Header
	// Body is the beginning of the answer's body, at most 64 KiB.
	Body []byte
}

// Error says the request line, the status and the platform's message.
func (e *APIError) Error() string { return "calls: " + e.text() }

func (e *APIError) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d", e.Method, e.Path, e.StatusCode)
	switch status := http.StatusText(e.StatusCode); {
	case e.Message != "":
		b.WriteString(" " + e.Message)
	case status != "":
		b.WriteString(" " + status)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (after %d attempts)", e.Attempts)
	}
	return b.String()
}

// Unwrap returns the sentinel of the message or, without one, of the status. It
// is nil for a status that has none.
func (e *APIError) Unwrap() error {
	if e.StatusCode == http.StatusBadRequest {
		return problemOf(e.Message)
	}
	return sentinelOfStatus(e.StatusCode)
}

func problemOf(message string) error {
	if _, found := lookUp(message); found != nil {
		return found
	}
	return ErrInvalidRequest
}

func sentinelOfStatus(status int) error {
	switch {
	case status == http.StatusUnauthorized:
		return ErrUnauthorized
	case status == http.StatusForbidden:
		return ErrForbidden
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status >= 500:
		return ErrServer
	case status >= 300 && status < 400:
		return ErrRedirected
	}
	return nil
}

// messageIn returns the text of {"message": "…"}, "" for a body without one. It
// reads no further than that, since a long body was cut.
func messageIn(body []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return ""
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return ""
		}
		var value any
		if decoder.Decode(&value) != nil {
			return ""
		}
		if text, isText := value.(string); isText && key == "message" {
			return text
		}
	}
	return ""
}

// ValidationError is a problem that was found before anything was sent. It is
// used as a pointer only. Several problems of one request come back together,
// as an error whose Unwrap() []error lists them; errors.Is and errors.As look
// through it. It never has the offending value in it.
type ValidationError struct {
	// Field is the JSON name of the field, such as "end_user_number".
	Field string
	// Reason tells what is wrong with it: "is required".
	Reason  string
	problem error
}

// Error says the field and the reason.
func (e *ValidationError) Error() string { return "calls: " + e.text() }

func (e *ValidationError) text() string { return e.Field + " " + e.Reason }

// Unwrap returns the sentinel of the problem, whose parent is ErrInvalidRequest.
func (e *ValidationError) Unwrap() error {
	if e.problem == nil {
		return ErrInvalidRequest
	}
	return e.problem
}

// validationErrors is the several problems of one request.
type validationErrors []error

func (list validationErrors) Error() string { return "calls: " + textOf("; ", list) }

func (list validationErrors) Unwrap() []error { return list }

// failure is the error of an operation that no answer of the platform settled,
// or that more is to be said of than the answer says.
type failure struct {
	operation string
	delivery  Delivery
	attempts  int
	causes    []error
	created   *intent // of a create: what it was about, for Settle
}

func (f *failure) Error() string {
	text := "calls: " + f.operation + ": " + textOf(": ", f.causes)
	if f.attempts > 1 {
		text += fmt.Sprintf(" (after %d attempts)", f.attempts)
	}
	return text
}

func (f *failure) Unwrap() []error { return f.causes }

// textOf joins what errors say, without this package's name before each. What
// others say may quote the wire, so it is shown without addresses and numbers.
func textOf(separator string, errs []error) string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		switch e := err.(type) {
		case *sentinel:
			texts[i] = e.text
		case *APIError:
			texts[i] = e.text()
		case *ValidationError:
			texts[i] = e.text()
		default:
			texts[i] = redact.Text(strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	return strings.Join(texts, separator)
}
