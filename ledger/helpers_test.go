package ledger_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

const (
	skew   = 10 * time.Second
	lag    = 20 * time.Second
	permit = 30 * time.Second // the attempt timeout of the clients in tests
)

// world is a platform and a store, on virtual time.
type world struct {
	t      *testing.T
	ctx    context.Context
	server *callstest.Server
	store  ledger.Store
}

// inWorld runs test on virtual time.
func inWorld(t *testing.T, test func(w *world), opts ...callstest.Option) {
	t.Helper()
	server := callstest.NewServer(t, append([]callstest.Option{callstest.WithClock(time.Now)}, opts...)...)
	synctest.Test(t, func(t *testing.T) {
		test(&world{t: t, ctx: t.Context(), server: server, store: ledger.Memory()})
	})
}

// keeper returns a Keeper with a store that sends through transport.
func (w *world) keeper(store ledger.Store, transport http.RoundTripper) *ledger.Keeper {
	w.t.Helper()
	client, err := w.server.NewClient(
		calls.WithHTTPClient(&http.Client{Transport: transport}),
		calls.WithRateLimiter(nil),
		calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}),
		calls.WithAttemptTimeout(permit),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	return &ledger.Keeper{Client: client, Store: store, Tenant: "customer", Skew: skew, Lag: lag}
}

// worker returns a Keeper without faults.
func (w *world) worker() *ledger.Keeper { return w.keeper(w.store, w.server.InProcess()) }

// put stores a prepared entry with the given id. All have the same request.
func (w *world) put(id string) ledger.Entry { return w.putFor(id, "agent@example.com") }

// putFor stores a prepared entry for the calls of an agent.
func (w *world) putFor(id, agent string) ledger.Entry {
	w.t.Helper()
	e, err := w.worker().Prepare(id, calls.OutboundRequest{AgentEmail: agent, EndUserNumber: "+18596579625"})
	if err != nil {
		w.t.Fatal(err)
	}
	e.ID = id
	if err := w.store.Put(w.ctx, e); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// lost stores an entry whose create lost its response by a fault.
func (w *world) lost(id string, fault callstest.Fault) ledger.Entry {
	w.t.Helper()
	w.put(id)
	w.server.Fail(fault)
	e, err := w.worker().Advance(w.ctx, id)
	if !errors.Is(err, &ledger.ErrUnderWay{}) || e.State != ledger.StateInDoubt {
		w.t.Fatalf("after %v: %v, %v, want it in doubt and ErrUnderWay", fault, e, err)
	}
	return e
}

// settle advances an entry until it is not under way.
func (w *world) settle(id string) ledger.Entry {
	w.t.Helper()
	for range 10 {
		e, err := w.worker().Advance(w.ctx, id)
		var wait *ledger.ErrUnderWay
		switch {
		case err == nil:
			return e
		case !errors.As(err, &wait):
			w.t.Fatalf("settling %s: %v", id, err)
		}
		time.Sleep(wait.Wait)
	}
	w.t.Fatalf("%s is not settled: %v", id, w.get(id))
	return ledger.Entry{}
}

// close stores the response of an entry's create: the call was created.
func (w *world) close(id string, callID int64) {
	w.t.Helper()
	e := w.get(id)
	e.State, e.CallID, e.Request = ledger.StateCreated, callID, nil
	if err := w.store.Replace(w.ctx, e); err != nil {
		w.t.Error(err)
	}
}

func (w *world) get(id string) ledger.Entry {
	w.t.Helper()
	e, err := w.store.Get(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// want checks the state and the call of a stored entry.
func (w *world) want(id string, state ledger.State, callID int64) {
	w.t.Helper()
	e := w.get(id)
	if e.State != state || e.CallID != callID {
		w.t.Errorf("%v, want %s with call %d", e, state, callID)
	}
	if e.State.IsClosed() && e.Request != nil {
		w.t.Errorf("%s is closed and still has its request", id)
	}
}

// wantCalls checks how many calls the platform has made.
func (w *world) wantCalls(n int) {
	w.t.Helper()
	if got := len(w.server.Calls()); got != n {
		w.t.Errorf("the platform made %d calls, want %d", got, n)
	}
}

func isUnderWay(err error) bool { return errors.Is(err, &ledger.ErrUnderWay{}) }

// steps is a Store whose steps can be interrupted. A hook gets the name of the
// method, and for Replace the state to be written: "Replace sending".
type steps struct {
	ledger.Store
	before func(step string)
	// fail returns an error for a step, before or after it is carried out.
	fail, failAfter func(step string) error
}

func (s *steps) step(name string, run func() error) error {
	if s.before != nil {
		s.before(name)
	}
	if s.fail != nil {
		if err := s.fail(name); err != nil {
			return err
		}
	}
	err := run()
	if s.failAfter != nil && err == nil {
		err = s.failAfter(name)
	}
	return err
}

func (s *steps) Get(ctx context.Context, id string) (e ledger.Entry, err error) {
	err = s.step("Get", func() error { e, err = s.Store.Get(ctx, id); return err })
	return e, err
}

func (s *steps) Replace(ctx context.Context, e ledger.Entry) error {
	return s.step("Replace "+string(e.State), func() error { return s.Store.Replace(ctx, e) })
}

func (s *steps) Claimed(ctx context.Context, tenant string, ids []int64) (owners map[int64]string, err error) {
	err = s.step("Claimed", func() error { owners, err = s.Store.Claimed(ctx, tenant, ids); return err })
	return owners, err
}

func (s *steps) Open(ctx context.Context, tenant string, until time.Time) (open []ledger.Entry, err error) {
	err = s.step("Open", func() error { open, err = s.Store.Open(ctx, tenant, until); return err })
	return open, err
}

func (s *steps) Doubts(ctx context.Context, tenant string, since time.Time) (doubts []ledger.Entry, err error) {
	err = s.step("Doubts", func() error { doubts, err = s.Store.Doubts(ctx, tenant, since); return err })
	return doubts, err
}

// once returns a hook that runs do before the first step of that name.
func once(step string, do func()) func(string) {
	return nth(1, step, do)
}

// nth returns a hook that runs do before the nth step of that name.
func nth(n int, step string, do func()) func(string) {
	return func(name string) {
		if name != step {
			return
		}
		if n--; n == 0 {
			do()
		}
	}
}

// roundTrip is a function as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
