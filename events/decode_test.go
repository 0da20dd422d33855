package events_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ccaip-go/calls/events"
)

var sameFields = cmp.Options{cmpopts.IgnoreUnexported(events.Event{}), cmpopts.EquateEmpty()}

// readBodies returns bodies with the same events, each in another form.
func readBodies(t testing.TB) map[string]string {
	t.Helper()
	data, err := os.ReadFile("testdata/events.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Bodies map[string]json.RawMessage }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for name, body := range file.Bodies {
		bodies[name] = string(body)
	}
	return bodies
}

// eventsOf returns the events of every body of readBodies.
func eventsOf() []events.Event {
	at := func(text string) *time.Time {
		t, _ := time.Parse(time.RFC3339, text)
		return &t
	}
	external := func(state events.ParticipantState) events.Participant {
		return events.Participant{Type: events.ParticipantExternal, State: state, DN: "+18596579625"}
	}
	agent := func(state events.ParticipantState) events.Participant {
		return events.Participant{Type: events.ParticipantAgent, State: state, AgentID: 1, AgentName: "Example Agent"}
	}
	connected, ended := at("2019-09-10T00:19:14Z"), at("2019-09-10T00:24:14Z")
	queue := []string{"Support", "Lock Star"}
	const id = "6f1c2d3e-0000-4000-8000-00000000000"
	return []events.Event{
		{EventID: id + "1", Timestamp: *at("2019-09-10T00:19:14Z"), CallID: 397, State: events.StateConnected, ConnectedAt: connected,
			Participants: []events.Participant{external(events.ParticipantConnected)}},
		{EventID: id + "2", Timestamp: *at("2019-09-10T00:19:15Z"), CallID: 397, State: events.StateConnected, ConnectedAt: connected,
			QueuePathNames: queue, Initiator: "virtual_agent_15",
			Participants: []events.Participant{external(events.ParticipantConnected)}},
		{EventID: id + "3", Timestamp: *at("2019-09-10T00:19:34Z"), CallID: 397, State: events.StateConnected, ConnectedAt: connected,
			QueuePathNames: queue, Initiator: "agent_1",
			Participants: []events.Participant{external(events.ParticipantConnected), agent(events.ParticipantAccepted)}},
		{EventID: id + "4", Timestamp: *at("2019-09-10T00:19:36Z"), CallID: 397, State: events.StateConnected, ConnectedAt: connected,
			QueuePathNames: queue, Initiator: "agent_1",
			Participants: []events.Participant{external(events.ParticipantConnected), agent(events.ParticipantConnected)}},
		{EventID: id + "5", Timestamp: *at("2019-09-10T00:24:14Z"), CallID: 397, State: events.StateDisconnected, ConnectedAt: connected, EndsAt: ended,
			QueuePathNames: queue, Initiator: "agent_1",
			Participants: []events.Participant{external(events.ParticipantDisconnected), agent(events.ParticipantDisconnected)}},
		{EventID: id + "6", Timestamp: *at("2019-09-10T00:24:44Z"), CallID: 397, State: events.StateDisconnected, ConnectedAt: connected, EndsAt: ended,
			QueuePathNames: queue, Initiator: "agent_1",
			Participants: []events.Participant{external(events.ParticipantDisconnected), agent(events.ParticipantDispositionSubmitted)},
			Dispositions: []events.Disposition{{Code: "resolved", CustomCodeID: 12, Note: "Asked about the lock"}}},
	}
}

func TestEveryFormOfTheDocumentedEventsIsReceived(t *testing.T) {
	t.Parallel()
	for name, body := range readBodies(t) {
		var inbox inbox
		response := post(t, newServer(t, inbox.receive), body)
		if response.StatusCode != 200 {
			t.Errorf("%s: %s", name, response.Status)
		}
		if diff := cmp.Diff(eventsOf(), inbox.received(), sameFields); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestEveryBodyHasTheDocumentedKeys(t *testing.T) {
	t.Parallel()
	keys := []string{
		"count", "events", "event_id", "timestamp", "call_id", "state", "connected_at", "ends_at", "queue_path_names", "initiator",
		"participants", "type", "dn", "dispositions", "code", "custom_code_id", "note",
	}
	bodies := readBodies(t)
	for _, form := range []string{"flat", "item", "capitals", "capitals in item", "strings and status"} {
		plain := strings.ToLower(strings.ReplaceAll(bodies[form], "_", ""))
		for _, key := range keys {
			if !strings.Contains(plain, `"`+strings.ReplaceAll(key, "_", "")+`":`) {
				t.Errorf("%s: no %s", form, key)
			}
		}
	}
	if all := slices.Sorted(maps.Keys(bodies)); len(all) != 5 {
		t.Errorf("bodies %q, want the 5 that are tested", all)
	}
}

func TestFormsOfAnEvent(t *testing.T) {
	t.Parallel()
	at := time.Date(2019, 9, 10, 0, 19, 14, 421e6, time.UTC)
	atSecond, atMinute, atDay := at.Truncate(time.Second), at.Truncate(time.Minute), at.Truncate(24*time.Hour)
	tests := []struct {
		name, json string
		want       events.Event
	}{
		{"an id as a string", `{"call_id":"397"}`, events.Event{CallID: 397}},
		{"the largest id", `{"call_id":9223372036854775807}`, events.Event{CallID: 9223372036854775807}},
		{"the largest id as a string", `{"call_id":" 9223372036854775807 "}`, events.Event{CallID: 9223372036854775807}},
		{"an id with a fraction of zero", `{"call_id":397.0}`, events.Event{CallID: 397}},
		{"an id with an exponent", `{"call_id":4e2}`, events.Event{CallID: 400}},
		{"an event id that is a number", `{"event_id":12}`, events.Event{EventID: "12"}},
		{"camel case", `{"eventId":"a","callId":1}`, events.Event{EventID: "a", CallID: 1}},
		{"capitals and underscores", `{"Event_ID":"a","CALL_ID":1}`, events.Event{EventID: "a", CallID: 1}},
		{"the documented spelling wins", `{"CallID":2,"call_id":1,"callId":3}`, events.Event{CallID: 1}},
		{"null is absent", `{"call_id":null,"CallID":2,"item":{"state":"connected"},"state":null}`, events.Event{CallID: 2, State: "connected"}},
		{"the event wins over its item", `{"call_id":1,"Item":{"CallID":2,"State":"connected"}}`, events.Event{CallID: 1, State: "connected"}},
		{"an item that is not an object", `{"call_id":1,"item":[{"state":"connected"}]}`, events.Event{CallID: 1}},
		{"an unknown state", `{"call_id":1,"state":"On Hold"}`, events.Event{CallID: 1, State: "On Hold"}},

		{"malformed fields", `{"call_id":{},"event_id":"a","timestamp":"soon","connected_at":[],"participants":"x","dispositions":3,"queue_path_names":{}}`, events.Event{EventID: "a"}},
		{"invalid ids", `{"state":"x","call_id":-1,"participants":[{"id":"0x10"},{"id":1.5},{"id":"+5"},{"id":9223372036854775808},{"id":"inf"}]}`,
			events.Event{State: "x", Participants: make([]events.Participant, 5)}},

		{"milliseconds as a string", `{"call_id":1,"timestamp":"1568074754421"}`, events.Event{CallID: 1, Timestamp: at}},
		{"milliseconds with a fraction", `{"call_id":1,"timestamp":1568074754421.7}`, events.Event{CallID: 1, Timestamp: at}},
		{"milliseconds beyond the last year", `{"call_id":1,"timestamp":9007199254740991}`, events.Event{CallID: 1}},
		{"a timestamp in ISO 8601", `{"call_id":1,"timestamp":"2019-09-10T00:19:14.421Z"}`, events.Event{CallID: 1, Timestamp: at}},
		{"an end in milliseconds", `{"call_id":1,"ends_at":1568074754421}`, events.Event{CallID: 1, EndsAt: &at}},
		{"an offset", `{"call_id":1,"ends_at":"2019-09-10T09:19:14.421+09:00"}`, events.Event{CallID: 1, EndsAt: &at}},
		{"an offset without a colon", `{"call_id":1,"ends_at":"2019-09-10T09:19:14.421+0900"}`, events.Event{CallID: 1, EndsAt: &at}},
		{"an offset of hours", `{"call_id":1,"ends_at":"2019-09-10T09:19:14.421+09"}`, events.Event{CallID: 1, EndsAt: &at}},
		{"no zone", `{"call_id":1,"ends_at":"2019-09-10T00:19:14"}`, events.Event{CallID: 1, EndsAt: &atSecond}},
		{"a space, and UTC", `{"call_id":1,"ends_at":"2019-09-10 00:19:14 UTC"}`, events.Event{CallID: 1, EndsAt: &atSecond}},
		{"a space, and an offset", `{"call_id":1,"ends_at":"2019-09-10 09:19:14 +0900"}`, events.Event{CallID: 1, EndsAt: &atSecond}},
		{"lower case", `{"call_id":1,"ends_at":"2019-09-10t00:19:14z"}`, events.Event{CallID: 1, EndsAt: &atSecond}},
		{"no seconds", `{"call_id":1,"ends_at":"2019-09-10T00:19Z"}`, events.Event{CallID: 1, EndsAt: &atMinute}},
		{"a day", `{"call_id":1,"ends_at":"2019-09-10"}`, events.Event{CallID: 1, EndsAt: &atDay}},
		{"a false end", `{"call_id":1,"ends_at":false}`, events.Event{CallID: 1}},

		{"a queue as one name", `{"call_id":1,"queue_path_names":"Lock Star"}`, events.Event{CallID: 1, QueuePathNames: []string{"Lock Star"}}},
		{"one participant, not in an array", `{"call_id":1,"participants":{"type":"agent"}}`, events.Event{CallID: 1, Participants: []events.Participant{{Type: "agent"}}}},
		{"a participant that is not an object", `{"call_id":1,"participants":[7,null,{"type":"agent"}]}`, events.Event{CallID: 1, Participants: []events.Participant{{Type: "agent"}}}},
		{"state before status", `{"call_id":1,"participants":[{"status":"b","state":"a"},{"Status":"b"}]}`,
			events.Event{CallID: 1, Participants: []events.Participant{{State: "a"}, {State: "b"}}}},
		{"the agent's id before the participant's", `{"call_id":1,"participants":[{"id":1,"agent_id":2,"name":"a","agent_name":"b"}]}`,
			events.Event{CallID: 1, Participants: []events.Participant{{AgentID: 2, AgentName: "b"}}}},
		{"dispositions in an array", `{"call_id":1,"dispositions":[{"code":7},{"Note":"n","CustomCodeID":"8"}]}`,
			events.Event{CallID: 1, Dispositions: []events.Disposition{{Code: "7"}, {Note: "n", CustomCodeID: 8}}}},
	}
	for _, test := range tests {
		var got events.Event
		if err := json.Unmarshal([]byte(test.json), &got); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, got, sameFields); diff != "" {
			t.Errorf("%s: -want +got\n%s", test.name, diff)
		}
	}
}

func TestOtherJSONIsNotAnEvent(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{}`, `[]`, `7`, `"a"`, `{"timestamp":1568074754000}`, `{"call_id":"x","event_id":null}`, `{"message":"hello"}`} {
		e := events.Event{CallID: 1}
		if err := json.Unmarshal([]byte(data), &e); err == nil || e.CallID != 1 {
			t.Errorf("%s: %v, %v", data, e, err)
		}
	}
	e := events.Event{CallID: 1}
	if err := json.Unmarshal([]byte("null"), &e); err != nil || e.CallID != 1 {
		t.Errorf("null: %v, %v", e, err)
	}
}
