package calls

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// settlement is one SettleAll on its way. One goroutine uses it.
type settlement struct {
	client *Client
	opts   SettleOptions
	open   []*settler // not settled yet
	news   chan struct{}
}

// result is one create that was settled.
type result struct {
	intent  Intent
	settled Settled
}

// maxCandidates is how many candidates of a create are kept. More tell nobody more.
const maxCandidates = 100

// settler collects the candidates of one create. The fields below news are guarded by
// feed.mu.
type settler struct {
	intent     Intent
	skew       time.Duration
	window     time.Duration
	interval   time.Duration
	delivery   Delivery
	isAccepted bool
	since      time.Time // where a listing has to begin
	due        time.Time // when the poll that decides can begin
	deadline   time.Time // when it must have ended
	askAgain   time.Time // when to judge again what a create on its way contests; zero: never

	news        chan<- struct{}
	joined      int  // how many polls had begun before
	isCovered   bool // a poll from since on has ended
	candidates  []*candidate
	isSeen      bool // a poll has ended since
	isConcluded bool // so has the poll that decides
	isFailed    bool // there will be no poll, because of failure
	failure     error
}

// candidate is a call that can be the one of a create.
type candidate struct {
	sighting
	isUnclear bool
}

func (c *Client) newSettlement(ctx context.Context, opts SettleOptions) (*settlement, error) {
	s := &settlement{client: c, news: make(chan struct{}, 1)}
	var err error
	if s.opts, err = opts.withDefaults(); err == nil {
		err = c.check(ctx)
	}
	return s, err
}

// begin returns the settler of a create, or the error that ends it at once: err if it
// is not nil.
func (s *settlement) begin(ctx context.Context, i Intent, err error) (*settler, error) {
	x := &settler{intent: i, skew: s.opts.ClockSkew, window: s.opts.Window, interval: s.opts.Interval, delivery: s.opts.Delivery, news: s.news}
	switch {
	case !x.delivery.MayExist():
		return nil, x.error(ErrCallNotFound)
	case err == nil && (i.ID == "" || i.SentAfter.IsZero() || operationOf(i.CallType.Canonical()) == ""):
		err = invalid("intent", "is not that of a create that was sent", nil)
	}
	if err != nil {
		return nil, x.error(err)
	}
	delivery, skew := s.client.creates.settling(i, x.skew)
	if delivery == DeliveryAccepted {
		x.delivery = delivery
	}
	x.isAccepted, x.skew = x.delivery == DeliveryAccepted, skew
	x.since = i.SentAfter.Add(-x.skew - time.Second).Truncate(time.Second)
	now := time.Now()
	wait := time.Duration(0)
	if !i.SentBefore.IsZero() {
		wait = i.SentBefore.Sub(s.client.now())
	}
	x.due = now.Add(max(wait+x.skew+x.window, gatherTime))
	x.deadline = x.due.Add(x.window + settleGrace)
	if end, ok := ctx.Deadline(); ok && end.Before(x.due) && !x.isAccepted {
		return nil, x.error(fmt.Errorf("the wait until %v after the create does not fit: %w", x.skew+x.window, context.DeadlineExceeded))
	}
	return x, nil
}

// error returns the error of Settle. It speaks of the create.
func (x *settler) error(cause error) error {
	causes := []error{cause}
	if x.delivery == DeliveryUnknown {
		causes = []error{ErrOutcomeUnknown, cause}
	}
	return &OpError{Operation: "Settle", Delivery: x.delivery, Intent: &x.intent, Causes: causes}
}

// see takes a call that was listed. feed.mu is held.
func (x *settler) see(call *sighting) {
	m := x.intent.match(call, x.skew)
	if m == differs || x.intent.isTooLate(call.Call, x.skew) {
		return
	}
	seen := &candidate{*call, m == isUnclear}
	i := slices.IndexFunc(x.candidates, func(known *candidate) bool { return known.ID == call.ID })
	switch {
	case i >= 0:
		x.candidates[i] = seen
	case len(x.candidates) < maxCandidates:
		x.candidates = append(x.candidates, seen)
	}
}

// next waits until creates are settled, and returns them.
func (s *settlement) next(ctx context.Context) []result {
	for {
		results, again := s.judgeAll(ctx)
		if len(results) > 0 {
			if observe := s.client.observer.Settled; observe != nil {
				for _, r := range results {
					observe(ctx, r.intent, r.settled.Call, r.settled.Err)
				}
			}
			return results
		}
		timer := time.NewTimer(time.Until(again))
		select {
		case <-s.news:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// judgeAll returns the creates that are settled now, and when to judge the others
// again. A create that has its call contests nothing any more, so that another can be
// given its own after it: what cannot be settled is told last.
func (s *settlement) judgeAll(ctx context.Context) (results []result, again time.Time) {
	isDue, states := s.snapshot()
	var refused []result
	for isResolved := true; isResolved; {
		isResolved, refused = false, nil
		doubts, err := s.doubts(ctx, isDue)
		open := make([]state, 0, len(states))
		for _, st := range states {
			settled, isOver := s.judge(ctx, st, doubts, err)
			switch {
			case isOver && settled.Err == nil:
				results = append(results, result{st.intent, settled})
				isResolved = true
				continue
			case isOver:
				refused = append(refused, result{st.intent, settled})
			}
			st.isOver = isOver
			open = append(open, st)
		}
		states = open
	}
	s.open = nil
	for _, st := range states {
		if next := st.nextTime(); !st.isOver {
			s.open = append(s.open, st.settler)
			if again.IsZero() || next.Before(again) {
				again = next
			}
		}
	}
	return append(results, refused...), again
}

// state is a settler as it was at one point in time.
type state struct {
	*settler
	isDue       bool // there is something to judge
	isOver      bool
	isConcluded bool
	isFailed    bool
	failure     error
	candidates  []*candidate
}

// nextTime returns when to judge again.
func (st *state) nextTime() time.Time {
	if !st.askAgain.IsZero() && st.askAgain.Before(st.deadline) {
		return st.askAgain
	}
	return st.deadline
}

// snapshot returns the states of the open settlers, and whether one is due.
func (s *settlement) snapshot() (isDue bool, states []state) {
	now := time.Now()
	mu := &s.client.feed.mu
	mu.Lock()
	defer mu.Unlock()
	for _, x := range s.open {
		st := state{
			settler: x, isConcluded: x.isConcluded, isFailed: x.isFailed, failure: x.failure,
			candidates: slices.Clone(x.candidates),
		}
		st.isDue = x.isSeen || x.isConcluded && (x.askAgain.IsZero() || !now.Before(x.askAgain))
		x.isSeen = false
		states = append(states, st)
		isDue = isDue || st.isDue
	}
	return isDue, states
}

// doubts returns the open creates of this Client and of others, if they are needed.
func (s *settlement) doubts(ctx context.Context, areNeeded bool) ([]doubt, error) {
	if !areNeeded {
		return nil, nil
	}
	list := s.client.creates.doubts()
	if s.opts.Claims == nil {
		return list, nil
	}
	others, err := s.opts.Claims.Doubts(ctx)
	for _, i := range others {
		list = append(list, doubt{Intent: i})
	}
	return list, err
}

// judge returns what became of a create, unless that is still open.
func (s *settlement) judge(ctx context.Context, x state, doubts []doubt, err error) (settled Settled, isOver bool) {
	isLate := !time.Now().Before(x.deadline)
	switch {
	case ctx.Err() != nil:
		return Settled{Err: x.error(ctx.Err())}, true
	case x.isFailed:
		return Settled{Err: x.error(x.failure)}, true
	case x.isDue && err != nil:
		return Settled{Err: x.error(err)}, true
	case x.isDue:
		if settled, isOver = s.decide(ctx, x, doubts, isLate); isOver {
			return settled, true
		}
	}
	switch {
	case !isLate:
		return Settled{}, false
	case x.failure != nil:
		return Settled{Err: x.error(x.failure)}, true
	}
	return Settled{Err: x.error(fmt.Errorf("no listing ended within %v: %w", x.window+settleGrace, context.DeadlineExceeded))}, true
}

// decide gives a call to a create if it is the only one that fits and no other create
// can own it. A call that a create contests which is still being sent is decided later,
// until the time is up.
func (s *settlement) decide(ctx context.Context, x state, doubts []doubt, isLate bool) (settled Settled, isOver bool) {
	var free []*candidate
	isContested, isSending := false, false
	for _, call := range x.candidates {
		owner, err := s.owner(ctx, call.ID)
		switch {
		case err != nil:
			return Settled{Err: x.error(err)}, true
		case owner == x.intent.ID:
			s.client.creates.claim(call.Call, x.intent)
			return Settled{Call: call.Call}, true
		case owner != "":
			continue
		}
		free = append(free, call)
		for _, d := range doubts {
			if d.ID != x.intent.ID && d.match(&call.sighting, s.skewOf(d)) != differs {
				isContested, isSending = true, isSending || d.isSending
			}
		}
	}
	switch {
	case len(free) == 1 && !free[0].isUnclear && !isContested:
		return s.claim(ctx, x, free[0].Call)
	case !x.isConcluded:
		return Settled{}, false
	case len(free) == 0:
		return Settled{Err: x.error(ErrCallNotFound)}, true
	case isSending && !isLate:
		x.askAgain = time.Now().Add(x.interval)
		return Settled{}, false
	}
	several := &AmbiguousError{}
	for _, call := range free {
		several.Candidates = append(several.Candidates, call.Call)
	}
	return Settled{Err: x.error(several)}, true
}

func (s *settlement) skewOf(d doubt) time.Duration {
	if d.skew > 0 {
		return min(d.skew, s.opts.ClockSkew)
	}
	return s.opts.ClockSkew
}

// owner returns the Intent.ID of the create that owns a call, "" if none is known.
func (s *settlement) owner(ctx context.Context, callID int64) (string, error) {
	if owner := s.client.creates.owner(callID); owner != "" || s.opts.Claims == nil || callID == 0 {
		return owner, nil
	}
	return s.opts.Claims.Owner(ctx, callID)
}

// claim makes a create the owner of a call, unless another was faster.
func (s *settlement) claim(ctx context.Context, x state, call *Call) (settled Settled, isOver bool) {
	owner := x.intent.ID
	if s.opts.Claims != nil {
		var err error
		if owner, err = s.opts.Claims.Claim(ctx, call.ID, x.intent.ID); err != nil {
			return Settled{Err: x.error(err)}, true
		}
	}
	if owner == x.intent.ID {
		owner = s.client.creates.claim(call, x.intent)
	}
	switch {
	case owner == x.intent.ID:
		return Settled{Call: call}, true
	case x.isConcluded:
		return Settled{Err: x.error(ErrCallNotFound)}, true
	}
	return Settled{}, false
}
