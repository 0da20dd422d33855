package calls

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestOpenCreates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCreates(time.Now)
		count := func() int { return len(c.doubts()) }
		i := sent(c, "1")
		if d := c.doubts(); len(d) != 1 || !d[0].isSending {
			t.Errorf("during an attempt: %v", d)
		}
		c.notSent(i)
		if count() != 0 {
			t.Error("after an attempt that was not carried out")
		}
		i = sent(c, "2")
		c.failed(i, unknown(i))
		if d := c.doubts(); len(d) != 1 || d[0].isSending {
			t.Errorf("after its outcome became unknown: %v", d)
		}
		refused := sent(c, "3")
		c.failed(refused, &OpError{Delivery: DeliveryRejected, Intent: &refused})
		made := sent(c, "4")
		if other := c.made(made, createdNow(4)); other != "" || count() != 1 {
			t.Errorf("after one was refused and one made: %v, %q", c.doubts(), other)
		}
		c.awaits(sent(c, "5"))
		if count() != 2 {
			t.Errorf("with one that awaits an agent: %v", c.doubts())
		}
		if owner := c.claim(createdNow(2), i); owner != "2" || count() != 1 {
			t.Errorf("after one was settled: %q, %v", owner, c.doubts())
		}
		if owner := c.claim(createdNow(4), i); owner != "4" {
			t.Errorf("the call of another: %q", owner)
		}
		time.Sleep(maxDoubtAge)
		if count() != 0 {
			t.Errorf("after a day: %v", c.doubts())
		}
	})
}

// TestACreateThatPanicsIsOver has a transport and a journal that panic, and a caller that
// recovers.
func TestACreateThatPanicsIsOver(t *testing.T) {
	broken := roundTripperFunc(func(*http.Request) (*http.Response, error) { panic("the transport is broken") })
	client, err := NewClient("customer", "uc1.ccaiplatform.com", "token", WithHTTPClient(&http.Client{Transport: broken}))
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := client.Prepare(OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"})
	if err != nil {
		t.Fatal(err)
	}
	for n, journal := range []Journal{nil, brokenJournal{}} {
		func() {
			defer func() { _ = recover() }()
			_, _ = client.Send(t.Context(), prepared, journal)
		}()
		doubts := client.creates.doubts()
		if len(doubts) != n+1 || slices.ContainsFunc(doubts, func(d doubt) bool { return d.isSending }) {
			t.Errorf("%d: %v", n, doubts)
		}
	}
}

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type brokenJournal struct{}

func (brokenJournal) Sending(context.Context, Intent) error { panic("the journal is broken") }
func (brokenJournal) NotSent(context.Context, Intent)       {}

// TestAResponseWinsOverAListing reopens the create that the listing had given the call to.
func TestAResponseWinsOverAListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCreates(time.Now)
		lost := sent(c, "lost")
		c.failed(lost, unknown(lost))
		c.claim(createdNow(7), lost)
		slow := sent(c, "slow")
		if other := c.made(slow, createdNow(7)); other != "lost" || c.owner(7) != "slow" {
			t.Errorf("owner %q before, now %q", other, c.owner(7))
		}
		if d := c.doubts(); len(d) != 1 || d[0].ID != "lost" {
			t.Errorf("open: %v", d)
		}
		if other := c.made(sent(c, "again"), createdNow(7)); other != "slow" || c.owner(7) != "slow" {
			t.Errorf("owner %q before, now %q", other, c.owner(7))
		}
	})
}

// TestClaimsNearAnOpenCreateAreKept creates calls for three hours. Other claims are
// dropped.
func TestClaimsNearAnOpenCreateAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCreates(time.Now)
		lost := sent(c, "lost")
		c.failed(lost, unknown(lost))
		const rate, hours = 10, 3
		for n := range int64(rate * hours * 3600) {
			c.made(sent(c, fmt.Sprint(n)), createdNow(n+1))
			time.Sleep(time.Second / rate)
		}
		near := int64(claimMargin / time.Second * rate)
		for n := range near {
			if c.owner(n+1) == "" {
				t.Fatalf("the claim of call %d was dropped", n+1)
			}
		}
		if n, most := int64(len(c.claims)), 6*near; n > most {
			t.Errorf("%d claims are kept, want at most %d", n, most)
		}
		if len(c.open) != 1 {
			t.Errorf("%d creates are open", len(c.open))
		}
	})
}

func TestAClockJumpDropsTheMeasuredSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jump := time.Duration(0)
		c := newCreates(func() time.Time { return time.Now().Add(jump) })
		c.made(sent(c, "1"), createdNow(1))
		lost := sent(c, "lost")
		c.failed(lost, unknown(lost))
		if _, skew := c.settling(lost, time.Minute); skew >= 10*time.Second {
			t.Errorf("before: %v", skew)
		}
		jump = -30 * time.Second
		if _, skew := c.settling(sent(c, "later"), time.Minute); skew != time.Minute {
			t.Errorf("of a create after the jump: %v", skew)
		}
		c.made(sent(c, "2"), createdNow(2))
		if _, skew := c.settling(lost, time.Minute); skew != time.Minute {
			t.Errorf("after: %v", skew)
		}
		if _, skew := c.settling(Intent{ID: "of another process", SentAfter: time.Now()}, time.Minute); skew != time.Minute {
			t.Errorf("of another process: %v", skew)
		}
	})
}

// sent records a create that is sent now and takes a second.
func sent(c *creates, id string) Intent {
	i := Intent{ID: id, Attempt: "attempt of " + id, CallType: CallTypeInbound, SentAfter: time.Now(), SentBefore: time.Now().Add(time.Second)}
	c.sending(i)
	return i
}

func createdNow(id int64) *Call {
	now := time.Now()
	return &Call{ID: id, CallType: CallTypeInbound, CreatedAt: &now}
}

func unknown(i Intent) error {
	return &OpError{Operation: "CreateInbound", Delivery: DeliveryUnknown, Intent: &i, Causes: []error{ErrOutcomeUnknown}}
}
