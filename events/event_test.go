package events_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls/events"
)

func TestRawJSON(t *testing.T) {
	t.Parallel()
	const sent = `{ "event_id":"a", "CallID":1.0, "new_key":{"x":[1]} }`
	var e, again events.Event
	if err := json.Unmarshal([]byte(sent), &e); err != nil {
		t.Fatal(err)
	}
	e.RawJSON()[0] = 'x'
	if got := string(e.RawJSON()); got != sent {
		t.Errorf("RawJSON is %s, want %s", got, sent)
	}
	written, err := json.Marshal(e)
	if err != nil || json.Unmarshal(written, &again) != nil {
		t.Fatalf("%s, %v", written, err)
	}
	if !strings.Contains(string(written), `"new_key":{"x":[1]}`) || !cmp.Equal(e, again, sameFields) {
		t.Errorf("marshals to %s", written)
	}
}

func TestAnEventThatWasNotDecodedSurvivesJSON(t *testing.T) {
	t.Parallel()
	for _, e := range eventsOf() {
		var again events.Event
		written, err := json.Marshal(e)
		if err != nil || json.Unmarshal(written, &again) != nil {
			t.Fatalf("%s, %v", written, err)
		}
		if diff := cmp.Diff(e, again, sameFields); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	if raw := (events.Event{CallID: 1}).RawJSON(); raw != nil {
		t.Errorf("RawJSON is %s, want nil", raw)
	}
}
