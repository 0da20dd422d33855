package calls_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestATailOfManyCallsOfOneTime reads more calls of one time than fit on a page, and
// does not read them again and again.
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
		if n := len(server.Requests()); n > 60 { // 10 pages at first, and when a look back is due
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
			t.Errorf("seen at %v", time.Now())
		}
	})
}
