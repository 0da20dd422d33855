package calls

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// WatchOptions sets how WatchCall and WatchCalls look for changes. A zero field means
// its default.
type WatchOptions struct {
	// Since is a time before the last change of the calls, by the platform's clock.
	// The zero time means the UpdatedAt of each call, else its CreatedAt, else 24
	// hours ago.
	Since time.Time
	// Interval is the time between two polls after a change, at least a second. The
	// default is 2 s.
	Interval time.Duration
	// MaxInterval is what the time between two polls grows to while nothing changes.
	// The default is 30 s.
	MaxInterval time.Duration
}

// WatchCall yields a call each time its status has changed. It ends after a status that
// IsTerminal, or an unknown status of a call that has EndsAt. It first yields call
// itself, as CreateOutbound or a listing returned it; a call with only an ID is first
// yielded when a listing shows it, and WatchCall waits for that. A status that comes and
// goes between two polls is not seen.
//
// An error is yielded once, with a nil *Call, and ends the watch: that of a listing,
// unless a read may be repeated after it (a 5xx, a 429, a broken connection), or that
// of the context.
//
// Everything that a Client watches and settles is served by one reader, which polls the
// listing of changed calls: 1,000 watched calls cost the requests of one. The time
// between two polls grows by half while no watched call changes, from opts.Interval to
// opts.MaxInterval; of several watches, the shortest intervals count. LookNow has it
// poll at once.
//
// Reference: "Manager API", tailing.
func (c *Client) WatchCall(ctx context.Context, call *Call, opts WatchOptions) iter.Seq2[*Call, error] {
	return c.WatchCalls(ctx, []*Call{call}, opts)
}

// WatchCalls watches several calls like WatchCall, and ends when all of them have
// ended.
func (c *Client) WatchCalls(ctx context.Context, calls []*Call, opts WatchOptions) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		if err := c.watch(ctx, calls, opts, yield); err != nil {
			yield(nil, err)
		}
	}
}

// LookNow has the next poll of every WatchCall, WatchCalls and TailCalls of this
// Client begin at once; without one of these it does nothing. Call it when an event
// says that a call has changed. It does not wait, and many calls of it cost at most
// two polls a second.
func (c *Client) LookNow() {
	if c != nil && c.feed != nil {
		c.feed.lookNow()
	}
}

// watch returns nil if yield stopped it or all calls have ended.
func (c *Client) watch(ctx context.Context, calls []*Call, opts WatchOptions, yield func(*Call, error) bool) error {
	if err := c.check(ctx); err != nil {
		return err
	}
	w, err := c.newWatcher(calls, opts)
	if err != nil || len(calls) == 0 {
		return err
	}
	if len(w.states) > 0 {
		c.feed.watch(w)
		defer c.feed.unwatch(w)
	}
	for {
		call, err := w.next(ctx, c.feed)
		if err != nil {
			return err
		}
		if call == nil || !yield(call, nil) {
			return nil
		}
	}
}

// watcher waits for changes of calls. Its fields are guarded by feed.mu.
type watcher struct {
	states            map[int64]*Call // that were yielded last of the calls that have not ended; nil: none yet
	since             time.Time
	isKnown           bool // there is a state of each call
	interval, longest time.Duration

	queue []*Call // changes that were not yielded yet
	err   error   // after them
	news  chan struct{}
}

func (c *Client) newWatcher(calls []*Call, opts WatchOptions) (*watcher, error) {
	w := &watcher{states: map[int64]*Call{}, isKnown: opts.Since.IsZero(), news: make(chan struct{}, 1)}
	var err error
	if w.interval, w.longest, err = intervals(opts.Interval, opts.MaxInterval); err != nil {
		return nil, err
	}
	for _, call := range calls {
		if call == nil {
			return nil, invalid("call", "is nil", ErrCallIDInvalid)
		}
		if err := checkCallID(call.ID); err != nil {
			return nil, err
		}
		since, isKnown := c.sinceOf(call, opts)
		if w.since.IsZero() || since.Before(w.since) {
			w.since = since
		}
		w.isKnown = w.isKnown && isKnown
		if _, isTwice := w.states[call.ID]; isTwice {
			continue
		}
		w.states[call.ID] = nil
		if call.Status != "" {
			w.see(call)
		}
		if hasEnded(call) {
			delete(w.states, call.ID)
		}
	}
	return w, nil
}

// sinceOf returns the time from which on a listing shows what has happened to a call,
// and whether its state at that time is known.
func (c *Client) sinceOf(call *Call, opts WatchOptions) (since time.Time, isKnown bool) {
	switch {
	case !opts.Since.IsZero():
		return opts.Since.Truncate(time.Second), false
	case call.UpdatedAt != nil:
		return *call.UpdatedAt, call.Status != ""
	case call.CreatedAt != nil:
		return *call.CreatedAt, call.Status != ""
	}
	return c.now().Add(-defaultFindWindow).Truncate(time.Second), false
}

// hasEnded reports whether nothing more is to be expected of a call.
func hasEnded(call *Call) bool {
	return call.Status.IsTerminal() || call.Status != "" && !call.Status.IsKnown() && call.EndsAt != nil
}

// see takes a call that was listed, and reports whether it has changed. feed.mu is
// held.
func (w *watcher) see(call *Call) bool {
	if last := w.states[call.ID]; last != nil {
		if last.UpdatedAt != nil && call.UpdatedAt != nil && call.UpdatedAt.Before(*last.UpdatedAt) {
			return false
		}
		if call.Status == last.Status {
			w.states[call.ID] = call
			return false
		}
	}
	w.states[call.ID] = call
	w.queue = append(w.queue, call)
	notify(w.news)
	return true
}

// next waits for a change. It returns nil if none will come.
func (w *watcher) next(ctx context.Context, f *feed) (*Call, error) {
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("calls: WatchCall: %w", ctx.Err())
		}
		call, isOver, err := w.take(f)
		if call != nil || isOver || err != nil {
			return call, err
		}
		select {
		case <-w.news:
		case <-ctx.Done():
		}
	}
}

func (w *watcher) take(f *feed) (call *Call, isOver bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(w.queue) > 0 {
		call = w.queue[0]
		w.queue = w.queue[1:]
		return call, false, nil
	}
	return nil, len(w.states) == 0, w.err
}
