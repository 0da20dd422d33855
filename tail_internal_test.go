package calls

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestATailForgetsOldChanges catches up with a day of changes.
func TestATailForgetsOldChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := newTail(&Client{now: time.Now}, time.Now().Add(-24*time.Hour), maxPerPage, defaultTailLag)
		tail.begin()
		most := 0
		for n := range int64(100_000) { // a change every 800 ms
			updated := time.Now().Add(-24*time.Hour + time.Duration(n)*800*time.Millisecond)
			tail.walk.from = updated
			tail.forget(updated)
			if !tail.isNew(&Call{ID: n + 1, UpdatedAt: &updated}) {
				t.Fatalf("change %d is not new", n)
			}
			most = max(most, len(tail.seen))
		}
		if most > 100 {
			t.Errorf("%d changes were remembered", most)
		}
	})
}

func TestIsTransient(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"a validation": {invalid("per", "is negative", nil), false},
		"no Client":    {errNotMade, false},
		"no array":     {&OpError{Causes: []error{ErrUndecodable, errors.New("no array")}}, false},
	} {
		if got := isTransient(tt.err); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
