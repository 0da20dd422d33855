package main

import (
	"slices"
	"sync"
	"time"
)

// attempt is a call that somebody asked for by submitting a form.
type attempt struct {
	ID       string // that of the form's nonce
	Subject  string // whom it calls; no two open attempts have the same
	TicketID string // "" if it is for no ticket
	Title    string
	Started  time.Time
	Form     map[string]string // what was typed, to be fixed after a refusal
	// Version is the revision of the attempts that this one changed in last. A
	// person's decision has to name the version that the person saw.
	Version int64

	shown time.Time     // when its form was given out
	asked chan struct{} // closed when the platform was asked
	outcome
}

// key is what pages show the latest attempt of: the ticket, or the subject of a
// call for no ticket.
func (a attempt) key() string {
	if a.TicketID != "" {
		return ticketKey(a.TicketID)
	}
	return a.Subject
}

func ticketKey(ticketID string) string { return "ticket " + ticketID }

// attempts is the record of the calls that were asked for, and the one place that
// decides who may ring. It is safe for concurrent use.
//
// It is in memory: a restart forgets it, and with it the key of the nonces, so
// that no form of an earlier life is accepted. Its methods are those that a ledger
// can give: an entry is stored before the call is asked for, unique by its id and
// by the subject of those that are open, and replaced by version.
type attempts struct {
	limits limits
	now    func() time.Time

	mu       sync.Mutex
	revision int64 // of all attempts, increased by each change
	byID     map[string]*attempt
	open     map[string]*attempt // by subject
	latest   map[string]*attempt // by key
	underWay int
	// floor is when the last form was shown that can have made an attempt which
	// was forgotten. Forms up to then are not accepted.
	floor time.Time
}

// limits bounds what is remembered.
type limits struct {
	underWay int           // creates at the platform or waiting for their turn
	open     int           // attempts that are under way or unsettled
	kept     int           // all attempts
	age      time.Duration // of a closed attempt, and of a form
}

var defaultLimits = limits{underWay: 20, open: 200, kept: 5000, age: 8 * time.Hour}

func newAttempts(l limits, now func() time.Time) *attempts {
	return &attempts{
		limits: l,
		now:    now,
		byID:   map[string]*attempt{},
		open:   map[string]*attempt{},
		latest: map[string]*attempt{},
	}
}

// verdict is what becomes of a form that was submitted.
type verdict int

const (
	begun     verdict = iota // the call may be asked for, once
	repeated                 // the form was submitted before
	busy                     // another attempt to call the same person is open
	overtaken                // an attempt for the ticket changed after the form was shown
	expired                  // the form is too old to tell whether it was submitted
	full                     // too many attempts are open
)

// begin records a new attempt whose form was shown as of revision seen. For any
// verdict but begun nothing is recorded; for repeated, busy and overtaken it
// returns the attempt that stands in the way.
func (l *attempts) begin(a attempt, seen int64) (attempt, verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if earlier := l.byID[a.ID]; earlier != nil {
		return *earlier, repeated
	}
	if !a.shown.After(l.floor) || a.shown.Before(l.now().Add(-l.limits.age)) {
		return a, expired
	}
	if blocker := l.blockerOf(a.Subject, a.key()); blocker != nil {
		return *blocker, busy
	}
	if latest := l.latest[a.key()]; latest != nil && latest.Version > seen {
		return *latest, overtaken
	}
	if l.underWay >= l.limits.underWay || len(l.open) >= l.limits.open {
		return a, full
	}
	l.makeRoom()
	a.asked = make(chan struct{})
	l.byID[a.ID], l.open[a.Subject], l.latest[a.key()] = &a, &a, &a
	l.underWay++
	l.set(&a, outcome{State: underWay})
	return a, begun
}

// advance records what became of an attempt so far.
func (l *attempts) advance(id string, o outcome) attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.byID[id]
	if a.State == underWay {
		l.underWay--
		close(a.asked)
	}
	l.set(a, o)
	return *a
}

// resolve records the word of a person on an attempt that needs one. It reports
// false, and changes nothing, if the attempt is no longer as the person saw it.
func (l *attempts) resolve(id string, seen int64, o outcome) (attempt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.byID[id]
	if !a.State.NeedsPerson() || a.Version != seen {
		return *a, false
	}
	l.set(a, o)
	return *a, true
}

func (l *attempts) set(a *attempt, o outcome) {
	l.revision++
	a.outcome, a.Version = o, l.revision
	if !o.State.IsOpen() {
		delete(l.open, a.Subject)
	}
}

// seeCalls updates the calls of created attempts to how a listing shows them. It
// is no change of the attempt: forms that were shown before stay valid.
func (l *attempts) seeCalls(listed map[int64]call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.byID {
		if seen, ok := listed[a.Call.ID]; ok && a.State == created {
			a.Call.Status = seen.Status
		}
	}
}

// running returns when the earliest created call began that has not ended. It
// ignores calls that began before since, and reports false if there is none.
func (l *attempts) running(since time.Time) (earliest time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.byID {
		if a.State != created || a.Call.Status.IsTerminal() || a.Started.Before(since) {
			continue
		}
		if !ok || a.Started.Before(earliest) {
			earliest, ok = a.Started, true
		}
	}
	return earliest, ok
}

func (l *attempts) find(id string) (attempt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return copyOf(l.byID[id])
}

// latestOf returns the latest attempt for a ticket.
func (l *attempts) latestOf(ticketID string) (attempt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return copyOf(l.latest[ticketKey(ticketID)])
}

// blocker returns the open attempt that keeps the ticket from being called.
func (l *attempts) blocker(subject, ticketID string) (attempt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return copyOf(l.blockerOf(subject, ticketKey(ticketID)))
}

func (l *attempts) blockerOf(subject, key string) *attempt {
	if open := l.open[subject]; open != nil {
		return open
	}
	if latest := l.latest[key]; latest != nil && latest.State.IsOpen() {
		return latest
	}
	return nil
}

func copyOf(a *attempt) (attempt, bool) {
	if a == nil {
		return attempt{}, false
	}
	return *a, true
}

// asOf returns the revision that a page is shown as of. It has to be taken before
// anything that the page shows.
func (l *attempts) asOf() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.revision
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

// forgetOld forgets the closed attempts that are past their age.
func (l *attempts) forgetOld() {
	l.mu.Lock()
	defer l.mu.Unlock()
	oldest := l.now().Add(-l.limits.age)
	for _, a := range l.byID {
		if !a.State.IsOpen() && a.Started.Before(oldest) {
			l.forget(a)
		}
	}
}

// makeRoom forgets the oldest tenth of the closed attempts if there is no room for
// another one.
func (l *attempts) makeRoom() {
	if len(l.byID) < l.limits.kept {
		return
	}
	var closed []*attempt
	for _, a := range l.byID {
		if !a.State.IsOpen() {
			closed = append(closed, a)
		}
	}
	slices.SortFunc(closed, func(a, b *attempt) int { return a.shown.Compare(b.shown) })
	for _, a := range closed[:(len(closed)+9)/10] {
		l.forget(a)
	}
}

func (l *attempts) forget(a *attempt) {
	delete(l.byID, a.ID)
	if l.latest[a.key()] == a {
		delete(l.latest, a.key())
	}
	if a.shown.After(l.floor) {
		l.floor = a.shown
	}
}
