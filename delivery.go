package calls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ccaip-go/calls/internal/redact"
)

// Delivery says what became of a request that failed. After a failed create one
// question matters: can sending it again ring a person twice?
type Delivery int

const (
	// DeliveryUnknown means that the platform may have carried the request out.
	// Sending it again can ring a person twice.
	DeliveryUnknown Delivery = iota
	// DeliveryNotSent means that the request provably did not leave. It can be
	// sent again.
	DeliveryNotSent
	// DeliveryRejected means that the platform refused the request and created
	// nothing.
	DeliveryRejected
	// DeliveryAccepted means that the platform carried the request out, and only
	// its response could not be used. Sending it again rings a person twice.
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

// MayExist reports whether the call may exist although its create failed, so
// that sending the create again can ring a person twice.
func (d Delivery) MayExist() bool { return d != DeliveryNotSent && d != DeliveryRejected }

// DeliveryOf returns what became of the request that failed with err. It returns
// DeliveryAccepted for nil, and DeliveryUnknown for an error that is not of this
// package. Errors of NewClient and of validation are DeliveryNotSent. The error of
// Settle has the delivery of the create, never that of the listing.
func DeliveryOf(err error) Delivery {
	if err == nil {
		return DeliveryAccepted
	}
	var failed *OpError
	if errors.As(err, &failed) {
		return failed.Delivery
	}
	var response *APIError
	if errors.As(err, &response) {
		return deliveryOfStatus(response.StatusCode)
	}
	var invalid *ValidationError
	if errors.As(err, &invalid) {
		return DeliveryNotSent
	}
	return DeliveryUnknown
}

// RetryAfter reports whether the request that failed with err was provably not
// carried out and can be sent again unchanged, and how long to wait before that.
// It reports false for everything else: what may have been carried out, what is not
// valid, and what the platform refused other than with a 429.
func RetryAfter(err error) (wait time.Duration, ok bool) {
	var failed *OpError
	if !errors.As(err, &failed) {
		return 0, false
	}
	return failed.retryAfter, failed.canRetry
}

// OpError is the error of an operation. It is used as a pointer only. errors.Is
// and errors.As look through it at its causes: a *APIError, ErrOutcomeUnknown, an
// error of the network, the context's error.
type OpError struct {
	// Operation is the name of the method, such as "CreateOutbound".
	Operation string
	Delivery  Delivery
	// Attempts is the number of attempts that were made.
	Attempts int
	// Intent is what the create can be recognized by. It is nil for an operation
	// that dials nobody.
	Intent *Intent
	// Causes are the errors that the operation failed with, the most telling
	// first.
	Causes []error

	redactor   *redact.Redactor
	canRetry   bool          // provably not carried out, and worth sending again
	retryAfter time.Duration // how long to wait before that
}

// Error returns the operation and the causes, without private data.
func (e *OpError) Error() string { return "calls: " + e.text() }

func (e *OpError) text() string {
	text := joinTexts(e.redactor, ": ", e.Causes)
	if e.Operation != "" {
		text = e.Operation + ": " + text
	}
	var response *APIError // it has the number of attempts in its own text
	if e.Attempts > 1 && !errors.As(e, &response) {
		text += fmt.Sprintf(" (after %d attempts)", e.Attempts)
	}
	return text
}

// Unwrap returns the causes.
func (e *OpError) Unwrap() []error { return e.Causes }

// notSent returns the error of an operation that failed before it was sent.
func notSent(operation string, cause error) *OpError {
	return &OpError{Operation: operation, Delivery: DeliveryNotSent, Causes: []error{cause}}
}

// Intent is what a listing of calls can show of one create, and when the create
// can have been sent. It contains no e-mail address and no number of an end user,
// marshals to JSON, and outlives the process.
type Intent struct {
	// ID identifies the create: the key of WithKey, or a random id. It is made by
	// Prepare.
	ID string `json:"id"`
	// Attempt is a random id that is renewed with each attempt, before
	// Journal.Sending. "This attempt" means this id.
	Attempt  string   `json:"attempt,omitempty"`
	CallType CallType `json:"call_type"`
	// No byte of the attempt left before SentAfter or after SentBefore, by this
	// machine's clock. During an attempt SentBefore is when its permit ends; after
	// the attempt it is when the attempt ended.
	SentAfter      time.Time `json:"sent_after,omitzero"`
	SentBefore     time.Time `json:"sent_before,omitzero"`
	TicketID       string    `json:"ticket_id,omitempty"`
	MenuID         int64     `json:"menu_id,omitempty"`
	ParentCallID   int64     `json:"parent_call_id,omitempty"`
	ScheduledAt    time.Time `json:"scheduled_at,omitzero"`
	OutboundNumber string    `json:"outbound_number,omitempty"` // E.164, as sent
}

// IntentOf returns the Intent of the create that failed with err. It reports
// false for an error that has none: one of validation, or of an operation that
// dials nobody.
func IntentOf(err error) (Intent, bool) {
	var failed *OpError
	if !errors.As(err, &failed) || failed.Intent == nil {
		return Intent{}, false
	}
	return *failed.Intent, true
}

// Journal is told about the attempts at a create, so that a record of them can
// survive the process. Its methods are called one at a time for one create, and
// concurrently for different creates. The Intent of an attempt is the same in
// both methods.
type Journal interface {
	// Sending is called when an attempt has had its turn at the rate limiter,
	// right before its first byte can leave. Once it has returned nil, a record of
	// the attempt must be durable. Its error ends the create as DeliveryNotSent.
	Sending(ctx context.Context, i Intent) error
	// NotSent is called after an attempt that provably was not carried out: it was
	// not written, or the platform returned 429. It undoes the record of Sending.
	NotSent(ctx context.Context, i Intent)
}

// Prepared is a create that was validated and not sent. It marshals to JSON with
// all of its data, so that it can wait in a table or a queue; printed, it shows
// its id. Make it with Client.Prepare. The zero Prepared cannot be sent.
type Prepared struct {
	intent Intent
	body   json.RawMessage
}

// ID returns the id of the create.
func (p *Prepared) ID() string { return p.Intent().ID }

// Intent returns what the create can be recognized by. It has no times before the
// create was sent.
func (p *Prepared) Intent() Intent {
	if p == nil {
		return Intent{}
	}
	return p.intent
}

// preparedJSON is the JSON form of a Prepared.
type preparedJSON struct {
	Intent  Intent          `json:"intent"`
	Request json.RawMessage `json:"request"`
}

// MarshalJSON returns the create with all of its data, private data included.
func (p *Prepared) MarshalJSON() ([]byte, error) {
	if p == nil || p.body == nil {
		return []byte("null"), nil
	}
	return json.Marshal(preparedJSON{p.intent, p.body})
}

// UnmarshalJSON reads what MarshalJSON returned.
func (p *Prepared) UnmarshalJSON(data []byte) error {
	var read preparedJSON
	if err := json.Unmarshal(data, &read); err != nil {
		return errors.New("calls: not the JSON of a prepared create")
	}
	var request struct {
		CallType CallType `json:"call_type"`
	}
	isObject := json.Unmarshal(read.Request, &request) == nil
	if !isObject || read.Intent.ID == "" || operationOf(read.Intent.CallType) == "" || request.CallType != read.Intent.CallType {
		return errors.New("calls: not the JSON of a prepared create")
	}
	p.intent, p.body = read.Intent, read.Request
	return nil
}

// operationOf returns the name of the operation that creates calls of a type, ""
// if there is none.
func operationOf(t CallType) string {
	switch t {
	case CallTypeOutbound:
		return "CreateOutbound"
	case CallTypeInbound:
		return "CreateInbound"
	case CallTypeScheduled:
		return "CreateScheduled"
	}
	return ""
}

// PrepareOption sets up a Prepared.
type PrepareOption func(*Intent) error

// WithKey uses key as the id of the create: the caller's own name for it, such as
// "task 8812", at most 255 bytes. The platform has no idempotency key; a ledger
// uses this one to create a call once. Without it the id is random.
func WithKey(key string) PrepareOption {
	return func(i *Intent) error {
		if strings.TrimSpace(key) == "" || len(key) > maxKey {
			return invalid("key", "is blank or longer than 255 bytes", nil)
		}
		i.ID = key
		return nil
	}
}

const maxKey = 255 // bytes
