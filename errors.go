package calls

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ccaip-go/calls/internal/redact"
)

// The sentinels of a request that is not valid. Each means one problem, whether
// this package found it before sending (*ValidationError) or the platform
// reported it (*APIError). Branch with errors.Is.
//
// Reference: "Call endpoints", error messages.
var (
	// ErrInvalidRequest is the parent of every problem with a request: any
	// ValidationError, and any response with status 400 or 422.
	ErrInvalidRequest = newSentinel("the request is not valid", nil)

	// ErrAgentEmailRequired means that the request has no agent e-mail address.
	ErrAgentEmailRequired = newSentinel("an agent e-mail is required", ErrInvalidRequest)
	// ErrAgentEmailInvalid means that the agent e-mail is not an address, or that
	// no agent has it.
	ErrAgentEmailInvalid = newSentinel("the agent e-mail is not valid", ErrInvalidRequest)
	// ErrAgentUnavailable means that the agent cannot take this call now.
	ErrAgentUnavailable = newSentinel("the agent is not available", ErrInvalidRequest)
	// ErrAgentNotPermitted means that the agent is not permitted to make calls.
	ErrAgentNotPermitted = newSentinel("the agent may not make calls", ErrInvalidRequest)
	// ErrAgentNotOnCall means that the agent is not connected to the call that a
	// third party should be dialed into.
	ErrAgentNotOnCall = newSentinel("the agent is not connected to the call", ErrInvalidRequest)

	// ErrTicketOrNumberRequired means that an outbound request has neither a
	// ticket nor a number.
	ErrTicketOrNumberRequired = newSentinel("a ticket or an end user number is required", ErrInvalidRequest)
	// ErrContactNotFound means that the ticket has no contact to dial.
	ErrContactNotFound = newSentinel("the ticket has no contact", ErrInvalidRequest)
	// ErrEndUserNumberRequired means that the request has no number to dial.
	ErrEndUserNumberRequired = newSentinel("an end user number is required", ErrInvalidRequest)
	// ErrEndUserNumberMalformed means that the number to dial is not one that can
	// be dialed.
	ErrEndUserNumberMalformed = newSentinel("the end user number is malformed", ErrInvalidRequest)
	// ErrOutboundNumberMalformed means that the number to call from is not a
	// telephone number.
	ErrOutboundNumberMalformed = newSentinel("the outbound number is malformed", ErrInvalidRequest)

	// ErrCallTypeInvalid means that the call type does not fit the operation.
	ErrCallTypeInvalid = newSentinel("the call type is not valid", ErrInvalidRequest)

	// ErrMenuIDRequired means that the request has no queue menu.
	ErrMenuIDRequired = newSentinel("a menu is required", ErrInvalidRequest)
	// ErrMenuIDMalformed means that the menu id is not a positive integer.
	ErrMenuIDMalformed = newSentinel("the menu id is malformed", ErrInvalidRequest)
	// ErrMenuNotFound means that no menu has the id. APIError.Param is the id.
	ErrMenuNotFound = newSentinel("the menu is not found", ErrInvalidRequest)
	// ErrMenuTypeNotPermitted means that the menu has the wrong type: an inbound
	// call takes IVR and mobile menus, a scheduled call mobile and web menus.
	ErrMenuTypeNotPermitted = newSentinel("the menu is of a type that is not permitted", ErrInvalidRequest)
	// ErrMenuClosed means that the menu takes no calls now. APIError.Param is its
	// state.
	ErrMenuClosed = newSentinel("the menu takes no calls now", ErrInvalidRequest)
	// ErrMenuManualRedirection means that the menu is redirected by hand. Its
	// parent is ErrMenuClosed.
	ErrMenuManualRedirection = newSentinel("the menu is redirected by hand", ErrMenuClosed)
	// ErrMenuAfterHours means that the menu is outside its hours of operation. Its
	// parent is ErrMenuClosed.
	ErrMenuAfterHours = newSentinel("the menu is after hours", ErrMenuClosed)

	// ErrLanguageUnavailable means that the platform supports the language, but
	// the menu does not. APIError.Param is the language.
	ErrLanguageUnavailable = newSentinel("the language is not available", ErrInvalidRequest)
	// ErrLanguageNotFound means that the platform does not know the language.
	// APIError.Param is the language.
	ErrLanguageNotFound = newSentinel("the language is not found", ErrInvalidRequest)
	// ErrLanguageMalformed means that the language is not written as a code such
	// as "fr" or "fr-CA".
	ErrLanguageMalformed = newSentinel("the language is malformed", ErrInvalidRequest)

	// ErrScheduledAtRequired means that a scheduled request has no time.
	ErrScheduledAtRequired = newSentinel("a time to schedule the call at is required", ErrInvalidRequest)
	// ErrScheduledAtPast means that the time of a scheduled request is not in the
	// future.
	ErrScheduledAtPast = newSentinel("the time to schedule the call at is not in the future", ErrInvalidRequest)
	// ErrScheduleRejected means that the platform refused to schedule a call with
	// status 422, which a setting of the customer's CRM can cause.
	ErrScheduleRejected = newSentinel("the platform does not schedule the call", ErrInvalidRequest)

	// ErrRecordingPermissionInvalid means that the recording permission is not one
	// of the documented values.
	ErrRecordingPermissionInvalid = newSentinel("the recording permission is not valid", ErrInvalidRequest)
	// ErrCallIDInvalid means that a call id is not positive.
	ErrCallIDInvalid = newSentinel("the call id is not valid", ErrInvalidRequest)
	// ErrFlagUpdateEmpty means that a CustomerFlagUpdate sets no flag.
	ErrFlagUpdateEmpty = newSentinel("the update sets no flag", ErrInvalidRequest)
	// ErrParameterMissing means that a required parameter is missing.
	// APIError.Param, or ValidationError.Field, is its name.
	ErrParameterMissing = newSentinel("a parameter is missing", ErrInvalidRequest)

	// ErrDialFailed means that the platform could not dial a third party.
	ErrDialFailed = newSentinel("the third party could not be dialed", ErrInvalidRequest)
	// ErrCallEnded means that the call is over.
	ErrCallEnded = newSentinel("the call has ended", ErrInvalidRequest)
	// ErrCRMUnsupported means that the customer's CRM does not support the request.
	ErrCRMUnsupported = newSentinel("the CRM does not support the request", ErrInvalidRequest)
	// ErrDuplicateRequest means that the same request was sent a short time ago.
	ErrDuplicateRequest = newSentinel("the same request was sent a short time ago", ErrInvalidRequest)
)

// The sentinels of an HTTP status.
var (
	// ErrUnauthorized means status 401: the user name or the token is wrong.
	ErrUnauthorized = newSentinel("unauthorized", nil)
	// ErrForbidden means status 403.
	ErrForbidden = newSentinel("forbidden", nil)
	// ErrNotFound means that what was asked for does not exist: a 404, which the
	// platform also sends for an unknown subdomain, or ErrCallNotFound.
	ErrNotFound = newSentinel("not found", nil)
	// ErrRateLimited means status 429. The platform did not carry the request out.
	ErrRateLimited = newSentinel("rate limited", nil)
	// ErrRejected is the parent of a 4xx that has no sentinel of its own, such as
	// 405, 409, 410, 413 or 415.
	ErrRejected = newSentinel("rejected", nil)
	// ErrServer means a 5xx.
	ErrServer = newSentinel("the platform failed", nil)
	// ErrRedirected means a 3xx. Redirects are never followed.
	ErrRedirected = newSentinel("redirected, and not followed", nil)
)

// The sentinels of an outcome.
var (
	// ErrOutcomeUnknown means that the platform may have carried the request out,
	// and that no response says whether it did. Sending it again can ring a person
	// twice.
	ErrOutcomeUnknown = newSentinel("outcome unknown", nil)
	// ErrUndecodable means that a response could not be decoded. For a create,
	// DeliveryOf reports whether the call can exist.
	ErrUndecodable = newSentinel("the response could not be decoded", nil)
	// ErrCallNotFound means that no listing showed the call. A listing can lag, so
	// this does not prove that the call does not exist. Its parent is ErrNotFound.
	ErrCallNotFound = newSentinel("the call was not found", ErrNotFound)
	// ErrAmbiguous means that a call matches a create, and that it is not certain
	// that the create made it. errors.As finds the *AmbiguousError that lists such
	// calls.
	ErrAmbiguous = newSentinel("not certain which call it is", nil)
)

// sentinel is an error that is known by its identity. errors.Is matches its
// parent too.
type sentinel struct {
	text   string
	parent error
}

func newSentinel(text string, parent error) error { return &sentinel{text, parent} }

func (s *sentinel) Error() string { return "calls: " + s.text }
func (s *sentinel) Unwrap() error { return s.parent }

// APIError is a response of the platform that is not a success. It is used as a
// pointer only: errors.As(err, &apiError) with a *APIError.
//
// errors.Is finds in it the sentinel of its message, the parents of that
// sentinel, or the sentinel of its status. Printed, it shows the request line,
// the host, the status and the platform's message without private data, and
// never its header or body.
type APIError struct {
	StatusCode int
	// Message is the platform's text as it came, "" if the body had none. It is
	// not redacted.
	Message string
	// Param is what the message names: the language "fr", the menu "9999", the
	// menu's state "manual redirection", the parameter that is missing.
	Param string
	// Method and Path are those of the request.
	Method, Path string
	// Host is the host that the request was sent to.
	Host string
	// Attempts is the number of attempts, including the one with this response.
	Attempts int
	// RetryAfter is how long the platform asked to wait, 0 if it did not ask.
	RetryAfter time.Duration
	Header     http.Header `json:"-"`
	// Body is the beginning of the response body, at most 64 KiB.
	Body []byte `json:"-"`

	template      string // Path with its variable parts named, as printed
	unprocessable error  // of a 422 whose message is not in the catalog
	redactor      *redact.Redactor
}

// Error returns the request line, the host, the status and the platform's
// message, without private data.
func (e *APIError) Error() string { return "calls: " + e.text() }

func (e *APIError) text() string {
	path := e.template
	if path == "" {
		path = e.redactor.Text(e.Path)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Method, path)
	if e.Host != "" {
		b.WriteString(" at " + e.Host)
	}
	fmt.Fprintf(&b, ": %d", e.StatusCode)
	message := e.Message
	if message == "" {
		message = plainText(e.Body)
	}
	switch status := http.StatusText(e.StatusCode); {
	case message != "":
		b.WriteString(" " + e.redactor.Text(message))
	case status != "":
		b.WriteString(" " + status)
	}
	b.WriteString(hintOf(e.StatusCode))
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (after %d attempts)", e.Attempts)
	}
	return b.String()
}

// hintOf returns what to check for a status that a wrong set-up causes.
func hintOf(status int) string {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound:
		return " (check the host: it redirects)"
	case http.StatusUnauthorized:
		return " (check the user name and the token)"
	case http.StatusForbidden:
		return " (check the permissions of the token, and what stands between here and the platform)"
	case http.StatusNotFound:
		return " (check the subdomain, the host and the id)"
	}
	return ""
}

// Unwrap returns the sentinel of the message or, without one, of the status.
func (e *APIError) Unwrap() error {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		_, found := lookUp(e.Message)
		switch {
		case found != nil:
			return found
		case e.StatusCode == http.StatusUnprocessableEntity && e.unprocessable != nil:
			return e.unprocessable
		}
		return ErrInvalidRequest
	}
	return sentinelOfStatus(e.StatusCode)
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
	case status >= 400:
		return ErrRejected
	case status >= 300:
		return ErrRedirected
	}
	return nil
}

// ValidationError is a problem that was found before anything was sent. It is
// used as a pointer only, and never contains the offending value.
type ValidationError struct {
	// Field is the JSON name of the field, such as "end_user_number".
	Field string
	// Reason says what is wrong with it, such as "is required".
	Reason  string
	problem error
}

// Error returns the field and the reason.
func (e *ValidationError) Error() string { return "calls: " + e.text() }

func (e *ValidationError) text() string { return e.Field + " " + e.Reason }

// Unwrap returns the sentinel of the problem, whose parent is ErrInvalidRequest.
func (e *ValidationError) Unwrap() error {
	if e.problem == nil {
		return ErrInvalidRequest
	}
	return e.problem
}

// ValidationErrors lists the problems of one request, at least one. Every failed
// validation returns it. errors.Is and errors.As look through it.
type ValidationErrors []*ValidationError

// Error returns the fields and the reasons.
func (list ValidationErrors) Error() string { return "calls: " + joinTexts(nil, "; ", list.Unwrap()) }

// Unwrap returns the problems as errors.
func (list ValidationErrors) Unwrap() []error {
	errs := make([]error, len(list))
	for i, e := range list {
		errs[i] = e
	}
	return errs
}

// invalid returns the error of one problem with one field.
func invalid(field, reason string, problem error) error {
	return ValidationErrors{{Field: field, Reason: reason, problem: problem}}
}

// AmbiguousError lists the calls that a create can have made, where Settle cannot
// tell which one it was, or whether it was one of them. It is used as a pointer only.
type AmbiguousError struct {
	// Candidates is at least one and at most 100 calls, in the order in which a
	// listing showed them.
	Candidates []*Call
}

// Error returns how many candidates there are.
func (e *AmbiguousError) Error() string { return "calls: " + e.text() }

func (e *AmbiguousError) text() string {
	return fmt.Sprintf("not certain which call it is: %d possible", len(e.Candidates))
}

// Unwrap returns ErrAmbiguous.
func (e *AmbiguousError) Unwrap() error { return ErrAmbiguous }

// joinTexts joins error texts without this package's name in front of each.
// Texts of other packages may quote the request or the response, so they are
// redacted.
func joinTexts(redactor *redact.Redactor, separator string, errs []error) string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		if own, ok := err.(interface{ text() string }); ok {
			texts[i] = own.text()
			continue
		}
		var known *sentinel
		if errors.As(err, &known) && known == err { //nolint:errorlint // the sentinel itself, not what wraps it
			texts[i] = known.text
			continue
		}
		texts[i] = redactor.Text(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return strings.Join(texts, separator)
}

// entry is one message of the platform. The text between before and after is
// what the message names; a message without after names nothing.
type entry struct {
	before, after string
	// open means that the message goes on after that: with what it names, where
	// there is no after.
	open    bool
	problem error
}

// catalog has every message that is documented or was seen, without a final
// full stop, with straight apostrophes, and with "well formed" in two words.
// The first entry that matches is taken, so a special one stands before a
// general one.
//
// Reference: "Call endpoints", error messages.
var catalog = []entry{
	{before: "Agent email required", problem: ErrAgentEmailRequired},
	{before: "Not a valid agent email", problem: ErrAgentEmailInvalid},
	{before: "Invalid agent_email", problem: ErrAgentEmailInvalid},
	{before: "Agent is not available to take this call", problem: ErrAgentUnavailable},
	{before: "Agent does not have access to make calls", problem: ErrAgentNotPermitted},
	{before: "Agent is not connected to the call", problem: ErrAgentNotOnCall},
	{before: "Error dialing third party", problem: ErrDialFailed},
	{before: "ticket_id or end_user_number required", problem: ErrTicketOrNumberRequired},
	{before: "Contact not found", problem: ErrContactNotFound},
	{before: "end_user_number is required", problem: ErrEndUserNumberRequired},
	{before: "end_user_number is not well formed", problem: ErrEndUserNumberMalformed},
	{before: "Invalid call type", problem: ErrCallTypeInvalid},
	{before: "menu_id is required", problem: ErrMenuIDRequired},
	{before: "menu_id is not well formed", problem: ErrMenuIDMalformed},
	{before: "menu_id ", after: " is not found", problem: ErrMenuNotFound},
	{before: "Only ", after: " menu IDs are permitted", problem: ErrMenuTypeNotPermitted},
	{before: "Menu is in '", after: "' state", open: true, problem: ErrMenuClosed},
	{before: "Language '", after: "' is not available", problem: ErrLanguageUnavailable},
	{before: "Language '", after: "' is not found", problem: ErrLanguageNotFound},
	{before: "scheduled_at is required", problem: ErrScheduledAtRequired},
	{before: "Call is already ended", problem: ErrCallEnded},
	{before: "Unsupported CRM request", problem: ErrCRMUnsupported},
	{before: "Duplicate request: Please wait for the interval to expire", problem: ErrDuplicateRequest},
	{before: "param is missing or the value is empty: ", open: true, problem: ErrParameterMissing},
	{after: " is required", problem: ErrParameterMissing},
}

// lookUp returns the problem that a message of the platform means, nil if it is
// not in the catalog, and what the message names. It ignores what a text loses
// or gains on its way: case, space around it, a final full stop, a typographic
// apostrophe, a hyphen.
func lookUp(message string) (param string, problem error) {
	message = normalize(message)
	for _, e := range catalog {
		if param, ok := e.match(message); ok {
			return param, e.refine(param)
		}
	}
	return "", nil
}

// normalize returns a message in the form that the catalog is written in.
func normalize(message string) string {
	message = strings.TrimSpace(message)
	message = strings.TrimRight(strings.TrimSuffix(message, "."), " ")
	message = strings.ReplaceAll(strings.ReplaceAll(message, "‘", "'"), "’", "'")
	if n := len(message) - len("well-formed"); n >= 0 && strings.EqualFold(message[n:], "well-formed") {
		message = message[:n] + "well formed"
	}
	return message
}

func (e entry) match(message string) (param string, ok bool) {
	if len(message) < len(e.before) || !strings.EqualFold(message[:len(e.before)], e.before) {
		return "", false
	}
	rest := message[len(e.before):]
	if e.after == "" {
		return rest, rest == "" || e.open
	}
	end := indexFold(rest, e.after)
	if end <= 0 {
		return "", false
	}
	isWhole := end+len(e.after) == len(rest)
	return rest[:end], isWhole || e.open
}

// indexFold is strings.Index that ignores case.
func indexFold(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// refine returns the sentinel of a menu state that has one of its own.
func (e entry) refine(param string) error {
	switch {
	case e.problem != ErrMenuClosed: //nolint:errorlint // the sentinel itself, not one below it
		return e.problem
	case strings.EqualFold(param, "manual redirection"):
		return ErrMenuManualRedirection
	case strings.EqualFold(param, "after hours"):
		return ErrMenuAfterHours
	}
	return e.problem
}

// messageIn returns the text of {"message": "…"}, else of "error" or "errors",
// as the Manager API spells it, else "". A long body was truncated, so it reads no
// further than it must.
func messageIn(body []byte) string {
	decoder := json.NewDecoder(strings.NewReader(strings.TrimPrefix(string(body), "\ufeff")))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return ""
	}
	message := ""
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return message
		}
		var value any
		if decoder.Decode(&value) != nil {
			return message
		}
		switch text := textIn(value); {
		case text != "" && key == "message":
			return text
		case key == "error" || key == "errors":
			message = text
		}
	}
	return message
}

// textIn returns a JSON value as a text: a string, or the strings of a list.
func textIn(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		var texts []string
		for _, element := range v {
			if text := textIn(element); text != "" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, "; ")
	case map[string]any:
		return textIn(v["message"])
	}
	return ""
}

const maxPlainText = 120 // bytes

// plainText returns the beginning of a body that is plain text, "" for HTML, JSON
// and what is not text.
func plainText(body []byte) string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(body[:min(len(body), maxPlainText)]), ""))
	if text == "" || json.Valid(body) || strings.ContainsAny(text[:1], `<[{"`) || strings.ContainsFunc(text, isBinary) {
		return ""
	}
	return text
}

func isBinary(r rune) bool { return isControl(r) && r != '\n' && r != '\r' && r != '\t' }
