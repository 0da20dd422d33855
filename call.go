package calls

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ccaip-go/calls/internal/flex"
)

// Call is a telephone call as the platform describes it. A field that can be
// null is a pointer, nil where the platform sent null, nothing, or something
// that cannot be read as the field's type; RawJSON has what it sent. Keys that
// are not known here are kept in RawJSON too.
//
// Durations are whole numbers as the platform sends them; the reference gives
// no unit.
//
// A Call is read from JSON wherever it comes from: a response, a webhook, a cache.
// It marshals to the JSON that it was read from, so that a round trip loses
// nothing; changes to its fields are not in that. A Call made by hand marshals to
// its fields.
//
// A Call prints as its id, type and status. The methods of a nil *Call do not
// panic. The package never modifies a Call after returning it.
//
// Reference: "Call endpoints", the call object.
type Call struct {
	ID       int64  `json:"id"`
	ParentID *int64 `json:"parent_id"`
	Lang     string `json:"lang"`
	// CallType of a scheduled call is CallTypeScheduled in the documented object
	// and CallTypeInbound in the platform's example responses.
	CallType CallType   `json:"call_type"`
	Status   CallStatus `json:"status"`

	CreatedAt   *time.Time `json:"created_at"`
	QueuedAt    *time.Time `json:"queued_at"`
	AssignedAt  *time.Time `json:"assigned_at"`
	ConnectedAt *time.Time `json:"connected_at"`
	EndsAt      *time.Time `json:"ends_at"`
	ScheduledAt *time.Time `json:"scheduled_at"`

	WaitDuration *int64 `json:"wait_duration"`
	CallDuration *int64 `json:"call_duration"`
	HoldDuration *int64 `json:"hold_duration"`

	// Rating is the end user's, nil if there is none.
	Rating       *int64       `json:"rating"`
	HasFeedback  bool         `json:"has_feedback"`
	VoIPProvider VoIPProvider `json:"voip_provider"`
	OutTicketID  *string      `json:"out_ticket_id"`
	OutTicketURL *string      `json:"out_ticket_url"`
	Verified     bool         `json:"verified"`

	RecordingURL *string `json:"recording_url"`
	// RecordingPermission is spelt without the prefix that it has in requests.
	RecordingPermission RecordingPermission `json:"recording_permission"`
	VoicemailReason     string              `json:"voicemail_reason" flex:"voicemail_reaso"`
	Deflection          string              `json:"deflection"`
	DisconnectedBy      string              `json:"disconnected_by"`
	FailReason          FailReason          `json:"fail_reason"`
	FailDetails         *string             `json:"fail_details"`
	SupportNumber       *string             `json:"support_number"`

	SelectedMenu *Menu     `json:"selected_menu"`
	MenuPath     *MenuPath `json:"menu_path"`
	AgentInfo    *Agent    `json:"agent_info"`
	EndUser      *EndUser  `json:"end_user"`

	Photos       []Photo       `json:"photos"`
	Videos       []Video       `json:"videos"`
	Transfers    []Transfer    `json:"transfers"`
	Participants []Participant `json:"participants"`

	// The fields below are not in the documented object, but appear in every
	// example of a created call.

	DeflectionDetails []DeflectionDetail `json:"deflection_details"`
	OfferType         *string            `json:"offer_type"`
	OfferEvents       []OfferEvent       `json:"offer_events"`
	AnswerType        *string            `json:"answer_type"`
	OutboundNumber    *string            `json:"outbound_number"`

	// The fields below are only in the objects of a listing, where QueueDuration
	// replaces WaitDuration.

	UpdatedAt          *time.Time `json:"updated_at"`
	QueueDuration      *int64     `json:"queue_duration"`
	SubStatus          *string    `json:"sub_status"`
	FinishReason       *string    `json:"finish_reason"`
	AdapterFailCode    *string    `json:"adapter_fail_code"`
	AdapterFailMessage *string    `json:"adapter_fail_message"`

	raw *[]byte // a pointer, so that a copy of a Call does not print it
}

// RawJSON returns a copy of the JSON that the call was read from, keys that are
// not known here included. It is nil for a nil *Call, and for one made by hand.
func (c *Call) RawJSON() json.RawMessage {
	if c == nil || c.raw == nil {
		return nil
	}
	return slices.Clone(*c.raw)
}

// callFields is a Call without methods, for its own encoding and decoding.
type callFields Call

// UnmarshalJSON reads a call object. A field that does not match its documented
// type keeps its zero value; only data that is no JSON object is an error, which
// is ErrUndecodable. As usual, null changes nothing.
func (c *Call) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if err := c.decode(bytes.Clone(data)); err != nil {
		return fmt.Errorf("%w: call: %w", ErrUndecodable, err)
	}
	return nil
}

// decode reads a call object and keeps it.
func (c *Call) decode(object []byte) error {
	err := flex.Decode(object, (*callFields)(c))
	c.raw = &object
	return err
}

// MarshalJSON returns the JSON that the call was read from or, for a Call made by
// hand, its fields.
func (c Call) MarshalJSON() ([]byte, error) {
	if raw, ok := firstObject(c.raw); ok {
		return raw, nil
	}
	return json.Marshal(callFields(c))
}

// firstObject returns the first JSON value of a response body, which can have a
// byte order mark before it and other bytes after it. It reports false if there is
// none that is whole.
func firstObject(body *[]byte) (json.RawMessage, bool) {
	if body == nil {
		return nil, false
	}
	var first json.RawMessage
	err := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(*body, []byte("\ufeff")))).Decode(&first)
	return first, err == nil
}

// Menu is the queue menu that was selected for a call.
type Menu struct {
	ID       *int64 `json:"id"`
	Name     string `json:"name"`
	ParentID *int64 `json:"parent_id"`
	Position *int64 `json:"position"`
	Deleted  *bool  `json:"deleted"`
	// Hidden is documented as a string and comes as a boolean.
	Hidden    *bool    `json:"hidden"`
	MenuType  MenuType `json:"menu_type"`
	OutputMsg string   `json:"output_msg"`
}

// MenuPath is the way through the menus to the selected one.
type MenuPath struct {
	ItemsCount       *int64 `json:"items_count"`
	Name             string `json:"name"`
	MaterializedPath string `json:"materialized_path"`
}

// Agent is the agent of a call or of a transfer.
type Agent struct {
	ID        *int64 `json:"id"`
	Name      string `json:"name"`
	LastName  string `json:"last_name"`
	FirstName string `json:"first_name"`
	// AgentNumber is documented as a string and was seen as a number.
	AgentNumber string `json:"agent_number"`
	AvatarURL   string `json:"avatar_url"`
}

// EndUser is the end user of a call.
type EndUser struct {
	ID           *int64 `json:"id"`
	Identifier   string `json:"identifier"`
	OutContactID string `json:"out_contact_id"`
}

// Photo is a photo that the end user sent during a call.
type Photo struct {
	ID        *int64 `json:"id"`
	PhotoType string `json:"photo_type"`
	URL       string `json:"url"`
}

// Video is a video that the end user sent during a call.
type Video struct {
	ID  *int64 `json:"id"`
	URL string `json:"url"`
}

// Transfer is a transfer of a call to another menu or agent.
type Transfer struct {
	ID           *int64     `json:"id"`
	Status       string     `json:"status"`
	FailReason   FailReason `json:"fail_reason"`
	CreatedAt    *time.Time `json:"created_at"`
	ConnectedAt  *time.Time `json:"connected_at"`
	WaitDuration *int64     `json:"wait_duration"`
	FromMenu     *MenuPath  `json:"from_menu" flex:"from_menu_path"`
	ToMenu       *MenuPath  `json:"to_menu" flex:"to_menu_path"`
	FromAgent    *Agent     `json:"from_agent"`
	ToAgent      *Agent     `json:"to_agent"`
}

// Participant is one of those who take part in a call.
type Participant struct {
	ID           *int64            `json:"id"`
	Type         ParticipantType   `json:"type"`
	Status       ParticipantStatus `json:"status"`
	CallID       *int64            `json:"call_id"`
	UserID       *int64            `json:"user_id"`
	EndUserID    *int64            `json:"end_user_id"`
	CallDuration *int64            `json:"call_duration"`
	HoldDuration *int64            `json:"hold_duration"`
	ConnectedAt  *time.Time        `json:"connected_at"`
	EndedAt      *time.Time        `json:"ended_at"`
	FailReason   FailReason        `json:"fail_reason"`
}

// DeflectionDetail describes how a call was sent elsewhere.
type DeflectionDetail struct {
	ID           *int64    `json:"id"`
	CallID       *int64    `json:"call_id"`
	TransferID   *int64    `json:"transfer_id"`
	Deflection   string    `json:"deflection"`
	FromMenuPath *MenuPath `json:"from_menu_path"`
}

// OfferEvent is one round of offering a call to a group of agents.
type OfferEvent struct {
	CastingTime *time.Time `json:"casting_time"`
	Group       string     `json:"group"`
}

// CustomerFlag is the reserved data attributes of a call. A nil flag is unset or
// unreadable. Like a Call it is read from JSON leniently, and marshals to what it
// was read from.
//
// Reference: "Call endpoints", get the customer flag.
type CustomerFlag struct {
	VerifiedCustomer *bool `json:"verified_customer"`
	BadActor         *bool `json:"bad_actor"`
	// RepeatCustomer is read from either spelling, repeat_customer or
	// repeat_customers.
	RepeatCustomer *bool `json:"repeat_customer" flex:"repeat_customers"`

	raw *[]byte
}

// customerFlagFields is a CustomerFlag without methods, for its own encoding and
// decoding.
type customerFlagFields CustomerFlag

// RawJSON returns a copy of the JSON that the flags were read from. It is nil for
// a nil *CustomerFlag, and for one made by hand.
func (f *CustomerFlag) RawJSON() json.RawMessage {
	if f == nil || f.raw == nil {
		return nil
	}
	return slices.Clone(*f.raw)
}

// Equal reports whether both have the same flags, whatever they were read from.
func (f CustomerFlag) Equal(other CustomerFlag) bool {
	return sameFlag(f.VerifiedCustomer, other.VerifiedCustomer) && sameFlag(f.BadActor, other.BadActor) &&
		sameFlag(f.RepeatCustomer, other.RepeatCustomer)
}

func sameFlag(a, b *bool) bool { return a == b || a != nil && b != nil && *a == *b }

// UnmarshalJSON reads the flags like Call.UnmarshalJSON.
func (f *CustomerFlag) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if err := f.decode(bytes.Clone(data)); err != nil {
		return fmt.Errorf("%w: customer flag: %w", ErrUndecodable, err)
	}
	return nil
}

// decode reads the flags and keeps what they were read from.
func (f *CustomerFlag) decode(object []byte) error {
	err := flex.Decode(object, (*customerFlagFields)(f))
	f.raw = &object
	return err
}

// MarshalJSON returns the JSON that the flags were read from or, for a CustomerFlag
// made by hand, its fields.
func (f CustomerFlag) MarshalJSON() ([]byte, error) {
	if raw, ok := firstObject(f.raw); ok {
		return raw, nil
	}
	return json.Marshal(customerFlagFields(f))
}

// CustomerFlagUpdate changes the flags that are not nil.
//
// Reference: "Call endpoints", update the customer flag.
type CustomerFlagUpdate struct {
	VerifiedCustomer *bool `json:"verified_customer,omitempty"`
	BadActor         *bool `json:"bad_actor,omitempty"`
	RepeatCustomer   *bool `json:"repeat_customer,omitempty"`
}
