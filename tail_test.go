package calls_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestATailYieldsEachChangeOnce creates and changes calls at random while a tail runs. The
// pages have any size, with and without links, many calls have the same updated_at, and
// the listing lags and fails.
func TestATailYieldsEachChangeOnce(t *testing.T) {
	t.Parallel()
	const rounds = 60
	changes := 0
	for round := range uint64(rounds) {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeListing(round)
			f.latency = time.Duration(f.random.IntN(3)) * 300 * time.Millisecond
			f.maxLag = time.Duration(f.random.IntN(3)) * 10 * time.Second
			f.failures = float64(f.random.IntN(3)) / 8
			f.precision = []time.Duration{time.Millisecond, 100 * time.Millisecond, time.Second}[f.random.IntN(3)]
			time.Sleep(time.Duration(f.random.Int64N(int64(time.Second)))) // in the middle of a second
			for id := range int64(f.random.IntN(40)) {
				f.change(id + 1)
			}
			client := newClient(t, f, calls.WithClock(time.Now))
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			go changeAtRandom(ctx, f, round, 2*time.Minute)
			yielded := map[fakeKey]int{}
			own := rand.New(rand.NewPCG(round, 31))
			last := time.Time{}
			for call, err := range client.TailCalls(ctx, time.Now().Add(-time.Hour), calls.TailOptions{}) {
				if err != nil {
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("round %d: %v", round, err)
					}
					break
				}
				yielded[fakeKey{call.ID, call.UpdatedAt.UTC()}]++
				if f.maxLag == 0 && call.UpdatedAt.Before(last) {
					t.Errorf("round %d: %v is yielded after %v", round, call.UpdatedAt, last)
				}
				last = *call.UpdatedAt
				if own.IntN(8) == 0 { // between two pages, too
					f.change(1 + own.Int64N(40))
				}
			}
			changes += checkTail(t, round, f, yielded)
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d changes", changes)
	if changes < 100*rounds {
		t.Errorf("only %d changes", changes)
	}
}

func changeAtRandom(ctx context.Context, f *fakeListing, seed uint64, until time.Duration) {
	random := rand.New(rand.NewPCG(seed, 1999))
	for end := time.Now().Add(until); time.Now().Before(end) && ctx.Err() == nil; {
		for range 1 + random.IntN(20)*random.IntN(2) {
			f.change(1 + random.Int64N(60))
		}
		time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
	}
}

// checkTail checks that a tail yielded what was listed, and the last state of each call.
// It returns the number of changes.
func checkTail(t *testing.T, round uint64, f *fakeListing, yielded map[fakeKey]int) int {
	t.Helper()
	for key, n := range yielded {
		if n != 1 {
			t.Errorf("round %d: %v was yielded %d times", round, key, n)
		}
	}
	for key := range f.shown {
		if yielded[key] == 0 {
			t.Errorf("round %d: %v was listed and not yielded", round, key)
		}
	}
	for id, states := range f.states {
		if last := states[len(states)-1]; yielded[last.fakeKey] == 0 && time.Since(last.visible) > time.Minute {
			t.Errorf("round %d: the last state of %d was not yielded: %v", round, id, last)
		}
	}
	return len(yielded)
}

func TestATailPollsLessOftenWhileNothingChanges(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		var polls []time.Duration
		begin := time.Now()
		id := server.AddCall(callstest.Call{})
		time.AfterFunc(5*time.Minute, func() { _ = server.Advance(id, calls.CallStatusFinished) })
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
		defer cancel()
		for call, err := range client.TailCalls(ctx, begin, calls.TailOptions{}) {
			if err != nil {
				break
			}
			if call.Status == calls.CallStatusFinished && time.Since(begin) > 5*time.Minute+30*time.Second {
				t.Errorf("the change was seen after %v", time.Since(begin))
			}
		}
		for _, request := range server.Requests() {
			polls = append(polls, request.At.Sub(begin))
		}
		if n := len(polls); n < 15 || n > 26 || polls[1] != 2*time.Second || polls[2] != 5*time.Second {
			t.Errorf("%d polls: %v", n, polls)
		}
		longest := time.Duration(0)
		for i := range polls[1:] {
			longest = max(longest, polls[i+1]-polls[i])
		}
		if longest != 30*time.Second {
			t.Errorf("the longest wait was %v", longest)
		}
	})
}

func TestATailContinuesAfterATransientError(t *testing.T) {
	for _, fault := range []callstest.Fault{callstest.Status(500), callstest.Status(503), callstest.RateLimited(""), callstest.HangUpAfterRead, callstest.CutBody} {
		server := newServer(t)
		synctest.Test(t, func(t *testing.T) {
			client := inProcessClient(t, server, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}))
			server.AddCall(callstest.Call{})
			server.Fail(fault, fault)
			for call, err := range client.TailCalls(t.Context(), time.Now(), calls.TailOptions{}) {
				if err != nil || call.ID == 0 {
					t.Errorf("%v: %v, %v", fault, call, err)
				}
				break
			}
		})
	}
}

func TestATailEndsWithAnyOtherError(t *testing.T) {
	for status, want := range map[int]error{401: calls.ErrUnauthorized, 403: calls.ErrForbidden, 404: calls.ErrNotFound, 501: calls.ErrServer, 302: calls.ErrRedirected} {
		server := newServer(t)
		client := inProcessClient(t, server)
		server.Fail(callstest.Status(status))
		n := 0
		for call, err := range client.TailCalls(t.Context(), time.Now(), calls.TailOptions{}) {
			if n++; call != nil || !errors.Is(err, want) {
				t.Errorf("%d: %v, %v", status, call, err)
			}
		}
		if n != 1 {
			t.Errorf("%d: yielded %d times", status, n)
		}
	}
	html := newClient(t, responding(http.StatusOK, "<html>"))
	for call, err := range html.TailCalls(t.Context(), time.Now(), calls.TailOptions{}) {
		if call != nil || !errors.Is(err, calls.ErrUndecodable) {
			t.Errorf("%v, %v", call, err)
		}
	}
}

func TestTailCallsValidatesItsOptions(t *testing.T) {
	client := inProcessClient(t, newServer(t))
	for _, opts := range []calls.TailOptions{{Interval: -1}, {MaxInterval: -1}, {Lag: -1}, {PerPage: -1}, {PerPage: 101}} {
		for call, err := range client.TailCalls(t.Context(), time.Now(), opts) {
			if call != nil || !errors.Is(err, calls.ErrInvalidRequest) {
				t.Errorf("%+v: %v, %v", opts, call, err)
			}
		}
	}
	for call, err := range (&calls.Client{}).TailCalls(t.Context(), time.Now(), calls.TailOptions{}) {
		if call != nil || calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%v, %v", call, err)
		}
	}
}

// TestATailRequestsTheExactTimeOfTheLastChange has a time in milliseconds.
func TestATailRequestsTheExactTimeOfTheLastChange(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		time.Sleep(1421 * time.Millisecond)
		id := server.AddCall(callstest.Call{})
		time.AfterFunc(100*time.Second, func() { _ = server.Advance(id, calls.CallStatusFinished) })
		for call := range client.TailCalls(t.Context(), time.Now().Add(-time.Hour), calls.TailOptions{}) {
			if call.Status == calls.CallStatusFinished {
				break
			}
		}
		requests := server.Requests()
		if got := requests[len(requests)-1].Query; !strings.Contains(got, "from%5D=2000-01-01T00%3A00%3A01.421Z") {
			t.Errorf("requested %s", got)
		}
	})
}

// fakeListing is a platform that only lists calls. Unlike the double it can list each
// change with a random lag, and it records what it has listed.
type fakeListing struct {
	random    *rand.Rand
	perPage   int           // at most
	hasLinks  bool          // sends Link headers
	maxLag    time.Duration // of each change
	latency   time.Duration // of a request, at most
	failures  float64       // share of all requests
	precision time.Duration // of updated_at

	mu       sync.Mutex
	states   map[int64][]fakeState // of each call, the oldest first
	shown    map[fakeKey]bool
	requests []http.Request
}

// change gives a call another status, unless it has already changed at this time.
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
	response := newResponse(http.StatusOK, string(body))
	response.Header = header
	return response
}

// visible returns the states that are listed now and were updated at from or later.
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
