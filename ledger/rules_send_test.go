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
				t.Errorf("when the request leaves the entry is %v", e)
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

// mark-by-tries: B's mark looks like the one that A cannot be sure of, but for the
// id of its attempt.
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
			return errUnsure // A's own mark was not stored
		}
		if _, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a"); !errors.Is(err, errUnsure) {
			t.Errorf("A: %v, want %v", err, errUnsure)
		}
		w.want("a", ledger.StateInDoubt, 0)
		w.settle("a")
		w.wantCalls(1)
	})
}

func TestRule2AStaleMarkIsNobodys(t *testing.T) {
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
			t.Errorf("A: %v, %v, want B's entry and that it is under way", e, err)
		}
		if want := []string{"Get", "Replace sending", "Get"}; !slices.Equal(order, want) {
			t.Errorf("A's steps are %q, want %q", order, want)
		}
		w.wantCalls(1)
	})
}

func TestRule2AMarkOfWhichNobodyKnowsIsUndone(t *testing.T) {
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
					t.Errorf("error is %v, want %v", err, errUnsure)
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

// no-fence: the worker stops between its mark and the first byte. What it sends when
// it wakes up does not leave, and that is a proof.
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

// othersGiveUp makes others do all that they can do in the time that a worker is stopped:
// the entry is doubted, settled and left to a person.
func (w *world) othersGiveUp(id string) {
	time.Sleep(permit + skew + lag + time.Second)
	if e := w.settle(id); e.State != ledger.StateForPerson {
		w.t.Errorf("others made %v of it, want it for a person", e)
	}
}

func TestRule10AResponseWinsOverWhatOthersMadeOfTheSilence(t *testing.T) {
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
				// The response is read; then the worker stops.
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

// decide is a person who decides at once on what the entry is now.
func (w *world) decide(id string, made bool, callID int64) {
	w.t.Helper()
	if _, err := w.worker().Decide(w.ctx, id, w.get(id).Version, made, callID); err != nil {
		w.t.Errorf("Decide: %v", err)
	}
}

func TestRule10AResponseOfAnotherAttemptClosesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		// A's 429 comes late: meanwhile it was put back and is sent again by B. A's
		// first attempt has no say in the second one.
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
			t.Errorf("%v, %v, want that the other attempt is under way", e, err)
		}
		w.want("a", ledger.StateSending, 0)
	})
}

func TestRule10AnUnsureRecordIsWrittenAgain(t *testing.T) {
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
					n := map[string]int{"Get": 2, "Replace prepared": 1}[step] // the first Get is that of Advance
					store.before = nth(n, step, func() { others(w) })
					_, err := w.keeper(store, w.server.InProcess()).Advance(w.ctx, "a")
					if !isUnderWay(err) {
						t.Errorf("error is %v, want that it is under way", err)
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

// retract-blind: a person closes the entry between Get and Replace.
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
