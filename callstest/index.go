package callstest

import (
	"cmp"
	"slices"
	"time"
)

// record is a call of the history.
type record struct {
	Call
	listedFrom time.Time // when the listing begins to show it; zero: at once
}

// index keeps calls in order, so that a page of many calls costs no sorting.
type index struct {
	key     func(*record) time.Time // calls of the same key are in the order of their ids
	records []*record
}

func (x *index) compare(a, b *record) int {
	return cmp.Or(x.key(a).Compare(x.key(b)), cmp.Compare(a.ID, b.ID))
}

func (x *index) insert(r *record) {
	i, _ := slices.BinarySearchFunc(x.records, r, x.compare)
	x.records = slices.Insert(x.records, i, r)
}

// remove must run before anything of r changes that the order depends on.
func (x *index) remove(r *record) {
	if i, ok := slices.BinarySearchFunc(x.records, r, x.compare); ok {
		x.records = slices.Delete(x.records, i, i+1)
	}
}

// since returns the calls whose key is not before t.
func (x *index) since(t time.Time) []*record {
	i, _ := slices.BinarySearchFunc(x.records, t, func(r *record, t time.Time) int {
		if x.key(r).Before(t) {
			return -1
		}
		return 1
	})
	return x.records[i:]
}

func newIndexes() map[string]*index {
	return map[string]*index{
		"id":         {key: func(*record) time.Time { return time.Time{} }},
		"created_at": {key: func(r *record) time.Time { return r.CreatedAt }},
		"updated_at": {key: func(r *record) time.Time { return r.UpdatedAt }},
	}
}
