package events_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls/events"
)

func TestDuplicatesAreDropped(t *testing.T) {
	t.Parallel()
	var inbox inbox
	server := newServer(t, inbox.receive)
	for range 3 {
		wantStatus(t, post(t, server, oneEvent), 200)
		wantStatus(t, post(t, server, `{"Events":[{"EventID":"a","Item":{"CallID":397}},{"event_id":"b","call_id":398},{"call_id":399}]}`), 200)
	}
	if got, want := inbox.callIDs(), []int64{397, 398, 399, 399, 399}; !slices.Equal(got, want) {
		t.Errorf("received %v, want %v", got, want)
	}
}

// TestADuplicateWaitsForTheFirst posts the same event twice, and the first
// receive takes a minute.
func TestADuplicateWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	for name, firstErr := range map[string]error{"succeeds": nil, "fails": errors.New("the queue is full")} {
		synctest.Test(t, func(t *testing.T) {
			var receives atomic.Int32
			handler := events.Handler(user, password, func(context.Context, events.Event) error {
				if receives.Add(1) == 1 {
					time.Sleep(time.Minute)
					return firstErr
				}
				return nil
			}, quiet)
			start := time.Now()
			first, second := httptest.NewRecorder(), httptest.NewRecorder()
			done := make(chan struct{})
			go func() {
				defer close(done)
				handler.ServeHTTP(first, newRequest(t, "/", oneEvent))
			}()
			synctest.Wait()
			handler.ServeHTTP(second, newRequest(t, "/", oneEvent))
			if waited := time.Since(start); waited != time.Minute {
				t.Errorf("%s: the duplicate has its response after %v", name, waited)
			}
			<-done
			wantFirst, wantReceives := 200, int32(1)
			if firstErr != nil {
				wantFirst, wantReceives = 500, 2
			}
			if first.Code != wantFirst || second.Code != 200 || receives.Load() != wantReceives {
				t.Errorf("%s: %d, %d, received %d times", name, first.Code, second.Code, receives.Load())
			}
		})
	}
}

func TestADuplicateStopsWaitingWithItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		handler := events.Handler(user, password, func(context.Context, events.Event) error {
			<-release
			return nil
		}, quiet)
		go handler.ServeHTTP(httptest.NewRecorder(), newRequest(t, "/", oneEvent))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		duplicate := httptest.NewRecorder()
		handler.ServeHTTP(duplicate, newRequest(t, "/", oneEvent).WithContext(ctx))
		if duplicate.Code < 500 {
			t.Errorf("got %d before the first was received", duplicate.Code)
		}
		close(release)
	})
}

// TestASlowReceiverHoldsUpNoOther has an event that is being received while
// others come.
func TestASlowReceiverHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	release, started := make(chan struct{}), make(chan struct{})
	var inbox inbox
	server := newServer(t, func(ctx context.Context, e events.Event) error {
		if e.CallID == 397 {
			close(started)
			<-release
		}
		return inbox.receive(ctx, e)
	})
	var slow sync.WaitGroup
	slow.Go(func() { wantStatus(t, post(t, server, oneEvent), 200) })
	<-started
	wantStatus(t, post(t, server, `{"events":[{"event_id":"b","call_id":398},{"call_id":399}]}`), 200)
	close(release)
	slow.Wait()
	if got, want := inbox.callIDs(), []int64{398, 399, 397}; !slices.Equal(got, want) {
		t.Errorf("received %v, want %v", got, want)
	}
}

// TestEachEventIsReceivedOnce has senders that all send the same events until
// they are accepted, and a receiver that fails at the first two tries of each,
// by an error and by a panic.
func TestEachEventIsReceivedOnce(t *testing.T) {
	t.Parallel()
	const senders, distinct = 8, 40
	var mu sync.Mutex
	tries, successes := map[string]int{}, map[string]int{}
	server := newServer(t, func(_ context.Context, e events.Event) error {
		mu.Lock()
		defer mu.Unlock()
		switch tries[e.EventID]++; tries[e.EventID] {
		case 1:
			return errors.New("not yet")
		case 2:
			panic("not yet")
		}
		successes[e.EventID]++
		return nil
	})
	isReceived := func(id string) bool {
		mu.Lock()
		defer mu.Unlock()
		return successes[id] > 0
	}
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for i := range distinct {
				id := fmt.Sprint("event-", (i+sender*5)%distinct)
				body := `{"events":[{"call_id":1,"event_id":"` + id + `"}]}`
				for post(t, server, body).StatusCode != 200 {
				}
				if !isReceived(id) {
					t.Errorf("%s was accepted before it was received", id)
				}
			}
		})
	}
	all.Wait()
	for i := range distinct {
		if id := fmt.Sprint("event-", i); successes[id] != 1 {
			t.Errorf("%s was received %d times", id, successes[id])
		}
	}
}
