package calls_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestReaderStopsWithItsLastUser breaks out of a settlement and a tail. synctest fails if a
// goroutine is left.
func TestReaderStopsWithItsLastUser(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		lostOnes := []calls.Intent{
			intentOf(lostCreate(t, server, client, true, anyone)),
			intentOf(lostCreate(t, server, client, true, calls.InboundRequest{MenuID: 11, EndUserNumber: "+82-10-6861-2345"})),
		}
		for range client.SettleAll(t.Context(), lostOnes, calls.SettleOptions{}) {
			break
		}
		for range client.TailCalls(t.Context(), time.Now().Add(-time.Hour), calls.TailOptions{}) {
			break
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, _ = client.Settle(ctx, lostOnes[0], calls.SettleOptions{Delivery: calls.DeliveryAccepted})
		requests := len(server.Requests())
		time.Sleep(time.Hour)
		if n := len(server.Requests()) - requests; n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestAThousandWatchedCallsCostTheRequestsOfOne(t *testing.T) {
	for _, n := range []int{1, 10, 200, 1000} {
		for _, areTogether := range []bool{true, false} {
			for _, areKnown := range []bool{true, false} {
				requests := watchedCosts(t, n, areTogether, areKnown)
				t.Logf("%4d calls, together %v, known %v: %d requests in 15 s", n, areTogether, areKnown, requests)
				if requests > 8 {
					t.Errorf("%d calls, together %v, known %v: %d requests in 15 s", n, areTogether, areKnown, requests)
				}
			}
		}
	}
}

// watchedCosts returns the number of requests of 15 s in which calls are watched, each by
// itself or all together, and every tenth call changes.
func watchedCosts(t *testing.T, n int, areTogether, areKnown bool) int {
	var requests atomic.Int64
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		var watched []*calls.Call
		for range n {
			id := server.AddCall(callstest.Call{})
			call := &calls.Call{ID: id}
			if areKnown {
				now := time.Now()
				call.Status, call.CreatedAt = calls.CallStatusQueued, &now
			}
			watched = append(watched, call)
		}
		if !areKnown { // the first poll has to list each of them, so count from then on
			time.AfterFunc(100*time.Millisecond, func() { requests.Store(-int64(len(server.Requests()))) })
		}
		for i := range n {
			if i%10 == 1 {
				after := time.Duration(1+i*14/n) * time.Second
				time.AfterFunc(after, func() { _ = server.Advance(watched[i].ID, calls.CallStatusConnected) })
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		var mu sync.Mutex
		changed := 0
		watch := func(some ...*calls.Call) {
			for call, err := range client.WatchCalls(ctx, some, calls.WatchOptions{}) {
				if err == nil && call.Status == calls.CallStatusConnected {
					mu.Lock()
					changed++
					mu.Unlock()
				}
			}
		}
		if areTogether {
			watch(watched...)
		} else {
			var wg sync.WaitGroup
			for _, call := range watched {
				wg.Go(func() { watch(call) })
			}
			wg.Wait()
		}
		if want := n / 10; changed < want*8/10 {
			t.Errorf("%d of %d changes were yielded", changed, want)
		}
		requests.Add(int64(len(server.Requests())))
	})
	return int(requests.Load())
}

func TestManyLostCreatesAreSettledByFewListings(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 100, 1000} {
		for _, areTogether := range []bool{true, false} {
			listings, pages := settleCosts(t, n, areTogether)
			t.Logf("%4d lost creates, together %v: %d listings, %d pages", n, areTogether, listings, pages)
			if listings > 20 || listings == 0 {
				t.Errorf("%d lost creates, together %v: %d listings", n, areTogether, listings)
			}
		}
	}
}

// settleCosts loses creates and settles them, each by itself or all together. It returns
// the number of listings and of pages.
func settleCosts(t *testing.T, n int, areTogether bool) (listings, pages int) {
	tickets := make([]callstest.Ticket, n)
	for i := range tickets {
		tickets[i] = callstest.Ticket{ID: fmt.Sprint("T", i), Number: "+1 859-657-9625", ContactID: "1"}
	}
	onVirtualTime(t, []callstest.Option{callstest.WithTickets(tickets...)}, func(t *testing.T, server *callstest.Server, _ *calls.Client) {
		client := inProcessClient(t, server, withLostResponses())
		intents := make([]calls.Intent, n)
		var wg sync.WaitGroup
		found := make(chan int64, n)
		settle := func(some ...calls.Intent) {
			for _, settled := range client.SettleAll(t.Context(), some, calls.SettleOptions{}) {
				if settled.Err != nil {
					t.Errorf("%v", settled.Err)
					continue
				}
				found <- settled.Call.ID
			}
		}
		for i := range n {
			_, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: tickets[i].ID})
			intents[i] = intentOf(err)
			if !areTogether { // when it fails, as in an outage at the full rate
				wg.Go(func() { settle(intents[i]) })
				time.Sleep(100 * time.Millisecond)
			}
		}
		if areTogether {
			settle(intents...)
		}
		wg.Wait()
		if len(found) != n {
			t.Errorf("%d of %d were found", len(found), n)
		}
		listings, pages = countListings(server)
	})
	return listings, pages
}

// countListings returns how often a listing began, and the number of pages.
func countListings(server *callstest.Server) (listings, pages int) {
	var last time.Time
	for _, request := range server.Requests() {
		if request.Method != http.MethodGet {
			continue
		}
		pages++
		query, _ := url.ParseQuery(request.Query)
		from, _ := time.Parse(time.RFC3339, query.Get("updated_at[from]"))
		if pages == 1 || from.Before(last) {
			listings++
		}
		last = from
	}
	return listings, pages
}

// withLostResponses loses the response of each create.
func withLostResponses() calls.Option {
	return calls.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if r.Method == http.MethodPost && err == nil {
				_ = response.Body.Close()
				return nil, io.ErrUnexpectedEOF
			}
			return response, err
		})
	})
}
