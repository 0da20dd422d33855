package callstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/ledger"
)

// TestLedgerStore checks that a store implements ledger.Store correctly, and ledger.Pruner
// if it has that method. Run the test with the race detector.
//
// open returns a handle on a store. The first call in a subtest must return an empty
// store; t.Name is different in each subtest. Further calls in the same subtest should
// return new handles on the same entries, as a database allows; then 16 handles are raced
// against each other. If they return separate stores, 16 goroutines are raced on one
// handle.
//
// TestLedgerStore cannot check that entries survive the process.
func TestLedgerStore(t *testing.T, open func(t *testing.T) ledger.Store) {
	for _, check := range storeChecks {
		t.Run(check.name, func(t *testing.T) { check.run(t, open) })
	}
}

type openStore func(t *testing.T) ledger.Store

var storeChecks = []struct {
	name string
	run  func(t *testing.T, open openStore)
}{
	{"Put stores version 1 of an entry with all of its data", checkPut},
	{"entries share no memory with the caller", checkCopies},
	{"an id is unique", checkUniqueID},
	{"an open subject is unique", checkUniqueSubject},
	{"a call is unique", checkUniqueCall},
	{"Replace compares the version", checkReplace},
	{"Replace changes neither tenant nor subject", checkIdentity},
	{"a missing entry is ErrNotFound", checkNotFound},
	{"an invalid entry is refused", checkInvalid},
	{"a context that has ended is refused", checkContext},
	{"Open lists the open entries", checkOpen},
	{"Doubts lists the rivals", checkDoubts},
	{"Claimed names the owners", checkClaimed},
	{"Prune removes old closed entries", checkPrune},
	{"races for an id have one winner", raceForID},
	{"races for a subject have one winner", raceForSubject},
	{"races for a version have one winner", raceForVersion},
	{"races for a call have one winner", raceForCall},
	{"no update is lost", raceOfUpdates},
	{"Doubts is a consistent snapshot", raceOfDoubts},
}

const (
	storeTenant = "customer"
	otherTenant = "another customer"
)

var (
	openStates   = []ledger.State{ledger.StatePrepared, ledger.StateSending, ledger.StateInDoubt, ledger.StateForPerson}
	closedStates = []ledger.State{ledger.StateCreated, ledger.StateAwaitsAgent, ledger.StateRejected, ledger.StateNotMade}
	storeTime    = time.Date(2030, 1, 2, 3, 4, 5, 678_901_234, time.UTC)
)

// storeEntry returns an entry with a subject of its own.
func storeEntry(id string, state ledger.State) ledger.Entry {
	return ledger.Entry{ID: id, Tenant: storeTenant, Subject: "subject of " + id, State: state, Version: 1, Until: storeTime}
}

// fullEntry returns an entry with every field set.
func fullEntry(id string) ledger.Entry {
	e := storeEntry(id, ledger.StateSending)
	e.Request = json.RawMessage(`{"call_type":"Voice Outbound (API)","agent_email":"agent@example.com","lang":"ü \u0000"}`)
	e.Intent = calls.Intent{
		ID: id, Attempt: "attempt", CallType: calls.CallTypeScheduled, SentAfter: storeTime.Add(-time.Second), SentBefore: storeTime,
		TicketID: "71450", MenuID: 9, ParentCallID: 1 << 40, ScheduledAt: storeTime.Add(time.Hour), OutboundNumber: "+13392195276",
	}
	e.CallID, e.How, e.Tries = 1<<40+1, "a \"test\"; it's 100 % ü", 3
	return e
}

func mustPut(t *testing.T, store ledger.Store, entries ...ledger.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := store.Put(t.Context(), e); err != nil {
			t.Fatalf("Put %s: %v", e.ID, err)
		}
	}
}

func mustReplace(t *testing.T, store ledger.Store, e ledger.Entry) ledger.Entry {
	t.Helper()
	if err := store.Replace(t.Context(), e); err != nil {
		t.Fatalf("Replace %s: %v", e.ID, err)
	}
	return mustGet(t, store, e.ID)
}

func mustGet(t *testing.T, store ledger.Store, id string) ledger.Entry {
	t.Helper()
	e, err := store.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("Get %s: %v", id, err)
	}
	return e
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", what, err, want)
	}
}

// wantStored checks that the store has exactly this entry.
func wantStored(t *testing.T, store ledger.Store, want ledger.Entry) {
	t.Helper()
	if got := mustGet(t, store, want.ID); !sameEntry(got, want) {
		t.Errorf("the store has\n%+v, want\n%+v", exposed(got), exposed(want))
	}
}

// sameEntry compares times as instants, and requests as JSON.
func sameEntry(a, b ledger.Entry) bool { return reflect.DeepEqual(exposed(a), exposed(b)) }

// exposedEntry is an entry that prints with all its data.
type exposedEntry struct {
	Entry   string
	Request any
}

func exposed(e ledger.Entry) exposedEntry {
	var request any
	_ = json.Unmarshal(e.Request, &request)
	e.Request = nil
	e.Until = e.Until.UTC()
	for _, t := range []*time.Time{&e.Intent.SentAfter, &e.Intent.SentBefore, &e.Intent.ScheduledAt} {
		*t = t.UTC()
	}
	text, err := json.Marshal(e)
	if err != nil {
		text = []byte(err.Error())
	}
	return exposedEntry{string(text), request}
}

func checkPut(t *testing.T, open openStore) {
	store := open(t)
	full := fullEntry("full")
	full.Version = 7
	bare := ledger.Entry{ID: "bare", Tenant: storeTenant, State: ledger.StatePrepared}
	mustPut(t, store, full, bare)
	full.Version, bare.Version = 1, 1
	wantStored(t, store, full)
	wantStored(t, store, bare)
	if got := mustGet(t, store, "bare"); got.Request != nil || !got.Until.IsZero() {
		t.Errorf("an entry stored without Request and Until has %q, %v", got.Request, got.Until)
	}
}

func checkCopies(t *testing.T, open openStore) {
	store := open(t)
	given := fullEntry("a")
	want := fullEntry("a")
	mustPut(t, store, given)
	given.Request[0] = 'X'
	wantStored(t, store, want)
	mustGet(t, store, "a").Request[0] = 'X'
	wantStored(t, store, want)
	listed, err := store.Open(t.Context(), storeTenant, time.Time{})
	if err != nil || len(listed) != 1 {
		t.Fatalf("Open: %v, %v", listed, err)
	}
	listed[0].Request[0] = 'X'
	wantStored(t, store, want)
}

func checkUniqueID(t *testing.T, open openStore) {
	store := open(t)
	first := fullEntry("a")
	mustPut(t, store, first)
	// The same entry violates all three constraints; ErrExists takes precedence.
	wantError(t, "the same entry", store.Put(t.Context(), first), ledger.ErrExists)
	other := storeEntry("a", ledger.StatePrepared)
	other.Tenant = otherTenant
	wantError(t, "the id in another tenant", store.Put(t.Context(), other), ledger.ErrExists)
	holder, closed := storeEntry("holder", ledger.StatePrepared), storeEntry("closed", ledger.StateRejected)
	closed.Subject = holder.Subject
	mustPut(t, store, holder, closed)
	closed.State = ledger.StatePrepared
	wantError(t, "the id of a closed entry, with a subject that an open entry has", store.Put(t.Context(), closed), ledger.ErrExists)
	wantStored(t, store, first)
}

func checkUniqueSubject(t *testing.T, open openStore) {
	store := open(t)
	var n int
	entry := func(subject string, state ledger.State) ledger.Entry {
		n++
		e := storeEntry(fmt.Sprint(n), state)
		e.Subject = subject
		return e
	}
	for _, state := range openStates {
		subject := "held by " + string(state)
		holder := entry(subject, state)
		mustPut(t, store, holder)
		for _, second := range openStates {
			wantError(t, fmt.Sprintf("%s beside %s", second, state), store.Put(t.Context(), entry(subject, second)), ledger.ErrBusy)
		}
		closed := entry(subject, ledger.StateRejected)
		otherCustomers := entry(subject, state)
		otherCustomers.Tenant = otherTenant
		mustPut(t, store, closed, otherCustomers)

		closed.State = ledger.StatePrepared
		wantError(t, "reopening a closed entry", store.Replace(t.Context(), closed), ledger.ErrBusy)
		closed.State = ledger.StateRejected
		wantStored(t, store, closed)

		for _, next := range openStates { // an entry does not conflict with itself
			holder.State = next
			holder = mustReplace(t, store, holder)
		}
		holder.State = ledger.StateNotMade
		mustReplace(t, store, holder)
		mustPut(t, store, entry(subject, ledger.StatePrepared))
	}
	mustPut(t, store, entry("", ledger.StatePrepared), entry("", ledger.StatePrepared))
}

func checkUniqueCall(t *testing.T, open openStore) {
	store := open(t)
	owner := storeEntry("owner", ledger.StateCreated)
	owner.CallID = 397
	mustPut(t, store, owner)
	second := storeEntry("second", ledger.StateCreated)
	second.CallID = 397
	wantError(t, "Put of a second", store.Put(t.Context(), second), ledger.ErrClaimed)
	_, err := store.Get(t.Context(), "second")
	wantError(t, "Get of the refused entry", err, ledger.ErrNotFound)

	elsewhere := storeEntry("elsewhere", ledger.StateCreated)
	elsewhere.Tenant, elsewhere.CallID = otherTenant, 397
	doubt := storeEntry("doubt", ledger.StateInDoubt)
	mustPut(t, store, elsewhere, doubt, storeEntry("without", ledger.StateCreated), storeEntry("without too", ledger.StateCreated))
	claim := doubt
	claim.State, claim.CallID = ledger.StateCreated, 397
	wantError(t, "Replace of a second", store.Replace(t.Context(), claim), ledger.ErrClaimed)
	wantStored(t, store, doubt)

	owner.How = "an entry does not conflict with itself"
	owner = mustReplace(t, store, owner)
	owner.CallID = 0
	mustReplace(t, store, owner)
	mustReplace(t, store, claim)
}

func checkReplace(t *testing.T, open openStore) {
	store := open(t)
	first := storeEntry("a", ledger.StatePrepared)
	mustPut(t, store, first, storeEntry("b", ledger.StatePrepared))
	next := fullEntry("a")
	mustReplace(t, store, next)
	next.Version = 2
	wantStored(t, store, next)
	wantStored(t, store, storeEntry("b", ledger.StatePrepared))
	for _, version := range []int64{0, 1, 3, -1} {
		stale := storeEntry("a", ledger.StateRejected)
		stale.Version = version
		wantError(t, fmt.Sprintf("version %d of 2", version), store.Replace(t.Context(), stale), ledger.ErrStale)
	}
	wantStored(t, store, next)
	// ErrStale takes precedence over ErrClaimed.
	taken := storeEntry("c", ledger.StateCreated)
	taken.CallID = 5
	mustPut(t, store, taken)
	stale := storeEntry("a", ledger.StateCreated)
	stale.CallID = 5
	wantError(t, "a stale claim", store.Replace(t.Context(), stale), ledger.ErrStale)

	emptied := storeEntry("a", ledger.StateRejected)
	emptied.Version, emptied.Until = 2, time.Time{}
	mustReplace(t, store, emptied)
	emptied.Version = 3
	wantStored(t, store, emptied)
}

func checkIdentity(t *testing.T, open openStore) {
	store := open(t)
	mustPut(t, store, storeEntry("a", ledger.StatePrepared))
	e := storeEntry("a", ledger.StateSending)
	e.Tenant, e.Subject = otherTenant, "another subject"
	mustReplace(t, store, e)
	want := storeEntry("a", ledger.StateSending)
	want.Version = 2
	wantStored(t, store, want)
	second := storeEntry("b", ledger.StatePrepared)
	second.Subject = want.Subject
	wantError(t, "the same subject", store.Put(t.Context(), second), ledger.ErrBusy)
}

func checkNotFound(t *testing.T, open openStore) {
	store := open(t)
	_, err := store.Get(t.Context(), "a")
	wantError(t, "Get", err, ledger.ErrNotFound)
	wantError(t, "Replace", store.Replace(t.Context(), storeEntry("a", ledger.StateSending)), ledger.ErrNotFound)
	_, err = store.Get(t.Context(), "a")
	wantError(t, "Get after Replace", err, ledger.ErrNotFound)
}

func checkInvalid(t *testing.T, open openStore) {
	store := open(t)
	mustPut(t, store, storeEntry("a", ledger.StatePrepared))
	for name, invalidate := range map[string]func(*ledger.Entry){
		"no id":                func(e *ledger.Entry) { e.ID = "" },
		"an id of two lines":   func(e *ledger.Entry) { e.ID = "a\nb" },
		"no tenant":            func(e *ledger.Entry) { e.Tenant = " " },
		"no state":             func(e *ledger.Entry) { e.State = "" },
		"an unknown state":     func(e *ledger.Entry) { e.State = "done" },
		"a negative call":      func(e *ledger.Entry) { e.CallID = -1 },
		"an early Until":       func(e *ledger.Entry) { e.Until = time.Unix(-1, 0) },
		"a late Until":         func(e *ledger.Entry) { e.Until = time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a subject not in UTF": func(e *ledger.Entry) { e.Subject = "\xff" },
	} {
		e := storeEntry("new", ledger.StatePrepared)
		if invalidate(&e); store.Put(t.Context(), e) == nil {
			t.Errorf("Put stored an entry with %s", name)
		}
		e = storeEntry("a", ledger.StatePrepared)
		if invalidate(&e); store.Replace(t.Context(), e) == nil {
			t.Errorf("Replace stored an entry with %s", name)
		}
	}
	wantStored(t, store, storeEntry("a", ledger.StatePrepared))
}

func checkContext(t *testing.T, open openStore) {
	store := open(t)
	mustPut(t, store, storeEntry("a", ledger.StatePrepared))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := store.Get(ctx, "a")
	_, openErr := store.Open(ctx, storeTenant, time.Time{})
	_, doubtsErr := store.Doubts(ctx, storeTenant, time.Time{})
	_, claimedErr := store.Claimed(ctx, storeTenant, []int64{1})
	for name, err := range map[string]error{
		"Put":     store.Put(ctx, storeEntry("b", ledger.StatePrepared)),
		"Replace": store.Replace(ctx, storeEntry("a", ledger.StateSending)),
		"Get":     getErr, "Open": openErr, "Doubts": doubtsErr, "Claimed": claimedErr,
	} {
		wantError(t, name, err, context.Canceled)
	}
	wantStored(t, store, storeEntry("a", ledger.StatePrepared))
	_, err := store.Get(t.Context(), "b")
	wantError(t, "Get after the refused Put", err, ledger.ErrNotFound)
}

func idsOf(entries []ledger.Entry) []string {
	ids := []string{}
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func checkOpen(t *testing.T, open openStore) {
	store := open(t)
	for i, state := range slices.Concat(openStates, closedStates) {
		e := storeEntry(string(state), state)
		e.Until = storeTime.Add(time.Duration(10-i) * time.Second)
		elsewhere := e
		elsewhere.ID, elsewhere.Tenant = "elsewhere "+e.ID, otherTenant
		mustPut(t, store, e, elsewhere)
	}
	mustPut(t, store, ledger.Entry{ID: "never", Tenant: storeTenant, State: ledger.StatePrepared})
	for _, test := range []struct {
		until time.Time
		want  []string
	}{
		{time.Time{}, []string{"never", "for a person", "in doubt", "sending", "prepared"}},
		{storeTime.Add(9 * time.Second), []string{"never", "for a person", "in doubt"}},
		{storeTime.Add(9*time.Second + 1), []string{"never", "for a person", "in doubt", "sending"}},
		{storeTime, []string{"never"}},
	} {
		got, err := store.Open(t.Context(), storeTenant, test.until)
		if ids := idsOf(got); err != nil || !slices.Equal(ids, test.want) {
			t.Errorf("until %v: %q, %v, want %q", test.until, ids, err, test.want)
		}
	}
	full := fullEntry("full")
	full.Until = storeTime.Add(-time.Hour)
	mustPut(t, store, full)
	got, err := store.Open(t.Context(), storeTenant, storeTime)
	if err != nil || len(got) != 2 || !sameEntry(got[1], full) {
		t.Errorf("Open: %v, %v, want the whole entry", got, err)
	}
}

func checkDoubts(t *testing.T, open openStore) {
	store := open(t)
	const second = time.Second
	want := []string{}
	add := func(id string, state ledger.State, callID int64, until time.Time, isDoubt bool) {
		e := storeEntry(id, state)
		e.CallID, e.Until = callID, until
		elsewhere := e
		elsewhere.ID, elsewhere.Tenant = "elsewhere "+id, otherTenant
		mustPut(t, store, e, elsewhere)
		if isDoubt {
			want = append(want, id)
		}
	}
	for _, age := range []time.Duration{-second, 0, second} {
		until := storeTime.Add(age)
		name := func(what string) string { return fmt.Sprintf("%s, %v", what, age) }
		isRecent := age >= 0
		add(name("prepared"), ledger.StatePrepared, 0, until, false)
		add(name("sending"), ledger.StateSending, 0, until, true)
		add(name("in doubt"), ledger.StateInDoubt, 0, until, true)
		add(name("for a person"), ledger.StateForPerson, 0, until, true)
		add(name("created"), ledger.StateCreated, 100+int64(age/second), until, false)
		add(name("made, call unknown"), ledger.StateCreated, 0, until, isRecent)
		add(name("awaits agent"), ledger.StateAwaitsAgent, 0, until, isRecent)
		add(name("awaits agent, call known"), ledger.StateAwaitsAgent, 200+int64(age/second), until, false)
		add(name("rejected"), ledger.StateRejected, 0, until, false)
		add(name("not made"), ledger.StateNotMade, 0, until, isRecent)
	}
	full := fullEntry("full")
	full.State, full.CallID = ledger.StateForPerson, 0
	mustPut(t, store, full)
	want = append(want, "full")
	got, err := store.Doubts(t.Context(), storeTenant, storeTime)
	ids := idsOf(got)
	slices.Sort(ids)
	slices.Sort(want)
	if err != nil || !slices.Equal(ids, want) {
		t.Errorf("doubts are\n%q, %v, want\n%q", ids, err, want)
	}
	if i := slices.IndexFunc(got, func(e ledger.Entry) bool { return e.ID == "full" }); i < 0 || !sameEntry(got[i], full) {
		t.Error("Doubts does not return the whole entry")
	}
}

func checkClaimed(t *testing.T, open openStore) {
	store := open(t)
	for id, call := range map[string]int64{"a": 1, "b": 2, "c": 2900} {
		e := storeEntry(id, ledger.StateCreated)
		e.CallID = call
		mustPut(t, store, e)
	}
	elsewhere := storeEntry("elsewhere", ledger.StateCreated)
	elsewhere.Tenant, elsewhere.CallID = otherTenant, 4
	mustPut(t, store, elsewhere, storeEntry("without", ledger.StateCreated))
	many := []int64{0, 2}
	for id := int64(3); id < 3000; id++ {
		many = append(many, id)
	}
	owners, err := store.Claimed(t.Context(), storeTenant, many)
	if want := (map[int64]string{2: "b", 2900: "c"}); err != nil || !reflect.DeepEqual(owners, want) {
		t.Errorf("owners are %v, %v, want %v", owners, err, want)
	}
	for _, none := range [][]int64{nil, {}, {99}, {0}} {
		if owners, err := store.Claimed(t.Context(), storeTenant, none); err != nil || len(owners) != 0 {
			t.Errorf("the owners of %v are %v, %v, want none", none, owners, err)
		}
	}
}

func checkPrune(t *testing.T, open openStore) {
	store := open(t)
	pruner, ok := store.(ledger.Pruner)
	if !ok {
		t.Skip("the Store is not a Pruner")
	}
	for _, age := range []time.Duration{-time.Second, 0} {
		for i, state := range slices.Concat(openStates, closedStates) {
			e := storeEntry(fmt.Sprint(state, age), state)
			e.Until = storeTime.Add(age)
			if state == ledger.StateCreated {
				e.CallID = int64(i) - int64(age)
			}
			elsewhere := e
			elsewhere.ID, elsewhere.Tenant = "elsewhere "+e.ID, otherTenant
			mustPut(t, store, e, elsewhere)
		}
	}
	for _, want := range []int64{int64(len(closedStates)), 0} {
		if n, err := pruner.Prune(t.Context(), storeTenant, storeTime); n != want || err != nil {
			t.Errorf("Prune removed %d, %v, want %d", n, err, want)
		}
	}
	for _, state := range closedStates {
		_, err := store.Get(t.Context(), fmt.Sprint(state, -time.Second))
		wantError(t, "an old entry that is "+string(state), err, ledger.ErrNotFound)
		mustGet(t, store, fmt.Sprint(state, 0*time.Second))
		mustGet(t, store, "elsewhere "+fmt.Sprint(state, -time.Second))
	}
	for _, state := range openStates {
		mustGet(t, store, fmt.Sprint(state, -time.Second))
	}
	reused := storeEntry("reused", ledger.StateCreated)
	reused.CallID = 4 + int64(time.Second) // the call of an entry that was removed
	mustPut(t, store, reused)
}
