// Package idset remembers which ids were seen, in as little room as it takes:
// neighboring ids share an entry, so that the ids of a whole listing, which
// the platform counts up, take hardly more than those of a page.
package idset

import (
	"slices"
	"sort"
)

// Set is a set of ids. The zero Set is empty. It is not safe for concurrent use.
type Set struct {
	runs []run // ascending, with a gap between each two
}

// run is the ids from first to last, both included.
type run struct{ first, last int64 }

// Add adds id and reports whether it was not there before.
func (s *Set) Add(id int64) bool {
	// i is the first run that could take id in, or comes after it.
	i := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].last >= id-1 })
	if i == len(s.runs) || s.runs[i].first-1 > id {
		s.runs = slices.Insert(s.runs, i, run{id, id})
		return true
	}
	r := &s.runs[i]
	if r.first <= id && id <= r.last {
		return false
	}
	r.first, r.last = min(r.first, id), max(r.last, id)
	if i+1 < len(s.runs) && s.runs[i+1].first == r.last+1 {
		r.last = s.runs[i+1].last
		s.runs = slices.Delete(s.runs, i+1, i+2)
	}
	return true
}
