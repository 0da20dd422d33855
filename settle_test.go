package calls_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// onVirtualTime runs test in a bubble with a double that was started outside
// of it, since a bubble's time stands still while a connection is waited for.
func onVirtualTime(t *testing.T, opts []callstest.Option, test func(t *testing.T, server *callstest.Server, client *calls.Client)) {
	t.Helper()
	server := newWorld(t, opts...)
	synctest.Test(t, func(t *testing.T) { test(t, server, virtualClient(t, server)) })
}

// lost makes a create whose answer is lost.
func lost(t *testing.T, server *callstest.Server, client *calls.Client, acts bool, request calls.CreateRequest) error {
	t.Helper()
	fault := callstest.HangUpAfterRead
	if acts {
		fault = callstest.HangUpAfterCreate
	}
	server.Fail(fault)
	_, err := client.Create(t.Context(), request)
	if !errors.Is(err, calls.ErrOutcomeUnknown) {
		t.Fatalf("%v: %v", fault, err)
	}
	return err
}

func TestSettleTellsACallFromItsNeighbours(t *testing.T) {
	soon := func() time.Time { return time.Now().Add(time.Hour) }
	outbound := calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625"}
	byTicket := calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"}
	from := calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625", OutboundNumber: "+1 760-410-8538"}
	inbound := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
	scheduled := calls.ScheduledRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
	const found, notFound, ambiguous = "found", "not found", "ambiguous"
	tests := []struct {
		name      string
		request   calls.CreateRequest
		acts      bool
		neighbour func() calls.CreateRequest // of somebody else, after the lost one; nil: none
		want      string
	}{
		{"made", outbound, true, nil, found},
		{"not made", outbound, false, nil, notFound},
		{"made for a ticket", byTicket, true, nil, found},
		{"not made for a ticket, though a call without one was", byTicket, false, func() calls.CreateRequest { return outbound }, notFound},
		{"made for a ticket, as was one for another", byTicket, true, func() calls.CreateRequest {
			return calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "76517"}
		}, found},
		{"made for a ticket, as was another for the same", byTicket, true, func() calls.CreateRequest { return byTicket }, ambiguous},
		{"made, as was one of the same kind", outbound, true, func() calls.CreateRequest { return outbound }, ambiguous},
		{"made, as was one of another kind", outbound, true, func() calls.CreateRequest { return inbound }, found},
		{"made from a number, as was one from another", from, true, func() calls.CreateRequest { return outbound }, found},
		{"inbound, made", inbound, true, nil, found},
		{"inbound, as was one for another menu", inbound, true, func() calls.CreateRequest {
			return calls.InboundRequest{MenuID: 11, EndUserNumber: "+82-10-6861-2345"}
		}, found},
		{"inbound, not made, though a scheduled one was", inbound, false, func() calls.CreateRequest {
			r := scheduled
			r.ScheduledAt = soon()
			return r
		}, notFound},
		{"scheduled, made", scheduled, true, nil, found},
		{"scheduled, as was one for another time", scheduled, true, func() calls.CreateRequest {
			r := scheduled
			r.ScheduledAt = soon().Add(time.Minute)
			return r
		}, found},
		{"scheduled, not made, though an inbound one was", scheduled, false, func() calls.CreateRequest { return inbound }, notFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
				if _, err := client.Create(t.Context(), byTicket); err != nil { // long before
					t.Fatal(err)
				}
				time.Sleep(10 * time.Minute)
				if r, ok := tt.request.(calls.ScheduledRequest); ok {
					r.ScheduledAt = soon()
					tt.request = r
				}
				err := lost(t, server, client, tt.acts, tt.request)
				if tt.neighbour != nil {
					if _, err := virtualClient(t, server).Create(t.Context(), tt.neighbour()); err != nil {
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

func TestSettleKnowsTheCallsOfItsOwnClient(t *testing.T) {
	request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		notMade := lost(t, server, client, false, request)
		if _, err := client.Create(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		if call, err := client.Settle(t.Context(), intentOf(notMade), calls.SettleOptions{}); !errors.Is(err, calls.ErrCallNotFound) {
			t.Errorf("the call of another create: %v, %v", call, err)
		}
		made := lost(t, server, client, true, request)
		if _, err := client.Settle(t.Context(), intentOf(made), calls.SettleOptions{}); err != nil {
			t.Errorf("its own: %v", err)
		}
		if call, err := client.Settle(t.Context(), intentOf(notMade), calls.SettleOptions{}); !errors.Is(err, calls.ErrCallNotFound) {
			t.Errorf("the call that was settled for another create: %v, %v", call, err)
		}
	})
}

func TestTwoSettlesDoNotTakeTheSameCall(t *testing.T) {
	request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		made := lost(t, server, client, true, request)
		notMade := lost(t, server, client, false, request)
		var found [2]*calls.Call
		var wg sync.WaitGroup
		for i, err := range []error{made, notMade} {
			wg.Go(func() { found[i], _ = client.Settle(t.Context(), intentOf(err), calls.SettleOptions{}) })
		}
		wg.Wait()
		if (found[0] == nil) == (found[1] == nil) {
			t.Errorf("of one call: %v and %v", found[0], found[1])
		}
	})
}

func TestSettlingAgainFindsTheSameCall(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		err := lost(t, server, client, true, calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"})
		for range 2 {
			if call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{}); err != nil || call.ID != server.Calls()[0].ID {
				t.Errorf("%v, %v", call, err)
			}
		}
	})
}

func TestSettleLooksUntilTheWindowHasPassed(t *testing.T) {
	const lag = 10 * time.Second
	lagging := []callstest.Option{callstest.WithListingLag(func(int64) time.Duration { return lag })}
	request := calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345", TicketID: "76517"}
	for _, tt := range []struct {
		window time.Duration
		err    error
	}{{15 * time.Second, nil}, {lag, nil}, {5 * time.Second, calls.ErrCallNotFound}} {
		onVirtualTime(t, lagging, func(t *testing.T, server *callstest.Server, client *calls.Client) {
			err := lost(t, server, client, true, request)
			begin := time.Now()
			_, err = client.Settle(t.Context(), intentOf(err), calls.SettleOptions{Window: tt.window})
			if took := time.Since(begin); !errors.Is(err, tt.err) || took != tt.window {
				t.Errorf("a window of %v: %v after %v", tt.window, err, took)
			}
		})
	}
}

func TestSettleOfAnAcceptedCreate(t *testing.T) {
	server := callstest.NewServer(t)
	client := hastyClient(t, server)
	server.Fail(callstest.CutBody)
	_, err := creates["CreateScheduled"](t.Context(), client)
	if calls.DeliveryOf(err) != calls.DeliveryAccepted {
		t.Fatal(err)
	}
	call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{Window: time.Millisecond})
	if err != nil || call.ID != server.Calls()[0].ID {
		t.Errorf("%v, %v", call, err)
	}
}

func TestSettleOfWhatNeedsNone(t *testing.T) {
	server := callstest.NewServer(t)
	client := hastyClient(t, server)
	server.Fail(callstest.Status(404))
	_, rejected := creates["CreateInbound"](t.Context(), client)
	invalid := client.Validate(calls.InboundRequest{})
	server.Fail(callstest.Status(502), callstest.Status(502), callstest.Status(502), callstest.Status(502))
	_, reading := client.GetCustomerFlag(t.Context(), 1)
	before := len(server.Requests())
	for name, tt := range map[string]struct {
		err  error
		opts calls.SettleOptions
		want error
	}{
		"not sent":                {invalid, calls.SettleOptions{}, calls.ErrInvalidRequest},
		"no error":                {nil, calls.SettleOptions{}, calls.ErrInvalidRequest},
		"another's error":         {context.DeadlineExceeded, calls.SettleOptions{}, calls.ErrInvalidRequest},
		"the error of a read":     {reading, calls.SettleOptions{}, calls.ErrInvalidRequest},
		"a window that is past":   {rejected, calls.SettleOptions{Window: -1}, calls.ErrInvalidRequest},
		"an interval that is not": {rejected, calls.SettleOptions{Interval: -1}, calls.ErrInvalidRequest},
	} {
		if call, err := client.Settle(t.Context(), intentOf(tt.err), tt.opts); call != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v", name, call, err)
		}
	}
	if n := len(server.Requests()) - before; n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestSettleEndsWithItsContextAndWithTheListing(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		err := lost(t, server, client, false, calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := client.Settle(ctx, intentOf(err), calls.SettleOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		server.Fail(callstest.Status(401))
		if _, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{}); !errors.Is(err, calls.ErrUnauthorized) {
			t.Errorf("%v", err)
		}
	})
}

// TestSettleSoak loses the answers of creates among many others, with a listing
// that lags by a random time and fails now and then. It may say that it does not know, and that it saw
// nothing; it may not name a wrong call, nor miss one that the listing showed.
func TestSettleSoak(t *testing.T) {
	const rounds, window = 300, 15 * time.Second
	count := map[string]int{}
	for round := range rounds {
		random := rand.New(rand.NewPCG(uint64(round), 514))
		lags := make([]time.Duration, 64)
		for i := range lags {
			lags[i] = time.Duration(random.Int64N(int64(20 * time.Second)))
		}
		tickets := make([]callstest.Ticket, 4)
		for i := range tickets {
			tickets[i] = callstest.Ticket{ID: fmt.Sprint("T", i), Number: "+1 859-657-9625", ContactID: "381630957514"}
		}
		opts := []callstest.Option{
			callstest.WithTickets(tickets...),
			callstest.WithListingLag(func(id int64) time.Duration { return lags[id%int64(len(lags))] }),
		}
		onVirtualTime(t, opts, func(t *testing.T, server *callstest.Server, client *calls.Client) {
			neighbours := func() {
				for range random.IntN(4) {
					time.Sleep(time.Duration(random.Int64N(int64(time.Second))))
					if _, err := client.Create(t.Context(), anyRequest(random)); err != nil {
						t.Fatal(err)
					}
				}
			}
			neighbours()
			acts := random.IntN(3) > 0
			made := len(server.Calls())
			began := time.Now()
			request := anyRequest(random)
			lostErr := lost(t, server, client, acts, request)
			var own int64
			if acts {
				own = server.Calls()[made].ID
			}
			neighbours()
			// Another process asks for the very same: no listing can tell the two
			// apart, so this is left out where only the other's would be shown.
			if acts && lags[own%int64(len(lags))] < window && random.IntN(4) == 0 {
				if _, err := virtualClient(t, server).Create(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			}
			// The first look meets as many faults as its attempts can stand.
			for range random.IntN(4) {
				server.Fail(readFaults[random.IntN(len(readFaults))])
			}
			settling := time.Now()
			call, err := client.Settle(t.Context(), intentOf(lostErr), calls.SettleOptions{Window: window, ClockSkew: time.Second})
			wasShown := acts && !began.Add(lags[own%int64(len(lags))]).After(settling.Add(window))
			var several *calls.AmbiguousError
			switch {
			case err == nil:
				count["found"]++
				if call.ID != own {
					t.Errorf("round %d: named %d, the call is %d", round, call.ID, own)
				}
			case errors.As(err, &several):
				count["ambiguous"]++
			case errors.Is(err, calls.ErrCallNotFound):
				count["not seen"]++
				if wasShown {
					t.Errorf("round %d: missed %d, which was listed", round, own)
				}
			default:
				t.Errorf("round %d: %v", round, err)
			}
			if several != nil && wasShown && !slices.ContainsFunc(several.Candidates, func(c *calls.Call) bool { return c.ID == own }) {
				t.Errorf("round %d: %d was listed and is no candidate", round, own)
			}
		})
	}
	t.Logf("%d rounds: %v", rounds, count)
	if count["found"] < rounds/5 || count["not seen"] < rounds/10 || count["ambiguous"] == 0 {
		t.Errorf("the soak has become one-sided: %v", count)
	}
}

// readFaults is what a look that is tried again gets over.
var readFaults = []callstest.Fault{
	callstest.Status(500), callstest.Status(503), callstest.HangUpAfterRead, callstest.Reset, callstest.CutBody, callstest.RateLimited("1"),
}

// anyRequest has a time or a ticket of its own, most of the time: without
// either, a call cannot be told from its like, as Settle's documentation says.
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

func intentOf(err error) calls.Intent {
	intent, _ := calls.IntentOf(err)
	return intent
}
