package calls_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
)

// TestTheMemoryForALargeResponseIsBounded has responses of 4 MB whose values take
// many times their size if nothing stops them.
func TestTheMemoryForALargeResponseIsBounded(t *testing.T) {
	fill := func(begin, piece, end string) string {
		return begin + strings.Repeat(piece, (4<<20-len(begin)-len(end))/len(piece)) + end
	}
	create := func(ctx context.Context, c *calls.Client) error {
		result, err := c.CreateOutbound(ctx, benchByTicket)
		if err == nil && result.Call.ID != 7 {
			t.Errorf("call %d", result.Call.ID)
		}
		return err
	}
	list := func(ctx context.Context, c *calls.Client) (err error) {
		for _, err = range c.ListCalls(ctx, calls.ListOptions{}) {
			continue
		}
		return err
	}
	for _, tt := range []struct {
		name, body string
		status     int
		send       func(context.Context, *calls.Client) error
	}{
		{"participants of a created call", fill(`{"id":7,"participants":[{}`, `,{}`, `]}`), http.StatusCreated, create},
		{"fields of a created call", fill(`{"id":7`, `,"":[]`, `}`), http.StatusCreated, create},
		{"a long text of a created call", fill(`{"id":7,"lang":"`, `a`, `"}`), http.StatusCreated, create},
		{"a created call that is truncated", fill(`{"id":7,"lang":"`, `a`, ``), http.StatusCreated, create},
		{"a page of empty objects", fill(`[{}`, `,{}`, `]`), http.StatusOK, list},
		{"a page of small calls", fill(`[{}`, `,{"id":1}`, `]`), http.StatusOK, list},
		{"a page that is no array", fill(`{"":[]`, `,"":[]`, `}`), http.StatusOK, list},
	} {
		client := handlerClient(t, &recorder{status: tt.status, response: tt.body})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := tt.send(t.Context(), client)
		runtime.ReadMemStats(&after)
		times := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(tt.body))
		t.Logf("%s: %.1f times its size, error %v", tt.name, times, err)
		if times >= 8 {
			t.Errorf("%s: %.1f times its size", tt.name, times)
		}
	}
}
