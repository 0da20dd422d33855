package events

// State is the state of a call in an event. It is an open set: a value that is
// not documented is kept as it came.
type State string

// The documented states.
const (
	StateConnected    State = "connected"
	StateDisconnected State = "disconnected"
)

// IsKnown reports whether s is a documented state.
func (s State) IsKnown() bool { return s == StateConnected || s == StateDisconnected }

// ParticipantType says what a participant is. It is an open set: a value that
// has no constant is kept as it came.
type ParticipantType string

// The types that the page names.
const (
	ParticipantExternal ParticipantType = "external" // the end user
	ParticipantAgent    ParticipantType = "agent"
)

// IsKnown reports whether t has a constant.
func (t ParticipantType) IsKnown() bool {
	return t == ParticipantExternal || t == ParticipantAgent
}

// ParticipantState is the state of a participant. It is an open set: a value
// that has no constant is kept as it came.
type ParticipantState string

// The states that the page names.
const (
	// ParticipantAccepted means that an agent took the call and is being connected.
	ParticipantAccepted     ParticipantState = "accepted"
	ParticipantConnected    ParticipantState = "connected"
	ParticipantDisconnected ParticipantState = "disconnected"
	// ParticipantDispositionSubmitted means that the agent has finished the work
	// after the call. The event has Dispositions.
	ParticipantDispositionSubmitted ParticipantState = "dispositionSubmitted"
)

// IsKnown reports whether s has a constant.
func (s ParticipantState) IsKnown() bool {
	switch s {
	case ParticipantAccepted, ParticipantConnected, ParticipantDisconnected, ParticipantDispositionSubmitted:
		return true
	}
	return false
}
