package calls_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestEveryFaultOfADial is TestEveryFaultOfACreate for a third party, who is a
// person as well. The double's success is a 200, so that a response that breaks off
// leaves open whether somebody was rung.
func TestEveryFaultOfADial(t *testing.T) {
	const rejected, accepted, unknown = calls.DeliveryRejected, calls.DeliveryAccepted, calls.DeliveryUnknown
	tests := []struct {
		fault      callstest.Fault
		deliveries int
		err        error // nil: dialed in the end
		delivery   calls.Delivery
		rung       int
	}{
		// Sent again: nothing of it was written, or the platform refused it.
		{callstest.RefuseConnection, 1, nil, accepted, 1},
		{callstest.BreakHandshake, 1, nil, accepted, 1},
		{callstest.RateLimited("0"), 2, nil, accepted, 1},
		// Not sent again, though nobody was rung: nobody can know.
		{callstest.HangUpBeforeRead, 0, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.HangUpAfterRead, 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Reset, 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.NotHTTP, 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(500), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(502), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(503), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(204), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(408), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Redirect(303, "/"), 1, calls.ErrOutcomeUnknown, unknown, 0},
		// Not sent again, and it would have rung twice.
		{callstest.HangUpAfterCreate, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.ResetAfterCreate, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.StatusAfterCreate(502), 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.CutStatusLine, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.CutHeaders, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.CutBody, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.HugeBody, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.DripBody, 1, nil, accepted, 1},
		{callstest.CloseIdle, 1, nil, accepted, 1},
		{callstest.Pass, 1, nil, accepted, 1},
		// Refused: final.
		{callstest.RateLimited("3600"), 1, calls.ErrRateLimited, rejected, 0},
		{callstest.Status(400), 1, calls.ErrInvalidRequest, rejected, 0},
		{callstest.Status(401), 1, calls.ErrUnauthorized, rejected, 0},
		{callstest.Status(404), 1, calls.ErrNotFound, rejected, 0},
		{callstest.Status(422), 1, calls.ErrInvalidRequest, rejected, 0},
		{callstest.Redirect(307, "/"), 1, calls.ErrRedirected, rejected, 0},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			t.Parallel()
			server := callstest.NewServer(t, callstest.WithTLS())
			id := server.AddCall(callstest.Call{AgentEmail: "agent@example.com", Status: "connected"})
			server.Fail(tt.fault)
			participant, err := hastyClient(t, server, patience(tt.fault)).DialThirdParty(t.Context(), id, aThirdParty)
			if !errors.Is(err, tt.err) || (participant != nil) != (tt.err == nil) {
				t.Errorf("%+v, %v, want %v", participant, err, tt.err)
			}
			if got := calls.DeliveryOf(err); got != tt.delivery {
				t.Errorf("delivery %v, want %v", got, tt.delivery)
			}
			if got := len(server.Requests()); got != tt.deliveries {
				t.Errorf("%d deliveries, want %d", got, tt.deliveries)
			}
			if call, _ := server.Call(id); len(call.ThirdParties) != tt.rung {
				t.Errorf("%d people were rung, want %d", len(call.ThirdParties), tt.rung)
			}
		})
	}
}

// TestADialThatIsGivenUp has the faults that stall: the caller waits until the
// request has arrived, so that nothing depends on the speed of the machine.
func TestADialThatIsGivenUp(t *testing.T) {
	for fault, rung := range map[callstest.Fault]int{callstest.Stall: 0, callstest.StallAfterCreate: 1, callstest.StallBody: 1} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			server := callstest.NewServer(t, callstest.WithTLS())
			id := server.AddCall(callstest.Call{AgentEmail: "agent@example.com", Status: "connected"})
			people := func() int { call, _ := server.Call(id); return len(call.ThirdParties) }
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for ctx.Err() == nil && (len(server.Requests()) == 0 || people() < rung) {
					runtime.Gosched()
				}
				cancel()
			}()
			server.Fail(fault)
			_, err := hastyClient(t, server, calls.WithAttemptTimeout(time.Hour)).DialThirdParty(ctx, id, aThirdParty)
			if !errors.Is(err, calls.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) || calls.DeliveryOf(err) != calls.DeliveryUnknown {
				t.Errorf("%v, %v", err, calls.DeliveryOf(err))
			}
			if len(server.Requests()) != 1 || people() != rung {
				t.Errorf("%d deliveries, %d people were rung", len(server.Requests()), people())
			}
		})
	}
}

// TestEveryFaultOfACancellation has what may be sent again because doing it twice
// does no harm: the second time finds the call canceled.
func TestEveryFaultOfACancellation(t *testing.T) {
	tests := []struct {
		fault      callstest.Fault
		deliveries int
		err        error
		already    bool // an earlier attempt canceled it
		canceled   bool
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
			result, err := hastyClient(t, server, patience(tt.fault)).CancelScheduled(t.Context(), id)
			if !errors.Is(err, tt.err) || err == nil && result.AlreadyCanceled != tt.already {
				t.Errorf("%v, %v, want %v", result, err, tt.err)
			}
			if got := len(server.Requests()); got != tt.deliveries {
				t.Errorf("%d deliveries, want %d", got, tt.deliveries)
			}
			if call, _ := server.Call(id); (call.Status == "cancelled") != tt.canceled {
				t.Errorf("the call is %s", call.Status)
			}
		})
	}
}

// TestEveryFaultOfAQuestionAboutQueues has the reads.
func TestEveryFaultOfAQuestionAboutQueues(t *testing.T) {
	tests := []struct {
		fault      callstest.Fault
		deliveries int
		err        error
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
	for name, ask := range map[string]func(*calls.Client) error{
		"QueueStatus": askStatus(t, aQueueStatus), "QueueOperation": askOperation(t, aQueueOperation), "WaitTimes": askWaits(t, aWaitTimes),
	} {
		for _, tt := range tests {
			t.Run(name+"/"+tt.fault.String(), func(t *testing.T) {
				t.Parallel()
				server := callstest.NewServer(t, callstest.WithTLS())
				server.Fail(tt.fault)
				err := ask(hastyClient(t, server, patience(tt.fault)))
				if got := len(server.Requests()); !errors.Is(err, tt.err) || got != tt.deliveries {
					t.Errorf("%d deliveries, %v, want %d, %v", got, err, tt.deliveries, tt.err)
				}
			})
		}
	}
}
