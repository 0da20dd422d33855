package ledger_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

var errUnsure = errors.New("the database does not respond")

func TestRule1TheMarkIsDurableBeforeTheFirstByte(t *testing.T) {
	inWorld(t, func(w *world) {
		prepared := w.put("a")
		platform := w.server.InProcess()
		watched := roundTrip(func(r *http.Request) (*http.Response, error) {
			e := w.get("a")
			if e.State != ledger.StateSending || e.Intent.Attempt == "" || e.Tries != 1 || e.Version != prepared.Version+1 {
				t.Errorf("the entry is %v when the request is sent", e)
			}
			if want := time.Now().Add(permit); !e.Until.Equal(want) || !e.Intent.SentBefore.Equal(want) {
				t.Errorf("the permit ends at %v and %v, want %v", e.Until, e.Intent.SentBefore, want)
			}
			return platform.RoundTrip(r)
		})
		e, err := w.keeper(w.store, watched).Advance(w.ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		w.want("a", ledger.StateCreated, 397)
		if e.Version != w.get("a").Version {
			t.Errorf("Advance returned version %d, stored is %d", e.Version, w.get("a").Version)
		}
	})
}

// TestRule1AMarkIsKnownByItsAttempt is mark-by-tries of the model: worker A gets an error from storing
// its mark, and worker B's mark differs from A's only by the id of its attempt.
func TestRule1AMarkIsKnownByItsAttempt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a")
		w.server.Fail(callstest.HangUpAfterCreate)
		store := &steps{Store: w.store}
		store.fail = func(step string) error {
			if step != "Replace sending" {
				return nil
			}
			store.fail = nil
			if _, err := w.worker().Advance(w.ctx, "a"); !isUnderWay(err) {
				t.Errorf("B: %v", err)
			}
			return errUnsure // A's mark was not stored
		}
		if _, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a"); !errors.Is(err, errUnsure) {
			t.Errorf("A: %v, want %v", err, errUnsure)
		}
		w.want("a", ledger.StateInDoubt, 0)
		w.settle("a")
		w.wantCalls(1)
	})
}

func TestRule2AStaleMarkIsNotSent(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("a")
		w.server.Fail(callstest.HangUpAfterCreate)
		var order []string
		store := &steps{Store: w.store}
		overtaken := once("Replace sending", func() {
			if _, err := w.worker().Advance(w.ctx, "a"); !isUnderWay(err) {
				t.Errorf("B: %v", err)
			}
		})
		store.before = func(step string) {
			overtaken(step)
			order = append(order, step)
		}
		e, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a")
		if !isUnderWay(err) || e.State != ledger.StateInDoubt {
			t.Errorf("A: %v, %v, want B's entry and ErrUnderWay", e, err)
		}
		if want := []string{"Get", "Replace sending", "Get"}; !slices.Equal(order, want) {
			t.Errorf("A's steps are %q, want %q", order, want)
		}
		w.wantCalls(1)
	})
}

func TestRule2AnUncertainMarkIsUndone(t *testing.T) {
	tests := map[string]struct{ isStored bool }{
		"stored":     {true},
		"not stored": {false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put("a")
				unsure := func(step string) error {
					if step == "Replace sending" {
						return errUnsure
					}
					return nil
				}
				store := &steps{Store: w.store, fail: unsure}
				if test.isStored {
					store.fail, store.failAfter = nil, unsure
				}
				if _, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a"); !errors.Is(err, errUnsure) {
					t.Errorf("error %v, want %v", err, errUnsure)
				}
				w.want("a", ledger.StatePrepared, 0)
				if e := w.get("a"); e.Intent.Attempt != "" || !e.Intent.SentAfter.IsZero() {
					t.Errorf("the mark remains in %+v", e.Intent.Attempt)
				}
				w.wantCalls(0)
				w.settle("a")
				w.want("a", ledger.StateCreated, 397)
			})
		})
	}
}

// TestRule3NoByteLeavesAfterThePermit is no-fence of the model: the worker is stopped between its mark
// and the first byte. After that its request is not sent, which proves that it was not.
func TestRule3NoByteLeavesAfterThePermit(t *testing.T) {
	tests := map[string]struct {
		others func(w *world)
		state  ledger.State
	}{
		"for a person": {func(w *world) { w.othersGiveUp("a") }, ledger.StatePrepared},
		"not made": {func(w *world) {
			w.othersGiveUp("a")
			w.decide("a", false, 0)
		}, ledger.StateNotMade},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put("a")
				platform := w.server.InProcess()
				stopped := roundTrip(func(r *http.Request) (*http.Response, error) {
					test.others(w)
					httptrace.ContextClientTrace(r.Context()).GetConn("platform") // as net/http does
					return platform.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
				})
				e, err := w.keeper(w.store, stopped).Advance(w.ctx, "a")
				if isOpen := test.state.IsOpen(); isOpen != isUnderWay(err) || !isOpen && err != nil {
					t.Errorf("%v, %v", e, err)
				}
				w.want("a", test.state, 0)
				w.wantCalls(0)
			})
		})
	}
}

// othersGiveUp settles an entry from another process while its worker is stopped. The
// entry ends up for a person.
func (w *world) othersGiveUp(id string) {
	time.Sleep(permit + skew + lag + time.Second)
	if e := w.settle(id); e.State != ledger.StateForPerson {
		w.t.Errorf("others left %v, want it for a person", e)
	}
}

func TestRule10AResponseWinsOverOtherConclusions(t *testing.T) {
	tests := map[string]struct {
		agent  string
		others func(w *world)
		state  ledger.State
		callID int64
	}{
		"created, others doubt": {"agent@example.com", func(w *world) {
			time.Sleep(permit + skew)
			if _, err := w.worker().Advance(w.ctx, "a"); !isUnderWay(err) {
				w.t.Error(err)
			}
		}, ledger.StateCreated, 397},
		"created, others found it": {"agent@example.com", func(w *world) {
			time.Sleep(permit + skew + lag)
			w.settle("a")
			w.want("a", ledger.StateCreated, 397)
		}, ledger.StateCreated, 397},
		"awaits agent, for a person": {"chooser@example.com", func(w *world) {
			w.othersGiveUp("a")
		}, ledger.StateAwaitsAgent, 0},
		"awaits agent, not made": {"chooser@example.com", func(w *world) {
			w.othersGiveUp("a")
			w.decide("a", false, 0)
		}, ledger.StateAwaitsAgent, 0},
		// awaits-agent-erases-id
		"awaits agent, the call is known": {"chooser@example.com", func(w *world) {
			w.othersGiveUp("a")
			w.decide("a", true, 555)
		}, ledger.StateCreated, 555},
		"rejected, not made": {"busy@example.com", func(w *world) {
			w.othersGiveUp("a")
			w.decide("a", false, 0)
		}, ledger.StateRejected, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.putFor("a", test.agent)
				// The worker is stopped after it has read the response.
				state := map[string]string{"agent@example.com": "created", "chooser@example.com": "awaits agent", "busy@example.com": "rejected"}[test.agent]
				store := &steps{Store: w.store}
				store.before = once("Replace "+state, func() { test.others(w) })
				e, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a")
				if err != nil || e.State != test.state || e.CallID != test.callID {
					t.Errorf("%v, %v, want %s with call %d", e, err, test.state, test.callID)
				}
				w.want("a", test.state, test.callID)
			})
		})
	}
}

// decide decides on the stored version of an entry, as a person would.
func (w *world) decide(id string, made bool, callID int64) {
	w.t.Helper()
	if _, err := w.worker().Decide(w.ctx, id, w.get(id).Version, made, callID); err != nil {
		w.t.Errorf("Decide: %v", err)
	}
}

func TestRule10AResponseOfAnotherAttemptClosesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		// A's 429 arrives late, when the entry was reset and is sent again by B. It must
		// not change B's attempt.
		w.put("a")
		store := &steps{Store: w.store}
		store.before = once("Replace created", func() {
			e := w.get("a")
			e.Intent.Attempt = "another attempt"
			if err := w.store.Replace(w.ctx, e); err != nil {
				t.Error(err)
			}
		})
		if e, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a"); !isUnderWay(err) {
			t.Errorf("%v, %v, want ErrUnderWay of the other attempt", e, err)
		}
		w.want("a", ledger.StateSending, 0)
	})
}

func TestRule10AnUncertainRecordIsWrittenAgain(t *testing.T) {
	for name, isStored := range map[string]bool{"stored": true, "not stored": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put("a")
				failures := 0
				unsure := func(step string) error {
					if step == "Replace created" && failures < 3 {
						failures++
						return errUnsure
					}
					return nil
				}
				store := &steps{Store: w.store, fail: unsure}
				if isStored {
					store.fail, store.failAfter = nil, unsure
				}
				if _, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a"); err != nil {
					t.Error(err)
				}
				w.want("a", ledger.StateCreated, 397)
			})
		})
	}
}

func TestRule11AProofOfNotSentWinsOverADoubt(t *testing.T) {
	tests := map[string]func(w *world){
		"sending": func(w *world) {},
		"in doubt": func(w *world) {
			time.Sleep(permit + skew)
			_, _ = w.worker().Advance(w.ctx, "a")
			w.want("a", ledger.StateInDoubt, 0)
		},
		"for a person": func(w *world) { w.othersGiveUp("a") },
	}
	for name, others := range tests {
		for _, step := range []string{"Get", "Replace prepared"} {
			t.Run(name+", before "+step, func(t *testing.T) {
				inWorld(t, func(w *world) {
					w.put("a")
					w.server.Fail(callstest.RateLimited("2"))
					store := &steps{Store: w.store}
					n := map[string]int{"Get": 2, "Replace prepared": 1}[step] // the first Get is of Advance
					store.before = nth(n, step, func() { others(w) })
					_, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a")
					if !isUnderWay(err) {
						t.Errorf("error %v, want ErrUnderWay", err)
					}
					w.want("a", ledger.StatePrepared, 0)
					w.settle("a")
					w.want("a", ledger.StateCreated, 397)
					w.wantCalls(1)
				})
			})
		}
	}
}

// TestRule11AProofOfNotSentOpensNoClosedEntry is retract-blind of the model: a person closes the entry
// between Get and Replace.
func TestRule11AProofOfNotSentOpensNoClosedEntry(t *testing.T) {
	for _, step := range []string{"Get", "Replace prepared"} {
		t.Run("before "+step, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put("a")
				w.server.Fail(callstest.RateLimited(""))
				store := &steps{Store: w.store}
				n := map[string]int{"Get": 2, "Replace prepared": 1}[step]
				store.before = nth(n, step, func() {
					w.othersGiveUp("a")
					w.decide("a", false, 0)
				})
				e, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a")
				if err != nil || e.State != ledger.StateNotMade {
					t.Errorf("%v, %v, want what the person decided", e, err)
				}
				w.want("a", ledger.StateNotMade, 0)
				w.wantCalls(0)
			})
		})
	}
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

// TestAResponseThatCannotBeRecorded has a store that fails for longer than the Keeper
// retries. The listing settles the entry.
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
			t.Errorf("%v, %v, want the stored entry and the error", e, err)
		}
		w.want("a", ledger.StateSending, 0)
		w.settle("a")
		w.want("a", ledger.StateCreated, 397)
	})
}
