package main

import (
	"slices"
	"sync"
	"time"

	"github.com/ccaip-go/calls"
)

// state is how far an attempt has come.
type state string

const (
	underWay    state = "under way" // the platform is being asked
	settling    state = "settling"  // we do not know yet: the answer was lost, the call is looked for
	created     state = "created"
	awaitsAgent state = "awaits agent" // a success, too
	refused     state = "refused"      // there is no call, for sure
	notFound    state = "not found"    // looked for in vain, which proves nothing
	ambiguous   state = "ambiguous"    // several calls can be it
	notLooked   state = "not looked"   // the platform's listing could not be read
	made        state = "made"         // a person has checked: there is a call
	notMade     state = "not made"     // a person has checked: there is none
)

// NeedsPerson: only a person can find out whether there is a call.
func (s state) NeedsPerson() bool { return s == notFound || s == ambiguous || s == notLooked }

// IsOpen: as long as it is, another attempt could ring somebody twice.
func (s state) IsOpen() bool { return s == underWay || s == settling || s.NeedsPerson() }

// Label says it in a few words.
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

// Tone is the CSS class that colours it.
func (s state) Tone() string {
	switch s {
	case created, awaitsAgent, made:
		return "good"
	case refused, notMade:
		return "bad"
	}
	return "open"
}

// attempt is a call that somebody asked for by submitting a form.
type attempt struct {
	ID       string // the form's nonce
	Subject  string // what it is about; no two open attempts have the same
	TicketID string // "" if it is for no ticket
	Title    string
	Started  time.Time
	Form     map[string]string // what was typed, to be mended after a refusal
	answered chan struct{}     // closed when the platform has been asked

	outcome
}

// outcome is what became of an attempt so far.
type outcome struct {
	State      state
	Call       *calls.Call   // where the state is created
	Candidates []*calls.Call // where it is ambiguous
	Err        error         // where it is refused, and notLooked
	Lost       error         // of a create whose answer was lost: what to settle it by
}

// attempts is the memory of the service. In a real connector this is a table of
// the database, with a unique index on the id and one on the subject of those
// that are open, written before the call is asked for: then a restart forgets
// nothing, and several processes share it.
type attempts struct {
	mu       sync.Mutex
	byID     map[string]*attempt
	open     map[string]*attempt // by subject
	byTicket map[string]*attempt // the latest
}

func newAttempts() *attempts {
	return &attempts{
		byID:     map[string]*attempt{},
		open:     map[string]*attempt{},
		byTicket: map[string]*attempt{},
	}
}

// begin takes a new attempt in. It is the one place that decides who may ring:
// where the form was submitted before, or another attempt of the same subject
// is open, it returns that one, and false.
func (l *attempts) begin(a attempt) (attempt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if earlier := l.byID[a.ID]; earlier != nil {
		return *earlier, false
	}
	if open := l.open[a.Subject]; open != nil {
		return *open, false
	}
	a.State, a.answered = underWay, make(chan struct{})
	l.byID[a.ID], l.open[a.Subject] = &a, &a
	if a.TicketID != "" {
		l.byTicket[a.TicketID] = &a
	}
	return a, true
}

// end records what became of an attempt.
func (l *attempts) end(id string, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(l.byID[id], o)
}

func (l *attempts) set(a *attempt, o outcome) {
	a.outcome = o
	if !o.State.IsOpen() {
		delete(l.open, a.Subject)
	}
}

// resolve records what becomes of an attempt that needs a person. It leaves one
// alone that another request has resolved before.
func (l *attempts) resolve(id string, o outcome) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.byID[id]
	if !a.State.NeedsPerson() {
		return false
	}
	l.set(a, o)
	return true
}

func (l *attempts) find(id string) (a attempt, ok bool) { return l.copyOf(l.byID, id) }

func (l *attempts) latestOf(ticketID string) (a attempt, ok bool) {
	return l.copyOf(l.byTicket, ticketID)
}

func (l *attempts) copyOf(by map[string]*attempt, key string) (a attempt, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := by[key]; found != nil {
		return *found, true
	}
	return a, false
}

// unsettled lists the open attempts, the latest first.
func (l *attempts) unsettled() []attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []attempt
	for _, a := range l.open {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b attempt) int { return b.Started.Compare(a.Started) })
	return list
}
