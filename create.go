package calls

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// CreateRequest is an OutboundRequest, an InboundRequest or a ScheduledRequest,
// given by value. It marshals to JSON with its call_type, and UnmarshalRequest
// reads it back.
type CreateRequest interface {
	// prepare checks the request. It returns the body to send, and what the create
	// can be recognized by.
	prepare(c *checker) (body any, about Intent)
}

// CreateResult is the success of a create.
type CreateResult struct {
	// Call is the call that was created. It is nil exactly when AwaitsAgent is
	// true.
	Call *Call
	// AwaitsAgent means that the platform accepted the request (200 or 202), and
	// that an agent has to finish it by hand in the widget, where the outbound
	// number is chosen and the call is placed. It is a success: creating the call
	// again makes a second one.
	AwaitsAgent bool
	// StatusCode and Header are those of the response. Gateways put request ids
	// into the header.
	StatusCode int
	Header     http.Header
	// AlsoOwnedBy is the Intent.ID of another create that Call was given to before,
	// empty almost always. If Settle gave it, Settle was wrong, as this response
	// proves, and the other create is open again: settle it again.
	AlsoOwnedBy string
}

// Create creates the call that req asks for, like CreateOutbound, CreateInbound
// or CreateScheduled.
//
// Reference: "Call endpoints".
func (c *Client) Create(ctx context.Context, req CreateRequest) (*CreateResult, error) {
	p, err := c.Prepare(req)
	if err != nil {
		return nil, err
	}
	return c.Send(ctx, p, nil)
}

// Validate reports what the create methods would refuse before sending. It
// returns nil or ValidationErrors, and sends nothing.
func (c *Client) Validate(req CreateRequest) error {
	_, err := c.Prepare(req)
	return err
}

// Prepare validates and encodes a create without sending it. Its error is
// ValidationErrors.
func (c *Client) Prepare(req CreateRequest, opts ...PrepareOption) (*Prepared, error) {
	if c == nil || c.sender == nil {
		return nil, errNotMade
	}
	if isNil(req) {
		return nil, invalid("request", "is nil", ErrInvalidRequest)
	}
	check, p := checker{client: c}, &Prepared{}
	var wire any
	wire, p.intent = req.prepare(&check)
	for _, opt := range opts {
		if err := opt(&p.intent); err != nil {
			return nil, err
		}
	}
	if len(check.problems) > 0 {
		return nil, check.problems
	}
	var err error
	if p.body, err = json.Marshal(wire); err != nil {
		return nil, invalid("request", "is not valid JSON", ErrInvalidRequest)
	}
	if p.intent.ID == "" {
		p.intent.ID = newID()
	}
	return p, nil
}

// isNil reports whether request is nil, or a nil pointer to a request, which has
// the methods of a CreateRequest but nothing to call them on.
func isNil(request CreateRequest) bool {
	switch r := request.(type) {
	case nil:
		return true
	case *OutboundRequest:
		return r == nil
	case *InboundRequest:
		return r == nil
	case *ScheduledRequest:
		return r == nil
	}
	return false
}

// Send sends a prepared create. The journal, which may be nil, is told about each
// attempt. Sending p again, or in another process, creates another call: use a
// ledger for a create that has to survive its process.
//
// Its result and errors are those of CreateOutbound.
func (c *Client) Send(ctx context.Context, p *Prepared, journal Journal) (*CreateResult, error) {
	if p == nil || p.body == nil {
		return nil, invalid("prepared", "was not made by Prepare", nil)
	}
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	pending := &pendingCreate{intent: p.intent, journal: journal, client: c}
	op := operation{
		name: operationOf(p.intent.CallType), method: http.MethodPost, route: callsRoute, body: p.body, create: pending,
	}
	if p.intent.CallType == CallTypeScheduled {
		op.unprocessable = ErrScheduleRejected
	}
	isOver := false
	defer func() {
		if !isOver { // code of the caller's panicked
			c.creates.failed(pending.intent, ErrOutcomeUnknown)
		}
	}()
	o, err := c.send(ctx, op)
	var result *CreateResult
	if err == nil {
		result, err = o.createResult(ctx)
	}
	isOver = true
	switch {
	case err != nil:
		c.creates.failed(pending.intent, err)
	case result.AwaitsAgent:
		c.creates.awaits(pending.intent)
	default:
		result.AlsoOwnedBy = c.creates.made(pending.intent, result.Call)
		c.warnOfOwners(ctx, result)
	}
	return result, err
}

// warnOfOwners logs that a created call was given to another create before.
func (c *Client) warnOfOwners(ctx context.Context, result *CreateResult) {
	if c.logger != nil && result.AlsoOwnedBy != "" {
		c.logger.LogAttrs(ctx, slog.LevelWarn, "calls: a created call was given to another create before",
			slog.Int64("call", result.Call.ID))
	}
}

// pendingCreate is an operation on its way that dials a person. It keeps its Intent
// up to date with its attempts. One goroutine at a time uses it.
type pendingCreate struct {
	intent  Intent
	journal Journal
	client  *Client
}

// Sending begins an attempt, no byte of which leaves after permitEnd.
func (p *pendingCreate) Sending(ctx context.Context, permitEnd time.Time) error {
	p.intent.Attempt = newID()
	p.intent.SentAfter, p.intent.SentBefore = p.client.now().Round(0), permitEnd.Round(0)
	if p.intent.CallType != "" { // it makes a call of its own
		p.client.creates.sending(p.intent)
	}
	if p.journal == nil {
		return nil
	}
	return p.journal.Sending(ctx, p.intent)
}

// NotSent ends an attempt that provably was not carried out.
func (p *pendingCreate) NotSent(ctx context.Context) {
	p.client.creates.notSent(p.intent)
	if p.journal != nil {
		p.journal.NotSent(ctx, p.intent)
	}
}

// newID returns a random id of 128 bits. It has to be unique, not secret.
func newID() string {
	var id [32]byte
	random := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), rand.Uint64())
	hex.Encode(id[:], binary.LittleEndian.AppendUint64(random, rand.Uint64()))
	return string(id[:])
}

// createResult tells a created call from one that an agent has to finish, and
// from a response that promises neither.
func (o *outcome) createResult(ctx context.Context) (*CreateResult, error) {
	response := o.result.Response
	result := &CreateResult{StatusCode: response.StatusCode, Header: response.Header}
	call := &Call{}
	decodeErr := call.decode(response.Body)
	switch {
	case call.ID != 0:
		result.Call = call
		return result, nil
	case response.StatusCode == http.StatusCreated:
		return nil, o.fail(ctx, DeliveryAccepted, ErrUndecodable, response.Truncated, orNoID(decodeErr))
	case o.isAccepted():
		result.AwaitsAgent = true
		return result, nil
	}
	return nil, o.fail(ctx, DeliveryUnknown, ErrOutcomeUnknown, ErrUndecodable, o.apiError(), response.Truncated)
}

func orNoID(err error) error {
	if err != nil {
		return err
	}
	return errors.New("the created call has no id")
}

// isAccepted reports whether the response promises that an agent finishes the
// call: a 202 that does not say otherwise, or a 200 that echoes the request.
func (o *outcome) isAccepted() bool {
	response := o.result.Response
	body := bytes.TrimSpace(response.Body)
	if response.Truncated != nil {
		return false
	}
	if response.StatusCode == http.StatusAccepted && len(body) == 0 {
		return true
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil {
		return false
	}
	switch response.StatusCode {
	case http.StatusAccepted:
		return object["message"] == nil && object["error"] == nil && object["errors"] == nil
	case http.StatusOK:
		return object["call_type"] != nil
	}
	return false
}

// UnmarshalRequest reads a request that was marshaled to JSON: an
// OutboundRequest, an InboundRequest or a ScheduledRequest, by its call_type. It
// reads the deprecated call types too. The request is not validated.
func UnmarshalRequest(data []byte) (CreateRequest, error) {
	var head struct {
		CallType CallType `json:"call_type"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, invalid("request", "is not a JSON object with a call_type", ErrInvalidRequest)
	}
	switch head.CallType.Canonical() {
	case CallTypeOutbound:
		return unmarshalAs[OutboundRequest](data)
	case CallTypeInbound:
		return unmarshalAs[InboundRequest](data)
	case CallTypeScheduled:
		return unmarshalAs[ScheduledRequest](data)
	}
	return nil, invalid("call_type", "is not one that this package creates", ErrCallTypeInvalid)
}

func unmarshalAs[R CreateRequest](data []byte) (CreateRequest, error) {
	var request R
	if err := json.Unmarshal(data, &request); err != nil {
		return nil, invalid("request", "has a field of the wrong type", ErrInvalidRequest)
	}
	return request, nil
}

// The fields of the requests without their methods, for encoding.
type (
	outboundFields  OutboundRequest
	inboundFields   InboundRequest
	scheduledFields ScheduledRequest
)

type outboundBody struct {
	CallType CallType `json:"call_type"`
	outboundFields
}

type inboundBody struct {
	CallType CallType `json:"call_type"`
	inboundFields
}

type scheduledBody struct {
	CallType CallType `json:"call_type"`
	scheduledFields
	ScheduledAt string `json:"scheduled_at,omitempty"` // in milliseconds, as it is sent
}

// MarshalJSON returns the request with all of its data and its call_type.
func (r OutboundRequest) MarshalJSON() ([]byte, error) {
	return json.Marshal(outboundBody{CallTypeOutbound, outboundFields(r)})
}

// MarshalJSON returns the request with all of its data and its call_type.
func (r InboundRequest) MarshalJSON() ([]byte, error) {
	return json.Marshal(inboundBody{CallTypeInbound, inboundFields(r)})
}

// MarshalJSON returns the request with all of its data and its call_type.
func (r ScheduledRequest) MarshalJSON() ([]byte, error) {
	at := ""
	if !r.ScheduledAt.IsZero() {
		at = r.ScheduledAt.Format(time.RFC3339Nano)
	}
	return json.Marshal(scheduledBody{CallTypeScheduled, scheduledFields(r), at})
}

func (r OutboundRequest) prepare(c *checker) (any, Intent) {
	r.AgentEmail = c.agentEmail(r.AgentEmail)
	if isBlank(r.TicketID) {
		r.TicketID = "" // it names no ticket, so the number is dialed
	}
	c.ticketID(r.TicketID)
	if r.TicketID == "" && r.EndUserNumber == "" {
		c.refuse("end_user_number", "or ticket_id is required", ErrTicketOrNumberRequired)
	}
	r.EndUserNumber = c.endUserNumber(r.EndUserNumber, r.TicketID, false)
	outbound := c.number("outbound_number", r.OutboundNumber, ErrOutboundNumberMalformed, true)
	r.OutboundNumber = outbound.Wire
	c.lang(r.Lang)
	return outboundBody{CallTypeOutbound, outboundFields(r)},
		Intent{CallType: CallTypeOutbound, TicketID: r.TicketID, OutboundNumber: outbound.E164}
}

func (r InboundRequest) prepare(c *checker) (any, Intent) {
	c.menuID(r.MenuID, true)
	c.ticketID(r.TicketID)
	r.EndUserNumber = c.endUserNumber(r.EndUserNumber, r.TicketID, true)
	// The platform uses its default number if this one is not valid, so the number
	// is not validated, and says nothing about the call that was made.
	r.OutboundNumber = c.number("outbound_number", r.OutboundNumber, ErrOutboundNumberMalformed, false).Wire
	c.lang(r.Lang)
	c.recordingPermission(r.RecordingPermission)
	return inboundBody{CallTypeInbound, inboundFields(r)},
		Intent{CallType: CallTypeInbound, TicketID: r.TicketID, MenuID: r.MenuID}
}

func (r ScheduledRequest) prepare(c *checker) (any, Intent) {
	if r.ParentCallID < 0 {
		c.refuse("call_id", "is not positive", ErrCallIDInvalid)
	}
	c.menuID(r.MenuID, r.ParentCallID == 0)
	c.ticketID(r.TicketID)
	r.EndUserNumber = c.endUserNumber(r.EndUserNumber, r.TicketID, true)
	r.ScheduledAt = c.scheduledAt(r.ScheduledAt)
	c.lang(r.Lang)
	c.recordingPermission(r.RecordingPermission)
	return scheduledBody{CallTypeScheduled, scheduledFields(r), r.ScheduledAt.Format(scheduledAtFormat)}, Intent{
		CallType: CallTypeScheduled, TicketID: r.TicketID, MenuID: r.MenuID,
		ParentCallID: r.ParentCallID, ScheduledAt: r.ScheduledAt,
	}
}
