package main

import (
	"strings"
	"time"

	"github.com/ccaip-go/calls"
)

// state is how far an attempt has come.
type state string

const (
	underWay    state = "under way" // the platform is being asked
	settling    state = "settling"  // the response was lost, and the call is looked for
	created     state = "created"
	awaitsAgent state = "awaits agent" // a success, too
	refused     state = "refused"      // there is certainly no call
	notFound    state = "not found"    // no listing shows the call, which proves nothing
	ambiguous   state = "ambiguous"    // several calls match
	notLooked   state = "not looked"   // the platform's listing could not be read
	made        state = "made"         // a person has checked: there is a call
	notMade     state = "not made"     // a person has checked: there is none
)

// NeedsPerson reports whether only a person can find out whether there is a call.
func (s state) NeedsPerson() bool { return s == notFound || s == ambiguous || s == notLooked }

// IsMoving reports whether the state changes by itself.
func (s state) IsMoving() bool { return s == underWay || s == settling }

// IsOpen reports whether another attempt could ring the same person twice.
func (s state) IsOpen() bool { return s.IsMoving() || s.NeedsPerson() }

// Label returns the state in a few words.
func (s state) Label() string {
	switch {
	case s == underWay:
		return "calling…"
	case s == settling:
		return "not known yet"
	case s == created:
		return "call created"
	case s == awaitsAgent:
		return "waiting for the agent"
	case s == refused:
		return "not called"
	case s.NeedsPerson():
		return "has to be checked"
	}
	return "checked: " + string(s)
}

// Reason says why nobody can be called meanwhile.
func (s state) Reason() string {
	switch {
	case s == underWay:
		return "A call is under way."
	case s == settling:
		return "It is not known yet whether the customer was called."
	}
	return "Someone has to check whether the customer was called."
}

// Tone returns the CSS class that colors the state.
func (s state) Tone() string {
	switch s {
	case created, awaitsAgent, made:
		return "good"
	case refused, notMade:
		return "bad"
	}
	return "open"
}

// outcome is what became of an attempt so far.
type outcome struct {
	State      state
	Call       call         // where the state is created
	Candidates []call       // where it is ambiguous
	Err        error        // where it is refused, and notLooked
	Lost       calls.Intent // of a create whose response was lost: what to settle it by
}

// WasLost reports whether the response to the create was lost.
func (o outcome) WasLost() bool { return o.Lost.ID != "" }

// Label returns the outcome in a few words: the state or, once the call has moved
// on, the status of the call.
func (o outcome) Label() string {
	if o.State == created && o.Call.Status != o.Call.first {
		return "call " + o.Call.Shown()
	}
	return o.State.Label()
}

// call is what is shown of a call. It is kept instead of a calls.Call, which has
// all that the platform sent.
type call struct {
	ID          int64
	Status      calls.CallStatus
	Agent       string
	CreatedAt   *time.Time
	ScheduledAt *time.Time

	first calls.CallStatus // that it was created with
}

func newCall(c *calls.Call) call {
	seen := call{ID: c.ID, Status: c.Status, CreatedAt: c.CreatedAt, ScheduledAt: c.ScheduledAt, first: c.Status}
	if agent := c.AgentInfo; agent != nil {
		seen.Agent = agent.Name
		if seen.Agent == "" {
			seen.Agent = strings.TrimSpace(agent.FirstName + " " + agent.LastName)
		}
	}
	return seen
}

// Shown returns the status in words.
func (c call) Shown() string { return strings.ReplaceAll(printable(string(c.Status)), "_", " ") }
