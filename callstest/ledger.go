package callstest

import (
	"slices"
	"sync"
	"time"
)

// firstID is the id of the first documented example answer.
const firstID = 397

// ledger is what the platform remembers. It is safe for concurrent use.
type ledger struct {
	lag func(callID int64) time.Duration // nil: none

	mu       sync.Mutex
	records  []*record // in the order of their creation
	byID     map[int64]*record
	sorted   map[string]*index // by the name of the column; which there are does not change
	scripts  map[int64][]string
	flags    map[int64]Flag
	endUsers map[int64][]EndUser
	nextID   int64

	cancellations []cancellation
	thirdParties  int // of all calls
}

func newLedger(lag func(callID int64) time.Duration) *ledger {
	return &ledger{
		lag:      lag,
		byID:     map[int64]*record{},
		sorted:   newIndexes(),
		scripts:  map[int64][]string{},
		flags:    map[int64]Flag{},
		endUsers: map[int64][]EndUser{},
		nextID:   firstID,
	}
}

// add returns c with the id that it has got, if it was without.
func (l *ledger) add(c Call) Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	if earlier, ok := l.byID[c.ID]; ok {
		l.change(earlier, func() { earlier.Call = c })
		return c.clone()
	}
	r := &record{Call: c}
	l.records = append(l.records, r)
	if !c.AwaitsAgent {
		l.enter(r)
	}
	return r.clone()
}

// enter makes a call known by its id and shows it in the listing.
func (l *ledger) enter(r *record) {
	if r.ID == 0 {
		r.ID = l.nextID
	}
	l.nextID = max(l.nextID, r.ID+1)
	if l.lag != nil {
		r.listedFrom = r.CreatedAt.Add(l.lag(r.ID))
	}
	l.byID[r.ID] = r
	for _, x := range l.sorted {
		x.insert(r)
	}
}

func (l *ledger) change(r *record, change func()) {
	for _, x := range l.sorted {
		x.remove(r)
	}
	change()
	for _, x := range l.sorted {
		x.insert(r)
	}
}

// place gives the oldest call that awaits its agent an id.
func (l *ledger) place(now time.Time) (id int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.records, func(r *record) bool { return r.AwaitsAgent })
	if i < 0 {
		return 0, false
	}
	r := l.records[i]
	r.AwaitsAgent = false
	r.CreatedAt = now
	r.moveTo("assigned", now)
	l.enter(r)
	return r.ID, true
}

func (l *ledger) all() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := make([]Call, len(l.records))
	for i, r := range l.records {
		calls[i] = r.clone()
	}
	return calls
}

func (l *ledger) call(id int64) (Call, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.byID[id]
	if !ok {
		return Call{}, false
	}
	return r.clone(), true
}

func (l *ledger) advance(id int64, status string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.byID[id]
	if ok {
		l.change(r, func() { r.moveTo(status, now) })
	}
	return ok
}

func (l *ledger) script(id int64, statuses []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.byID[id]
	if ok {
		l.scripts[id] = append(l.scripts[id], statuses...)
	}
	return ok
}

// playScripts moves every scripted call one status on.
func (l *ledger) playScripts(now time.Time) {
	for id, statuses := range l.scripts {
		if len(statuses) == 0 {
			delete(l.scripts, id)
			continue
		}
		r := l.byID[id]
		l.change(r, func() { r.moveTo(statuses[0], now) })
		l.scripts[id] = statuses[1:]
	}
}
