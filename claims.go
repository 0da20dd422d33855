package calls

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Claims says which create made which call, and which creates may still have made one,
// for all processes that share it: a ledger. A Client knows that of its own creates
// without it. Settle reads in this order: the listing, then Doubts, then Owner, then it
// calls Claim. All methods must be safe for concurrent use; an error of one of them is
// an error of Settle, which then gives the call to nobody.
type Claims interface {
	// Doubts returns the creates that may have made a call that nobody owns, as they
	// were at one point in time: those that are being sent, those whose outcome is
	// unknown, and those that made a call whose id is not known. They may include the
	// create that is being settled.
	Doubts(ctx context.Context) ([]Intent, error)
	// Owner returns the Intent.ID of the create that owns a call, "" if none does.
	Owner(ctx context.Context, callID int64) (intentID string, err error)
	// Claim makes a create the owner of a call that has none, and returns its owner:
	// intentID, or that of the create that was faster.
	Claim(ctx context.Context, callID int64, intentID string) (owner string, err error)
}

const (
	// maxDoubtAge is how long a Client remembers a create whose outcome is unknown, or
	// whose call has no id yet.
	maxDoubtAge = 24 * time.Hour
	// minClaimAge is how long a Client remembers at least which create made a call. It
	// matters to the creates of other processes that are settled here.
	minClaimAge = 10 * time.Minute
	// claimMargin is how far from an open create a call can have been created that the
	// create could be given: more than any skew.
	claimMargin = 10 * time.Minute
	// minForget is how much is remembered before it is worth looking for what can be
	// forgotten.
	minForget = 256
)

// creates remembers what a Client has to know of its creates to settle one of them:
// which are open, and which calls the others made. It is safe for concurrent use.
type creates struct {
	mu     sync.Mutex
	clock  clock
	open   map[string]*openCreate // by openKey
	claims map[int64]claim        // by the id of the call
	limit  int                    // of both together, before some are forgotten
}

// openCreate is a create whose call no response has named.
type openCreate struct {
	intent    Intent
	isSending bool // its attempt has not ended
	isOwn     bool // this Client sent it
	delivery  Delivery
	callID    int64     // that Settle found; 0: none
	epoch     int       // of the clock when it was sent
	since     time.Time // with a monotonic reading
}

// claim says which create made a call.
type claim struct {
	owner     string // its Intent.ID
	isCertain bool   // a response named the call, not a listing
	created   int64  // the call, in seconds since 1970
	since     int64  // in seconds since the Client was made
}

// doubt is an open create that may have made a call.
type doubt struct {
	Intent
	isSending bool
	skew      time.Duration // 0: not known
}

func newCreates(now func() time.Time) *creates {
	return &creates{clock: newClock(now), open: map[string]*openCreate{}, claims: map[int64]claim{}, limit: minForget}
}

// openKey returns what identifies an attempt at a create.
func openKey(i Intent) string {
	if i.Attempt != "" {
		return i.Attempt
	}
	return i.ID
}

// sending notes that an attempt begins.
func (c *creates) sending(i Intent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock.check()
	c.add(&openCreate{intent: i, isSending: true, isOwn: true, epoch: c.clock.epoch, since: time.Now()})
}

// notSent notes that an attempt was provably not carried out.
func (c *creates) notSent(i Intent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, openKey(i))
}

// failed notes the error of a create, the last attempt of which was that of i.
func (c *creates) failed(i Intent, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.open[openKey(i)]
	delivery := DeliveryOf(err)
	switch {
	case o == nil:
	case !delivery.MayExist():
		delete(c.open, openKey(i))
	default:
		o.isSending, o.delivery = false, delivery
		if sent, ok := IntentOf(err); ok {
			o.intent = sent
		}
	}
}

// awaits notes that a create made a call that has no id before an agent has placed it.
func (c *creates) awaits(i Intent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.open[openKey(i)]; o != nil {
		o.isSending, o.delivery = false, DeliveryAccepted
	}
}

// made notes the call of a create that a response has named. It returns the Intent.ID
// of another create that the call was given to before, "" if there is none. If a
// listing gave it, that was wrong, and the other create is open again.
func (c *creates) made(i Intent, call *Call) (other string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, openKey(i))
	if call.CreatedAt != nil {
		c.clock.measure(*call.CreatedAt, i.SentAfter)
	}
	if known, ok := c.claims[call.ID]; ok && known.owner != i.ID {
		other = known.owner
		if known.isCertain {
			return other
		}
		for _, o := range c.open {
			if o.callID == call.ID {
				o.callID = 0
			}
		}
	}
	c.put(call, i.ID, true)
	return other
}

// claim gives a call that a listing showed to a create, and returns its owner.
func (c *creates) claim(call *Call, i Intent) (owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, isOwned := c.claims[call.ID]
	if isOwned && known.owner != i.ID {
		return known.owner
	}
	if o := c.open[openKey(i)]; o != nil {
		o.callID = call.ID
	}
	if !isOwned {
		c.put(call, i.ID, false)
	}
	return i.ID
}

// owner returns the Intent.ID of the create that made a call, "" if none is known.
func (c *creates) owner(callID int64) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.claims[callID].owner
}

// settling takes a create that is to be settled for open, also if it is not one of
// this Client's. It returns what is known of it.
func (c *creates) settling(i Intent, skew time.Duration) (delivery Delivery, narrowed time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.open[openKey(i)]
	if o == nil {
		c.add(&openCreate{intent: i, since: time.Now()})
		return DeliveryUnknown, skew
	}
	if known := c.skewOf(o); known > 0 {
		skew = min(skew, known)
	}
	return o.delivery, skew
}

// doubts returns the open creates whose call is not known.
func (c *creates) doubts() (list []doubt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.open {
		if o.isDoubt() {
			list = append(list, doubt{Intent: o.intent, isSending: o.isSending, skew: c.skewOf(o)})
		}
	}
	return list
}

func (o *openCreate) isDoubt() bool { return o.callID == 0 && time.Since(o.since) < maxDoubtAge }

// skewOf returns by how much the platform's clock can differ from that of a create, 0
// if it is not known. c.mu is held.
func (c *creates) skewOf(o *openCreate) time.Duration {
	c.clock.check()
	if !o.isOwn || o.epoch != c.clock.epoch {
		return 0
	}
	return c.clock.skew()
}

func (c *creates) add(o *openCreate) {
	c.open[openKey(o.intent)] = o
	c.forget()
}

func (c *creates) put(call *Call, owner string, isCertain bool) {
	created := c.clock.now()
	if call.CreatedAt != nil {
		created = *call.CreatedAt
	}
	c.claims[call.ID] = claim{owner: owner, isCertain: isCertain, created: created.Unix(), since: c.clock.seconds()}
	c.forget()
}

// forget forgets what cannot matter any more, when there is much. c.mu is held.
func (c *creates) forget() {
	if len(c.open)+len(c.claims) <= c.limit {
		return
	}
	maps.DeleteFunc(c.open, func(_ string, o *openCreate) bool { return time.Since(o.since) >= maxDoubtAge })
	maps.DeleteFunc(c.claims, func(_ int64, cl claim) bool {
		return c.clock.seconds()-cl.since >= int64(minClaimAge/time.Second) && !c.isNear(cl)
	})
	c.limit = max(minForget, 2*(len(c.open)+len(c.claims)))
}

// isNear reports whether the call of a claim was created when an open create can have
// made one.
func (c *creates) isNear(cl claim) bool {
	created := time.Unix(cl.created, 0)
	for _, o := range c.open {
		if o.isDoubt() && created.After(o.intent.SentAfter.Add(-claimMargin)) &&
			(o.intent.SentBefore.IsZero() || created.Before(o.intent.SentBefore.Add(claimMargin))) {
			return true
		}
	}
	return false
}
