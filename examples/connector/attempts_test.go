package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

// record is a record of attempts with a clock of the test's own.
type record struct {
	*attempts
	t     *testing.T
	clock time.Time
	forms int
}

func newRecord(t *testing.T, l limits) *record {
	r := &record{t: t, clock: time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)}
	r.attempts = newAttempts(l, func() time.Time { return r.clock })
	return r
}

// form is an attempt whose form is shown now.
func (r *record) form(ticketID, subject string) attempt {
	r.clock = r.clock.Add(time.Millisecond)
	r.forms++
	return attempt{ID: fmt.Sprint(r.forms), Subject: subject, TicketID: ticketID, Started: r.clock, shown: r.clock}
}

func (r *record) wants(a attempt, seen int64, want verdict) attempt {
	r.t.Helper()
	a, got := r.begin(a, seen)
	if got != want {
		r.t.Errorf("form %s: verdict %d, want %d", a.ID, got, want)
	}
	return a
}

func TestOneAttemptForATicketAndForANumber(t *testing.T) {
	r := newRecord(t, defaultLimits)
	first := r.wants(r.form("1", "number 49"), 0, begun)
	r.wants(r.form("1", "number 49"), r.asOf(), busy)
	r.wants(r.form("1", "number 50"), r.asOf(), busy) // scheduled for the ticket, to another number
	r.wants(r.form("2", "number 49"), r.asOf(), busy)
	r.wants(r.form("", "number 49"), r.asOf(), busy)
	r.wants(r.form("3", "number 51"), r.asOf(), begun)
	r.wants(first, 0, repeated)

	r.advance(first.ID, outcome{State: notFound})
	r.wants(r.form("2", "number 49"), r.asOf(), busy)
	a, _ := r.attempts.find(first.ID)
	if _, ok := r.resolve(first.ID, a.Version-1, outcome{State: notMade}); ok {
		t.Error("a word about another version was taken")
	}
	if _, ok := r.resolve(first.ID, a.Version, outcome{State: notMade}); !ok {
		t.Error("a word about this version was not taken")
	}
	r.wants(r.form("2", "number 49"), r.asOf(), begun)
}

func TestFormThatWasOvertakenDoesNotRing(t *testing.T) {
	r := newRecord(t, defaultLimits)
	seen := r.asOf()
	tab1, tab2, other, numbered := r.form("1", "number 49"), r.form("1", "number 49"), r.form("2", "number 49"), r.form("", "number 49")
	r.wants(tab1, seen, begun)
	r.advance(tab1.ID, outcome{State: created, Call: call{ID: 397}})
	r.wants(tab2, seen, overtaken)
	r.wants(other, seen, begun) // another ticket: it is not at the same time
	r.advance(other.ID, outcome{State: refused})
	r.wants(numbered, seen, begun)
	r.advance(numbered.ID, outcome{State: refused})
	r.wants(r.form("", "number 49"), seen, overtaken)
	r.wants(r.form("1", "number 49"), r.asOf(), begun)
}

func TestCallThatMovesOnOvertakesNoForm(t *testing.T) {
	r := newRecord(t, defaultLimits)
	a := r.wants(r.form("1", "number 49"), 0, begun)
	r.advance(a.ID, outcome{State: created, Call: call{ID: 397, Status: calls.CallStatusAssigned}})
	seen := r.asOf()
	r.seeCalls(map[int64]call{397: {ID: 397, Status: calls.CallStatusConnected}})
	if a, _ := r.attempts.find(a.ID); a.Call.Status != calls.CallStatusConnected {
		t.Errorf("the call is %s", a.Call.Status)
	}
	r.wants(r.form("1", "number 49"), seen, begun)
}

func TestOpenAttemptsAreBounded(t *testing.T) {
	r := newRecord(t, limits{underWay: 2, open: 3, kept: 100, age: time.Hour})
	a, b := r.form("1", "1"), r.form("2", "2")
	r.wants(a, 0, begun)
	r.wants(b, 0, begun)
	r.wants(r.form("3", "3"), 0, full)
	r.advance(a.ID, outcome{State: notFound})
	c := r.form("3", "3")
	r.wants(c, 0, begun)
	r.advance(b.ID, outcome{State: notFound})
	r.wants(r.form("4", "4"), 0, full) // three are open
	r.advance(c.ID, outcome{State: created})
	r.wants(r.form("4", "4"), 0, begun)
}

func TestOldAttemptsAreForgottenAndTheirFormsNotAccepted(t *testing.T) {
	r := newRecord(t, limits{underWay: 10, open: 10, kept: 100, age: time.Hour})
	closed, open, unsent := r.form("1", "1"), r.form("2", "2"), r.form("3", "3")
	r.wants(closed, 0, begun)
	r.wants(open, 0, begun)
	r.advance(closed.ID, outcome{State: created})
	r.forgetOld()
	r.wants(closed, 0, repeated)
	r.clock = r.clock.Add(time.Hour + time.Second)
	r.forgetOld()
	r.wants(closed, 0, expired)
	r.wants(unsent, 0, expired)
	if _, ok := r.attempts.find(closed.ID); ok {
		t.Error("the closed attempt is remembered")
	}
	if _, ok := r.latestOf("1"); ok {
		t.Error("the ticket has a latest attempt")
	}
	r.wants(open, 0, repeated)
	r.wants(r.form("2", "2"), r.asOf(), busy)
}

func TestAttemptsAreBoundedInNumber(t *testing.T) {
	r := newRecord(t, limits{underWay: 10, open: 10, kept: 50, age: time.Hour})
	open := r.form("open", "open")
	r.wants(open, 0, begun)
	var all []attempt
	for i := range 500 {
		a := r.form(fmt.Sprint(i), fmt.Sprint(i))
		r.wants(a, r.asOf(), begun)
		r.advance(a.ID, outcome{State: refused})
		all = append(all, a)
	}
	if n := len(r.byID); n > 50 || len(r.latest) > 50 {
		t.Errorf("%d attempts of %d tickets are remembered", n, len(r.latest))
	}
	for _, a := range all {
		if _, became := r.begin(a, r.asOf()); became != repeated && became != expired {
			t.Fatalf("form %s: verdict %d", a.ID, became)
		}
	}
	r.wants(open, 0, repeated)
}
