package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
			t.Errorf("the intent is %+v", e.Intent)
		case !e.Until.Equal(time.Now().Add(time.Minute)):
			t.Errorf("Until is %v", e.Until)
		}
		sent, err := calls.UnmarshalRequest(e.Request)
		if err != nil || sent != request {
			t.Errorf("the request is %s, %v", e.Request, err)
		}
		if _, err := w.store.Get(w.ctx, e.ID); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("error is %v, want ErrNotFound", err)
		}
		w.wantCalls(0)
		_, err = w.worker().Prepare("71450", calls.OutboundRequest{})
		var invalid calls.ValidationErrors
		if !errors.As(err, &invalid) {
			t.Errorf("error is %v, want ValidationErrors", err)
		}
	})
}

// An id of one's own is that of the create, everywhere.
func TestAnEntryCanHaveANameOfItsOwn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("task 8812")
		again, _ := w.worker().Prepare("another subject", request)
		again.ID = "task 8812"
		if err := w.store.Put(w.ctx, again); !errors.Is(err, ledger.ErrExists) {
			t.Errorf("error is %v, want ErrExists", err)
		}
		w.settle("task 8812")
		if e := w.get("task 8812"); e.Intent.ID != "task 8812" {
			t.Errorf("the intent is of %q", e.Intent.ID)
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
			t.Errorf("the subject is %q", first)
		}
		if again := subject("customer", "key", "+18596579625"); again != first {
			t.Errorf("one subject is %q and %q", first, again)
		}
		for _, other := range []string{
			subject("another", "key", "+18596579625"), subject("customer", "another", "+18596579625"),
			subject("customer", "", "+18596579625"), subject("customer", "key", "+18596579626"),
		} {
			if other == first {
				t.Errorf("two subjects are %q", first)
			}
		}
		if none := subject("customer", "key", ""); none != "" {
			t.Errorf("no subject is %q", none)
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
		"created":               {agent: "agent@example.com", state: ledger.StateCreated, callID: 397},
		"awaits agent, 202":     {agent: "chooser@example.com", state: ledger.StateAwaitsAgent},
		"awaits agent, 200":     {agent: "prompted@example.com", state: ledger.StateAwaitsAgent},
		"rejected":              {agent: "busy@example.com", state: ledger.StateRejected},
		"unauthorized":          {agent: "agent@example.com", fault: callstest.Status(401), state: ledger.StateRejected},
		"429":                   {agent: "agent@example.com", fault: callstest.RateLimited("7"), state: ledger.StatePrepared, wait: 7 * time.Second},
		"lost":                  {agent: "agent@example.com", fault: callstest.HangUpAfterRead, state: ledger.StateInDoubt, wait: skew + lag},
		"500":                   {agent: "agent@example.com", fault: callstest.Status(500), state: ledger.StateInDoubt, wait: skew + lag},
		"a 201 nobody can read": {agent: "agent@example.com", fault: callstest.StatusAfterCreate(201), state: ledger.StateInDoubt, wait: skew + lag},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.putFor("a", test.agent)
				w.server.Fail(test.fault)
				e, err := w.worker().Advance(w.ctx, "a")
				var wait *ledger.ErrUnderWay
				if isOpen := test.wait > 0; isOpen != errors.As(err, &wait) || isOpen && wait.Wait != test.wait || !isOpen && err != nil {
					t.Errorf("error is %v, want to come back in %v", err, test.wait)
				}
				w.want("a", test.state, test.callID)
				if stored := w.get("a"); e.String() != stored.String() {
					t.Errorf("returned %v, stored is %v", e, stored)
				}
				if e.How == "" && e.State != ledger.StateSending {
					t.Errorf("nothing says how it came to %v", e)
				}
			})
		})
	}
}

func TestAdvanceOfWhatIsDoneChangesNothing(t *testing.T) {
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
			t.Errorf("error is %v, want ErrNotFound", err)
		}
		if _, err := k.Decide(w.ctx, "a", 1, false, 0); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("error is %v, want ErrNotFound", err)
		}
		time.Sleep(time.Hour)
		for e, err := range k.Recover(w.ctx) {
			t.Errorf("Recover yields %v, %v", e, err)
		}
		w.want("a", ledger.StatePrepared, 0)
	})
}

func TestAKeeperThatLacksSomethingSaysSo(t *testing.T) {
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
					t.Errorf("%s: error is %v", name, err)
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
				t.Errorf("%q: error is %v", request, err)
			}
			w.want(e.ID, ledger.StatePrepared, 0)
		}
		w.wantCalls(0)
	})
}

func TestAContextThatEndsLosesNoOutcome(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a")
		ctx, cancel := context.WithCancel(w.ctx)
		platform := w.server.InProcess()
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			response, err := platform.RoundTrip(r)
			cancel()
			return response, err
		})
		e, err := w.keeper(w.store, transport).Advance(ctx, "a")
		if e.State == ledger.StatePrepared || w.get("a").State == ledger.StateSending {
			t.Errorf("%v, %v, stored is %v", e, err, w.get("a"))
		}
		w.settle("a")
		w.want("a", ledger.StateCreated, 397)

		w.put("b")
		if e, err := w.worker().Advance(ctx, "b"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, %v, want context.Canceled", e, err)
		}
		w.want("b", ledger.StatePrepared, 0)
	})
}

// The database is away for longer than the Keeper tries: the listing settles it.
func TestAResponseThatCannotBeRecorded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a")
		store := &steps{Store: w.store, fail: func(step string) error {
			if step == "Replace created" {
				return errUnsure
			}
			return nil
		}}
		e, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a")
		if !errors.Is(err, errUnsure) || e.CallID != 397 || e.State != ledger.StateCreated {
			t.Errorf("%v, %v, want what is known and the error", e, err)
		}
		w.want("a", ledger.StateSending, 0)
		w.settle("a")
		w.want("a", ledger.StateCreated, 397)
	})
}

func TestRecoverTakesUpWhatOthersLeft(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("person", callstest.HangUpAfterRead)
		w.settle("person")
		w.decide("person", true, 100)
		w.put("prepared")
		w.sending("sending")
		w.lost("in doubt", callstest.HangUpAfterRead)
		w.put("created")
		w.settle("created")
		if got := w.recover(); len(got) != 0 {
			t.Errorf("Recover yields %v of what others have", got)
		}
		time.Sleep(permit + skew + time.Second)
		// The permit and the skew of one are over, and another one is due.
		got := w.recover()
		if got["sending"] != ledger.StateInDoubt || got["in doubt"] != ledger.StateForPerson {
			t.Errorf("Recover yields %v", got)
		}
		time.Sleep(time.Hour)
		got = w.recover()
		if len(got) != 2 || got["sending"] != ledger.StateForPerson || got["prepared"] != ledger.StateCreated {
			t.Errorf("Recover yields %v", got)
		}
		if got := w.recover(); len(got) != 0 {
			t.Errorf("Recover yields %v when there is nothing to do", got)
		}
		w.wantCalls(2)
	})
}

// recover returns the states that Recover yields.
func (w *world) recover() map[string]ledger.State {
	w.t.Helper()
	states := map[string]ledger.State{}
	for e, err := range w.worker().Recover(w.ctx) {
		if err != nil && !isUnderWay(err) {
			w.t.Errorf("Recover: %v, %v", e, err)
		}
		states[e.ID] = e.State
	}
	return states
}

// A prepared entry that waits in a queue is left to the queue until its time.
func TestRecoverLeavesAPreparedEntryUntilItsTime(t *testing.T) {
	inWorld(t, func(w *world) {
		e, err := w.worker().Prepare("", request)
		if err != nil {
			t.Fatal(err)
		}
		e.Until = time.Now().Add(24 * time.Hour)
		if err := w.store.Put(w.ctx, e); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		w.recover()
		w.want(e.ID, ledger.StatePrepared, 0)
		time.Sleep(skew + 1)
		w.recover()
		w.want(e.ID, ledger.StateCreated, 397)
	})
}

// 400 lost creates take one listing, and each gets the call of its own.
func TestRecoverSettlesWithOneListing(t *testing.T) {
	const lost = 400
	inWorld(t, func(w *world) {
		for i := range lost {
			id := fmt.Sprint("entry ", i)
			w.lost(id, callstest.HangUpAfterCreate)
			time.Sleep(2*skew + time.Second) // so far apart that nobody contests an earlier one
		}
		time.Sleep(lag)
		before := len(w.server.Requests())
		for id, state := range w.recover() {
			if state != ledger.StateCreated {
				t.Errorf("%s is %s", id, w.get(id))
			}
		}
		for i := range lost {
			w.want(fmt.Sprint("entry ", i), ledger.StateCreated, int64(397+i))
		}
		pages := len(w.server.Requests()) - before
		t.Logf("%d lost creates were settled with %d pages of one listing", lost, pages)
		if pages > lost/100+1 {
			t.Errorf("%d pages, want one listing", pages)
		}
	})
}

func TestRecoverEndsWithItsContextAndItsReader(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 3 {
			w.put(fmt.Sprint("entry ", i))
		}
		time.Sleep(time.Hour)
		for range w.worker().Recover(w.ctx) {
			break
		}
		w.wantCalls(1)
		ctx, cancel := context.WithCancel(w.ctx)
		defer cancel()
		for range w.worker().Recover(ctx) {
			cancel()
		}
		w.wantCalls(2)
		var errs []error
		for e, err := range w.worker().Recover(ctx) {
			if e.ID != "" {
				t.Errorf("%v", e)
			}
			errs = append(errs, err)
		}
		if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
			t.Errorf("errors are %v, want one of the context", errs)
		}
	})
}

func TestAListingThatFailsConcludesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterCreate)
		w.lost("b", callstest.HangUpAfterRead)
		time.Sleep(skew + lag)
		w.server.Fail(callstest.Status(500))
		if e, err := w.worker().Advance(w.ctx, "a"); err == nil || isUnderWay(err) || e.ID != "a" {
			t.Errorf("%v, %v, want the entry and the error of the listing", e, err)
		}
		w.want("a", ledger.StateInDoubt, 0)
		w.server.Fail(callstest.Status(500))
		for e, err := range w.worker().Recover(w.ctx) {
			if e.ID != "" || err == nil {
				t.Errorf("%v, %v, want the error of the listing", e, err)
			}
		}
		w.want("b", ledger.StateInDoubt, 0)
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
			t.Errorf("%v, want its cause to be found", wrapped)
		}
		if errors.Is(&ledger.ErrUnderWay{Wait: 1}, calls.ErrRateLimited) || (&ledger.ErrUnderWay{}).Error() == "" {
			t.Error("an ErrUnderWay without a cause has one")
		}
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
