package calls_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// fakeListing is a platform that only lists calls. Unlike the double it can show each
// change late, by a time of its own, and it remembers what it has shown.
type fakeListing struct {
	random    *rand.Rand
	perPage   int           // its own limit
	hasLinks  bool          // it sends Link headers
	maxLag    time.Duration // by which it shows a change late
	latency   time.Duration // at most, of a request
	failures  float64       // of all requests
	precision time.Duration // of updated_at

	mu       sync.Mutex
	states   map[int64][]fakeState // of each call, the oldest first
	shown    map[fakeKey]bool
	requests []http.Request
}

type fakeKey struct {
	id      int64
	updated time.Time
}

type fakeState struct {
	fakeKey
	status  string
	visible time.Time
}

func newFakeListing(seed uint64) *fakeListing {
	random := rand.New(rand.NewPCG(seed, 12))
	return &fakeListing{
		random: random, perPage: 1 + random.IntN(12), hasLinks: random.IntN(2) == 0, precision: time.Millisecond,
		states: map[int64][]fakeState{}, shown: map[fakeKey]bool{},
	}
}

// change gives a call another status, unless it has changed at this time already.
func (f *fakeListing) change(id int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	state := fakeState{fakeKey{id, time.Now().UTC().Truncate(f.precision)}, fmt.Sprint("status-", len(f.states[id])), time.Now()}
	if f.maxLag > 0 {
		state.visible = state.visible.Add(time.Duration(f.random.Int64N(int64(f.maxLag))))
	}
	if n := len(f.states[id]); n > 0 {
		last := f.states[id][n-1]
		if !state.updated.After(last.updated) {
			return
		}
		state.visible = time.UnixMilli(max(state.visible.UnixMilli(), last.visible.UnixMilli()))
	}
	f.states[id] = append(f.states[id], state)
}

func (f *fakeListing) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	wait, isFailing := time.Duration(0), f.random.Float64() < f.failures
	if f.latency > 0 {
		wait = time.Duration(f.random.Int64N(int64(f.latency)))
	}
	kind := f.random.IntN(3)
	f.requests = append(f.requests, *r)
	f.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	if isFailing {
		switch kind {
		case 0:
			return nil, io.ErrUnexpectedEOF
		case 1:
			return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
		return &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	return f.page(r), nil
}

func (f *fakeListing) page(r *http.Request) *http.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	query := r.URL.Query()
	from, _ := time.Parse(time.RFC3339, query.Get("updated_at[from]"))
	page, _ := strconv.Atoi(query.Get("page"))
	per, _ := strconv.Atoi(query.Get("per"))
	per = min(per, f.perPage)
	listed := f.visible(from)
	header := http.Header{"Per-Page": {fmt.Sprint(per)}, "Total": {fmt.Sprint(len(listed))}}
	if f.hasLinks {
		header.Set("Link", `<?page=1>; rel="first"; title="a, b"`)
		if page*per < len(listed) {
			query.Set("page", fmt.Sprint(page+1))
			header.Add("Link", fmt.Sprintf("<http://platform.internal/?%s>; rel=\"next\"", query.Encode()))
		}
	}
	start := min((page-1)*per, len(listed))
	objects := []map[string]any{}
	for _, state := range listed[start:min(start+per, len(listed))] {
		f.shown[state.fakeKey] = true
		objects = append(objects, map[string]any{"id": state.id, "updated_at": state.updated, "status": state.status})
	}
	body, _ := json.Marshal(objects)
	return response(r, header, string(body))
}

// visible returns what the listing shows now, from a time on.
func (f *fakeListing) visible(from time.Time) (listed []fakeState) {
	for _, states := range f.states {
		for _, state := range slices.Backward(states) {
			if state.visible.After(time.Now()) {
				continue
			}
			if !state.updated.Before(from) {
				listed = append(listed, state)
			}
			break
		}
	}
	slices.SortFunc(listed, func(a, b fakeState) int {
		return cmp.Or(a.updated.Compare(b.updated), cmp.Compare(a.id, b.id))
	})
	return listed
}
