package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

var (
	errNotObject = errors.New("events: not a JSON object")
	errNotEvent  = errors.New("events: an object without event_id, call_id and state")
	errNoEvents  = errors.New("events: no array of events")
)

// decodeBody returns the entries of the array of events in data, whatever they
// are. The count beside them says nothing that the array does not.
func decodeBody(data []byte) ([]json.RawMessage, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var syntax *json.SyntaxError
	if err := json.Unmarshal(data, new(json.RawMessage)); errors.As(err, &syntax) {
		return nil, fmt.Errorf("events: malformed JSON at byte %d", syntax.Offset)
	}
	root, ok := readObject(data)
	if !ok {
		return nil, errNotObject
	}
	entries, ok := root.array("events")
	if !ok {
		return nil, errNoEvents
	}
	return entries, nil
}

func decodeEvent(data []byte) (Event, error) {
	o, ok := readObject(data)
	if !ok {
		return Event{}, errNotObject
	}
	o.addItem()
	e := Event{
		EventID:        o.text("event_id"),
		Timestamp:      o.time("timestamp"),
		CallID:         o.id("call_id"),
		State:          State(o.text("state")),
		ConnectedAt:    pointerTo(o.time("connected_at")),
		EndsAt:         pointerTo(o.time("ends_at")),
		QueuePathNames: o.texts("queue_path_names"),
		Initiator:      o.text("initiator"),
		Participants:   readAll(o.list("participants"), readParticipant),
		Dispositions:   readAll(o.list("dispositions"), readDisposition),
		raw:            bytes.Clone(data),
	}
	if e.EventID == "" && e.CallID == 0 && e.State == "" {
		return Event{}, errNotEvent
	}
	return e, nil
}

func readParticipant(o object) Participant {
	return Participant{
		Type:      ParticipantType(o.text("type")),
		State:     ParticipantState(o.text("state", "status")),
		DN:        o.text("dn"),
		AgentID:   o.id("agent_id", "id"),
		AgentName: o.text("agent_name", "name"),
	}
}

func readDisposition(o object) Disposition {
	return Disposition{
		Code:         o.text("code"),
		CustomCodeID: o.id("custom_code_id"),
		Note:         o.text("note"),
	}
}

// readAll leaves out what is not an object.
func readAll[T any](entries []json.RawMessage, read func(object) T) []T {
	var all []T
	for _, raw := range entries {
		if o, ok := readObject(raw); ok {
			all = append(all, read(o))
		}
	}
	return all
}
