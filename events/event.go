package events

import (
	"encoding/json"
	"slices"
	"time"
)

// Event says that a call has changed its state. A field is empty, zero or nil if
// the platform sent null, nothing, or something that cannot be read as the
// field's type; RawJSON has what it sent. All times are in UTC.
//
// An Event prints as its ids, its state and its times, without anything about
// the people in the call. Its JSON has everything.
//
// Reference: "External session events".
type Event struct {
	// EventID is a UUID. Two events with the same one are the same event. The
	// handler always delivers an event without one.
	EventID string `json:"event_id,omitempty"`
	// Timestamp is when the platform made the event, to the millisecond.
	Timestamp time.Time `json:"timestamp,omitzero"`

	CallID int64 `json:"call_id,omitempty"`
	// State is the call's. Several events of a call have the same one.
	State       State      `json:"state,omitempty"`
	ConnectedAt *time.Time `json:"connected_at,omitempty"`
	EndsAt      *time.Time `json:"ends_at,omitempty"`
	// QueuePathNames are the names along the path of the queue.
	QueuePathNames []string `json:"queue_path_names,omitempty"`
	// Initiator is who caused the change, such as "virtual_agent_15" or "agent_1".
	Initiator    string        `json:"initiator,omitempty"`
	Participants []Participant `json:"participants,omitempty"`
	Dispositions []Disposition `json:"dispositions,omitempty"`

	raw []byte
}

// Participant is a person or a virtual agent in a call. The keys of the name and the
// id of an agent are not documented: agent_name and agent_id are read, or else
// name and id.
type Participant struct {
	Type ParticipantType `json:"type,omitempty"`
	// State is what the platform sent as "state" or, without that, as "status".
	State     ParticipantState `json:"state,omitempty"`
	DN        string           `json:"dn,omitempty"` // the telephone number
	AgentID   int64            `json:"agent_id,omitempty"`
	AgentName string           `json:"agent_name,omitempty"`
}

// Disposition is what an agent wrote down about a call after its end.
type Disposition struct {
	Code         string `json:"code,omitempty"`
	CustomCodeID int64  `json:"custom_code_id,omitempty"`
	Note         string `json:"note,omitempty"`
}

// RawJSON returns a copy of the event as the platform sent it, unknown keys
// included. It is nil for an Event that was not decoded.
func (e Event) RawJSON() json.RawMessage { return slices.Clone(e.raw) }

// MarshalJSON returns what the platform sent, so that an event can wait in a
// queue or a table and lose nothing. An Event that was not decoded has the
// documented keys. The JSON has private data in it.
func (e Event) MarshalJSON() ([]byte, error) {
	if e.raw != nil {
		return e.RawJSON(), nil
	}
	type fields Event
	return json.Marshal(fields(e))
}

// UnmarshalJSON reads an event in any of its forms; null changes nothing. It fails
// for what is not an object, and for an object that has neither an event_id nor a
// call_id nor a state. The errors contain nothing of data.
func (e *Event) UnmarshalJSON(data []byte) error {
	if isNull(data) {
		return nil // as encoding/json expects
	}
	decoded, err := decodeEvent(data)
	if err != nil {
		return err
	}
	*e = decoded
	return nil
}
