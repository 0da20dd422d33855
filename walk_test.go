package calls_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestATailOfManyCallsOfOneTime has more calls with the same updated_at than fit on a
// page. The tail must not request them again with each poll.
func TestATailOfManyCallsOfOneTime(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		for range 1000 {
			server.AddCall(callstest.Call{})
		}
		time.AfterFunc(200*time.Second, func() { server.AddCall(callstest.Call{}) })
		var ids []int64
		for call, err := range client.TailCalls(t.Context(), time.Now(), calls.TailOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			if ids = append(ids, call.ID); len(ids) == 1001 {
				break
			}
		}
		slices.Sort(ids)
		if len(slices.Compact(ids)) != 1001 {
			t.Errorf("%d calls", len(ids))
		}
		if n := len(server.Requests()); n > 60 { // 10 pages for each poll that covers the lag
			t.Errorf("%d requests", n)
		}
	})
}

func TestACallFromTheFutureDoesNotStopATail(t *testing.T) {
	onVirtualTime(t, nil, func(t *testing.T, server *callstest.Server, client *calls.Client) {
		server.AddCall(callstest.Call{UpdatedAt: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)})
		time.AfterFunc(time.Minute, func() { server.AddCall(callstest.Call{}) })
		n := 0
		for _, err := range client.TailCalls(t.Context(), time.Now(), calls.TailOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 2 {
				break
			}
		}
		if time.Since(server.Calls()[1].CreatedAt) > 30*time.Second {
			t.Errorf("yielded at %v", time.Now())
		}
	})
}
