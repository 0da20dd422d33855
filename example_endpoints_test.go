package calls_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func ExampleClient_GetCustomerFlag() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{})

	flag, err := client.GetCustomerFlag(context.Background(), id)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(flag.BadActor == nil) // the flag is not set
	// Output: true
}

func ExampleClient_UpdateCustomerFlag() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{})

	yes := true
	err := client.UpdateCustomerFlag(context.Background(), id, calls.CustomerFlagUpdate{VerifiedCustomer: &yes})
	flag := server.Flag(id)
	fmt.Println(err, *flag.VerifiedCustomer, flag.BadActor == nil)
	// Output: <nil> true true
}

func ExampleClient_AuthenticateEndUser() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{Status: "connected"})

	err := client.AuthenticateEndUser(context.Background(), id, calls.EndUserAuth{Identifier: "customer-67", Name: "A B"})
	switch {
	case errors.Is(err, calls.ErrCallEnded):
		fmt.Println("the call has ended")
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Println("authenticated")
	}
	// Output: authenticated
}

func ExampleClient_DialThirdParty() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{AgentEmail: "agent@example.com", Status: "connected"})

	participant, err := client.DialThirdParty(context.Background(), id, calls.ThirdPartyRequest{
		AgentEmail:  "agent@example.com",
		PhoneNumber: "+1 859-657-9625",
	})
	switch {
	case errors.Is(err, calls.ErrAgentNotOnCall):
		fmt.Println("the agent has left the call")
	case err != nil:
		fmt.Println(err, "– may a person have been called?", calls.DeliveryOf(err).MayExist())
	default:
		fmt.Println(participant.Type, participant.Status)
	}
	// Output: third_party connecting
}

func ExampleClient_CancelScheduled() {
	client, server := double()
	defer server.Close()
	at := time.Now().Add(time.Hour)
	id := server.AddCall(callstest.Call{ScheduledAt: &at})

	for range 2 {
		result, err := client.CancelScheduled(context.Background(), id)
		switch {
		case err != nil:
			fmt.Println(err)
		case result.AlreadyCanceled:
			fmt.Println("canceled before")
		default:
			fmt.Println(result.Call.Status)
		}
	}
	// Output:
	// cancelled
	// canceled before
}

func ExampleClient_CancelScheduledMany() {
	client, server := double()
	defer server.Close()
	at := time.Now().Add(time.Hour)
	first, second := server.AddCall(callstest.Call{ScheduledAt: &at}), server.AddCall(callstest.Call{ScheduledAt: &at})

	cancellation, err := client.CancelScheduledMany(context.Background(), []int64{first, second})
	if err != nil {
		fmt.Println(err)
		return
	}
	var progress any // not documented
	err = cancellation.Fetch(context.Background(), &progress)
	fmt.Println(progress, err)
	// Output: map[canceled:[397 398] failed:[]] <nil>
}

// This example schedules a call as documented: it gets the callback periods first, and
// uses one that is free.
func ExampleClient_QueueStatus() {
	client, server := double()
	defer server.Close()

	queues, err := client.QueueStatus(context.Background(), calls.QueueStatusRequest{
		Lang: "en", MenuIDs: []int64{9}, MenuType: calls.MenuTypeMobile, PeriodHours: 8,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, period := range queues[0].CallbackPeriods {
		start, err := period.Start(time.UTC) // the time zone of the queue
		if err != nil || !period.Free() {
			continue
		}
		_, err = client.CreateScheduled(context.Background(), calls.ScheduledRequest{
			MenuID: 9, EndUserNumber: "+1 859-657-9625", ScheduledAt: start,
		})
		fmt.Println("scheduled in a free period:", err == nil)
		return
	}
	// Output: scheduled in a free period: true
}

func ExampleClient_QueueOperation() {
	client, server := double()
	defer server.Close()

	queue, err := client.QueueOperation(context.Background(), calls.QueueOperationRequest{Lang: "en", MenuID: 13})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*queue.AfterHours, *queue.Overcapacity)
	// Output: true false
}

func ExampleClient_WaitTimes() {
	client, server := double()
	defer server.Close()

	waits, err := client.WaitTimes(context.Background(), calls.WaitTimesRequest{
		Lang: "en", MenuID: 9, MenuType: calls.MenuTypeIVR, ChannelType: calls.ChannelTypeVoiceCall,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, wait := range waits {
		fmt.Println(wait.MaterializedPath, wait.VoiceCall) // the unit is not certain
	}
	// Output: Lock Star 0
}

func ExampleCallbackPeriod_Start() {
	period := calls.CallbackPeriod{Date: "20260225", StartTime: "17:30", EndTime: "17:45"}
	eastern := time.FixedZone("EST", -5*60*60) // or time.LoadLocation("America/New_York")
	start, err := period.Start(eastern)
	fmt.Println(start, err)
	// Output: 2026-02-25 17:30:00 -0500 EST <nil>
}

func ExampleClient_Ping() {
	client, server := double()
	defer server.Close()
	fmt.Println(client.Ping(context.Background()))

	stranger, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "another token", calls.WithBaseURL(server.URL()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(errors.Is(stranger.Ping(context.Background()), calls.ErrUnauthorized))
	// Output:
	// <nil>
	// true
}

func ExampleClient_Do() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{})

	var flag map[string]any
	response, err := client.Do(context.Background(), http.MethodGet, fmt.Sprintf("calls/%d/customer_flag", id), nil, nil, &flag)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.StatusCode, len(flag))
	// Output: 200 3
}
