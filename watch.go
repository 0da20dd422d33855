package calls

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/ccaip-go/calls/internal/transport"
)

// minInterval keeps whoever looks again and again far from the rate limit.
const minInterval = time.Second

// WatchOptions sets how WatchCall looks for changes. A zero field means its
// default.
type WatchOptions struct {
	// Since is a time before the last change of the call, such as when it was
	// created, by the platform's clock: the first look leaves out what has not
	// changed since. The zero time means that the first look goes through all
	// calls until it meets this one.
	Since time.Time
	// Interval is the time between two looks after a change, at least a second.
	// Default 2 s.
	Interval time.Duration
	// MaxInterval is what the time between two looks grows to while nothing
	// changes. Default 30 s.
	MaxInterval time.Duration
}

func (o WatchOptions) withDefaults() (WatchOptions, error) {
	if min(o.Interval, o.MaxInterval) < 0 {
		return o, invalid("watch", "has a negative interval", nil)
	}
	if o.Interval == 0 {
		o.Interval = 2 * time.Second
	}
	if o.MaxInterval == 0 {
		o.MaxInterval = 30 * time.Second
	}
	o.Interval = max(o.Interval, minInterval)
	o.MaxInterval = max(o.MaxInterval, o.Interval)
	return o, nil
}

// WatchCall looks at a call again and again. It yields the call as it is first
// seen and then each time its status has changed, and ends after a status that
// IsTerminal. A status that comes and goes between two looks is not seen. An
// error is yielded once, with a nil *Call, and ends it too: the context's when
// that ends first, or would before the next look. A call that no listing shows
// yet is waited for.
//
// The time between two looks grows by half while nothing changes, from
// opts.Interval to opts.MaxInterval.
func (c *Client) WatchCall(ctx context.Context, id int64, opts WatchOptions) iter.Seq2[*Call, error] {
	return func(yield func(*Call, error) bool) {
		if err := c.watch(ctx, id, opts, yield); err != nil {
			yield(nil, err)
		}
	}
}

func (c *Client) watch(ctx context.Context, id int64, opts WatchOptions, yield func(*Call, error) bool) error {
	opts, err := opts.withDefaults()
	if err != nil {
		return err
	}
	var status CallStatus
	wait := opts.Interval
	for isFirst := true; ; {
		call, err := c.FindCall(ctx, id, opts.Since)
		switch {
		case errors.Is(err, ErrCallNotFound): // not yet, or unchanged since
		case err != nil:
			return err
		case isFirst || call.Status != status:
			if !yield(call, nil) || call.Status.IsTerminal() {
				return nil
			}
			isFirst, status, wait = false, call.Status, opts.Interval
		}
		if call != nil && call.UpdatedAt != nil {
			opts.Since = *call.UpdatedAt
		}
		if err := transport.Sleep(ctx, wait); err != nil {
			return fmt.Errorf("calls: WatchCall: %w", err)
		}
		wait = min(wait+wait/2, opts.MaxInterval)
	}
}
