package calls_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestEveryFaultOfAReadOrAnUpdate checks which requests are retried: doing them twice
// does no harm.
func TestEveryFaultOfAReadOrAnUpdate(t *testing.T) {
	tests := []struct {
		fault                callstest.Fault
		reads, updates       int
		readError, updateErr error
	}{
		{callstest.Pass, 1, 1, nil, nil},
		{callstest.RefuseConnection, 1, 1, nil, nil},
		{callstest.BreakHandshake, 1, 1, nil, nil},
		{callstest.HangUpBeforeRead, 1, 1, nil, nil}, // the request that was not read is not counted
		{callstest.HangUpAfterRead, 2, 2, nil, nil},
		{callstest.HangUpAfterCreate, 2, 2, nil, nil},
		{callstest.Reset, 2, 2, nil, nil},
		{callstest.ResetAfterCreate, 2, 2, nil, nil},
		{callstest.NotHTTP, 2, 2, nil, nil},
		{callstest.CutStatusLine, 2, 2, nil, nil},
		{callstest.CutHeaders, 2, 2, nil, nil},
		{callstest.CutBody, 2, 1, nil, nil}, // the status is all there is to an update
		{callstest.Stall, 2, 2, nil, nil},
		{callstest.StallAfterCreate, 2, 2, nil, nil},
		{callstest.StallBody, 2, 1, nil, nil},
		{callstest.HugeBody, 1, 1, calls.ErrUndecodable, nil},
		{callstest.DripBody, 1, 1, nil, nil},
		{callstest.CloseIdle, 1, 1, nil, nil},
		{callstest.Status(500), 2, 2, nil, nil},
		{callstest.StatusAfterCreate(502), 2, 2, nil, nil},
		{callstest.Status(503), 2, 2, nil, nil},
		{callstest.RateLimited(""), 2, 2, nil, nil},
		{callstest.RateLimited("3600"), 1, 1, calls.ErrRateLimited, calls.ErrRateLimited},
		{callstest.Status(501), 1, 1, calls.ErrServer, calls.ErrServer},
		{callstest.Status(400), 1, 1, calls.ErrInvalidRequest, calls.ErrInvalidRequest},
		{callstest.Status(401), 1, 1, calls.ErrUnauthorized, calls.ErrUnauthorized},
		{callstest.Status(404), 1, 1, calls.ErrNotFound, calls.ErrNotFound},
		{callstest.Redirect(302, "/"), 1, 1, calls.ErrRedirected, calls.ErrRedirected},
		{callstest.Redirect(307, "/"), 1, 1, calls.ErrRedirected, calls.ErrRedirected},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			t.Parallel()
			server := callstest.NewServer(t, callstest.WithTLS())
			var opts []calls.Option
			switch tt.fault {
			case callstest.Stall, callstest.StallAfterCreate, callstest.StallBody:
				opts = append(opts, shortTimeout)
			}
			client := socketClient(t, server, opts...)
			id := server.AddCall(callstest.Call{})

			server.Fail(tt.fault)
			_, err := client.GetCustomerFlag(t.Context(), id)
			reads := len(server.Requests())
			if !errors.Is(err, tt.readError) || reads != tt.reads {
				t.Errorf("read: %d requests, want %d: %v", reads, tt.reads, err)
			}

			server.Fail(tt.fault)
			client = socketClient(t, server, opts...) // one that no 429 holds back
			err = client.UpdateCustomerFlag(t.Context(), id, calls.CustomerFlagUpdate{BadActor: ptr(true)})
			updates := len(server.Requests()) - reads
			if !errors.Is(err, tt.updateErr) || updates != tt.updates {
				t.Errorf("update: %d requests, want %d: %v", updates, tt.updates, err)
			}
			if err == nil && (server.Flag(id).BadActor == nil || !*server.Flag(id).BadActor) {
				t.Errorf("the update succeeded without a change")
			}
		})
	}
}

// TestEveryFaultOfACancellation checks which cancellations are retried. The retry of
// one that was carried out finds the call canceled.
func TestEveryFaultOfACancellation(t *testing.T) {
	tests := []struct {
		fault    callstest.Fault
		requests int
		err      error
		already  bool // an earlier attempt canceled it
		canceled bool
	}{
		{callstest.Pass, 1, nil, false, true},
		{callstest.RefuseConnection, 1, nil, false, true},
		{callstest.BreakHandshake, 1, nil, false, true},
		{callstest.HangUpBeforeRead, 1, nil, false, true},
		{callstest.HangUpAfterRead, 2, nil, false, true},
		{callstest.HangUpAfterCreate, 2, nil, true, true},
		{callstest.ResetAfterCreate, 2, nil, true, true},
		{callstest.StatusAfterCreate(502), 2, nil, true, true},
		{callstest.Status(503), 2, nil, false, true},
		{callstest.CutStatusLine, 2, nil, true, true},
		{callstest.CutHeaders, 2, nil, true, true},
		{callstest.CutBody, 1, calls.ErrUndecodable, false, true},
		{callstest.HugeBody, 1, calls.ErrUndecodable, false, true},
		{callstest.DripBody, 1, nil, false, true},
		{callstest.RateLimited("0"), 2, nil, false, true},
		{callstest.RateLimited("3600"), 1, calls.ErrRateLimited, false, false},
		{callstest.Status(501), 1, calls.ErrServer, false, false},
		{callstest.Status(404), 1, calls.ErrNotFound, false, false},
		{callstest.Redirect(307, "/"), 1, calls.ErrRedirected, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			t.Parallel()
			server := callstest.NewServer(t, callstest.WithTLS())
			at := time.Now().Add(time.Hour)
			id := server.AddCall(callstest.Call{ScheduledAt: &at})
			server.Fail(tt.fault)
			result, err := socketClient(t, server).CancelScheduled(t.Context(), id)
			if !errors.Is(err, tt.err) || err == nil && result.AlreadyCanceled != tt.already {
				t.Errorf("%v, %v, want %v", result, err, tt.err)
			}
			if got := len(server.Requests()); got != tt.requests {
				t.Errorf("%d requests, want %d", got, tt.requests)
			}
			if call, _ := server.Call(id); (call.Status == "cancelled") != tt.canceled {
				t.Errorf("the call is %s", call.Status)
			}
		})
	}
}

// reads has every operation that only reads, by its name. A new one is a row here.
var reads = map[string]func(ctx context.Context, c *calls.Client, callID int64) error{
	"GetCustomerFlag": func(ctx context.Context, c *calls.Client, callID int64) error {
		_, err := c.GetCustomerFlag(ctx, callID)
		return err
	},
	"QueueStatus": func(ctx context.Context, c *calls.Client, _ int64) error {
		_, err := c.QueueStatus(ctx, aQueueStatus)
		return err
	},
	"QueueOperation": func(ctx context.Context, c *calls.Client, _ int64) error {
		_, err := c.QueueOperation(ctx, aQueueOperation)
		return err
	},
	"WaitTimes": func(ctx context.Context, c *calls.Client, _ int64) error {
		_, err := c.WaitTimes(ctx, aWaitTimes)
		return err
	},
}

func TestEveryFaultOfARead(t *testing.T) {
	tests := []struct {
		fault    callstest.Fault
		requests int
		err      error
	}{
		{callstest.Pass, 1, nil},
		{callstest.RefuseConnection, 1, nil},
		{callstest.HangUpBeforeRead, 1, nil},
		{callstest.HangUpAfterRead, 2, nil},
		{callstest.Reset, 2, nil},
		{callstest.NotHTTP, 2, nil},
		{callstest.CutHeaders, 2, nil},
		{callstest.CutBody, 2, nil},
		{callstest.HugeBody, 1, calls.ErrUndecodable},
		{callstest.DripBody, 1, nil},
		{callstest.Status(503), 2, nil},
		{callstest.RateLimited("0"), 2, nil},
		{callstest.RateLimited("3600"), 1, calls.ErrRateLimited},
		{callstest.Status(501), 1, calls.ErrServer},
		{callstest.Status(401), 1, calls.ErrUnauthorized},
		{callstest.Redirect(302, "/"), 1, calls.ErrRedirected},
	}
	for name, read := range reads {
		for _, tt := range tests {
			t.Run(name+"/"+tt.fault.String(), func(t *testing.T) {
				t.Parallel()
				server := callstest.NewServer(t, callstest.WithTLS())
				id := server.AddCall(callstest.Call{})
				server.Fail(tt.fault)
				err := read(t.Context(), socketClient(t, server), id)
				if got := len(server.Requests()); !errors.Is(err, tt.err) || got != tt.requests {
					t.Errorf("%d requests, %v, want %d, %v", got, err, tt.requests, tt.err)
				}
			})
		}
	}
}
