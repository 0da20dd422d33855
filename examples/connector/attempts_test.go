package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// record is a record of attempts with a clock of the test's own.
type record struct {
	*attempts
	t     *testing.T
	clock time.Time
	forms int
}

func newRecord(t *testing.T, l limits) *record {
	t.Helper()
	client, err := callstest.NewServer(t).NewClient()
	if err != nil {
		t.Fatal(err)
	}
	db, err := openDatabase(t.Context(), filepath.Join(t.TempDir(), "connector.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &record{t: t, clock: time.Now()}
	r.attempts, err = openAttempts(t.Context(), db, &ledger.Keeper{Client: client, Tenant: "customer"})
	if err != nil {
		t.Fatal(err)
	}
	r.limits, r.now = l, func() time.Time { return r.clock }
	return r
}

// form is an attempt whose form is shown now.
func (r *record) form(ticketID, subject string) attempt {
	r.clock = r.clock.Add(time.Millisecond)
	r.forms++
	return attempt{ID: fmt.Sprint(r.forms), Subject: subject, TicketID: ticketID, Started: r.clock, shown: r.clock}
}

// wants submits a form, and lets the platform be asked for what it begins.
func (r *record) wants(a attempt, seen int64, want verdict) attempt {
	r.t.Helper()
	id := a.ID
	a, got, err := r.begin(r.t.Context(), a, seen, calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"})
	if err != nil || got != want {
		r.t.Errorf("form %s: verdict %d, want %d (%v)", id, got, want, err)
	}
	return a
}

// becomes gives the entry of an attempt another state, as a Keeper would.
func (r *record) becomes(a attempt, state ledger.State, callID int64) {
	r.t.Helper()
	e, err := r.store.Get(r.t.Context(), a.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	e.State, e.CallID = state, callID
	if state.IsClosed() {
		e.Request = nil
	}
	if err := r.store.Replace(r.t.Context(), e); err != nil {
		r.t.Fatal(err)
	}
	r.wasEnded(a.ID)
}

// wasEnded ends the create of an attempt if it is under way.
func (r *record) wasEnded(id string) {
	r.mu.Lock()
	isUnderWay := r.asked[id] != nil
	r.mu.Unlock()
	if isUnderWay {
		r.end(id)
	}
}

func (r *record) revision() int64 {
	r.t.Helper()
	revision, err := r.asOf(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return revision
}

func (r *record) read(id string) (attempt, bool) {
	r.t.Helper()
	a, ok, err := r.find(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return a, ok
}

func TestOneAttemptForATicketAndForANumber(t *testing.T) {
	r := newRecord(t, defaultLimits)
	first := r.wants(r.form("1", "number 49"), 0, begun)
	r.wants(r.form("1", "number 49"), r.revision(), busy)
	r.wants(r.form("1", "number 50"), r.revision(), busy) // scheduled for the ticket, to another number
	r.wants(r.form("2", "number 49"), r.revision(), busy)
	r.wants(r.form("", "number 49"), r.revision(), busy)
	r.wants(r.form("3", "number 51"), r.revision(), begun)
	r.wants(first, 0, repeated)

	r.becomes(first, ledger.StateForPerson, 0)
	r.wants(r.form("2", "number 49"), r.revision(), busy)
	a, _ := r.read(first.ID)
	if err := r.decide(t.Context(), first.ID, a.Version-1, false, call{}); err == nil {
		t.Error("a word about another version was taken")
	}
	if err := r.decide(t.Context(), first.ID, a.Version, false, call{}); err != nil {
		t.Errorf("a word about this version was not taken: %v", err)
	}
	r.wants(r.form("2", "number 49"), r.revision(), begun)
}

func TestFormThatWasOvertakenDoesNotRing(t *testing.T) {
	r := newRecord(t, defaultLimits)
	seen := r.revision()
	tab1, tab2, other, numbered := r.form("1", "number 49"), r.form("1", "number 49"), r.form("2", "number 49"), r.form("", "number 49")
	r.becomes(r.wants(tab1, seen, begun), ledger.StateCreated, 397)
	r.wants(tab2, seen, overtaken)
	r.becomes(r.wants(other, seen, begun), ledger.StateRejected, 0) // another ticket: it is not at the same time
	r.becomes(r.wants(numbered, seen, begun), ledger.StateRejected, 0)
	r.wants(r.form("", "number 49"), seen, overtaken)
	r.wants(r.form("1", "number 49"), r.revision(), begun)
}

func TestFormShownWhileTheAttemptWasOpenIsOvertakenByItsEnd(t *testing.T) {
	r := newRecord(t, defaultLimits)
	a := r.wants(r.form("1", "number 49"), 0, begun)
	seen := r.revision()
	if again := r.revision(); again != seen {
		t.Errorf("revision %d, then %d, and nothing has changed", seen, again)
	}
	r.becomes(a, ledger.StateCreated, 397)
	r.wants(r.form("1", "number 49"), seen, overtaken)
	if now := r.revision(); now <= seen {
		t.Errorf("revision %d after %d, and an attempt has changed", now, seen)
	}
}

func TestCallThatMovesOnOvertakesNoForm(t *testing.T) {
	r := newRecord(t, defaultLimits)
	a := r.wants(r.form("1", "number 49"), 0, begun)
	r.becomes(a, ledger.StateCreated, 397)
	seen := r.revision()
	for _, status := range []calls.CallStatus{calls.CallStatusAssigned, calls.CallStatusConnected} {
		if err := r.saw(t.Context(), map[int64]call{397: {ID: 397, Status: status, First: status}, 4711: {ID: 4711}}); err != nil {
			t.Fatal(err)
		}
	}
	if a, _ := r.read(a.ID); a.Call.Status != calls.CallStatusConnected || a.Call.First != calls.CallStatusAssigned {
		t.Errorf("the call is %s, and was %s", a.Call.Status, a.Call.First)
	}
	r.wants(r.form("1", "number 49"), seen, begun)
}

func TestOpenAttemptsAreBounded(t *testing.T) {
	r := newRecord(t, limits{underWay: 2, open: 3, form: time.Hour})
	a, b := r.form("1", "1"), r.form("2", "2")
	r.wants(a, 0, begun)
	r.wants(b, 0, begun)
	r.wants(r.form("3", "3"), 0, full)
	r.becomes(a, ledger.StateForPerson, 0)
	c := r.form("3", "3")
	r.wants(c, 0, begun)
	r.becomes(b, ledger.StateForPerson, 0)
	r.wants(r.form("4", "4"), 0, full) // three are open
	r.becomes(c, ledger.StateCreated, 397)
	r.wants(r.form("4", "4"), 0, begun)
}

func TestFormOfACallThatIsNotValidMakesNone(t *testing.T) {
	r := newRecord(t, defaultLimits)
	a, became, err := r.begin(t.Context(), r.form("1", "1"), 0, calls.OutboundRequest{AgentEmail: "nobody", TicketID: "1"})
	if err != nil || became != begun || a.State != refused || a.Problem == "" {
		t.Errorf("got %v, %d, %s, %q", err, became, a.State, a.Problem)
	}
	r.wants(r.form("1", "1"), r.revision(), begun)
}

func TestOldAttemptsAreForgottenAndTheirFormsNotAccepted(t *testing.T) {
	r := newRecord(t, limits{underWay: 10, open: 10, form: time.Hour, kept: 48 * time.Hour})
	closed, open, unsent := r.form("1", "1"), r.form("2", "2"), r.form("3", "3")
	r.wants(closed, 0, begun)
	r.wants(open, 0, begun)
	r.becomes(closed, ledger.StateRejected, 0)
	r.forget(closed.ID, 47*time.Hour, true)
	r.wants(closed, 0, repeated)
	r.forget(closed.ID, 49*time.Hour, false)
	r.clock = r.clock.Add(time.Hour + time.Second)
	r.wants(closed, 0, expired)
	r.wants(unsent, 0, expired)
	r.wants(open, 0, repeated)
	r.wants(r.form("2", "2"), r.revision(), busy)
}

// forget prunes after an attempt has reached an age.
func (r *record) forget(id string, age time.Duration, isKept bool) {
	r.t.Helper()
	e, err := r.store.Get(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	e.Until = time.Now().Add(-age)
	if err := r.store.Replace(r.t.Context(), e); err != nil {
		r.t.Fatal(err)
	}
	if err := r.prune(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if _, ok := r.read(id); ok != isKept {
		r.t.Errorf("remembered after %v: %t", age, ok)
	}
}

func TestWhatWasTypedIsErasedOnceItIsOfNoUse(t *testing.T) {
	for state, isKept := range map[ledger.State]bool{
		ledger.StateForPerson: true, ledger.StateRejected: true, // to be fixed
		ledger.StateCreated: false, ledger.StateAwaitsAgent: false, ledger.StateNotMade: false,
	} {
		r := newRecord(t, defaultLimits)
		form := r.form("1", "number 49")
		form.Form = map[string]string{"end_user_number": "+1 859-657-9625"}
		r.becomes(r.wants(form, 0, begun), state, 0)
		if err := r.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a, _ := r.read(form.ID); (len(a.Form) > 0) != isKept {
			t.Errorf("%s: the form is %v", state, a.Form)
		}
	}
}

func TestSubjectsAreStoredHashed(t *testing.T) {
	r := newRecord(t, defaultLimits)
	a := r.wants(r.form("", "number 18596579625"), 0, begun)
	e, err := r.store.Get(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains([]string{e.Subject, a.Subject, a.topic}, "number 18596579625") || len(e.Subject) != 64 || len(a.Subject) != 64 {
		t.Errorf("the subject is stored as %q and %q", e.Subject, a.Subject)
	}
}
