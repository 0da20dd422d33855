package ledger

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/ccaip-go/calls"
)

// Recover takes up what other processes left: it puts in doubt the entries whose
// attempt ended without a record, settles with one listing everything that is in doubt
// and due, and then sends the prepared entries whose Until and Skew have passed. It
// yields each entry that it took up, with what Advance would return for it.
//
// Any number of processes can call it at any time. Call it at the start of a program
// and then every half minute, for example. An error that concerns no single entry is
// yielded with an Entry that has no ID: Recover ends if it cannot read the open
// entries, and settles nothing if it cannot read the listing.
func (k *Keeper) Recover(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		orphans, err := k.orphans(ctx)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		var due, prepared []Entry
		for _, e := range orphans {
			var err error
			if e.State == StateSending {
				if e, err = k.doubt(ctx, e); err != nil || e.State != StateInDoubt {
					if !yield(e, err) {
						return
					}
					continue
				}
			}
			switch {
			case e.State == StatePrepared:
				prepared = append(prepared, e)
			case e.State == StateInDoubt && k.wait(e) <= 0:
				due = append(due, e)
			}
		}
		for e, err := range k.settleAll(ctx, due) {
			if !yield(e, err) {
				return
			}
		}
		for _, e := range prepared {
			if ctx.Err() != nil || !yield(k.send(ctx, e)) {
				return
			}
		}
	}
}

// orphans returns the open entries that nobody has any more.
func (k *Keeper) orphans(ctx context.Context) ([]Entry, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	skew, _ := k.clocks()
	return k.Store.Open(ctx, k.Tenant, now().Add(-skew))
}

// settle is settleAll for one entry.
func (k *Keeper) settle(ctx context.Context, e Entry) (Entry, error) {
	for settled, err := range k.settleAll(ctx, []Entry{e}) {
		if settled.ID == "" {
			settled = e
		}
		return settled, err
	}
	return e, nil
}

// settleAll looks for the calls of entries that are in doubt and due. They were read
// before this, and what is concluded replaces the versions that were read (rule 9).
func (k *Keeper) settleAll(ctx context.Context, entries []Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if len(entries) == 0 {
			return
		}
		l, err := k.look(ctx, entries)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		rest := slices.SortedFunc(slices.Values(entries), func(a, b Entry) int {
			return a.Intent.SentAfter.Compare(b.Intent.SentAfter)
		})
		// An entry that is resolved contests nothing any more, so that another can be
		// resolved after it.
		for isResolved := true; isResolved; {
			isResolved = false
			var left []Entry
			for _, e := range rest {
				callID := l.judge(e).callID
				if callID == 0 {
					left = append(left, e)
					continue
				}
				e, err := k.conclude(ctx, e, StateCreated, callID, "found in the listing")
				l.note(e)
				isResolved = true
				if !yield(e, err) {
					return
				}
			}
			rest = left
		}
		for _, e := range rest {
			v := l.judge(e)
			if v.wait > 0 {
				if !yield(e, &ErrUnderWay{Wait: v.wait}) {
					return
				}
				continue
			}
			if !yield(k.conclude(ctx, e, StateForPerson, 0, v.why)) {
				return
			}
		}
	}
}

// conclude replaces the version of an entry that was read before the listing.
func (k *Keeper) conclude(ctx context.Context, e Entry, state State, callID int64, how string) (Entry, error) {
	next := e.in(state, how)
	next.CallID = callID
	if err := k.Store.Replace(ctx, next); err != nil {
		return k.current(ctx, e, err)
	}
	next.Version++
	return next, nil
}

// look is one look at the platform and at the ledger, in this order (rule 6).
type look struct {
	skew   time.Duration
	listed []candidate
}

// candidate is a call that fits one of the entries that are looked for.
type candidate struct {
	call   *calls.Call
	owner  string           // the id of the entry that has the call
	rivals map[string]Entry // those that contest the call, by their ids
}

func (k *Keeper) look(ctx context.Context, entries []Entry) (*look, error) {
	skew, _ := k.clocks()
	l := &look{skew: skew}
	first := slices.MinFunc(entries, func(a, b Entry) int { return a.Intent.SentAfter.Compare(b.Intent.SentAfter) })
	listed, err := k.listing(ctx, first.Intent.SentAfter.Add(-skew), entries)
	if err != nil {
		return nil, err
	}
	rivals, err := k.Store.Doubts(ctx, k.Tenant, l.oldest(first))
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, call := range listed {
		l.listed = append(l.listed, candidate{call: call, rivals: contesting(rivals, call, skew)})
		ids = append(ids, call.ID)
	}
	owners, err := k.Store.Claimed(ctx, k.Tenant, ids)
	for i := range l.listed {
		l.listed[i].owner = owners[ids[i]]
	}
	return l, err
}

// oldest returns the Until of the oldest closed doubt that matters to an entry.
func (l *look) oldest(e Entry) time.Time { return e.Intent.SentAfter.Add(-l.skew - rivalAge) }

// listing returns the calls that have changed since a time and fit an entry.
func (k *Keeper) listing(ctx context.Context, since time.Time, entries []Entry) (listed []*calls.Call, err error) {
	skew, _ := k.clocks()
	for call, err := range k.Client.ListCalls(ctx, calls.ListOptions{UpdatedSince: since}) {
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(entries, func(e Entry) bool { return e.Intent.Fits(call, skew) }) {
			listed = append(listed, call)
		}
	}
	return listed, nil
}

func contesting(rivals []Entry, call *calls.Call, skew time.Duration) map[string]Entry {
	found := map[string]Entry{}
	for _, rival := range rivals {
		if rival.Intent.Contests(call, skew) {
			found[rival.ID] = rival
		}
	}
	return found
}

// note takes in what was recorded of an entry after the look.
func (l *look) note(e Entry) {
	for i := range l.listed {
		c := &l.listed[i]
		if !e.IsRival() {
			delete(c.rivals, e.ID)
		}
		if c.call.ID == e.CallID {
			c.owner = e.ID
		}
	}
}

// verdict is what a look says about an entry: the call that it owns, or how long to
// wait, or why a person has to decide.
type verdict struct {
	callID int64
	wait   time.Duration
	why    string
}

// judge gives a call to an entry if it is the only one that fits and no other entry
// can own it (rule 8). A rival that is being sent will know more in a moment.
func (l *look) judge(e Entry) verdict {
	var candidates []int64
	contest := ""
	for _, c := range l.listed {
		if c.owner != "" || !e.Intent.Fits(c.call, l.skew) {
			continue
		}
		candidates = append(candidates, c.call.ID)
		for _, rival := range c.rivals {
			switch {
			case rival.ID == e.ID || rival.State.IsClosed() && rival.Until.Before(l.oldest(e)):
			case rival.State == StateSending:
				return verdict{wait: max(time.Until(rival.Until.Add(l.skew)), comeBack)}
			default:
				contest = fmt.Sprintf("call %d fits, and can be that of entry %q as well", c.call.ID, rival.ID)
			}
		}
	}
	switch {
	case len(candidates) == 0:
		return verdict{why: "no call in the listing fits"}
	case len(candidates) > 1:
		return verdict{why: "several calls in the listing fit: " + strings.Trim(fmt.Sprint(candidates), "[]")}
	case contest != "":
		return verdict{why: contest}
	}
	return verdict{callID: candidates[0]}
}
