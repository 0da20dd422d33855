package calls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net"
	"net/http"
	"time"
)

// TailOptions sets how TailCalls looks for changes. A zero field means its default.
type TailOptions struct {
	// Interval is the time between two polls after a change, at least a second. The
	// default is 2 s.
	Interval time.Duration
	// MaxInterval is what the time between two polls grows to while nothing changes.
	// The default is 30 s.
	MaxInterval time.Duration
	// Lag is how long a listing may take to show a change. Changes that show up
	// later than that can be missed. The default is 30 s.
	Lag time.Duration
	// PerPage is the number of calls on a page, 1 to 100. Zero means 100.
	PerPage int
}

const (
	defaultInterval    = 2 * time.Second
	defaultMaxInterval = 30 * time.Second
	defaultTailLag     = 30 * time.Second
	// minInterval keeps polling well below the rate limit.
	minInterval = time.Second
)

func (o TailOptions) withDefaults() (TailOptions, error) {
	var err error
	if o.PerPage, err = perPage(o.PerPage); err != nil {
		return o, err
	}
	if o.Lag < 0 {
		return o, invalid("tail", "has a negative duration", nil)
	}
	if o.Lag == 0 {
		o.Lag = defaultTailLag
	}
	o.Interval, o.MaxInterval, err = intervals(o.Interval, o.MaxInterval)
	return o, err
}

// intervals returns the bounds of the time between two polls.
func intervals(shortest, longest time.Duration) (time.Duration, time.Duration, error) {
	if min(shortest, longest) < 0 {
		return 0, 0, invalid("interval", "is negative", nil)
	}
	if shortest == 0 {
		shortest = defaultInterval
	}
	if longest == 0 {
		longest = defaultMaxInterval
	}
	shortest = max(shortest, minInterval)
	return shortest, max(longest, shortest), nil
}

// grown returns the next time between two polls that show no change.
func grown(wait, longest time.Duration) time.Duration { return min(wait+wait/2, longest) }

// TailCalls yields each call that was created or changed at or after since, by the
// platform's clock, and goes on as calls are created and change. Each change is
// yielded once: a change is an id with an updated_at. What a call went through
// between two polls is not shown, its last state always is.
//
// Calls come in the order of updated_at, except for those that a listing shows late:
// TailCalls reads what is younger than opts.Lag again, and yields what it finds
// there. It remembers only the calls that are younger than that.
//
// The time between two polls grows by half while nothing changes, from opts.Interval
// to opts.MaxInterval; LookNow ends the wait. An error after which a read may be repeated
// (a 5xx, a 429, a broken connection) is logged, and the tail goes on; any other is
// yielded once, with a nil *Call, and ends it, as does the end of ctx. A call without
// a readable id and updated_at is left out.
//
// To watch single calls use WatchCalls, which shares one tail with everything else
// that a Client waits for. TailCalls reads on its own.
//
// Reference: "Manager API", tailing.
func (c *Client) TailCalls(ctx context.Context, since time.Time, opts TailOptions) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		if err := c.tail(ctx, since, opts, yield); err != nil {
			yield(nil, err)
		}
	}
}

// tail returns nil if yield stopped it.
func (c *Client) tail(ctx context.Context, since time.Time, opts TailOptions, yield func(*Call, error) bool) error {
	opts, err := opts.withDefaults()
	if err != nil {
		return err
	}
	if err := c.check(ctx); err != nil {
		return err
	}
	wake, leave := c.feed.wakeUp()
	defer leave()
	t := newTail(c, since.Truncate(time.Second), opts.PerPage, opts.Lag)
	for wait := opts.Interval; ; {
		isChanged, isStopped, err := t.poll(ctx, yield)
		switch {
		case isStopped:
			return nil
		case err != nil && (ctx.Err() != nil || !isTransient(err)):
			return err
		case isChanged || err != nil && t.pages > 0: // there is more, or was before it failed
			wait = opts.Interval
		}
		if err != nil {
			c.warnOfPoll(ctx, err)
		}
		if !pause(ctx, wait, wake) || !pause(ctx, minLookNow-time.Since(t.began), nil) {
			return fmt.Errorf("calls: TailCalls: %w", ctx.Err())
		}
		wait = grown(wait, opts.MaxInterval)
	}
}

// pause waits until the time has passed or wake is sent to. It reports false if ctx ends
// before that.
func pause(ctx context.Context, wait time.Duration, wake <-chan struct{}) bool {
	select {
	case <-time.After(wait):
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// check returns the error of what cannot be used at all.
func (c *Client) check(ctx context.Context) error {
	switch {
	case c == nil || c.sender == nil:
		return errNotMade
	case ctx == nil:
		return notSent("Client", errors.New("the context is nil"))
	}
	return nil
}

// isTransient reports whether a read that failed with err may be repeated: the
// response was a 5xx or a 429, or the connection broke.
func isTransient(err error) bool {
	var response *APIError
	if errors.As(err, &response) {
		status := response.StatusCode
		return status == http.StatusTooManyRequests || status >= 500 && status != http.StatusNotImplemented
	}
	var certificate *tls.CertificateVerificationError
	var broken net.Error
	switch {
	case errors.As(err, &certificate), errors.Is(err, ErrInvalidRequest), errors.Is(err, errNotMade):
		return false
	case errors.Is(err, ErrUndecodable): // only if the end of the response is missing
		return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &broken) || errors.Is(err, context.DeadlineExceeded)
	}
	var failed *OpError
	return errors.As(err, &failed)
}

// tail is a reader of changes that remembers how far it has come. It reads from high
// on, which costs one request where little changes, and now and then from low on, to
// find what a listing shows late. One goroutine at a time uses it.
type tail struct {
	client  *Client
	perPage int
	lag     time.Duration

	low  time.Time           // what changed before this is not read again
	high time.Time           // the last change that was seen
	seen map[change]struct{} // all that changed since low
	// shown is the latest time that the platform's clock provably had reached at
	// shownAt, by this machine's monotonic clock.
	shown, shownAt time.Time

	walk    *walk     // the poll that is going on, or failed and will be resumed
	isSweep bool      // it began at low
	from    time.Time // where it began
	began   time.Time // when it began
	pages   int       // read since it began or was resumed
	swept   time.Time // when the last sweep that came to its end began
}

func newTail(c *Client, since time.Time, perPage int, lag time.Duration) *tail {
	return &tail{client: c, perPage: perPage, lag: lag, low: since, seen: map[change]struct{}{}}
}

// learn takes what is known before the first poll as seen. If all of it has the time
// at which the tail begins, the first poll need not show it again: a later one does.
func (t *tail) learn(known []*Call) {
	for _, call := range known {
		t.isNew(call)
	}
	if t.high.Equal(t.low) {
		t.swept = time.Now()
	}
}

// poll yields the changes that a listing shows now and that were not seen before.
func (t *tail) poll(ctx context.Context, yield func(*Call, error) bool) (isChanged, isStopped bool, err error) {
	t.begin()
	for isOver := false; !isOver && err == nil; {
		var page []*Call
		t.forget(t.walk.from)
		page, isOver, err = t.next(ctx)
		for _, call := range page {
			if !t.isNew(call) {
				continue
			}
			isChanged = true
			if !yield(call, nil) {
				return isChanged, true, nil
			}
		}
	}
	return isChanged, false, err
}

// begin begins a poll, or resumes one that failed.
func (t *tail) begin() {
	t.pages = 0
	if t.walk != nil {
		return
	}
	if !t.began.IsZero() { // the last poll has come to its end
		t.forget(t.high)
	}
	t.began = time.Now()
	t.isSweep = len(t.seen) < t.perPage || t.swept.IsZero() || t.began.Sub(t.swept) >= t.lag/2
	from := t.high
	if t.isSweep {
		from = t.low
	}
	t.from = t.after(from)
	t.walk = &walk{client: t.client, perPage: t.perPage, from: t.from}
}

// after returns the time from which on to read if everything before from was seen.
// That is from itself, since more calls can have changed at that time. If they fill a
// page it is the next millisecond: in a sweep, when from is too old for more to come
// to light, and otherwise because the next sweep finds them.
func (t *tail) after(from time.Time) time.Time {
	next := from.Add(time.Millisecond)
	if t.isSweep && t.settled().Before(next) {
		return from
	}
	same := 0
	for c := range t.seen {
		if c.updated.Equal(from) {
			same++
		}
	}
	if same < t.perPage {
		return from
	}
	return next
}

// settled returns the time before which the poll shows everything: no listing can lag
// so far behind. The zero time means that none is known.
func (t *tail) settled() time.Time {
	if t.shown.IsZero() {
		return time.Time{}
	}
	return t.shown.Add(t.began.Sub(t.shownAt) - t.lag)
}

// rewind has the next poll show everything from since on, also what was seen.
func (t *tail) rewind(since time.Time) {
	if since.Before(t.low) {
		t.low = since
	}
	t.walk, t.isSweep, t.swept = nil, false, time.Time{}
	clear(t.seen)
}

// next returns the next page of the poll, and whether it is the last one.
func (t *tail) next(ctx context.Context) (page []*Call, isOver bool, err error) {
	page, isOver, err = t.walk.next(ctx)
	if err == nil {
		t.pages++
	}
	if isOver {
		t.walk = nil
		if t.isSweep {
			t.swept = t.began
		}
	}
	return page, isOver, err
}

// forget moves low to what was read and is settled. All calls that were read have to
// be given to isNew first.
func (t *tail) forget(read time.Time) {
	low := t.settled()
	if read.Before(low) {
		low = read
	}
	if !t.isSweep || !low.After(t.low) {
		return
	}
	t.low = low
	maps.DeleteFunc(t.seen, func(c change, _ struct{}) bool { return c.updated.Before(low) })
}

// isNew reports whether a call has changed since the tail last saw it, and remembers
// the change.
func (t *tail) isNew(call *Call) bool {
	key, ok := changeOf(call)
	if !ok || key.updated.Before(t.low) {
		return false
	}
	if _, isKnown := t.seen[key]; isKnown {
		return false
	}
	t.seen[key] = struct{}{}
	t.advance(key.updated)
	return true
}

// advance takes note of a time that the platform's clock has reached. A time that
// cannot be true moves nothing, or the tail would wait for it.
func (t *tail) advance(updated time.Time) {
	if updated.After(t.client.now().Add(24 * time.Hour)) {
		return
	}
	if updated.After(t.high) {
		t.high = updated
	}
	now := time.Now()
	if t.shown.IsZero() || updated.After(t.shown.Add(now.Sub(t.shownAt))) {
		t.shown, t.shownAt = updated, now
	}
}
