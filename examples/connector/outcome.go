package main

import (
	"cmp"
	"strings"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/ledger"
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

// IsMoving reports whether the state changes without a person.
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

// LinkLabel names what the page of an open attempt offers.
func (s state) LinkLabel() string {
	if s.NeedsPerson() {
		return "Check"
	}
	return "Details"
}

// Finding says why a person has to check.
func (s state) Finding() string {
	switch s {
	case ambiguous:
		return "it is not certain which call it is"
	case notLooked:
		return "the platform's calls could not be read"
	}
	return "the call was not found"
}

// Reason says why nobody can be called meanwhile.
func (s state) Reason() string {
	switch s {
	case underWay:
		return "A call is under way."
	case settling:
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
	Call       call              // where the state is created
	Candidates []call            // where it is ambiguous
	Problem    string            // in words, where it is refused, and notLooked
	Problems   map[string]string // the same by field
	WasLost    bool              // the response to the create
}

// outcomeOf combines an entry of the ledger with what is recorded beside it. A person is
// asked once the candidates are known.
func outcomeOf(e ledger.Entry, seen call, f finding) outcome {
	o := outcome{Call: seen, Problem: f.Problem, Problems: f.Problems, WasLost: f.WasLost}
	o.Call.ID = e.CallID
	switch e.State {
	case ledger.StatePrepared, ledger.StateSending:
		o.State = underWay
	case ledger.StateInDoubt:
		o.State = settling
	case ledger.StateForPerson:
		o.State = stateForPerson(e, f)
		o.Candidates = f.Candidates
	case ledger.StateAwaitsAgent:
		o.State = awaitsAgent
	case ledger.StateRejected:
		o.State = refused
		o.Problem = cmp.Or(o.Problem, "The reason was not recorded: the service was stopped at that moment.")
	case ledger.StateNotMade:
		o.State = notMade
	case ledger.StateCreated:
		o.State = created
		if e.CallID == 0 {
			o.State = made
		}
	}
	return o
}

func stateForPerson(e ledger.Entry, f finding) state {
	switch {
	case f.Version != e.Version:
		return settling
	case f.Problem != "":
		return notLooked
	case len(f.Candidates) > 0:
		return ambiguous
	}
	return notFound
}

// refusal is the outcome of an attempt that certainly made no call.
func refusal(err error) outcome {
	return outcome{State: refused, Problem: explain(err), Problems: problems(err)}
}

// Label returns the outcome in a few words: the state or, once the call has moved
// on, the status of the call.
func (o outcome) Label() string {
	if o.State == created && o.Call.Status != o.Call.First {
		return "call " + o.Call.Shown()
	}
	return o.State.Label()
}

// call is what is shown of a call. It is kept instead of a calls.Call, which has
// all that the platform sent.
type call struct {
	ID          int64            `json:"id"`
	Status      calls.CallStatus `json:"status"`
	First       calls.CallStatus `json:"first"` // that it was seen with first
	Agent       string           `json:"agent,omitempty"`
	CreatedAt   *time.Time       `json:"created_at,omitempty"`
	ScheduledAt *time.Time       `json:"scheduled_at,omitempty"`
}

func newCall(c *calls.Call) call {
	seen := call{ID: c.ID, Status: c.Status, CreatedAt: c.CreatedAt, ScheduledAt: c.ScheduledAt, First: c.Status}
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
