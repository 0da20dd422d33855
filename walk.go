package calls

import (
	"context"
	"maps"
	"slices"
	"time"
)

// change identifies a state of a call. The status is part of it because timestamps
// can be exact to the second only.
type change struct {
	id      int64
	updated time.Time // in UTC, so that equal times are equal keys
	status  CallStatus
}

// changeOf reports false for a call without an id or an updated_at: its states
// cannot be told apart.
func changeOf(call *Call) (change, bool) {
	if call.ID == 0 || call.UpdatedAt == nil {
		return change{}, false
	}
	return change{call.ID, call.UpdatedAt.UTC(), call.Status}, true
}

// walk reads a listing from a time on to its end, in ascending order of updated_at.
//
// Reading page 2 after page 1 can miss calls: one that changes meanwhile moves to the
// end, and the first call of page 2 moves onto page 1. So the next page is not page 2,
// but page 1 of a listing from the last time that was seen. Only where a page shows a
// single time does page 2 follow. Then the calls of that time are read again until two
// readings agree, which proves that none of them moved while they were read before.
type walk struct {
	client  *Client
	perPage int
	from    time.Time // of the listing that is being read

	listing    *listing // nil before its first page
	run        run      // of the listing
	previous   run      // the same run when it was read before
	held       []*Call  // that were read, and come later in the order
	repeated   repeats
	isUnsorted bool // the listing keeps no order: it can only be read page by page
}

// run is the calls that a listing showed with the time at which it begins.
type run struct {
	ids  map[int64]struct{}
	next time.Time // what comes after them; zero: nothing
}

// next returns the next page, and whether it is the last one. A call can be on
// several pages. After an error next asks for the same page again.
func (w *walk) next(ctx context.Context) (page []*Call, isOver bool, err error) {
	if w.listing == nil {
		w.listing = &listing{client: w.client, query: w.query()}
		w.run, w.repeated, w.isUnsorted = run{ids: map[int64]struct{}{}}, 0, false
	}
	page, err = w.listing.nextPage(ctx)
	if err != nil {
		return page, false, err
	}
	page, isOver, err = w.turn(ctx, page)
	return w.merge(page, isOver), isOver, err
}

func (w *walk) query() listQuery {
	q := listQuery{Page: 1, PerPage: w.perPage, SortColumn: "updated_at", SortDirection: "ASC"}
	q.Updated.From = stamp(w.from, time.RFC3339Nano)
	return q
}

// merge adds the held calls to a page whose turn it is.
func (w *walk) merge(page []*Call, all bool) []*Call {
	if len(w.held) == 0 {
		return page
	}
	var held []*Call
	for _, call := range w.held {
		if all || !call.UpdatedAt.After(w.from) {
			page = append(page, call)
		} else {
			held = append(held, call)
		}
	}
	w.held = held
	slices.SortStableFunc(page, func(a, b *Call) int { return updatedAt(a).Compare(updatedAt(b)) })
	return page
}

func updatedAt(call *Call) time.Time {
	if call.UpdatedAt == nil {
		return time.Time{}
	}
	return *call.UpdatedAt
}

// turn decides where to go on after a page. It returns what of the page comes next in
// the order.
func (w *walk) turn(ctx context.Context, page []*Call) (kept []*Call, isOver bool, err error) {
	last, isSorted := w.lastTime(page)
	w.isUnsorted = w.isUnsorted || !isSorted
	isNew := w.note(page)
	isOver = w.listing.isOver
	if !isOver && (w.isUnsorted || !last.After(w.from)) { // page 2 follows
		if err := w.repeated.note(isNew); err != nil {
			return page, false, w.listing.fail(ctx, err)
		}
		return page, false, nil
	}
	isOnePage := w.listing.pages == 1 || w.isUnsorted
	w.listing = nil
	if !isOnePage {
		var isSteady bool
		if page, last, isSteady = w.compare(page); !isSteady {
			return page, false, nil
		}
		isOver = last.Equal(w.from)
	}
	w.from, w.previous = last, run{}
	return page, isOver, nil
}

// compare compares a run, which ends on a page, with what it was when it was read
// before. If that is the same, no call had moved then, and compare returns what came
// next, w.from if nothing did. It holds back what comes after the run, since a call in
// between can have been missed.
func (w *walk) compare(page []*Call) (same []*Call, next time.Time, isSteady bool) {
	for _, call := range page {
		if call.UpdatedAt == nil || !call.UpdatedAt.After(w.from) {
			same = append(same, call)
			continue
		}
		w.held = append(w.held, call)
		if w.run.next.IsZero() {
			w.run.next = *call.UpdatedAt
		}
	}
	before := w.previous
	w.previous = w.run
	switch {
	case before.ids == nil || !maps.Equal(w.run.ids, before.ids):
		return same, time.Time{}, false
	case before.next.IsZero():
		return same, w.from, w.run.next.IsZero()
	}
	return same, before.next, true
}

// lastTime returns the time of the last call on a page, w.from if there is none. It
// reports false for a page that is not in the order of the walk.
func (w *walk) lastTime(page []*Call) (last time.Time, isSorted bool) {
	last, isSorted = w.from, len(page) == 0
	for _, call := range page {
		switch {
		case call.UpdatedAt == nil:
		case call.UpdatedAt.Before(last):
			return last, false
		default:
			last, isSorted = *call.UpdatedAt, true
		}
	}
	return last, isSorted
}

// note adds the calls of a page to the run, and reports whether it has grown. In a
// listing without order, all of them belong to it.
func (w *walk) note(page []*Call) (isNew bool) {
	before := len(w.run.ids)
	for _, call := range page {
		if call.ID != 0 && (w.isUnsorted || call.UpdatedAt != nil && call.UpdatedAt.Equal(w.from)) {
			w.run.ids[call.ID] = struct{}{}
		}
	}
	return len(w.run.ids) > before
}
