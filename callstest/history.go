package callstest

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/ccaip-go/calls"
)

// history holds the state of the platform: its calls, and what was done to them. It is
// safe for concurrent use.
type history struct {
	lag func(callID int64) time.Duration // can be nil

	mu       sync.Mutex
	records  []*record // in the order of their creation
	byID     map[int64]*record
	upcoming map[int64][]calls.CallStatus // by call id; see Server.Script
	flags    map[int64]calls.CustomerFlag
	endUsers map[int64][]calls.EndUserAuth
	nextID   int64

	cancellations []cancellation
	thirdParties  int // of all calls
}

// record is a call of the history.
type record struct {
	Call
	listedFrom time.Time // when the listing begins to show it; zero means at once
}

// firstID is the call id in the first documented response.
const firstID = 397

func newHistory(lag func(callID int64) time.Duration) *history {
	return &history{
		lag:      lag,
		byID:     map[int64]*record{},
		upcoming: map[int64][]calls.CallStatus{},
		flags:    map[int64]calls.CustomerFlag{},
		endUsers: map[int64][]calls.EndUserAuth{},
		nextID:   firstID,
	}
}

// add adds a call, or replaces the call with the same id. It returns c with its id.
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
		h.list(r)
	}
	return r.clone()
}

// list gives a call an id, if it has none, and adds it to the listing.
func (h *history) list(r *record) {
	if r.ID == 0 {
		r.ID = h.nextID
	}
	h.nextID = max(h.nextID, r.ID+1)
	if h.lag != nil {
		r.listedFrom = r.CreatedAt.Add(h.lag(r.ID))
	}
	h.byID[r.ID] = r
}

// reserveID returns an id that no call has or will get.
func (h *history) reserveID() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextID++
	return h.nextID - 1
}

// place places the oldest call that awaits its agent.
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
	r.setStatus("assigned", now)
	h.list(r)
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

// page returns copies of the calls on a page, and the number of calls on all pages.
// Reading the first page sets the upcoming statuses, so that all pages are consistent.
func (h *history) page(q listing, now time.Time) (found []Call, total int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if q.page == 1 {
		h.setUpcoming(now)
	}
	records := h.shown(q, now)
	total = len(records)
	if q.page-1 > total/q.perPage { // also prevents that the product below overflows
		return nil, total
	}
	start := (q.page - 1) * q.perPage
	for i := start; i < min(start+q.perPage, total); i++ {
		r := records[i]
		if q.descending {
			r = records[total-1-i]
		}
		found = append(found, r.clone())
	}
	return found, total
}

// shown returns the calls of all pages in ascending order. Calls whose keys are equal
// are in the order of their ids.
func (h *history) shown(q listing, now time.Time) []*record {
	var shown []*record
	for _, r := range h.records {
		if !r.AwaitsAgent && !r.listedFrom.After(now) && !r.UpdatedAt.Before(q.updatedFrom) {
			shown = append(shown, r)
		}
	}
	key := sortKeys[q.column]
	slices.SortFunc(shown, func(a, b *record) int {
		return cmp.Or(key(a).Compare(key(b)), cmp.Compare(a.ID, b.ID))
	})
	return shown
}

func (h *history) advance(id int64, status calls.CallStatus, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.byID[id]
	if ok {
		r.setStatus(status, now)
	}
	return ok
}

func (h *history) scheduleStatuses(id int64, statuses []calls.CallStatus) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.byID[id]
	if ok {
		h.upcoming[id] = append(h.upcoming[id], statuses...)
	}
	return ok
}

// setUpcoming sets the next status of each call that has upcoming ones.
func (h *history) setUpcoming(now time.Time) {
	for id, statuses := range h.upcoming {
		if len(statuses) == 0 {
			delete(h.upcoming, id)
			continue
		}
		h.byID[id].setStatus(statuses[0], now)
		h.upcoming[id] = statuses[1:]
	}
}

// cancel cancels a scheduled call that has not ended. It returns the call, or nil if it
// does not exist.
func (h *history) cancel(id int64, now time.Time) (call *Call, isCanceled bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.byID[id]
	if !ok {
		return nil, false
	}
	if isCanceled = r.ScheduledAt != nil && !r.hasEnded(); isCanceled {
		status := calls.CallStatus("completed")
		if r.Status == "scheduled" || r.Status == "queued" {
			status = "cancelled"
		}
		r.setStatus(status, now)
	}
	c := r.clone()
	return &c, isCanceled
}

func (h *history) addCancellation(c cancellation) (number int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cancellations = append(h.cancellations, c)
	return len(h.cancellations)
}

func (h *history) cancellation(number int) (c cancellation, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number < 1 || number > len(h.cancellations) {
		return cancellation{}, false
	}
	return h.cancellations[number-1], true
}

func (h *history) flag(id int64) calls.CustomerFlag {
	h.mu.Lock()
	defer h.mu.Unlock()
	return cloneFlag(h.flags[id])
}

func (h *history) setFlag(id int64, f calls.CustomerFlag) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flags[id] = cloneFlag(f)
}

// updateFlag sets the attributes that are not nil in update, and returns all of them.
func (h *history) updateFlag(id int64, update calls.CustomerFlag) calls.CustomerFlag {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.flags[id]
	f.VerifiedCustomer = cmp.Or(update.VerifiedCustomer, f.VerifiedCustomer)
	f.BadActor = cmp.Or(update.BadActor, f.BadActor)
	f.RepeatCustomer = cmp.Or(update.RepeatCustomer, f.RepeatCustomer)
	h.flags[id] = f
	return cloneFlag(f)
}

// addEndUser reports whether user is new. The interval after which the platform accepts
// the same request again is not documented; here it is infinite.
func (h *history) addEndUser(id int64, user calls.EndUserAuth) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.Contains(h.endUsers[id], user) {
		return false
	}
	h.endUsers[id] = append(h.endUsers[id], user)
	return true
}

func (h *history) endUsersOf(id int64) []calls.EndUserAuth {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.endUsers[id])
}

func (h *history) addThirdParty(callID int64, third ThirdParty) ThirdParty {
	h.mu.Lock()
	defer h.mu.Unlock()
	third.ParticipantID = firstParticipantID + int64(h.thirdParties)
	h.thirdParties++
	r := h.byID[callID]
	r.ThirdParties = append(r.ThirdParties, third)
	return third
}

// scheduledOn counts the scheduled calls of a menu that have not ended, by the start of
// their callback periods.
func (h *history) scheduledOn(menuID int64) map[time.Time]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	count := map[time.Time]int{}
	for _, r := range h.records {
		if r.MenuID == menuID && r.ScheduledAt != nil && !r.hasEnded() {
			count[r.ScheduledAt.UTC().Truncate(period)]++
		}
	}
	return count
}
