package callstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/ccaip-go/calls/ledger"
)

const (
	racers       = 16
	rounds       = 10 // of a race, since a single one can succeed by chance
	updatesEach  = 20
	doubtChanges = 200
)

// handles returns a handle for each racer, all of them on the same entries.
func handles(t *testing.T, open openStore) []ledger.Store {
	t.Helper()
	stores := []ledger.Store{open(t)}
	mustPut(t, stores[0], storeEntry("probe", ledger.StateRejected))
	second := open(t)
	if _, err := second.Get(t.Context(), "probe"); err != nil {
		return slices.Repeat(stores, racers)
	}
	stores = append(stores, second)
	for len(stores) < racers {
		stores = append(stores, open(t))
	}
	return stores
}

// race runs do on every handle at the same time, and returns the errors.
func race(stores []ledger.Store, do func(i int, store ledger.Store) error) []error {
	errs := make([]error, len(stores))
	start := make(chan struct{})
	var all sync.WaitGroup
	for i, store := range stores {
		all.Go(func() {
			<-start
			errs[i] = do(i, store)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// wantOneWinner returns the index of the only nil error. All others must be want.
func wantOneWinner(t *testing.T, errs []error, want error) int {
	t.Helper()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("racers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		default:
			wantError(t, "a loser", err, want)
		}
	}
	if winner < 0 {
		t.Fatal("no racer won")
	}
	return winner
}

func raceForID(t *testing.T, open openStore) {
	stores := handles(t, open)
	for round := range rounds {
		id := fmt.Sprint("round ", round)
		winner := wantOneWinner(t, race(stores, func(i int, store ledger.Store) error {
			e := storeEntry(id, ledger.StatePrepared)
			e.Subject = fmt.Sprint(id, i)
			return store.Put(t.Context(), e)
		}), ledger.ErrExists)
		if e := mustGet(t, stores[0], id); e.Subject != fmt.Sprint(id, winner) || e.Version != 1 {
			t.Errorf("racer %d won, and the store has version %d of %s", winner, e.Version, e.Subject)
		}
	}
}

func raceForSubject(t *testing.T, open openStore) {
	stores := handles(t, open)
	for round := range rounds {
		subject := fmt.Sprint("round ", round)
		wantOneWinner(t, race(stores, func(i int, store ledger.Store) error {
			e := storeEntry(fmt.Sprint(subject, ", ", i), ledger.StatePrepared)
			e.Subject = subject
			return store.Put(t.Context(), e)
		}), ledger.ErrBusy)
	}
}

func raceForVersion(t *testing.T, open openStore) {
	stores := handles(t, open)
	e := storeEntry("a", ledger.StateSending)
	mustPut(t, stores[0], e)
	for round := range rounds {
		winner := wantOneWinner(t, race(stores, func(i int, store ledger.Store) error {
			next := storeEntry("a", ledger.StateSending)
			next.Version, next.Tries = int64(round+1), i
			return store.Replace(t.Context(), next)
		}), ledger.ErrStale)
		if e := mustGet(t, stores[0], "a"); e.Tries != winner || e.Version != int64(round+2) {
			t.Errorf("racer %d won, and the store has version %d of %d", winner, e.Version, e.Tries)
		}
	}
}

func raceForCall(t *testing.T, open openStore) {
	stores := handles(t, open)
	for round := range rounds {
		name := func(i int) string { return fmt.Sprint("round ", round, ", ", i) }
		for i := range stores {
			mustPut(t, stores[0], storeEntry(name(i), ledger.StateInDoubt))
		}
		call := int64(round + 1)
		winner := wantOneWinner(t, race(stores, func(i int, store ledger.Store) error {
			e := storeEntry(name(i), ledger.StateCreated)
			e.CallID = call
			return store.Replace(t.Context(), e)
		}), ledger.ErrClaimed)
		owners, err := stores[0].Claimed(t.Context(), storeTenant, []int64{call})
		if err != nil || owners[call] != name(winner) {
			t.Errorf("racer %d won, and the owner is %q, %v", winner, owners[call], err)
		}
	}
}

func raceOfUpdates(t *testing.T, open openStore) {
	stores := handles(t, open)
	mustPut(t, stores[0], storeEntry("a", ledger.StateSending))
	for _, err := range race(stores, func(_ int, store ledger.Store) error {
		for range updatesEach {
			if err := addTry(t.Context(), store); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	e := mustGet(t, stores[0], "a")
	if want := racers * updatesEach; e.Tries != want || e.Version != int64(want)+1 {
		t.Errorf("after %d updates the entry is %v", want, e)
	}
}

// addTry increments Tries of the entry "a". It retries while the entry is stale.
func addTry(ctx context.Context, store ledger.Store) error {
	for {
		e, err := store.Get(ctx, "a")
		if err != nil {
			return err
		}
		e.Tries++
		if err = store.Replace(ctx, e); !errors.Is(err, ledger.ErrStale) {
			return err
		}
	}
}

// raceOfDoubts moves an entry between the states that Doubts lists. A store that reads each
// state with a statement of its own would skip the entry or return it twice.
func raceOfDoubts(t *testing.T, open openStore) {
	stores := handles(t, open)
	mustPut(t, stores[0], storeEntry("a", ledger.StateSending))
	states := []ledger.State{ledger.StateInDoubt, ledger.StateForPerson, ledger.StateNotMade, ledger.StateSending}
	done := make(chan struct{})
	for _, err := range race(stores, func(i int, store ledger.Store) error {
		if i == 0 {
			defer close(done)
			for n := range doubtChanges {
				e := storeEntry("a", states[n%len(states)])
				e.Version = int64(n + 1)
				if err := store.Replace(t.Context(), e); err != nil {
					return err
				}
			}
			return nil
		}
		for {
			doubts, err := store.Doubts(t.Context(), storeTenant, storeTime)
			if err != nil {
				return err
			}
			if len(doubts) != 1 {
				return fmt.Errorf("%d entries returned by Doubts, want the one that is a doubt all the time", len(doubts))
			}
			select {
			case <-done:
				return nil
			default:
			}
		}
	}) {
		if err != nil {
			t.Error(err)
		}
	}
}
