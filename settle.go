package calls

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ccaip-go/calls/internal/transport"
)

// SettleOptions sets how long and how often Settle looks. A zero field means
// its default.
type SettleOptions struct {
	// Window is how long Settle looks. It has to be longer than the platform
	// takes to show a new call in a listing. Default 15 s.
	Window time.Duration
	// Interval is the time between two looks, at least a second. Default 2 s.
	Interval time.Duration
	// ClockSkew is by how much the platform's clock may be behind this one's. A
	// call that was created earlier before the attempt than that is none of its
	// making. Default 1 minute.
	ClockSkew time.Duration
}

func (o SettleOptions) withDefaults() (SettleOptions, error) {
	if min(o.Window, o.Interval, o.ClockSkew) < 0 {
		return o, invalid("settle", "has a negative duration", nil)
	}
	if o.Window == 0 {
		o.Window = 15 * time.Second
	}
	if o.Interval == 0 {
		o.Interval = 2 * time.Second
	}
	if o.ClockSkew == 0 {
		o.ClockSkew = time.Minute
	}
	o.Interval = max(o.Interval, minInterval)
	return o, nil
}

// Settle finds out what became of a create that failed with err. Where the
// platform may have created the call (DeliveryUnknown) or has created it and
// its answer was lost (DeliveryAccepted), it lists the calls again and again
// until opts.Window has passed, and looks for one of the same operation that
// was created since the create began and has its ticket, menu, parent, time and
// outbound number, as far as the listing shows them. Calls that this Client has
// returned before, from a create or from Settle, are somebody else's.
//
//   - One such call was seen: the call.
//   - None was seen: ErrCallNotFound, at once if the call cannot exist
//     (DeliveryNotSent, DeliveryRejected).
//   - Several were seen: a *AmbiguousError, which is ErrAmbiguous. A person has
//     to look; Settle does not guess.
//   - The listing failed, or the context ended: that error.
//
// What this proves is what the listing shows. A listing can lag: a call that
// shows up only after the window is missed. A call that awaits an agent
// (CreateResult.AwaitsAgent) is in no listing before the agent has placed it. A
// listing shows neither the agent's address nor the end user's number, so that
// a create with neither a ticket nor a schedule time is hard to tell from one
// of the same kind that another process made in the same moments: if its own
// call was not created, the other's is taken for it. So is one that another
// process made for the same ticket.
//
// Settle is safe for concurrent use, like all of a Client.
func (c *Client) Settle(ctx context.Context, i Intent, opts SettleOptions) (*Call, error) {
	if c == nil || c.sender == nil {
		return nil, errNotMade
	}
	if i.ID == "" || i.SentAfter.IsZero() {
		return nil, invalid("intent", "is not that of a create that was sent", nil)
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	return c.settle(ctx, i, opts)
}

// settle looks until the window has passed also if a call was seen early:
// another that fits as well can come into sight later.
func (c *Client) settle(ctx context.Context, sought Intent, opts SettleOptions) (*Call, error) {
	since := sought.SentAfter.Add(-opts.ClockSkew)
	var candidates []*Call
	known := map[int64]bool{}
	for end := time.Now().Add(opts.Window); ; {
		for call, err := range c.ListCalls(ctx, ListOptions{UpdatedSince: since}) {
			if err != nil {
				return nil, err
			}
			if !known[call.ID] && sought.Fits(call, opts.ClockSkew) && !c.claims.isOthers(call.ID, sought.ID) {
				known[call.ID] = true
				candidates = append(candidates, call)
			}
		}
		left := time.Until(end)
		if len(candidates) > 1 || left <= 0 {
			break
		}
		if err := transport.Sleep(ctx, min(opts.Interval, left)); err != nil {
			return nil, fmt.Errorf("calls: Settle: %w", err)
		}
	}
	switch len(candidates) {
	case 0:
		return nil, ErrCallNotFound
	case 1:
		if c.claims.claim(candidates[0].ID, sought.ID) {
			return candidates[0], nil
		}
		return nil, ErrCallNotFound // another create took it meanwhile
	}
	return nil, &AmbiguousError{Candidates: candidates}
}

// claims remembers which create of a Client made which of the last calls. It is
// safe for concurrent use.
type claims struct {
	mu    sync.Mutex
	by    map[int64]string
	order []int64 // of the calls in by, as a ring
	next  int
}

const maxClaims = 1024

func newClaims() *claims { return &claims{by: map[int64]string{}} }

// claim says that a create made a call. It is false if another did.
func (c *claims) claim(callID int64, create string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if owner, ok := c.by[callID]; ok {
		return owner == create
	}
	c.by[callID] = create
	if len(c.order) < maxClaims {
		c.order = append(c.order, callID)
		return true
	}
	delete(c.by, c.order[c.next])
	c.order[c.next] = callID
	c.next = (c.next + 1) % maxClaims
	return true
}

// isOthers reports whether another create made a call.
func (c *claims) isOthers(callID int64, create string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	owner, ok := c.by[callID]
	return ok && owner != create
}

// Fits reports whether call can be the call of the create: it matches what the
// create asked for, and was created between SentAfter and SentBefore, give or take
// skew. What call does not show speaks neither for it nor against it, but a call
// without a ticket was not created for one.
func (i Intent) Fits(call *Call, skew time.Duration) bool {
	return i.Contests(call, skew) && (i.SentBefore.IsZero() || !call.CreatedAt.After(i.SentBefore.Add(skew)))
}

// Contests reports whether the create forbids that another create takes call. It
// is like Fits, but without an upper bound of time.
func (i Intent) Contests(call *Call, skew time.Duration) bool {
	switch {
	case call == nil, call.ID == 0, call.CreatedAt == nil, call.CreatedAt.Before(i.SentAfter.Add(-skew)),
		!i.fitsType(call),
		i.TicketID != "" && (call.OutTicketID == nil || *call.OutTicketID != i.TicketID),
		i.ParentCallID != 0 && call.ParentID != nil && *call.ParentID != i.ParentCallID,
		i.OutboundNumber != "" && call.OutboundNumber != nil && digitsOf(*call.OutboundNumber) != digitsOf(i.OutboundNumber):
		return false
	}
	menu := call.SelectedMenu
	return i.MenuID == 0 || menu == nil || menu.ID == nil || *menu.ID == i.MenuID
}

// fitsType reports whether call has the type of the create. The platform shows a
// scheduled call as an inbound one: only the time that it is scheduled at tells
// them apart.
func (i Intent) fitsType(call *Call) bool {
	shown := call.CallType.Canonical()
	if i.CallType == CallTypeScheduled {
		isOfType := shown == CallTypeScheduled || shown == CallTypeInbound
		return isOfType && call.ScheduledAt != nil && call.ScheduledAt.Sub(i.ScheduledAt).Abs() < time.Second
	}
	return shown == i.CallType && call.ScheduledAt == nil
}

func digitsOf(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}
