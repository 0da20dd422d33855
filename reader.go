package calls

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/ccaip-go/calls/internal/redact"
)

const (
	// gatherTime is how long a poll that somebody needs at once waits for others who
	// need one too.
	gatherTime = 20 * time.Millisecond
	// minLookNow is the least time between two polls that LookNow asks for.
	minLookNow = 500 * time.Millisecond
)

// reader is the goroutine of a feed. Its fields are guarded by feed.mu; tail.next,
// which waits for the platform, is called without it, and by run alone.
type reader struct {
	feed *feed
	stop context.CancelFunc
	wake chan struct{}

	tail     *tail // nil before the first poll
	polls    int   // that have begun
	walk     int   // the poll in which the tail's walk began
	began    time.Time
	wait     time.Duration // to the poll after that
	neededAt time.Time     // when somebody needs a poll who cannot wait; zero: nobody does
	since    time.Time     // where that poll has to begin
	isAsked  bool          // by LookNow
	pause    time.Duration // after a poll that settled; grows while there is more to settle
	retryAt  time.Time     // after a poll that failed
}

// admit takes note of a new watcher. Unless it knows all that the tail has seen, only
// going back shows it what has changed since. feed.mu is held.
func (r *reader) admit(w *watcher) {
	r.wait = w.interval
	isAhead := r.tail != nil && w.isKnown && !w.since.Before(r.tail.low) && !w.since.Before(r.tail.high)
	if !isAhead {
		r.need(w.since)
	}
	notify(r.wake)
}

// need plans a poll that begins at since, or earlier. feed.mu is held.
func (r *reader) need(since time.Time) {
	if r.neededAt.IsZero() {
		r.neededAt, r.since = time.Now().Add(gatherTime), since
	}
	if since.Before(r.since) {
		r.since = since
	}
}

// run polls until it is stopped.
func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		r.feed.mu.Lock()
		at, isPlanned := r.next()
		r.feed.mu.Unlock()
		var timer <-chan time.Time
		if isPlanned {
			if !at.After(time.Now()) {
				r.poll(ctx)
				continue
			}
			timer = time.After(time.Until(at))
		}
		select {
		case <-timer:
		case <-r.wake:
		case <-ctx.Done():
		}
	}
}

// next returns when the next poll begins. feed.mu is held.
func (r *reader) next() (at time.Time, isPlanned bool) {
	plan := func(t, notBefore time.Time) {
		if t.Before(notBefore) {
			t = notBefore
		}
		if !isPlanned || t.Before(at) {
			at, isPlanned = t, true
		}
	}
	isTailing := len(r.feed.watchers) > 0
	for s := range r.feed.settlers {
		plan(s.due, r.began.Add(r.pause))
		isTailing = isTailing || s.isAccepted
	}
	if isTailing {
		if r.polls > 0 {
			plan(r.began.Add(r.wait), r.began)
		}
		if !r.neededAt.IsZero() {
			plan(r.neededAt, r.began.Add(minInterval))
		}
		if r.isAsked {
			plan(r.began, r.began.Add(minLookNow))
		}
	}
	if at.Before(r.retryAt) {
		at = r.retryAt
	}
	return at, isPlanned
}

// poll reads what has changed, and hands it to all who wait for it.
func (r *reader) poll(ctx context.Context) {
	f := r.feed
	defer r.failAfterPanic()
	f.mu.Lock()
	if ctx.Err() == nil {
		r.begin()
	}
	f.mu.Unlock()
	isInteresting := false
	for isOver := false; !isOver && ctx.Err() == nil; {
		page, isLast, err := r.tail.next(ctx)
		changed := r.take(ctx, page, err)
		for _, call := range changed {
			r.tellLag(call)
		}
		if err != nil {
			f.client.warnOfPoll(ctx, err)
			return
		}
		isOver, isInteresting = isLast, isInteresting || len(changed) > 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() == nil {
		r.end(isInteresting)
	}
}

// failAfterPanic turns a panic of a middleware or an Observer into an error of those who
// wait. In the goroutine of the reader it would end the process.
func (r *reader) failAfterPanic() {
	if cause := recover(); cause != nil {
		r.feed.mu.Lock()
		defer r.feed.mu.Unlock()
		r.fail(fmt.Errorf("calls: a middleware or an observer panicked: %s", redact.Text(fmt.Sprint(cause))))
	}
}

// take hands a page on, and then the error that came with it. It returns the calls that
// somebody waited for.
func (r *reader) take(ctx context.Context, page []*Call, err error) (changed []*Call) {
	r.feed.mu.Lock()
	defer r.feed.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	changed = r.hand(page)
	if err != nil {
		r.fail(err)
	}
	return changed
}

// tellLag reports how old a change is that was just handed to a watcher.
func (r *reader) tellLag(call *Call) {
	if tailed := r.feed.client.observer.Tailed; tailed != nil && call.UpdatedAt != nil {
		tailed(r.feed.client.now().Sub(*call.UpdatedAt))
	}
}

// begin decides where the poll begins. feed.mu is held.
func (r *reader) begin() {
	r.began = time.Now()
	r.polls++
	since, isSet := r.since, !r.neededAt.IsZero()
	for s := range r.feed.settlers {
		isBehind := !s.due.After(r.began) && !r.serves(s) || s.isAccepted && !s.isCovered
		if isBehind && (!isSet || s.since.Before(since)) {
			since, isSet = s.since, true
		}
	}
	switch {
	case r.tail == nil:
		r.tail = newTail(r.feed.client, since, maxPerPage, defaultTailLag)
		r.tail.learn(r.feed.known())
	case isSet:
		r.tail.rewind(since)
	}
	if r.tail.walk == nil {
		r.walk = r.polls
	}
	r.tail.begin()
	r.neededAt, r.isAsked = time.Time{}, false
}

// serves reports whether the walk of the tail shows a settler all that it has to see.
func (r *reader) serves(s *settler) bool {
	return r.tail != nil && s.joined < r.walk && !r.tail.began.Before(s.due) && !r.tail.from.After(s.since)
}

// hand gives the calls of a page to all who wait for them, and returns those whose
// change was new to somebody. feed.mu is held.
func (r *reader) hand(page []*Call) (changed []*Call) {
	f := r.feed
	for _, call := range page {
		r.tail.isNew(call)
		isChanged := false
		for w := range f.watched[call.ID] {
			if w.see(call) {
				isChanged = true
				if hasEnded(call) {
					f.forget(w, call.ID)
				}
			}
		}
		if isChanged {
			changed = append(changed, call)
		}
		seen := sighting{Call: call}
		for s := range f.settlers {
			s.see(&seen)
		}
	}
	if r.tail.walk != nil {
		r.tail.forget(r.tail.walk.from)
	}
	return changed
}

// end plans the poll after one that came to its end. feed.mu is held.
func (r *reader) end(isInteresting bool) {
	shortest, longest := r.intervals()
	r.wait = grown(r.wait, longest)
	if isInteresting {
		r.wait = shortest
	}
	settled := 0
	for s := range r.feed.settlers {
		s.isCovered = s.isCovered || s.joined < r.walk && !r.tail.from.After(s.since)
		switch {
		case r.serves(s):
			s.isConcluded = true
			delete(r.feed.settlers, s)
			settled++
		case s.isAccepted && s.isCovered:
			s.isSeen = true
		default:
			continue
		}
		notify(s.news)
	}
	r.pause = r.nextPause(settled)
	r.feed.stopIfIdle()
}

// intervals returns the bounds of the time between two polls. feed.mu is held.
func (r *reader) intervals() (shortest, longest time.Duration) {
	shortest, longest = defaultMaxInterval, defaultMaxInterval
	for w := range r.feed.watchers {
		shortest, longest = min(shortest, w.interval), min(longest, w.longest)
	}
	for s := range r.feed.settlers {
		if s.isAccepted {
			shortest, longest = min(shortest, s.interval), min(longest, s.interval)
		}
	}
	return shortest, max(shortest, longest)
}

// nextPause lets the time between two polls that settle grow while there is more to
// settle, so that the creates of a long outage cost few polls. feed.mu is held.
func (r *reader) nextPause(settled int) time.Duration {
	if len(r.feed.settlers) == 0 {
		return 0
	}
	if settled == 0 {
		return r.pause
	}
	shortest, longest := time.Duration(0), time.Duration(0)
	for s := range r.feed.settlers {
		if longest == 0 || s.window/2 < longest {
			shortest, longest = s.interval, s.window/2
		}
	}
	return max(min(r.pause+r.pause/2, longest), min(shortest, longest))
}

// fail ends the reader, or plans another attempt at a poll that failed. feed.mu is
// held.
func (r *reader) fail(err error) {
	f := r.feed
	isOver := !isTransient(err)
	for s := range f.settlers {
		s.failure, s.isFailed = err, isOver
		notify(s.news)
	}
	if isOver {
		for w := range f.watchers {
			w.err = err
			notify(w.news)
		}
		clear(f.watchers)
		clear(f.watched)
		clear(f.settlers)
		f.stopIfIdle()
		return
	}
	shortest, longest := r.intervals()
	r.wait = max(grown(r.wait, longest), minInterval)
	if r.tail.pages > 0 { // it came some way
		r.wait = shortest
	}
	r.retryAt = time.Now().Add(r.wait)
}

// warnOfPoll logs an error that a tail survives.
func (c *Client) warnOfPoll(ctx context.Context, err error) {
	if c.logger != nil && ctx.Err() == nil && isTransient(err) {
		c.logger.LogAttrs(ctx, slog.LevelWarn, "calls: the listing failed and will be read again",
			slog.String("error", redact.Text(err.Error())))
	}
}
