package idset

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestAddTellsWhatIsNew(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var set Set
		seen := map[int64]bool{}
		for range 300 {
			id := random.Int64N(1 + random.Int64N(400))
			if isNew := set.Add(id); isNew == seen[id] {
				t.Fatalf("Add(%d) = %v with %v", id, isNew, set.runs)
			}
			seen[id] = true
		}
		for i := 1; i < len(set.runs); i++ {
			if set.runs[i-1].last+1 >= set.runs[i].first {
				t.Fatalf("runs that touch: %v", set.runs)
			}
		}
	}
}

func TestAddAtTheEnds(t *testing.T) {
	var set Set
	for _, id := range []int64{math.MaxInt64, 0, -1, math.MaxInt64 - 1, 1} {
		if !set.Add(id) || set.Add(id) {
			t.Errorf("%d: %v", id, set.runs)
		}
	}
}

func TestNeighboursTakeNoRoom(t *testing.T) {
	for _, step := range []int64{1, -1} {
		var set Set
		for i := int64(0); i < 100_000; i++ {
			set.Add(500_000 + step*i)
		}
		if len(set.runs) != 1 {
			t.Errorf("%d runs", len(set.runs))
		}
	}
}
