package calls_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// anyone is a create that a listing cannot tell from others of its type and menu.
var anyone = calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}

// withSlowResponses delays the responses of creates. Each call is made at once.
func withSlowResponses(delay time.Duration) calls.Option {
	return calls.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if r.Method == http.MethodPost {
				time.Sleep(delay)
			}
			return response, err
		})
	})
}

// TestSettleWaitsForCreatesInFlight has another create of the same kind whose response
// has not arrived.
func TestSettleWaitsForCreatesInFlight(t *testing.T) {
	for name, tt := range map[string]struct {
		takes time.Duration
		want  error
	}{
		"the other ends soon":  {12 * time.Second, calls.ErrCallNotFound},
		"the other takes long": {29 * time.Second, calls.ErrAmbiguous},
	} {
		server := newServer(t)
		synctest.Test(t, func(t *testing.T) {
			client := inProcessClient(t, server, withSlowResponses(tt.takes), calls.WithAttemptTimeout(time.Minute))
			var wg sync.WaitGroup
			server.Fail(callstest.HangUpAfterRead)
			_, err := client.Create(t.Context(), anyone)
			wg.Go(func() { _, _ = client.Create(t.Context(), anyone) })
			synctest.Wait()
			call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{Window: 5 * time.Second, ClockSkew: time.Second})
			if call != nil || !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, %v", name, call, err)
			}
			wg.Wait()
		})
	}
}

// TestACreateThatAwaitsAnAgentContests has a call without an id until the agent places it.
func TestACreateThatAwaitsAnAgentContests(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		if _, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: "chooser@example.com", EndUserNumber: "+1 859-657-9625"}); err != nil {
			t.Fatal(err)
		}
		notMade := lostCreate(t, server, client, false, calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625"})
		server.Place()
		if call, err := client.Settle(t.Context(), intentOf(notMade), calls.SettleOptions{}); !errors.Is(err, calls.ErrAmbiguous) {
			t.Errorf("%v, %v", call, err)
		}
	})
}

// TestLostCreatesContestEachOther has two creates and one call.
func TestLostCreatesContestEachOther(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		made := intentOf(lostCreate(t, server, client, true, anyone))
		notMade := intentOf(lostCreate(t, server, client, false, anyone))
		for range 2 {
			for i, settled := range client.SettleAll(t.Context(), []calls.Intent{made, notMade}, calls.SettleOptions{}) {
				if !errors.Is(settled.Err, calls.ErrAmbiguous) {
					t.Errorf("%s: %v", i.ID, settled)
				}
			}
		}
		// Another client has the same result if it gets both.
		for i, settled := range inProcessClient(t, server).SettleAll(t.Context(), []calls.Intent{made, notMade}, calls.SettleOptions{}) {
			if !errors.Is(settled.Err, calls.ErrAmbiguous) {
				t.Errorf("%s, another client: %v", i.ID, settled)
			}
		}
	})
}

// TestASettledCreateContestsNothing has one create with a ticket. Its call is certain, so
// the other call belongs to the other create.
func TestASettledCreateContestsNothing(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		withTicket := anyone
		withTicket.TicketID = "76517"
		first := intentOf(lostCreate(t, server, client, true, anyone))
		time.Sleep(5 * time.Minute)
		second := intentOf(lostCreate(t, server, client, true, withTicket))
		var order []string
		for i, settled := range client.SettleAll(t.Context(), []calls.Intent{second, first}, calls.SettleOptions{}) {
			if settled.Err != nil {
				t.Errorf("%s: %v", i.ID, settled.Err)
			}
			order = append(order, i.ID)
		}
		if len(order) != 2 {
			t.Errorf("%v", order)
		}
	})
}

// TestLateCallsAreNotCandidates has a call that was made after the create had ended.
func TestLateCallsAreNotCandidates(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		intent := intentOf(lostCreate(t, server, client, false, anyone))
		time.Sleep(10 * time.Second)
		late := server.AddCall(callstest.Call{Type: calls.CallTypeInbound, MenuID: 9})
		call, err := client.Settle(t.Context(), intent, calls.SettleOptions{ClockSkew: 5 * time.Second})
		if !errors.Is(err, calls.ErrCallNotFound) {
			t.Errorf("made later: %v, %v", call, err)
		}
		call, err = client.Settle(t.Context(), intent, calls.SettleOptions{ClockSkew: 20 * time.Second})
		if err != nil || call.ID != late {
			t.Errorf("made within the skew: %v, %v", call, err)
		}
	})
}

// TestMalformedCallsAreAmbiguous checks that a malformed field is never "not found".
func TestMalformedCallsAreAmbiguous(t *testing.T) {
	request := calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450", OutboundNumber: "+13392195276"}
	good := map[string]any{
		"id": 7, "call_type": "Voice Outbound (API)", "status": "assigned", "out_ticket_id": "71450",
		"outbound_number": "+1 339-219-5276", "scheduled_at": nil, "selected_menu": nil,
	}
	const found, ambiguous, notFound = "found", "ambiguous", "not found"
	for name, tt := range map[string]struct {
		key   string
		value any // nil to leave the key out
		want  string
	}{
		"no change":                    {"lang", "en", found},
		"another number":               {"outbound_number", "+1 760-410-8538", notFound},
		"a national number":            {"outbound_number", "(339) 219-5276", found},
		"a number in words":            {"outbound_number", "anonymous", ambiguous},
		"a masked number":              {"outbound_number", "+1 339-XXX-5276", ambiguous},
		"a number that is an object":   {"outbound_number", map[string]any{"e164": "+13392195276"}, ambiguous},
		"no number":                    {"outbound_number", nil, found},
		"a time in words":              {"created_at", "yesterday", ambiguous},
		"a time that is an object":     {"created_at", map[string]any{}, ambiguous},
		"no time":                      {"created_at", nil, ambiguous},
		"a ticket that is an object":   {"out_ticket_id", map[string]any{"id": "71450"}, ambiguous},
		"a ticket that is a number":    {"out_ticket_id", 71450, found},
		"no ticket":                    {"out_ticket_id", nil, notFound},
		"an empty ticket":              {"out_ticket_id", "", notFound},
		"an id that is an object":      {"id", map[string]any{}, ambiguous},
		"a type that is an object":     {"call_type", map[string]any{}, ambiguous},
		"another type":                 {"call_type", "Voice Inbound (IVR)", notFound},
		"a schedule that is an object": {"scheduled_at", map[string]any{}, ambiguous},
		"a schedule":                   {"scheduled_at", "2100-01-01T00:00:00Z", notFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						_, _ = io.Copy(io.Discard, r.Body)
						return nil, io.ErrUnexpectedEOF
					}
					call := map[string]any{"created_at": time.Now().Add(-16 * time.Second), "updated_at": time.Now()}
					for key, value := range good {
						call[key] = value
					}
					if call[tt.key] = tt.value; tt.value == nil {
						delete(call, tt.key)
					}
					body, _ := json.Marshal([]any{call})
					return newResponse(http.StatusOK, string(body)), nil
				}), calls.WithClock(time.Now))
				_, err := client.CreateOutbound(t.Context(), request)
				call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{ClockSkew: time.Second})
				got := found
				switch {
				case errors.Is(err, calls.ErrAmbiguous):
					got = ambiguous
				case errors.Is(err, calls.ErrCallNotFound):
					got = notFound
				case err != nil:
					t.Fatal(err)
				}
				if got != tt.want {
					t.Errorf("%v, %v, want %s", call, err, tt.want)
				}
			})
		})
	}
}

// TestTheWindowBoundsAnEndlessListing checks the time and the memory that it takes.
func TestTheWindowBoundsAnEndlessListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		endless := roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				_, _ = io.Copy(io.Discard, r.Body)
				return nil, io.ErrUnexpectedEOF
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
			var body strings.Builder
			now := time.Now().Add(-16 * time.Second).Format(time.RFC3339Nano)
			for range 100 {
				n++
				fmt.Fprintf(&body, `,{"id":%d,"call_type":"Voice Inbound (API)","created_at":%q,"updated_at":%q}`, n, now, now)
			}
			page := newResponse(http.StatusOK, "["+body.String()[1:]+"]")
			page.Header.Set("Link", fmt.Sprintf(`<?page=%d>; rel="next"`, n))
			return page, nil
		})
		client := newClient(t, endless, calls.WithClock(time.Now))
		_, err := client.CreateInbound(t.Context(), anyone)
		begin := time.Now()
		call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{ClockSkew: time.Second})
		if call != nil || !errors.Is(err, context.DeadlineExceeded) || calls.DeliveryOf(err) != calls.DeliveryUnknown {
			t.Errorf("%v, %v", call, err)
		}
		if took := time.Since(begin); took > 36*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// shared is a small ledger for two processes. It implements Journal and Claims.
type shared struct {
	mu     sync.Mutex
	open   map[string]calls.Intent
	owners map[int64]string
}

func (s *shared) Sending(_ context.Context, i calls.Intent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[i.ID] = i
	return nil
}

func (s *shared) NotSent(_ context.Context, i calls.Intent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, i.ID)
}

func (s *shared) Doubts(context.Context) (list []calls.Intent, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.open {
		list = append(list, i)
	}
	return list, nil
}

func (s *shared) Owner(_ context.Context, callID int64) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owners[callID], nil
}

func (s *shared) Claim(_ context.Context, callID int64, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if owner, ok := s.owners[callID]; ok {
		return owner, nil
	}
	s.owners[callID] = id
	delete(s.open, id)
	return id, nil
}

// TestTwoProcessesSettleSideBySide has two processes that each lose a create of the same
// kind. One of the two calls exists.
func TestTwoProcessesSettleSideBySide(t *testing.T) {
	const rounds = 120
	count := map[string]int{}
	for round := range uint64(rounds) {
		random := rand.New(rand.NewPCG(round, 11))
		lag := time.Duration(random.Int64N(int64(14 * time.Second)))
		lagging := []callstest.Option{callstest.WithListingLag(func(int64) time.Duration { return lag })}
		onVirtualTime(t, lagging, func(t *testing.T, server *callstest.Server, _ *calls.Client) {
			makes := random.IntN(2)
			results := settleSideBySide(t, random, server, makes)
			if results[1-makes].Call != nil {
				t.Errorf("round %d: returned the call of the other create", round)
			}
			for _, result := range results {
				switch {
				case result.Err == nil:
					count["found"]++
				case errors.Is(result.Err, calls.ErrAmbiguous):
					count["ambiguous"]++
				case errors.Is(result.Err, calls.ErrCallNotFound):
					count["not found"]++
				default:
					t.Errorf("round %d: %v", round, result.Err)
				}
			}
		})
	}
	t.Logf("%d rounds: %v", rounds, count)
	if count["found"] == 0 || count["ambiguous"] == 0 || count["not found"] == 0 {
		t.Errorf("an outcome did not occur: %v", count)
	}
}

// settleSideBySide creates a call in each of two processes and settles what is lost. The
// platform makes the call of the process makes only; its response may arrive.
func settleSideBySide(t *testing.T, random *rand.Rand, server *callstest.Server, makes int) (results [2]calls.Settled) {
	t.Helper()
	ledger := &shared{open: map[string]calls.Intent{}, owners: map[int64]string{}}
	responds := random.IntN(3) == 0
	request := anyone
	if random.IntN(3) == 0 {
		request.TicketID = []string{"71450", "76517"}[random.IntN(2)]
	}
	var wg sync.WaitGroup
	for i := range 2 {
		client := inProcessClient(t, server)
		p, err := client.Prepare(request)
		if err != nil {
			t.Fatal(err)
		}
		acts := i == makes
		switch {
		case acts && responds:
		case acts:
			server.Fail(callstest.HangUpAfterCreate)
		default:
			server.Fail(callstest.HangUpAfterRead)
		}
		result, err := client.Send(t.Context(), p, ledger)
		if err == nil { // as ledger.Keeper does
			_, _ = ledger.Claim(t.Context(), result.Call.ID, p.ID())
			results[i].Call = result.Call
			continue
		}
		wait := time.Duration(random.Int64N(int64(time.Minute)))
		opts := calls.SettleOptions{Claims: ledger, ClockSkew: time.Second}
		if random.IntN(2) == 0 && acts {
			opts.Delivery = calls.DeliveryAccepted
		}
		wg.Go(func() {
			time.Sleep(wait)
			call, err := client.Settle(t.Context(), intentOf(err), opts)
			results[i] = calls.Settled{Call: call, Err: err}
		})
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
	}
	wg.Wait()
	return results
}

// failing implements Claims. Each method with an error fails.
type failing struct {
	shared
	doubts, owner, claim error
}

func (f *failing) Doubts(context.Context) ([]calls.Intent, error) { return nil, f.doubts }

func (f *failing) Owner(context.Context, int64) (string, error) { return "", f.owner }

func (f *failing) Claim(_ context.Context, _ int64, id string) (string, error) { return id, f.claim }

func TestAnErrorOfClaimsClaimsNoCall(t *testing.T) {
	broken := errors.New("the database is gone")
	for name, claims := range map[string]*failing{"Doubts": {doubts: broken}, "Owner": {owner: broken}, "Claim": {claim: broken}} {
		onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
			intent := intentOf(lostCreate(t, server, client, true, anyone))
			call, err := client.Settle(t.Context(), intent, calls.SettleOptions{Claims: claims})
			if call != nil || !errors.Is(err, broken) || calls.DeliveryOf(err) != calls.DeliveryUnknown {
				t.Errorf("%s: %v, %v", name, call, err)
			}
			if call, err := client.Settle(t.Context(), intent, calls.SettleOptions{}); err != nil || call == nil {
				t.Errorf("%s, then without Claims: %v, %v", name, call, err)
			}
		})
	}
}
