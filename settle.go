package calls

import (
	"context"
	"iter"
	"slices"
	"time"
)

// SettleOptions sets how Settle looks for the call of a create. A zero field means its
// default.
type SettleOptions struct {
	// Window is how long a listing can lag: the platform must show a new call within
	// that time. The default is 15 s.
	Window time.Duration
	// Interval is the time between two polls where Settle polls more than once, at
	// least a second. The default is 2 s.
	Interval time.Duration
	// ClockSkew is by how much the clocks of this machine, of the one that sent the
	// create, and of the platform can differ. The default is 1 minute. For a create of
	// its own the Client uses less once it knows better: each call that it creates
	// shows the platform's time.
	ClockSkew time.Duration
	// Delivery is what DeliveryOf returned for the error of the create. The Client
	// knows it for its own creates.
	Delivery Delivery
	// Claims is what other processes know of calls and creates, such as a ledger. Nil
	// means that nobody else creates calls that can be confused with these.
	Claims Claims
}

// settleGrace is how much longer than its window Settle waits for its last poll.
const settleGrace = 5 * time.Second

func (o SettleOptions) withDefaults() (SettleOptions, error) {
	if min(o.Window, o.Interval, o.ClockSkew) < 0 {
		return o, invalid("settle", "has a negative duration", nil)
	}
	if o.Window == 0 {
		o.Window = 15 * time.Second
	}
	if o.Interval == 0 {
		o.Interval = defaultInterval
	}
	if o.ClockSkew == 0 {
		o.ClockSkew = time.Minute
	}
	o.Interval = max(o.Interval, minInterval)
	return o, nil
}

// Settled is what became of a create.
type Settled struct {
	Call *Call // nil if Err is not
	Err  error // as Settle returns it
}

// Settle finds out what became of a create whose outcome is unknown, or that was
// accepted while its response was lost: it looks for the call in a listing. It sends
// nothing that creates a call.
//
// A call is a candidate if it Fits the intent and belongs to no other create of this
// Client or of opts.Claims. Settle returns the call if it is the only candidate and no
// other open create Contests it: none that this Client is sending, none whose outcome
// is unknown or whose call awaits an agent, and none of opts.Claims.
//
// The listing that decides begins when i.SentBefore, the skew and opts.Window have
// passed; until then Settle waits. If they have passed already, one poll is enough. A
// create that was accepted is settled as soon as its call is the only candidate and
// contested by nobody.
//
// An error is an *OpError whose Delivery is that of the create, never that of the
// listing, so that it never suggests sending the create again:
//
//   - ErrCallNotFound: there is no candidate. This is not final: a network was seen to
//     deliver a request 25 s after the client had given up.
//   - ErrAmbiguous: there are several candidates, or another create may have made the
//     only one, or a field of it cannot be read. A person has to decide: errors.As
//     finds the *AmbiguousError that lists them.
//   - The error of a listing, of Claims or of ctx. It is context.DeadlineExceeded at
//     once if ctx ends before the listing that decides begins, and later if no listing
//     ended in time.
//
// A listing shows neither the agent's address nor the end user's number. A create with
// neither a ticket nor a time is hard to tell from one of the same kind that another
// process sends at the same time: share Claims if there are such processes. A call that
// was made by hand for the same ticket at the same time cannot be told apart.
//
// Settle the intents of a process that is gone with SettleAll, which knows that each of
// them can have made the call of another.
func (c *Client) Settle(ctx context.Context, i Intent, opts SettleOptions) (*Call, error) {
	var result Settled
	for _, settled := range c.SettleAll(ctx, []Intent{i}, opts) {
		result = settled
	}
	return result.Call, result.Err
}

// SettleAll settles many creates like Settle. One listing serves all of them that are
// due, and all else that the Client settles or watches: 1,000 creates of an outage cost
// at most 20 listings. It yields each intent once, as soon as it is settled.
func (c *Client) SettleAll(ctx context.Context, intents []Intent, opts SettleOptions) iter.Seq2[Intent, Settled] {
	return func(yield func(Intent, Settled) bool) {
		s, err := c.newSettlement(ctx, opts)
		var refused []result
		for _, i := range intents {
			if x, err := s.begin(ctx, i, err); err != nil {
				refused = append(refused, result{i, Settled{Err: err}})
			} else {
				s.open = append(s.open, x)
			}
		}
		if len(s.open) > 0 {
			all := slices.Clone(s.open)
			c.feed.settle(all)
			defer c.feed.unsettle(all)
		}
		for results := refused; ; results = s.next(ctx) {
			for _, r := range results {
				if !yield(r.intent, r.settled) {
					return
				}
			}
			if len(s.open) == 0 {
				return
			}
		}
	}
}
