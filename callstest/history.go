package callstest

import (
	"slices"
	"sync"
	"time"

	"github.com/ccaip-go/calls"
)

// record is a call of the history.
type record struct {
	Call
	listedFrom time.Time // when the listing begins to show it; zero: at once
}

// firstID is the id of the first documented example answer.
const firstID = 397

// history is what the platform remembers. It is safe for concurrent use.
type history struct {
	lag func(callID int64) time.Duration // nil: none

	mu       sync.Mutex
	records  []*record // in the order of their creation
	byID     map[int64]*record
	scripts  map[int64][]calls.CallStatus
	flags    map[int64]calls.CustomerFlag
	endUsers map[int64][]calls.EndUserAuth
	nextID   int64

	cancellations []cancellation
	thirdParties  int // of all calls
}

func newHistory(lag func(callID int64) time.Duration) *history {
	return &history{
		lag:      lag,
		byID:     map[int64]*record{},
		scripts:  map[int64][]calls.CallStatus{},
		flags:    map[int64]calls.CustomerFlag{},
		endUsers: map[int64][]calls.EndUserAuth{},
		nextID:   firstID,
	}
}

// add returns c with the id that it has got, if it was without.
func (h *history) add(c Call) Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	if earlier, ok := h.byID[c.ID]; ok {
		earlier.Call = c
		return c.clone()
	}
	r := &record{Call: c}
	h.records = append(h.records, r)
	if !c.AwaitsAgent {
		h.enter(r)
	}
	return r.clone()
}

// enter makes a call known by its id and shows it in the listing.
func (h *history) enter(r *record) {
	if r.ID == 0 {
		r.ID = h.nextID
	}
	h.nextID = max(h.nextID, r.ID+1)
	if h.lag != nil {
		r.listedFrom = r.CreatedAt.Add(h.lag(r.ID))
	}
	h.byID[r.ID] = r
}

// place gives the oldest call that awaits its agent an id.
func (h *history) place(now time.Time) (id int64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.records, func(r *record) bool { return r.AwaitsAgent })
	if i < 0 {
		return 0, false
	}
	r := h.records[i]
	r.AwaitsAgent = false
	r.CreatedAt = now
	r.moveTo("assigned", now)
	h.enter(r)
	return r.ID, true
}

func (h *history) all() []Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Call, len(h.records))
	for i, r := range h.records {
		all[i] = r.clone()
	}
	return all
}

func (h *history) call(id int64) (Call, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.byID[id]
	if !ok {
		return Call{}, false
	}
	return r.clone(), true
}

func (h *history) advance(id int64, status calls.CallStatus, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.byID[id]
	if ok {
		r.moveTo(status, now)
	}
	return ok
}

func (h *history) script(id int64, statuses []calls.CallStatus) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.byID[id]
	if ok {
		h.scripts[id] = append(h.scripts[id], statuses...)
	}
	return ok
}

// playScripts moves every scripted call one status on.
func (h *history) playScripts(now time.Time) {
	for id, statuses := range h.scripts {
		if len(statuses) == 0 {
			delete(h.scripts, id)
			continue
		}
		h.byID[id].moveTo(statuses[0], now)
		h.scripts[id] = statuses[1:]
	}
}
