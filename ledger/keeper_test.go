package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

var request = calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625", OutboundNumber: "+13392195276"}

func TestPrepareStoresAndSendsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		e, err := w.worker().Prepare("71450", request)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case e.ID == "" || e.ID != e.Intent.ID, e.Tenant != "customer", e.State != ledger.StatePrepared, e.Version != 1:
			t.Errorf("%v", e)
		case e.Intent.Attempt != "" || !e.Intent.SentAfter.IsZero() || e.Intent.OutboundNumber != "+13392195276":
			t.Errorf("intent %+v", e.Intent)
		case !e.Until.Equal(time.Now().Add(time.Minute)):
			t.Errorf("Until %v", e.Until)
		}
		sent, err := calls.UnmarshalRequest(e.Request)
		if err != nil || sent != request {
			t.Errorf("request %s, %v", e.Request, err)
		}
		if _, err := w.store.Get(w.ctx, e.ID); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
		w.wantCalls(0)
		_, err = w.worker().Prepare("71450", calls.OutboundRequest{})
		var invalid calls.ValidationErrors
		if !errors.As(err, &invalid) {
			t.Errorf("error %v, want ValidationErrors", err)
		}
	})
}

// TestAnEntryCanHaveTheCallersID checks that the id is also that of the create.
func TestAnEntryCanHaveTheCallersID(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("task 8812")
		again, _ := w.worker().Prepare("another subject", request)
		again.ID = "task 8812"
		if err := w.store.Put(w.ctx, again); !errors.Is(err, ledger.ErrExists) {
			t.Errorf("error %v, want ErrExists", err)
		}
		w.settle("task 8812")
		if e := w.get("task 8812"); e.Intent.ID != "task 8812" {
			t.Errorf("the intent has id %q", e.Intent.ID)
		}
	})
}

func TestSubjectsAreHashed(t *testing.T) {
	inWorld(t, func(w *world) {
		subject := func(tenant, key, subject string) string {
			k := w.worker()
			k.Tenant, k.SubjectKey = tenant, []byte(key)
			e, err := k.Prepare(subject, request)
			if err != nil {
				t.Fatal(err)
			}
			return e.Subject
		}
		first := subject("customer", "key", "+18596579625")
		if first == "" || strings.Contains(first, "8596579625") {
			t.Errorf("subject %q", first)
		}
		if again := subject("customer", "key", "+18596579625"); again != first {
			t.Errorf("the same subject is %q and %q", first, again)
		}
		for _, other := range []string{
			subject("another", "key", "+18596579625"), subject("customer", "another", "+18596579625"),
			subject("customer", "", "+18596579625"), subject("customer", "key", "+18596579626"),
		} {
			if other == first {
				t.Errorf("different subjects are %q", first)
			}
		}
		if none := subject("customer", "key", ""); none != "" {
			t.Errorf("an empty subject is %q", none)
		}
	})
}

func TestAdvanceGoesAsFarAsItCan(t *testing.T) {
	tests := map[string]struct {
		agent  string
		fault  callstest.Fault
		state  ledger.State
		callID int64
		wait   time.Duration
	}{
		"created":            {agent: "agent@example.com", state: ledger.StateCreated, callID: 397},
		"awaits agent, 202":  {agent: "chooser@example.com", state: ledger.StateAwaitsAgent},
		"awaits agent, 200":  {agent: "prompted@example.com", state: ledger.StateAwaitsAgent},
		"rejected":           {agent: "busy@example.com", state: ledger.StateRejected},
		"unauthorized":       {agent: "agent@example.com", fault: callstest.Status(401), state: ledger.StateRejected},
		"429":                {agent: "agent@example.com", fault: callstest.RateLimited("7"), state: ledger.StatePrepared, wait: 7 * time.Second},
		"lost":               {agent: "agent@example.com", fault: callstest.HangUpAfterRead, state: ledger.StateInDoubt, wait: skew + lag},
		"500":                {agent: "agent@example.com", fault: callstest.Status(500), state: ledger.StateInDoubt, wait: skew + lag},
		"an undecodable 201": {agent: "agent@example.com", fault: callstest.StatusAfterCreate(201), state: ledger.StateInDoubt, wait: skew + lag},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.putFor("a", test.agent)
				w.server.Fail(test.fault)
				e, err := w.worker().Advance(w.ctx, "a")
				var wait *ledger.ErrUnderWay
				if isOpen := test.wait > 0; isOpen != errors.As(err, &wait) || isOpen && wait.Wait != test.wait || !isOpen && err != nil {
					t.Errorf("error %v, want a wait of %v", err, test.wait)
				}
				w.want("a", test.state, test.callID)
				if stored := w.get("a"); e.String() != stored.String() {
					t.Errorf("returned %v, stored is %v", e, stored)
				}
				if e.How == "" && e.State != ledger.StateSending {
					t.Errorf("How is empty in %v", e)
				}
			})
		})
	}
}

func TestAdvanceOfAClosedEntryChangesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("created")
		w.settle("created")
		w.lost("person", callstest.HangUpAfterRead)
		w.settle("person")
		for _, id := range []string{"created", "person"} {
			before := w.get(id)
			if e, err := w.worker().Advance(w.ctx, id); err != nil || e.Version != before.Version {
				t.Errorf("%v, %v, want %v", e, err, before)
			}
		}
		w.wantCalls(1)
	})
}

func TestAKeeperDoesNotSeeAnotherTenantsEntries(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a")
		k := w.worker()
		k.Tenant = "another"
		if _, err := k.Advance(w.ctx, "a"); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
		if _, err := k.Decide(w.ctx, "a", 1, false, 0); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
		time.Sleep(time.Hour)
		for e, err := range k.Recover(w.ctx) {
			t.Errorf("Recover yields %v, %v", e, err)
		}
		w.want("a", ledger.StatePrepared, 0)
	})
}

func TestAnIncompleteKeeperReturnsErrors(t *testing.T) {
	inWorld(t, func(w *world) {
		good := w.worker()
		for name, k := range map[string]*ledger.Keeper{
			"nil":           nil,
			"no client":     {Store: w.store, Tenant: "customer"},
			"no store":      {Client: good.Client, Tenant: "customer"},
			"no tenant":     {Client: good.Client, Store: w.store},
			"negative skew": {Client: good.Client, Store: w.store, Tenant: "customer", Skew: -1},
			"negative lag":  {Client: good.Client, Store: w.store, Tenant: "customer", Lag: -1},
		} {
			_, prepareErr := k.Prepare("a", request)
			_, advanceErr := k.Advance(w.ctx, "a")
			_, lookErr := k.LookAgain(w.ctx, "a", 1)
			_, decideErr := k.Decide(w.ctx, "a", 1, false, 0)
			_, pruneErr := k.Prune(w.ctx, 0)
			var recoverErr error
			for _, err := range k.Recover(w.ctx) {
				recoverErr = err
			}
			for _, err := range []error{prepareErr, advanceErr, lookErr, decideErr, pruneErr, recoverErr} {
				if err == nil || errors.Is(err, ledger.ErrNotFound) {
					t.Errorf("%s: error %v", name, err)
				}
			}
		}
	})
}

func TestABadRequestStaysPrepared(t *testing.T) {
	inWorld(t, func(w *world) {
		for i, request := range []string{"", "{", "[]", `{"call_type":"Voice Inbound (API)"}`} {
			e, err := w.worker().Prepare("", calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+18596579625"})
			if err != nil {
				t.Fatal(err)
			}
			e.ID, e.Request = fmt.Sprint(i), []byte(request)
			if err := w.store.Put(w.ctx, e); err != nil {
				t.Fatal(err)
			}
			if _, err := w.worker().Advance(w.ctx, e.ID); err == nil || isUnderWay(err) {
				t.Errorf("%q: error %v", request, err)
			}
			w.want(e.ID, ledger.StatePrepared, 0)
		}
		w.wantCalls(0)
	})
}

func TestErrUnderWay(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a")
		w.server.Fail(callstest.RateLimited("3"))
		_, err := w.worker().Advance(w.ctx, "a")
		wrapped := fmt.Errorf("job 1: %w", err)
		var wait *ledger.ErrUnderWay
		if !errors.As(wrapped, &wait) || wait.Wait != 3*time.Second || !errors.Is(wrapped, &ledger.ErrUnderWay{}) {
			t.Errorf("%v", wrapped)
		}
		if !errors.Is(wrapped, calls.ErrRateLimited) || !strings.Contains(err.Error(), "3s") {
			t.Errorf("%v, want its cause", wrapped)
		}
		if errors.Is(&ledger.ErrUnderWay{Wait: 1}, calls.ErrRateLimited) || (&ledger.ErrUnderWay{}).Error() == "" {
			t.Error("an ErrUnderWay without a cause has one")
		}
	})
}

func TestRule12ACallHasOneEntry(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a")
		w.settle("a")
		w.lost("b", callstest.HangUpAfterRead)
		w.settle("b")
		e := w.get("b")
		if _, err := w.worker().Decide(w.ctx, "b", e.Version, true, 397); !errors.Is(err, ledger.ErrClaimed) {
			t.Errorf("error %v, want ErrClaimed", err)
		}
		w.want("b", ledger.StateForPerson, 0)
	})
}

// TestRule12AResponseWhoseCallAnotherEntryHas has a person who gave a's call to b before
// a's response arrives.
func TestRule12AResponseWhoseCallAnotherEntryHas(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("b", callstest.HangUpAfterRead)
		w.settle("b")
		w.put("a")
		store := &steps{Store: w.store}
		store.before = once("Replace created", func() { w.decide("b", true, 397) })
		e, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a")
		if !errors.Is(err, ledger.ErrClaimed) || e.State != ledger.StateForPerson {
			t.Errorf("%v, %v, want it for a person and ErrClaimed", e, err)
		}
		w.want("a", ledger.StateForPerson, 0)
	})
}

func TestRule12ASubjectHasOneOpenEntry(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterRead)
		next := w.get("a")
		next.ID, next.State = "b", ledger.StatePrepared
		if err := w.store.Put(w.ctx, next); !errors.Is(err, ledger.ErrBusy) {
			t.Errorf("error %v, want ErrBusy", err)
		}
		w.settle("a")
		if err := w.store.Put(w.ctx, next); !errors.Is(err, ledger.ErrBusy) {
			t.Errorf("while a is for a person: error %v, want ErrBusy", err)
		}
		w.decide("a", false, 0)
		if err := w.store.Put(w.ctx, next); err != nil {
			t.Error(err)
		}
	})
}

// TestRule12PruneKeepsWhatAnOpenEntryNeeds keeps the claim of a closed entry while there is
// an older open entry.
func TestRule12PruneKeepsWhatAnOpenEntryNeeds(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("old")
		w.settle("old") // 397
		time.Sleep(48 * time.Hour)
		w.lost("b", callstest.HangUpAfterRead)
		w.put("a")
		w.settle("a") // 398, which fits b
		w.put("prepared, and never sent")
		time.Sleep(30 * 24 * time.Hour)
		if n, err := w.worker().Prune(w.ctx, time.Hour); n != 1 || err != nil {
			t.Errorf("%d, %v, want the one entry that is older than the open one to be removed", n, err)
		}
		w.want("a", ledger.StateCreated, 398)
		w.settle("b")
		w.want("b", ledger.StateForPerson, 0)
		w.decide("b", false, 0)
		if n, err := w.worker().Prune(w.ctx, 0); n != 2 || err != nil {
			t.Errorf("%d, %v, want the rest to be removed", n, err)
		}
		w.put("young")
		w.settle("young")
		if n, err := w.worker().Prune(w.ctx, 0); n != 0 || err != nil {
			t.Errorf("%d, %v, want an entry of this day to be kept", n, err)
		}
	})
}

// TestRule13ADecisionIsForTheVersionThatWasSeen is decide-without-version of the model: a person finds
// that no call was made, while it is sent again and made.
func TestRule13ADecisionIsForTheVersionThatWasSeen(t *testing.T) {
	words := map[string]func(k *ledger.Keeper, w *world, version int64) (ledger.Entry, error){
		"Decide": func(k *ledger.Keeper, w *world, version int64) (ledger.Entry, error) {
			return k.Decide(w.ctx, "a", version, false, 0)
		},
		"LookAgain": func(k *ledger.Keeper, w *world, version int64) (ledger.Entry, error) {
			return k.LookAgain(w.ctx, "a", version)
		},
	}
	for name, say := range words {
		for _, when := range []string{"before the decision", "between Get and Replace"} {
			t.Run(name+", "+when, func(t *testing.T) {
				inWorld(t, func(w *world) {
					w.lost("a", callstest.HangUpAfterRead)
					saw := w.settle("a")
					again := func() {
						e := w.get("a")
						e.State, e.Intent.Attempt = ledger.StatePrepared, ""
						if err := w.store.Replace(w.ctx, e); err != nil {
							t.Error(err)
						}
						w.server.Fail(callstest.HangUpAfterCreate)
						_, _ = w.worker().Advance(w.ctx, "a")
						w.server.AddCall(callstest.Call{Type: "Voice Outbound (API)"})
						w.settle("a")
						w.want("a", ledger.StateForPerson, 0)
					}
					store := &steps{Store: w.store}
					if when == "before the decision" {
						again()
					} else {
						done := false
						store.before = func(step string) {
							if step != "Get" && !done {
								done = true
								again()
							}
						}
					}
					e, err := say(w.keeper(store, w.server.InProcess()), w, saw.Version)
					if !errors.Is(err, ledger.ErrStale) {
						t.Errorf("error %v, want ErrStale", err)
					}
					if now := w.get("a"); e.Version != now.Version || now.State != ledger.StateForPerson {
						t.Errorf("%v, want the entry as it is now, %v", e, now)
					}
				})
			})
		}
	}
}

func TestRule13OnlyEntriesForAPersonAreDecided(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterCreate)
		e := w.get("a")
		if _, err := w.worker().Decide(w.ctx, "a", e.Version, false, 0); err == nil {
			t.Error("an entry in doubt was decided")
		}
		w.settle("a")
		e = w.get("a")
		if _, err := w.worker().Decide(w.ctx, "a", e.Version, false, 0); err == nil {
			t.Error("a closed entry was decided")
		}
		if _, err := w.worker().LookAgain(w.ctx, "a", e.Version); err == nil {
			t.Error("a closed entry was settled again")
		}
		w.want("a", ledger.StateCreated, 397)
	})
}

func TestKeeperHandsOnResponses(t *testing.T) {
	tests := map[string]struct {
		agent  string
		fault  callstest.Fault
		callID int64
		err    error
	}{
		"created":      {"agent@example.com", callstest.Pass, 397, nil},
		"awaits agent": {"chooser@example.com", callstest.Pass, 0, nil},
		"rejected":     {"busy@example.com", callstest.Pass, 0, calls.ErrAgentUnavailable},
		"lost":         {"agent@example.com", callstest.HangUpAfterCreate, 0, calls.ErrOutcomeUnknown},
		"rate limited": {"agent@example.com", callstest.RateLimited("5"), 0, calls.ErrRateLimited},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.putFor("A", test.agent)
				w.server.Fail(test.fault)
				keeper, times := w.worker(), 0
				keeper.Responded = func(_ context.Context, id string, result *calls.CreateResult, err error) {
					times++
					callID := int64(0)
					if err == nil && result.Call != nil {
						callID = result.Call.ID
					}
					if id != "A" || callID != test.callID || !errors.Is(err, test.err) {
						t.Errorf("entry %q, call %d, error %v, want A, %d, %v", id, callID, err, test.callID, test.err)
					}
				}
				_, _ = keeper.Advance(w.ctx, "A")
				if times != 1 {
					t.Errorf("called %d times, want once", times)
				}
			})
		})
	}
}
