package ledger_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// sending leaves an entry behind whose worker was killed while it waited for the
// response.
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
			t.Fatalf("%v, %v, want to come back at %v", e, err, until.Add(skew))
		}
		time.Sleep(wait.Wait - time.Nanosecond)
		_, _ = w.worker().Advance(w.ctx, "a")
		w.want("a", ledger.StateSending, 0)
		time.Sleep(time.Nanosecond)
		if _, err = w.worker().Advance(w.ctx, "a"); !errors.As(err, &wait) || wait.Wait != lag {
			t.Errorf("error is %v, want to come back in %v", err, lag)
		}
		w.want("a", ledger.StateInDoubt, 0)
	})
}

// no-cas: between the doubter's Get and its write the response closes the entry.
func TestRule4ADoubtIsACompareAndSwap(t *testing.T) {
	inWorld(t, func(w *world) {
		w.sending("b")
		time.Sleep(permit + skew)
		doubter := &steps{Store: w.store}
		doubter.before = once("Replace in doubt", func() {
			e := w.get("b")
			e.State, e.CallID, e.Request = ledger.StateCreated, 397, nil
			if err := w.store.Replace(w.ctx, e); err != nil {
				t.Error(err)
			}
		})
		e, err := w.keeper(doubter, w.server.InProcess()).Advance(w.ctx, "b")
		if err != nil || e.State != ledger.StateCreated {
			t.Errorf("%v, %v, want the entry that the response closed", e, err)
		}
		w.want("b", ledger.StateCreated, 397)
	})
}

func TestRule5TheListingThatConcludesStartsAfterSkewAndLag(t *testing.T) {
	// lag-from-sent-after: the response is lost late, and the listing lags.
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
			t.Fatalf("%v, %v, want to come back in %v", e, err, skew+lag)
		}
		if !e.Intent.SentBefore.Equal(time.Now()) || !e.Until.Equal(time.Now()) {
			t.Errorf("the attempt ended at %v, until %v, want now", e.Intent.SentBefore, e.Until)
		}
		posted := len(w.server.Requests())
		time.Sleep(wait.Wait - time.Nanosecond)
		if _, err := keeper.Advance(w.ctx, "a"); !isUnderWay(err) {
			t.Errorf("a moment too early: %v", err)
		}
		if n := len(w.server.Requests()) - posted; n != 0 {
			t.Errorf("%d listings before the time, want none", n)
		}
		time.Sleep(time.Nanosecond)
		if _, err := keeper.Advance(w.ctx, "a"); err != nil {
			t.Error(err)
		}
		w.want("a", ledger.StateCreated, 397)
	}, callstest.WithListingLag(func(int64) time.Duration { return 25*time.Second + skew + lag }))
}

func TestRule6TheOrderOfReading(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterCreate)
		time.Sleep(skew + lag)
		var order []string
		store := &steps{Store: w.store, before: func(step string) { order = append(order, step) }}
		listing := roundTrip(func(r *http.Request) (*http.Response, error) {
			order = append(order, r.Method)
			return w.server.InProcess().RoundTrip(r)
		})
		if _, err := w.keeper(store, listing).Advance(w.ctx, "a"); err != nil {
			t.Fatal(err)
		}
		want := []string{"Get", "GET", "Doubts", "Claimed", "Replace created"}
		if !slices.Equal(order, want) {
			t.Errorf("the order is %q, want %q", order, want)
		}
	})
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterCreate)
		time.Sleep(skew + lag)
		var order []string
		store := &steps{Store: w.store, before: func(step string) { order = append(order, step) }}
		listing := roundTrip(func(r *http.Request) (*http.Response, error) {
			order = append(order, r.Method)
			return w.server.InProcess().RoundTrip(r)
		})
		for e, err := range w.keeper(store, listing).Recover(w.ctx) {
			if err != nil {
				t.Fatal(e, err)
			}
		}
		want := []string{"Open", "GET", "Doubts", "Claimed", "Replace created"}
		if !slices.Equal(order, want) {
			t.Errorf("the order of Recover is %q, want %q", order, want)
		}
	})
}

// order-LOD: the rival gets its response between the two readings of the ledger.
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
					// b's call is listed, and b has its response in hand.
					settler.before = once(step, func() {
						e := w.get("b")
						e.State, e.CallID, e.Request = ledger.StateCreated, 397, nil
						if err := w.store.Replace(w.ctx, e); err != nil {
							t.Error(err)
						}
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

// Rule 7: who counts as a doubt. The create "a" may own the call 397, and "b", whose
// own call was not made, must not take it.
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
		"made, by a person's word": {make: func(w *world) {
			w.lost("a", callstest.HangUpAfterRead)
			w.settle("a")
			w.decide("a", true, 0)
			w.server.AddCall(callstest.Call{Type: "Voice Outbound (API)"})
		}, state: ledger.StateCreated},
		// late-not-made-forgotten
		"not made, by a person's word": {make: func(w *world) {
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
					t.Errorf("b took a call that can be that of a: %v", e)
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

// The same where Recover settles it together with an entry that is older.
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

// uncontested: two lost responses, one call.
func TestRule8AContestedCallIsNobodys(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterRead)
		w.lost("b", callstest.HangUpAfterCreate)
		w.settle("a")
		w.settle("b")
		w.want("a", ledger.StateForPerson, 0)
		w.want("b", ledger.StateForPerson, 0)
		// One of the two is resolved: then the other one can be.
		w.decide("a", true, 555)
		e := w.get("b")
		if _, err := w.worker().LookAgain(w.ctx, "b", e.Version); err != nil {
			t.Error(err)
		}
		w.want("b", ledger.StateCreated, 397)
	})
}

// late-same-bound: a proxy delivers a's request after the Skew. Its call is out of
// a's window and in b's.
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
		"a moment too early": {-skew - time.Millisecond, 0},
		"within the skew":    {-skew, 397},
		"after the end":      {skew, 397},
		"a moment too late":  {skew + time.Millisecond, 0},
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

// conclusion-over-newer: while the settler looks, a proof of "not sent" puts the
// entry back; it is sent again and lost again.
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
			t.Errorf("%v, %v, want the second attempt under way", e, err)
		}
		w.want("a", ledger.StateInDoubt, 0)
		w.settle("a")
		w.want("a", ledger.StateCreated, 397)
	})
}

// The same for a conclusion that found a call.
func TestRule9AFoundCallIsForTheVersionThatWasRead(t *testing.T) {
	inWorld(t, func(w *world) {
		w.lost("a", callstest.HangUpAfterCreate)
		time.Sleep(skew + lag)
		settler := &steps{Store: w.store}
		settler.before = once("Replace created", func() {
			e := w.get("a")
			e.State = ledger.StateForPerson // another settler, with another look
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

func TestRule12ACallHasOneEntry(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a")
		w.settle("a")
		w.lost("b", callstest.HangUpAfterRead)
		w.settle("b")
		e := w.get("b")
		if _, err := w.worker().Decide(w.ctx, "b", e.Version, true, 397); !errors.Is(err, ledger.ErrClaimed) {
			t.Errorf("error is %v, want ErrClaimed", err)
		}
		w.want("b", ledger.StateForPerson, 0)
	})
}

// A person gave a's call to b. Then a's response arrives.
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
			t.Errorf("error is %v, want ErrBusy", err)
		}
		w.settle("a")
		if err := w.store.Put(w.ctx, next); !errors.Is(err, ledger.ErrBusy) {
			t.Errorf("while a is for a person the error is %v, want ErrBusy", err)
		}
		w.decide("a", false, 0)
		if err := w.store.Put(w.ctx, next); err != nil {
			t.Error(err)
		}
	})
}

// The claim of a closed entry is kept while an open one is older.
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

// decide-without-version: a person finds that nothing was made. Meanwhile it was
// sent again and made.
func TestRule13APersonsWordIsForTheVersionThatWasSeen(t *testing.T) {
	words := map[string]func(k *ledger.Keeper, w *world, version int64) (ledger.Entry, error){
		"Decide": func(k *ledger.Keeper, w *world, version int64) (ledger.Entry, error) {
			return k.Decide(w.ctx, "a", version, false, 0)
		},
		"LookAgain": func(k *ledger.Keeper, w *world, version int64) (ledger.Entry, error) {
			return k.LookAgain(w.ctx, "a", version)
		},
	}
	for name, say := range words {
		for _, when := range []string{"before the word", "between Get and Replace"} {
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
					if when == "before the word" {
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
						t.Errorf("error is %v, want ErrStale", err)
					}
					if now := w.get("a"); e.Version != now.Version || now.State != ledger.StateForPerson {
						t.Errorf("%v, want the entry as it is now, %v", e, now)
					}
				})
			})
		}
	}
}

func TestRule13OnlyWhatIsForAPersonIsDecided(t *testing.T) {
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
			t.Error("a closed entry was looked for again")
		}
		w.want("a", ledger.StateCreated, 397)
	})
}
