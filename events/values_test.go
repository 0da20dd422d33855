package events_test

import (
	"testing"

	"github.com/ccaip-go/calls/events"
)

func TestKnownValues(t *testing.T) {
	t.Parallel()
	for _, e := range eventsOf() {
		known := e.State.IsKnown()
		for _, p := range e.Participants {
			known = known && p.Type.IsKnown() && p.State.IsKnown()
		}
		if !known {
			t.Errorf("%v has an unknown value", e)
		}
	}
	if events.State("On Hold").IsKnown() || events.ParticipantType("").IsKnown() || events.ParticipantState("x").IsKnown() {
		t.Error("an unknown value is known")
	}
}
