package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// sending stores an entry whose worker was killed while it waited for the response.
func (w *world) sending(id string) {
	w.t.Helper()
	w.put(id)
	killed := roundTrip(func(r *http.Request) (*http.Response, error) {
		_, _ = io.ReadAll(r.Body)
		return nil, errKilled
	})
	store := &steps{Store: w.store}
	store.fail = func(step string) error {
		if step == "Replace in doubt" {
			return ledger.ErrNotFound
		}
		return nil
	}
	_, _ = w.keeper(store, killed).Advance(w.ctx, id)
	w.want(id, ledger.StateSending, 0)
}

var errKilled = errors.New("killed")

func TestRule4OthersDoubtAfterThePermitAndTheSkew(t *testing.T) {
	inWorld(t, func(w *world) {
		w.sending("a")
		until := w.get("a").Until
		e, err := w.worker().Advance(w.ctx, "a")
		var wait *ledger.ErrUnderWay
		if !errors.As(err, &wait) || wait.Wait != time.Until(until.Add(skew)) || e.State != ledger.StateSending {
			t.Fatalf("%v, %v, want ErrUnderWay until %v", e, err, until.Add(skew))
		}
		time.Sleep(wait.Wait - time.Nanosecond)
		_, _ = w.worker().Advance(w.ctx, "a")
		w.want("a", ledger.StateSending, 0)
		time.Sleep(time.Nanosecond)
		if _, err = w.worker().Advance(w.ctx, "a"); !errors.As(err, &wait) || wait.Wait != lag {
			t.Errorf("error %v, want ErrUnderWay for %v", err, lag)
		}
		w.want("a", ledger.StateInDoubt, 0)
	})
}

// TestRule4ADoubtIsACompareAndSwap is no-cas of the model: the response closes the entry between Get
// and Replace of a process that doubts it.
func TestRule4ADoubtIsACompareAndSwap(t *testing.T) {
	inWorld(t, func(w *world) {
		w.sending("b")
		time.Sleep(permit + skew)
		doubter := &steps{Store: w.store}
		doubter.before = once("Replace in doubt", func() {
			w.close("b", 397)
		})
		e, err := w.keeper(doubter, w.server.InProcess()).Advance(w.ctx, "b")
		if err != nil || e.State != ledger.StateCreated {
			t.Errorf("%v, %v, want the entry that the response closed", e, err)
		}
		w.want("b", ledger.StateCreated, 397)
	})
}

func TestRule5TheListingThatConcludesStartsAfterSkewAndLag(t *testing.T) {
	// lag-from-sent-after: the response is lost after a long time, and the listing lags.
	slow := func(server *callstest.Server) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			response, err := server.InProcess().RoundTrip(r)
			if r.Method == http.MethodPost {
				time.Sleep(25 * time.Second)
			}
			return response, err
		})
	}
	inWorld(t, func(w *world) {
		w.put("a")
		w.server.Fail(callstest.HangUpAfterCreate)
		keeper := w.keeper(w.store, slow(w.server))
		e, err := keeper.Advance(w.ctx, "a")
		var wait *ledger.ErrUnderWay
		if !errors.As(err, &wait) || wait.Wait != skew+lag {
			t.Fatalf("%v, %v, want ErrUnderWay for %v", e, err, skew+lag)
		}
		if !e.Intent.SentBefore.Equal(time.Now()) || !e.Until.Equal(time.Now()) {
			t.Errorf("the attempt ended at %v, until %v, want now", e.Intent.SentBefore, e.Until)
		}
		posted := len(w.server.Requests())
		time.Sleep(wait.Wait - time.Nanosecond)
		if _, err := keeper.Advance(w.ctx, "a"); !isUnderWay(err) {
			t.Errorf("before that time: %v", err)
		}
		if n := len(w.server.Requests()) - posted; n != 0 {
			t.Errorf("%d listings before that time, want none", n)
		}
		time.Sleep(time.Nanosecond)
		if _, err := keeper.Advance(w.ctx, "a"); err != nil {
			t.Error(err)
		}
		w.want("a", ledger.StateCreated, 397)
	}, callstest.WithListingLag(func(int64) time.Duration { return 25*time.Second + skew + lag }))
}

func TestRule6TheOrderOfReading(t *testing.T) {
	for first, settle := range map[string]func(w *world, k *ledger.Keeper) error{
		"Get": func(w *world, k *ledger.Keeper) error {
			_, err := k.Advance(w.ctx, "a")
			return err
		},
		"Open": func(w *world, k *ledger.Keeper) error {
			for _, err := range k.Recover(w.ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		},
	} {
		inWorld(t, func(w *world) {
			w.lost("a", callstest.HangUpAfterCreate)
			time.Sleep(skew + lag)
			var order []string
			store := &steps{Store: w.store, before: func(step string) { order = append(order, step) }}
			listing := roundTrip(func(r *http.Request) (*http.Response, error) {
				order = append(order, r.Method)
				return w.server.InProcess().RoundTrip(r)
			})
			if err := settle(w, w.keeper(store, listing)); err != nil {
				t.Fatal(err)
			}
			want := []string{first, "GET", "Doubts", "Claimed", "Replace created"}
			if !slices.Equal(order, want) {
				t.Errorf("the order is %q, want %q", order, want)
			}
		})
	}
}

// TestRule6ARivalThatClosesMeanwhile is order-LOD of the model: the rival gets its response between the
// two reads of the store.
func TestRule6ARivalThatClosesMeanwhile(t *testing.T) {
	for _, step := range []string{"Doubts", "Claimed"} {
		t.Run("before "+step, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.lost("a", callstest.HangUpAfterRead) // never made
				w.put("b")
				rival := &steps{Store: w.store}
				settler := &steps{Store: w.store}
				rival.before = once("Replace created", func() {
					time.Sleep(skew + lag)
					// b's call is listed, and b's response has arrived.
					settler.before = once(step, func() {
						w.close("b", 397)
					})
					e, err := w.keeper(settler, w.server.InProcess()).Advance(w.ctx, "a")
					if err != nil || e.State != ledger.StateForPerson {
						t.Errorf("a: %v, %v, want it for a person", e, err)
					}
				})
				if _, err := w.keeper(rival, w.server.InProcess()).Advance(w.ctx, "b"); err != nil {
					t.Error(err)
				}
				w.want("b", ledger.StateCreated, 397)
				w.want("a", ledger.StateForPerson, 0)
			})
		})
	}
}

// TestRule7WhoCountsAsADoubt has an entry "a" that may own call 397. "b", whose call was
// not made, must not get it.
func TestRule7WhoCountsAsADoubt(t *testing.T) {
	tests := map[string]struct {
		agent string
		make  func(w *world)
		state ledger.State
	}{
		"sending": {make: func(w *world) {
			w.sending("a")
			w.server.AddCall(callstest.Call{Type: "Voice Outbound (API)"})
		}, state: ledger.StateSending},
		"in doubt": {make: func(w *world) {
			w.lost("a", callstest.HangUpAfterCreate)
		}, state: ledger.StateInDoubt},
		"for a person": {make: func(w *world) {
			w.lost("a", callstest.HangUpAfterRead)
			w.settle("a")
			w.server.AddCall(callstest.Call{Type: "Voice Outbound (API)"})
		}, state: ledger.StateForPerson},
		// awaits-agent-not-rival
		"awaits agent": {make: func(w *world) {
			w.putFor("a", "chooser@example.com")
			if _, err := w.worker().Advance(w.ctx, "a"); err != nil {
				w.t.Error(err)
			}
			w.server.Place()
		}, state: ledger.StateAwaitsAgent},
		// made-without-id-not-rival
		"made, as a person decided": {make: func(w *world) {
			w.lost("a", callstest.HangUpAfterRead)
			w.settle("a")
			w.decide("a", true, 0)
			w.server.AddCall(callstest.Call{Type: "Voice Outbound (API)"})
		}, state: ledger.StateCreated},
		// late-not-made-forgotten
		"not made, as a person decided": {make: func(w *world) {
			w.lost("a", callstest.HangUpAfterRead)
			w.settle("a")
			w.decide("a", false, 0)
			w.server.AddCall(callstest.Call{Type: "Voice Outbound (API)"})
		}, state: ledger.StateNotMade},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				test.make(w)
				w.want("a", test.state, 0)
				w.lost("b", callstest.HangUpAfterRead)
				time.Sleep(skew + lag)
				e, err := w.worker().Advance(w.ctx, "b")
				if isSending := test.state == ledger.StateSending; isSending != isUnderWay(err) {
					t.Errorf("b: %v, %v", e, err)
				}
				if e.CallID != 0 || e.State == ledger.StateCreated {
					t.Errorf("b got a call that may be a's: %v", e)
				}
			})
		})
	}
}

func TestRule7ARivalThatIsKnownContestsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a") // created, with its id
		w.settle("a")
		w.putFor("c", "busy@example.com") // rejected
		w.settle("c")
		w.put("d") // prepared
		w.lost("b", callstest.HangUpAfterCreate)
		w.settle("b")
		w.want("b", ledger.StateCreated, 398)
	})
}

func TestRule7AClosedDoubtMattersForADay(t *testing.T) {
	inWorld(t, func(w *world) {
		w.putFor("a", "chooser@example.com")
		w.settle("a")
		time.Sleep(23 * time.Hour)
		w.lost("b", callstest.HangUpAfterCreate)
		w.settle("b")
		w.want("b", ledger.StateForPerson, 0)
		w.decide("b", true, 397)
		time.Sleep(3 * time.Hour)
		w.lost("c", callstest.HangUpAfterCreate)
		w.settle("c")
		w.want("c", ledger.StateCreated, 398)
	})
}

// TestRule7AClosedDoubtMattersForADayInRecover settles it together with an older entry.
func TestRule7AClosedDoubtMattersForADayInRecover(t *testing.T) {
	inWorld(t, func(w *world) {
		e, err := w.worker().Prepare("", calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.store.Put(w.ctx, e); err != nil {
			t.Fatal(err)
		}
		w.server.Fail(callstest.HangUpAfterCreate)
		_, _ = w.worker().Advance(w.ctx, e.ID)
		time.Sleep(time.Hour)
		w.putFor("awaits agent", "chooser@example.com")
		w.settle("awaits agent")
		time.Sleep(30 * time.Hour)
		w.lost("b", callstest.HangUpAfterCreate)
		time.Sleep(skew + lag)
		w.recover()
		w.want(e.ID, ledger.StateCreated, 397)
		w.want("b", ledger.StateCreated, 398)
	})
}

// TestRule8AContestedCallIsNotGiven is uncontested of the model: two lost responses and one call.
func TestRule8AContestedCallIsNotGiven(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterRead)
		w.lost("b", callstest.HangUpAfterCreate)
		w.settle("a")
		w.settle("b")
		w.want("a", ledger.StateForPerson, 0)
		w.want("b", ledger.StateForPerson, 0)
		// Once one of the two is resolved, the other can be settled.
		w.decide("a", true, 555)
		e := w.get("b")
		if _, err := w.worker().LookAgain(w.ctx, "b", e.Version); err != nil {
			t.Error(err)
		}
		w.want("b", ledger.StateCreated, 397)
	})
}

// TestRule8ADoubtContestsWithoutAnUpperBound is late-same-bound of the model: a proxy delivers a's
// request after the skew, so that its call is outside a's window and inside b's.
func TestRule8ADoubtContestsWithoutAnUpperBound(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterRead)
		w.settle("a")
		time.Sleep(time.Hour)
		w.lost("b", callstest.HangUpAfterRead)
		w.server.AddCall(callstest.Call{Type: "Voice Outbound (API)"}) // a's
		w.settle("b")
		w.want("b", ledger.StateForPerson, 0)
	})
}

func TestRule8ACandidateLiesInItsOwnWindow(t *testing.T) {
	tests := map[string]struct {
		made time.Duration // after the attempt began and ended
		call int64
	}{
		"before the skew": {-skew - time.Millisecond, 0},
		"within the skew": {-skew, 397},
		"after the end":   {skew, 397},
		"after the skew":  {skew + time.Millisecond, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				time.Sleep(time.Minute)
				w.server.AddCall(callstest.Call{Type: "Voice Outbound (API)", CreatedAt: time.Now().Add(test.made)})
				w.lost("a", callstest.HangUpAfterRead)
				if e := w.settle("a"); e.CallID != test.call {
					t.Errorf("%v, want call %d", e, test.call)
				}
			})
		})
	}
}

// TestRule9AConclusionIsForTheVersionThatWasRead is conclusion-over-newer of the model: a proof of "not
// sent" resets the entry during the listing. It is sent and lost a second time.
func TestRule9AConclusionIsForTheVersionThatWasRead(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterRead)
		time.Sleep(skew + lag)
		settler := &steps{Store: w.store}
		settler.before = once("Replace for a person", func() {
			e := w.get("a") // the proof
			e.State, e.Intent.Attempt = ledger.StatePrepared, ""
			if err := w.store.Replace(w.ctx, e); err != nil {
				t.Error(err)
			}
			w.server.Fail(callstest.HangUpAfterCreate)
			if _, err := w.worker().Advance(w.ctx, "a"); !isUnderWay(err) {
				t.Error(err)
			}
		})
		e, err := w.keeper(settler, w.server.InProcess()).Advance(w.ctx, "a")
		if !isUnderWay(err) || e.Tries != 2 {
			t.Errorf("%v, %v, want ErrUnderWay of the second attempt", e, err)
		}
		w.want("a", ledger.StateInDoubt, 0)
		w.settle("a")
		w.want("a", ledger.StateCreated, 397)
	})
}

// TestRule9AFoundCallIsForTheVersionThatWasRead has a conclusion that found a call.
func TestRule9AFoundCallIsForTheVersionThatWasRead(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterCreate)
		time.Sleep(skew + lag)
		settler := &steps{Store: w.store}
		settler.before = once("Replace created", func() {
			e := w.get("a")
			e.State = ledger.StateForPerson // by another settler with another listing
			if err := w.store.Replace(w.ctx, e); err != nil {
				t.Error(err)
			}
			w.decide("a", false, 0)
		})
		if e, err := w.keeper(settler, w.server.InProcess()).Advance(w.ctx, "a"); err != nil || e.State != ledger.StateNotMade {
			t.Errorf("%v, %v, want what the person decided", e, err)
		}
		w.want("a", ledger.StateNotMade, 0)
	})
}

func TestRecoverContinuesEntriesOfOthers(t *testing.T) {
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
			t.Errorf("Recover yields %v, which others advance", got)
		}
		time.Sleep(permit + skew + time.Second)
		// The permit and the skew of one entry have ended, and another entry is due.
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
			t.Errorf("Recover yields %v when all are closed", got)
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

// TestRecoverLeavesAPreparedEntryUntilItsTime has an entry that waits in a queue.
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

// TestRecoverSettlesWithOneListing has 400 lost creates, each with its own call.
func TestRecoverSettlesWithOneListing(t *testing.T) {
	const lost = 400
	inWorld(t, func(w *world) {
		for i := range lost {
			id := fmt.Sprint("entry ", i)
			w.lost(id, callstest.HangUpAfterCreate)
			time.Sleep(2*skew + time.Second) // so far apart that no entry contests an earlier one
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
