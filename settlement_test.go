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

var anybody = calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"}

// slowly delays the responses of creates: each call is made at once.
func slowly(delay time.Duration) calls.Option {
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

// TestACallOfACreateThatIsOnItsWayIsNobodys waits for the other create to end, as long
// as there is time.
func TestACallOfACreateThatIsOnItsWayIsNobodys(t *testing.T) {
	for name, tt := range map[string]struct {
		takes time.Duration
		want  error
	}{
		"the other ends soon":  {12 * time.Second, calls.ErrCallNotFound},
		"the other takes long": {29 * time.Second, calls.ErrAmbiguous},
	} {
		server := newServer(t)
		synctest.Test(t, func(t *testing.T) {
			client := inProcessClient(t, server, slowly(tt.takes), calls.WithAttemptTimeout(time.Minute))
			var wg sync.WaitGroup
			server.Fail(callstest.HangUpAfterRead)
			_, err := client.Create(t.Context(), anybody)
			wg.Go(func() { _, _ = client.Create(t.Context(), anybody) })
			synctest.Wait()
			call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{Window: 5 * time.Second, ClockSkew: time.Second})
			if call != nil || !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, %v", name, call, err)
			}
			wg.Wait()
		})
	}
}

// TestACreateThatAwaitsAnAgentIsARival, since its call has no id before it is placed.
func TestACreateThatAwaitsAnAgentIsARival(t *testing.T) {
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

// TestLostCreatesContestEachOther until one of them is resolved.
func TestLostCreatesContestEachOther(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		made := intentOf(lostCreate(t, server, client, true, anybody))
		notMade := intentOf(lostCreate(t, server, client, false, anybody))
		for range 2 {
			for i, settled := range client.SettleAll(t.Context(), []calls.Intent{made, notMade}, calls.SettleOptions{}) {
				if !errors.Is(settled.Err, calls.ErrAmbiguous) {
					t.Errorf("%s: %v", i.ID, settled)
				}
			}
		}
		// Another process knows them too, when it is given both.
		for i, settled := range inProcessClient(t, server).SettleAll(t.Context(), []calls.Intent{made, notMade}, calls.SettleOptions{}) {
			if !errors.Is(settled.Err, calls.ErrAmbiguous) {
				t.Errorf("%s, elsewhere: %v", i.ID, settled)
			}
		}
	})
}

// TestOneThatIsResolvedContestsNothing: the ticket tells whose the first call is, so the
// other is that of the create without a ticket.
func TestOneThatIsResolvedContestsNothing(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		withTicket := anybody
		withTicket.TicketID = "76517"
		first := intentOf(lostCreate(t, server, client, true, anybody))
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

// TestLateCallsAreNotCandidates: the call was made after the create had ended.
func TestLateCallsAreNotCandidates(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		intent := intentOf(lostCreate(t, server, client, false, anybody))
		time.Sleep(10 * time.Second)
		late := server.AddCall(callstest.Call{Type: string(calls.CallTypeInbound), MenuID: 9})
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

// TestWhatCannotBeReadIsAmbiguous, never "not found".
func TestWhatCannotBeReadIsAmbiguous(t *testing.T) {
	request := calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450", OutboundNumber: "+13392195276"}
	good := map[string]any{
		"id": 7, "call_type": "Voice Outbound (API)", "status": "assigned", "out_ticket_id": "71450",
		"outbound_number": "+1 339-219-5276", "scheduled_at": nil, "selected_menu": nil,
	}
	const found, ambiguous, notFound = "found", "ambiguous", "not found"
	for name, tt := range map[string]struct {
		key   string
		value any // nil: the key is left out
		want  string
	}{
		"all as it should be":          {"lang", "en", found},
		"another number":               {"outbound_number", "+1 760-410-8538", notFound},
		"a number as dialed at home":   {"outbound_number", "(339) 219-5276", found},
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
					t.Errorf("%v, %v, want it %s", call, err, tt.want)
				}
			})
		})
	}
}

// TestTheWindowBoundsAListingWithoutEnd in time and in memory.
func TestTheWindowBoundsAListingWithoutEnd(t *testing.T) {
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
		_, err := client.CreateInbound(t.Context(), anybody)
		begin := time.Now()
		call, err := client.Settle(t.Context(), intentOf(err), calls.SettleOptions{ClockSkew: time.Second})
		if call != nil || !errors.Is(err, context.DeadlineExceeded) || calls.DeliveryOf(err) != calls.DeliveryUnknown {
			t.Errorf("%v, %v", call, err)
		}
		if took := time.Since(begin); took > 36*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// shared is what two processes know together: a ledger in small. It is their Journal
// and their Claims.
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

// TestTwoProcessesSettleSideBySide lets each lose a create of the same kind. Exactly
// one of the two calls exists.
func TestTwoProcessesSettleSideBySide(t *testing.T) {
	const rounds = 120
	count := map[string]int{}
	for round := range uint64(rounds) {
		random := rand.New(rand.NewPCG(round, 11))
		lag := time.Duration(random.Int64N(int64(14 * time.Second)))
		lagging := []callstest.Option{callstest.WithListingLag(func(int64) time.Duration { return lag })}
		onVirtualTime(t, lagging, func(t *testing.T, server *callstest.Server, _ *calls.Client) {
			ledger := &shared{open: map[string]calls.Intent{}, owners: map[int64]string{}}
			makes := random.IntN(2)
			isTold := random.IntN(3) == 0 // the response of the one that makes its call arrives
			request := anybody
			if random.IntN(3) == 0 {
				request.TicketID = []string{"71450", "76517"}[random.IntN(2)]
			}
			var wg sync.WaitGroup
			var results [2]calls.Settled
			clients := [2]*calls.Client{inProcessClient(t, server), inProcessClient(t, server)}
			for i := range 2 {
				p, err := clients[i].Prepare(request)
				if err != nil {
					t.Fatal(err)
				}
				acts := i == makes
				switch {
				case acts && isTold:
				case acts:
					server.Fail(callstest.HangUpAfterCreate)
				default:
					server.Fail(callstest.HangUpAfterRead)
				}
				result, err := clients[i].Send(t.Context(), p, ledger)
				if err == nil { // as the ledger's keeper does
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
					call, err := clients[i].Settle(t.Context(), intentOf(err), opts)
					results[i] = calls.Settled{Call: call, Err: err}
				})
				time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
			}
			wg.Wait()
			if results[1-makes].Call != nil {
				t.Errorf("round %d: took the call of the other", round)
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
		t.Errorf("the trials have become one-sided: %v", count)
	}
}

// failing is Claims of which one method fails.
type failing struct {
	shared
	doubts, owner, claim error
}

func (f *failing) Doubts(context.Context) ([]calls.Intent, error) { return nil, f.doubts }

func (f *failing) Owner(context.Context, int64) (string, error) { return "", f.owner }

func (f *failing) Claim(_ context.Context, _ int64, id string) (string, error) { return id, f.claim }

func TestAnErrorOfClaimsGivesTheCallToNobody(t *testing.T) {
	broken := errors.New("the database is gone")
	for name, claims := range map[string]*failing{"Doubts": {doubts: broken}, "Owner": {owner: broken}, "Claim": {claim: broken}} {
		onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
			intent := intentOf(lostCreate(t, server, client, true, anybody))
			call, err := client.Settle(t.Context(), intent, calls.SettleOptions{Claims: claims})
			if call != nil || !errors.Is(err, broken) || calls.DeliveryOf(err) != calls.DeliveryUnknown {
				t.Errorf("%s: %v, %v", name, call, err)
			}
			if call, err := client.Settle(t.Context(), intent, calls.SettleOptions{}); err != nil || call == nil {
				t.Errorf("%s, then without: %v, %v", name, call, err)
			}
		})
	}
}
