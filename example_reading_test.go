package calls_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func ExampleClient_ListCalls() {
	client, server := double()
	defer server.Close()
	for range 3 {
		server.AddCall(callstest.Call{})
	}
	for call, err := range client.ListCalls(context.Background(), calls.ListOptions{SortBy: "id", Descending: true}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(call.ID, call.Status)
	}
	// Output:
	// 399 queued
	// 398 queued
	// 397 queued
}

func ExampleClient_FindCall() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{})

	for _, id := range []int64{id, 4711} {
		call, err := client.FindCall(context.Background(), id, calls.FindOptions{Since: time.Now().Add(-time.Hour)})
		switch {
		case errors.Is(err, calls.ErrCallNotFound):
			fmt.Println("not changed in the last hour")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println(call.ID, call.Status)
		}
	}
	// Output:
	// 397 queued
	// not changed in the last hour
}

func ExampleClient_TailCalls() {
	client, server := double()
	defer server.Close()
	server.AddCall(callstest.Call{})
	server.AddCall(callstest.Call{})

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := 0
	for call, err := range client.TailCalls(ctx, time.Now().Add(-time.Hour), calls.TailOptions{}) {
		if err != nil {
			fmt.Println("the tail has ended:", err)
			return
		}
		fmt.Println(call.ID, call.Status)
		if seen++; seen == 2 { // a tail has no end of its own
			break
		}
	}
	// Output:
	// 397 queued
	// 398 queued
}

func ExampleClient_WatchCall() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{Status: "finished"})

	for call, err := range client.WatchCall(context.Background(), &calls.Call{ID: id}, calls.WatchOptions{}) {
		if err != nil {
			fmt.Println("the watch has ended:", err)
			return
		}
		fmt.Println(call.ID, call.Status)
	}
	// Output: 397 finished
}

func ExampleClient_WatchCalls() {
	client, server := double()
	defer server.Close()
	first := server.AddCall(callstest.Call{Status: "finished"})
	second := server.AddCall(callstest.Call{Status: "failed"})

	watched := []*calls.Call{{ID: first}, {ID: second}}
	for call, err := range client.WatchCalls(context.Background(), watched, calls.WatchOptions{}) {
		if err != nil {
			fmt.Println("the watch has ended:", err)
			return
		}
		fmt.Println(call.ID, call.Status)
	}
	// Output:
	// 397 finished
	// 398 failed
}

// This example polls at once when the platform sends an event about a call. See package
// events.
func ExampleClient_LookNow() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{Status: "connected"})

	opts := calls.WatchOptions{Interval: time.Hour, MaxInterval: time.Hour}
	for call, err := range client.WatchCall(context.Background(), &calls.Call{ID: id}, opts) {
		if err != nil {
			fmt.Println("the watch has ended:", err)
			return
		}
		fmt.Println(call.Status)
		if call.Status == calls.CallStatusConnected {
			if err := server.Advance(id, calls.CallStatusFinished); err != nil {
				fmt.Println(err)
				return
			}
			client.LookNow()
		}
	}
	// Output:
	// connected
	// finished
}

func ExampleClient_Settle() {
	client, server := double()
	defer server.Close()
	server.Fail(callstest.HangUpAfterCreate)

	_, createErr := client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail: "agent@example.com",
		TicketID:   "71450",
	})
	intent, ok := calls.IntentOf(createErr)
	if !ok || !calls.DeliveryOf(createErr).MayExist() {
		fmt.Println("no call can exist:", createErr)
		return
	}
	// The double has the clock of this machine, and its listing does not lag.
	call, err := client.Settle(context.Background(), intent, calls.SettleOptions{ClockSkew: time.Millisecond, Window: time.Millisecond})
	switch {
	case errors.Is(err, calls.ErrAmbiguous), errors.Is(err, calls.ErrCallNotFound):
		fmt.Println("a person has to decide whether the call exists:", err)
	case err != nil:
		fmt.Println("not settled:", err)
	default:
		fmt.Println(call)
	}
	// Output: calls.Call{id=397 call_type=Voice Outbound (API) status=assigned}
}

func ExampleClient_SettleAll() {
	client, server := double()
	defer server.Close()
	var intents []calls.Intent
	for _, ticket := range []string{"71450", "76517"} {
		server.Fail(callstest.HangUpAfterCreate)
		_, err := client.CreateOutbound(context.Background(), calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: ticket})
		if intent, ok := calls.IntentOf(err); ok {
			intents = append(intents, intent)
		}
	}
	found := 0
	for _, settled := range client.SettleAll(context.Background(), intents, calls.SettleOptions{ClockSkew: time.Millisecond, Window: time.Millisecond}) {
		if settled.Err != nil {
			fmt.Println(settled.Err)
			continue
		}
		found++
	}
	fmt.Println(found, "calls found")
	// Output: 2 calls found
}
