package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

const (
	soakCreates = 200
	soakWorkers = 6
)

// TestSoak has workers that create calls and are killed before any step or stopped for any
// time, while the Store and the platform lose responses and a person decides correctly.
// It compares the entries with the calls of the double: no create has two calls, no entry
// has the call of another, and every state is true.
func TestSoak(t *testing.T) {
	for round := range 2 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := &soak{world: w, random: rand.New(rand.NewPCG(seed, 0))}
				s.run()
				s.checkAll()
				t.Logf("seed %d: %d creates, %d kills, %d pauses, %d lost responses, %d unsure writes: "+
					"%d created, %d rejected, %d not made by a person's word, of %d that a person had to decide",
					seed, soakCreates, s.kills, s.pauses, s.lost, s.unsure,
					s.states[ledger.StateCreated], s.states[ledger.StateRejected], s.states[ledger.StateNotMade], s.decided)
			}, callstest.WithListingLag(func(id int64) time.Duration { return time.Duration(id%20) * time.Second }))
		})
	}
}

type soak struct {
	*world
	mu     sync.Mutex
	random *rand.Rand
	states map[ledger.State]int

	kills, pauses, lost, unsure, decided int
}

// chance returns true in one of n cases.
func (s *soak) chance(n int, count *int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.random.IntN(n) > 0 {
		return false
	}
	*count++
	return true
}

func (s *soak) upTo(d time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.random.Int64N(int64(d)))
}

func (s *soak) run() {
	done := make(chan struct{})
	var workers sync.WaitGroup
	for range soakWorkers {
		workers.Go(func() { s.work(done) })
	}
	for i := range soakCreates {
		s.enqueue(i)
		time.Sleep(s.upTo(10 * time.Second))
	}
	for range 1000 {
		time.Sleep(time.Minute)
		s.decideSome()
		if open, err := s.store.Open(s.ctx, "customer", time.Time{}); err != nil || len(open) == 0 {
			break
		}
	}
	close(done)
	workers.Wait()
}

// enqueue stores a create with a ticket of its own or without one, so that a listing tells
// some of the calls apart.
func (s *soak) enqueue(i int) {
	s.t.Helper()
	agent := "agent@example.com"
	if i%10 == 9 {
		agent = "busy@example.com"
	}
	request := calls.OutboundRequest{AgentEmail: agent, EndUserNumber: number(i)}
	e, err := s.worker().Prepare(number(i), request)
	if err != nil {
		s.t.Fatal(err)
	}
	e.ID = fmt.Sprint("create ", i)
	e.Until = time.Now() // any worker may advance it
	if err := s.store.Put(s.ctx, e); err != nil {
		s.t.Fatal(err)
	}
}

func number(i int) string { return fmt.Sprintf("+1859657%04d", i) }

// work runs one process after another, each until it is killed.
func (s *soak) work(done chan struct{}) {
	for {
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			keeper := s.keeper(&steps{Store: s.store, before: s.interrupt, fail: s.unsureOf, failAfter: s.unsureOf}, roundTrip(s.roundTrip))
			for {
				select {
				case <-done:
					return
				default:
				}
				for e, err := range keeper.Recover(s.ctx) {
					s.check(e, err)
				}
				time.Sleep(s.upTo(5 * time.Second))
			}
		}()
		<-killed
		select {
		case <-done:
			return
		default:
		}
	}
}

func (s *soak) check(e ledger.Entry, err error) {
	isExpected := isUnderWay(err) || errors.Is(err, errUnsure) || errors.Is(err, context.DeadlineExceeded) // of a listing
	if err != nil && !isExpected {
		s.t.Errorf("%v, %v", e, err)
	}
}

// interrupt kills the process before a step, or stops it for a time.
func (s *soak) interrupt(string) {
	switch {
	case s.chance(60, &s.kills):
		runtime.Goexit()
	case s.chance(60, &s.pauses):
		time.Sleep(s.upTo(2 * time.Minute))
	}
}

func (s *soak) unsureOf(string) error {
	if s.chance(150, &s.unsure) {
		return errUnsure
	}
	return nil
}

// roundTrip loses one request or response in ten. The platform may still carry out a lost
// request before the skew has ended.
func (s *soak) roundTrip(r *http.Request) (*http.Response, error) {
	s.interrupt("request")
	if r.Method == http.MethodGet {
		return s.server.InProcess().RoundTrip(r)
	}
	var n int
	if s.chance(20, &n) {
		_, _ = io.Copy(io.Discard, r.Body)
		return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	if !s.chance(10, &s.lost) {
		response, err := s.server.InProcess().RoundTrip(r)
		s.interrupt("response")
		return response, err
	}
	if s.chance(3, &n) {
		_, _ = io.Copy(io.Discard, r.Body)
		return nil, errKilled
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	late := r.Clone(s.ctx)
	late.Body = io.NopCloser(bytes.NewReader(body))
	go func() {
		time.Sleep(s.upTo(skew))
		_, _ = s.server.InProcess().RoundTrip(late)
	}()
	return nil, errKilled
}

// decideSome decides correctly, after more than an hour, as a person would.
func (s *soak) decideSome() {
	open, err := s.store.Open(s.ctx, "customer", time.Now().Add(-time.Hour))
	if err != nil {
		s.t.Error(err)
	}
	for _, e := range open {
		if e.State != ledger.StateForPerson {
			continue
		}
		callID := s.callOf(e.ID)
		_, err := s.worker().Decide(s.ctx, e.ID, e.Version, callID != 0, callID)
		if err != nil && !errors.Is(err, ledger.ErrStale) {
			s.t.Errorf("%v, %v", e, err)
		}
		s.decided++
	}
}

// callOf returns the call of a create by its number.
func (s *soak) callOf(id string) (callID int64) {
	var i int
	if _, err := fmt.Sscanf(id, "create %d", &i); err != nil {
		s.t.Fatal(err)
	}
	for _, call := range s.server.Calls() {
		if call.EndUserNumber == number(i) {
			if callID != 0 {
				s.t.Errorf("%s has two calls: %d and %d", id, callID, call.ID)
			}
			callID = call.ID
		}
	}
	return callID
}

// checkAll compares every entry with the calls of the double.
func (s *soak) checkAll() {
	s.t.Helper()
	s.states = map[ledger.State]int{}
	for i := range soakCreates {
		id := fmt.Sprint("create ", i)
		e, callID := s.get(id), s.callOf(id)
		s.states[e.State]++
		if e.CallID != callID || (e.State == ledger.StateCreated) != (callID != 0) || !e.State.IsClosed() {
			s.t.Errorf("%v, but its call is %d", e, callID)
		}
	}
}
