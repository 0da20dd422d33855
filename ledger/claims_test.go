package ledger_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// lostElsewhere is a create that another Client has sent without the ledger, and of
// which it lost the response.
func (w *world) lostElsewhere(fault callstest.Fault) (*calls.Client, calls.Intent) {
	w.t.Helper()
	client := w.worker().Client
	w.server.Fail(fault)
	_, err := client.CreateOutbound(w.ctx, calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+18596579625"})
	intent, ok := calls.IntentOf(err)
	if !ok {
		w.t.Fatalf("error %v, want one with an Intent", err)
	}
	return client, intent
}

func (w *world) settleOutside(client *calls.Client, i calls.Intent) (*calls.Call, error) {
	return client.Settle(w.ctx, i, calls.SettleOptions{ClockSkew: skew, Window: lag, Claims: w.worker().Claims()})
}

func TestSettleTakesNoCallOfAnEntry(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("A")
		if _, err := w.worker().Advance(w.ctx, "A"); err != nil {
			t.Fatal(err)
		}
		client, intent := w.lostElsewhere(callstest.HangUpAfterRead)
		if call, err := w.settleOutside(client, intent); !errors.Is(err, calls.ErrCallNotFound) {
			t.Errorf("call %v, error %v, want that there is none", call, err)
		}
	})
}

func TestSettleTakesNoCallThatAnEntryInDoubtCanHaveMade(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("A", callstest.HangUpAfterCreate)
		client, intent := w.lostElsewhere(callstest.HangUpAfterRead)
		if call, err := w.settleOutside(client, intent); !errors.Is(err, calls.ErrAmbiguous) {
			t.Errorf("call %v, error %v, want it ambiguous", call, err)
		}
		w.want("A", ledger.StateInDoubt, 0)
	})
}

func TestEntryIsNotGivenACallThatSettleHasClaimed(t *testing.T) {
	inWorld(t, func(w *world) {
		client, intent := w.lostElsewhere(callstest.HangUpAfterCreate)
		call, err := w.settleOutside(client, intent)
		if err != nil || call.ID != 397 {
			t.Fatalf("call %v, error %v, want 397", call, err)
		}
		w.want(intent.ID, ledger.StateCreated, 397)
		if call, err = w.settleOutside(client, intent); err != nil || call.ID != 397 {
			t.Errorf("once more: call %v, error %v, want 397", call, err)
		}
		w.lost("A", callstest.HangUpAfterRead)
		w.settle("A")
		w.want("A", ledger.StateForPerson, 0)
	})
}

func TestClaimsDoNotSettleAnEntry(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.lost("A", callstest.HangUpAfterCreate)
		call, err := w.settleOutside(w.worker().Client, e.Intent)
		if !errors.Is(err, ledger.ErrExists) || !calls.DeliveryOf(err).MayExist() {
			t.Errorf("call %v, error %v, want that there is an entry", call, err)
		}
		w.want("A", ledger.StateInDoubt, 0)
		w.settle("A")
		w.want("A", ledger.StateCreated, 397)
		if call, err := w.settleOutside(w.worker().Client, e.Intent); err != nil || call.ID != 397 {
			t.Errorf("closed: call %v, error %v, want 397", call, err)
		}
	})
}

func TestOneOfTwoClaimsWins(t *testing.T) {
	inWorld(t, func(w *world) {
		var wg sync.WaitGroup
		owners := make([]string, 16)
		for i := range owners {
			wg.Go(func() {
				var err error
				if owners[i], err = w.worker().Claims().Claim(w.ctx, 397, string(rune('a'+i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, owner := range owners {
			if owner != owners[0] || owner == "" {
				t.Fatalf("the owners are %q, want one", owners)
			}
		}
	})
}

func TestClaimsReportErrorsOfTheStore(t *testing.T) {
	inWorld(t, func(w *world) {
		gone := errors.New("the database is gone")
		client, intent := w.lostElsewhere(callstest.HangUpAfterCreate)
		for _, step := range []string{"Doubts", "Claimed"} {
			store := &steps{Store: w.store, fail: func(name string) error {
				if name == step {
					return gone
				}
				return nil
			}}
			claims := w.keeper(store, w.server.InProcess()).Claims()
			call, err := client.Settle(w.ctx, intent, calls.SettleOptions{ClockSkew: skew, Window: lag, Claims: claims})
			if !errors.Is(err, gone) || call != nil {
				t.Errorf("%s: call %v, error %v, want %v", step, call, err, gone)
			}
		}
		if _, err := (&ledger.Keeper{}).Claims().Doubts(w.ctx); err == nil {
			t.Error("a Keeper without a Store has doubts")
		}
	})
}
