package calls_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestSettleFindsTheCallAmongOthers has another process create a call after the lost one.
func TestSettleFindsTheCallAmongOthers(t *testing.T) {
	soon := func() time.Time { return time.Now().Add(time.Hour) }
	outbound := calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625"}
	byTicket := calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"}
	from := calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625", OutboundNumber: "+1 760-410-8538"}
	inbound := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
	scheduled := calls.ScheduledRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
	const found, notFound, ambiguous = "found", "not found", "ambiguous"
	tests := []struct {
		name    string
		request calls.CreateRequest
		acts    bool
		other   func() calls.CreateRequest // of another process; nil for none
		want    string
	}{
		{"made", outbound, true, nil, found},
		{"not made", outbound, false, nil, notFound},
		{"made for a ticket", byTicket, true, nil, found},
		{"not made for a ticket, but one without a ticket", byTicket, false, func() calls.CreateRequest { return outbound }, notFound},
		{"made for a ticket, another ticket's too", byTicket, true, func() calls.CreateRequest {
			return calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "76517"}
		}, found},
		{"made for a ticket, twice", byTicket, true, func() calls.CreateRequest { return byTicket }, ambiguous},
		{"made, twice", outbound, true, func() calls.CreateRequest { return outbound }, ambiguous},
		{"made, an inbound one too", outbound, true, func() calls.CreateRequest { return inbound }, found},
		{"made from a number, one from another number too", from, true, func() calls.CreateRequest { return outbound }, found},
		{"inbound, made", inbound, true, nil, found},
		{"inbound, one of another menu too", inbound, true, func() calls.CreateRequest {
			return calls.InboundRequest{MenuID: 11, EndUserNumber: "+82-10-6861-2345"}
		}, found},
		{"inbound, not made, but a scheduled one", inbound, false, func() calls.CreateRequest {
			r := scheduled
			r.ScheduledAt = soon()
			return r
		}, notFound},
		{"scheduled, made", scheduled, true, nil, found},
		{"scheduled, one for another time too", scheduled, true, func() calls.CreateRequest {
			r := scheduled
			r.ScheduledAt = soon().Add(time.Minute)
			return r
		}, found},
		{"scheduled, not made, but an inbound one", scheduled, false, func() calls.CreateRequest { return inbound }, notFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
				if _, err := client.Create(t.Context(), byTicket); err != nil { // well before
					t.Fatal(err)
				}
				time.Sleep(10 * time.Minute)
				if r, ok := tt.request.(calls.ScheduledRequest); ok {
					r.ScheduledAt = soon()
					tt.request = r
				}
				err := lostCreate(t, server, client, tt.acts, tt.request)
				if tt.other != nil {
					if _, err := inProcessClient(t, server).Create(t.Context(), tt.other()); err != nil {
						t.Fatal(err)
					}
				}
				call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{})
				var several *calls.AmbiguousError
				switch tt.want {
				case found:
					if err != nil || call.ID != server.Calls()[1].ID {
						t.Errorf("%v, %v", call, err)
					}
				case notFound:
					if !errors.Is(err, calls.ErrCallNotFound) || call != nil {
						t.Errorf("%v, %v", call, err)
					}
				case ambiguous:
					if !errors.Is(err, calls.ErrAmbiguous) || !errors.As(err, &several) || len(several.Candidates) != 2 || call != nil {
						t.Errorf("%v, %v", call, err)
					}
				}
			})
		})
	}
}

func TestSettleExcludesTheCallsOfOtherCreates(t *testing.T) {
	request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		notMade := lostCreate(t, server, client, false, request)
		if _, err := client.Create(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		if call, err := client.Settle(t.Context(), intentOf(notMade), calls.SettleOptions{}); !errors.Is(err, calls.ErrCallNotFound) {
			t.Errorf("the call of another create: %v, %v", call, err)
		}
	})
}

func TestSettlingTwiceFindsTheSameCall(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		err := lostCreate(t, server, client, true, calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"})
		for range 2 {
			if call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{}); err != nil || call.ID != server.Calls()[0].ID {
				t.Errorf("%v, %v", call, err)
			}
		}
	})
}

// TestTheListingThatDecidesBeginsAfterTheWindow has a listing with a lag of 10 s.
func TestTheListingThatDecidesBeginsAfterTheWindow(t *testing.T) {
	const lag = 10 * time.Second
	lagging := []callstest.Option{callstest.WithListingLag(func(int64) time.Duration { return lag })}
	request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345", TicketID: "76517"}
	for _, tt := range []struct {
		opts   calls.SettleOptions
		before time.Duration // between the create and Settle
		took   time.Duration
		err    error
	}{
		{calls.SettleOptions{}, 0, 75 * time.Second, nil},
		{calls.SettleOptions{ClockSkew: time.Second}, 0, 16 * time.Second, nil},
		{calls.SettleOptions{ClockSkew: time.Second, Window: lag}, 0, 11 * time.Second, nil},
		{calls.SettleOptions{ClockSkew: time.Second, Window: 5 * time.Second}, 0, 6 * time.Second, calls.ErrCallNotFound},
		{calls.SettleOptions{ClockSkew: time.Second}, 10 * time.Second, 6 * time.Second, nil},
		{calls.SettleOptions{ClockSkew: time.Second}, time.Hour, 0, nil},
	} {
		onVirtualTime(t, lagging, func(t *testing.T, server *callstest.Server, client *calls.Client) {
			err := lostCreate(t, server, client, true, request)
			time.Sleep(tt.before)
			begin, before := time.Now(), len(server.Requests())
			_, err = client.Settle(t.Context(), intentOf(err), tt.opts)
			if took := time.Since(begin).Round(time.Second); !errors.Is(err, tt.err) || took != tt.took {
				t.Errorf("%+v: %v after %v", tt, err, took)
			}
			if n := len(server.Requests()) - before; n != 1 {
				t.Errorf("%+v: %d listings", tt, n)
			}
		})
	}
}

// TestSettleWaitsLessOnceTheClockIsKnown creates a call, which shows the platform's clock.
func TestSettleWaitsLessOnceTheClockIsKnown(t *testing.T) {
	request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345", TicketID: "76517"}
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		if _, err := client.Create(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		err := lostCreate(t, server, client, true, request)
		begin := time.Now()
		intent := intentOf(err)
		if _, err := client.Settle(t.Context(), intent, calls.SettleOptions{}); err != nil || time.Since(begin) > 18*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		// Another client does not know that clock.
		begin = time.Now()
		if _, err := inProcessClient(t, server).Settle(t.Context(), intent, calls.SettleOptions{}); err == nil || time.Since(begin) < 57*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestAnAcceptedCreateIsSettledAtOnce(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
		intent := intentOf(lostCreate(t, server, client, true, request))
		begin := time.Now()
		call, err := client.Settle(t.Context(), intent, calls.SettleOptions{Delivery: calls.DeliveryAccepted})
		if err != nil || call.ID != server.Calls()[0].ID || time.Since(begin) > time.Second {
			t.Errorf("%v, %v after %v", call, err, time.Since(begin))
		}
	})
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
		other := intentOf(lostCreate(t, server, client, false, request))
		intent := intentOf(lostCreate(t, server, client, true, request))
		begin := time.Now()
		_, err := client.Settle(t.Context(), intent, calls.SettleOptions{Delivery: calls.DeliveryAccepted})
		if !errors.Is(err, calls.ErrAmbiguous) || calls.DeliveryOf(err) != calls.DeliveryAccepted || time.Since(begin) < time.Minute {
			t.Errorf("contested by %s: %v after %v", other.ID, err, time.Since(begin))
		}
	})
	lagging := []callstest.Option{callstest.WithListingLag(func(int64) time.Duration { return 10 * time.Second })}
	onVirtualTime(t, lagging, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
		intent := intentOf(lostCreate(t, server, client, true, request))
		begin := time.Now()
		call, err := client.Settle(t.Context(), intent, calls.SettleOptions{Delivery: calls.DeliveryAccepted})
		if took := time.Since(begin); err != nil || call == nil || took < 10*time.Second || took > 13*time.Second {
			t.Errorf("%v, %v after %v", call, err, took)
		}
	})
}

func TestSettleValidatesItsArguments(t *testing.T) {
	server := callstest.NewServer(t)
	client := socketClient(t, server)
	good := calls.Intent{ID: "1", CallType: calls.CallTypeInbound, SentAfter: time.Now(), SentBefore: time.Now()}
	noTime, noType := good, good
	noTime.SentAfter, noType.CallType = time.Time{}, ""
	for name, tt := range map[string]struct {
		intent   calls.Intent
		opts     calls.SettleOptions
		want     error
		delivery calls.Delivery
	}{
		"a zero Intent":            {calls.Intent{}, calls.SettleOptions{}, calls.ErrInvalidRequest, calls.DeliveryUnknown},
		"an Intent without times":  {noTime, calls.SettleOptions{}, calls.ErrInvalidRequest, calls.DeliveryUnknown},
		"an Intent without a type": {noType, calls.SettleOptions{}, calls.ErrInvalidRequest, calls.DeliveryUnknown},
		"a negative window":        {good, calls.SettleOptions{Window: -1}, calls.ErrInvalidRequest, calls.DeliveryUnknown},
		"a negative interval":      {good, calls.SettleOptions{Interval: -1, Delivery: calls.DeliveryAccepted}, calls.ErrInvalidRequest, calls.DeliveryAccepted},
		"a negative skew":          {good, calls.SettleOptions{ClockSkew: -1}, calls.ErrInvalidRequest, calls.DeliveryUnknown},
		"rejected":                 {good, calls.SettleOptions{Delivery: calls.DeliveryRejected}, calls.ErrCallNotFound, calls.DeliveryRejected},
		"not sent":                 {good, calls.SettleOptions{Delivery: calls.DeliveryNotSent}, calls.ErrCallNotFound, calls.DeliveryNotSent},
	} {
		call, err := client.Settle(t.Context(), tt.intent, tt.opts)
		if call != nil || !errors.Is(err, tt.want) || calls.DeliveryOf(err) != tt.delivery {
			t.Errorf("%s: %v, %v", name, call, err)
		}
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	var none *calls.Client
	if _, err := none.Settle(t.Context(), good, calls.SettleOptions{}); err == nil || !calls.DeliveryOf(err).MayExist() {
		t.Errorf("a nil Client: %v", err)
	}
	if _, err := client.Settle(nil, good, calls.SettleOptions{}); err == nil || !calls.DeliveryOf(err).MayExist() { //nolint:staticcheck
		t.Errorf("a nil context: %v", err)
	}
	if _, ok := calls.RetryAfter(func() error { _, err := client.Settle(t.Context(), calls.Intent{}, calls.SettleOptions{}); return err }()); ok {
		t.Error("RetryAfter reports true")
	}
}

// TestTheErrorOfSettleHasTheDeliveryOfTheCreate has listings that fail.
func TestTheErrorOfSettleHasTheDeliveryOfTheCreate(t *testing.T) {
	request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
	for name, tt := range map[string]struct {
		faults []callstest.Fault
		err    error
	}{
		"401":              {[]callstest.Fault{callstest.Status(401)}, calls.ErrUnauthorized},
		"403":              {[]callstest.Fault{callstest.Status(403)}, calls.ErrForbidden},
		"404":              {[]callstest.Fault{callstest.Status(404)}, calls.ErrNotFound},
		"302":              {[]callstest.Fault{callstest.Status(302)}, calls.ErrRedirected},
		"repeated 429":     {slices.Repeat([]callstest.Fault{callstest.RateLimited("1")}, 40), calls.ErrRateLimited},
		"repeated 503":     {slices.Repeat([]callstest.Fault{callstest.Status(503)}, 40), calls.ErrServer},
		"an empty listing": {nil, calls.ErrCallNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := callstest.Start(callstest.WithClock(time.Now))
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			synctest.Test(t, func(t *testing.T) {
				client := inProcessClient(t, server)
				failed := lostCreate(t, server, client, false, request)
				server.Fail(tt.faults...)
				begin := time.Now()
				call, err := client.Settle(t.Context(), intentOf(failed), calls.SettleOptions{})
				if call != nil || !errors.Is(err, tt.err) || calls.DeliveryOf(err) != calls.DeliveryUnknown || !errors.Is(err, calls.ErrOutcomeUnknown) {
					t.Errorf("%v, %v", call, err)
				}
				if found, ok := calls.IntentOf(err); !ok || found.ID != intentOf(failed).ID {
					t.Errorf("intent %v", found)
				}
				if _, ok := calls.RetryAfter(err); ok {
					t.Error("RetryAfter reports true")
				}
				if took := time.Since(begin); took > 2*time.Minute {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestSettleEndsWithItsContext(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		failed := lostCreate(t, server, client, false, calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := client.Settle(ctx, intentOf(failed), calls.SettleOptions{})
		if !errors.Is(err, context.DeadlineExceeded) || calls.DeliveryOf(err) != calls.DeliveryUnknown || time.Since(begin) != 0 {
			t.Errorf("a wait beyond the deadline: %v after %v", err, time.Since(begin))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		begin = time.Now()
		_, err = client.Settle(ctx, intentOf(failed), calls.SettleOptions{})
		if !errors.Is(err, context.Canceled) || calls.DeliveryOf(err) != calls.DeliveryUnknown || time.Since(begin) != 3*time.Second {
			t.Errorf("canceled: %v after %v", err, time.Since(begin))
		}
	})
}

// TestSettleSoak loses the responses of creates among many others. The listing lags by a
// random time and fails at random. Settle may return ErrAmbiguous or ErrCallNotFound, but
// it must not return a wrong call, nor ErrCallNotFound for a call that was listed.
func TestSettleSoak(t *testing.T) {
	const rounds = 300
	count := map[string]int{}
	for round := range uint64(rounds) {
		s := settleSoak{random: rand.New(rand.NewPCG(round, 514)), lags: make([]time.Duration, 64)}
		for i := range s.lags {
			s.lags[i] = time.Duration(s.random.Int64N(int64(20 * time.Second)))
		}
		tickets := make([]callstest.Ticket, 4)
		for i := range tickets {
			tickets[i] = callstest.Ticket{ID: fmt.Sprint("T", i), Number: "+1 859-657-9625", ContactID: "381630957514"}
		}
		opts := []callstest.Option{callstest.WithTickets(tickets...), callstest.WithListingLag(s.lagOf)}
		onVirtualTime(t, opts, func(t *testing.T, server *callstest.Server, client *calls.Client) {
			s.t, s.server, s.client = t, server, client
			outcome, err := s.run()
			if count[outcome]++; err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		})
	}
	t.Logf("%d rounds: %v", rounds, count)
	if count["found"] < rounds/5 || count["not found"] < rounds/10 || count["ambiguous"] == 0 {
		t.Errorf("some outcomes are too rare: %v", count)
	}
}

// settleSoak is a round of TestSettleSoak.
type settleSoak struct {
	t      *testing.T
	random *rand.Rand
	lags   []time.Duration
	server *callstest.Server
	client *calls.Client
}

// lagOf returns the lag with which a call is listed.
func (s *settleSoak) lagOf(id int64) time.Duration { return s.lags[id%int64(len(s.lags))] }

func (s *settleSoak) createOthers() {
	for range s.random.IntN(4) {
		time.Sleep(time.Duration(s.random.Int64N(int64(time.Second))))
		if _, err := s.client.Create(s.t.Context(), anyRequest(s.random)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// run loses the response of a create among others and settles it. It returns the
// outcome, and an error if the outcome is wrong.
func (s *settleSoak) run() (outcome string, err error) {
	const window = 15 * time.Second
	s.createOthers()
	acts := s.random.IntN(3) > 0
	made := len(s.server.Calls())
	began := time.Now()
	request := anyRequest(s.random)
	intent := intentOf(lostCreate(s.t, s.server, s.client, acts, request))
	var own int64
	if acts {
		own = s.server.Calls()[made].ID
	}
	s.createOthers()
	// Another process sends the same request. No listing tells the two calls apart, so
	// this is left out if only the other call would be listed.
	if acts && s.lagOf(own) < window && s.random.IntN(4) == 0 {
		if _, err := inProcessClient(s.t, s.server).Create(s.t.Context(), request); err != nil {
			s.t.Fatal(err)
		}
	}
	// The first request of the listing has at most as many faults as it has retries.
	for range s.random.IntN(4) {
		s.server.Fail(readFaults[s.random.IntN(len(readFaults))])
	}
	call, err := s.client.Settle(s.t.Context(), intent, calls.SettleOptions{Window: window, ClockSkew: time.Second})
	isListed := acts && !began.Add(s.lagOf(own)).After(intent.SentBefore.Add(window+time.Second))
	return checkSettled(own, isListed, call, err)
}

// checkSettled checks the result of Settle for a create whose call is own, 0 for none.
// isListed means that the listing showed that call.
func checkSettled(own int64, isListed bool, call *calls.Call, err error) (outcome string, problem error) {
	var several *calls.AmbiguousError
	switch {
	case err == nil && call.ID != own:
		return "found", fmt.Errorf("returned %d, want %d", call.ID, own)
	case err == nil:
		return "found", nil
	case errors.As(err, &several):
		isCandidate := slices.ContainsFunc(several.Candidates, func(c *calls.Call) bool { return c.ID == own })
		if isListed && !isCandidate {
			return "ambiguous", fmt.Errorf("%d was listed and is not a candidate", own)
		}
		return "ambiguous", nil
	case errors.Is(err, calls.ErrCallNotFound) && isListed:
		return "not found", fmt.Errorf("%d was listed and not found", own)
	case errors.Is(err, calls.ErrCallNotFound):
		return "not found", nil
	}
	return "failed", err
}

// readFaults are faults that a retry overcomes.
var readFaults = []callstest.Fault{
	callstest.Status(500), callstest.Status(503), callstest.HangUpAfterRead, callstest.Reset, callstest.CutBody, callstest.RateLimited("1"),
}

// anyRequest returns a random request. Most have a time or a ticket of their own, which
// Settle needs to tell calls apart.
func anyRequest(random *rand.Rand) calls.CreateRequest {
	ticket := fmt.Sprint("T", random.IntN(4))
	switch random.IntN(3) {
	case 0:
		return calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: ticket}
	case 1:
		return calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345", TicketID: ticket}
	}
	at := time.Now().Add(time.Hour).Truncate(time.Hour).Add(time.Duration(random.IntN(600)) * time.Minute)
	return calls.ScheduledRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345", ScheduledAt: at}
}
