package calls_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/jarcoal/httpmock"
	"golang.org/x/time/rate"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// This example creates a call on the double of the platform, which package callstest
// provides, so that it runs without an account. For a real account, use
// NewClientFromEnv.
func Example() {
	platform, err := callstest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer platform.Close()
	client, err := platform.NewClient()
	if err != nil {
		fmt.Println(err)
		return
	}

	result, err := client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail:    "agent@example.com",
		EndUserNumber: "+1 859-657-9625",
	})
	switch {
	case errors.Is(err, calls.ErrAgentUnavailable):
		fmt.Println("the agent is busy: try again later")
	case err != nil && calls.DeliveryOf(err).MayExist():
		fmt.Println("the call may exist: look for it before you try again:", err)
	case err != nil:
		fmt.Println("no call was created:", err)
	case result.AwaitsAgent:
		fmt.Println("the agent has to place the call in the widget")
	default:
		fmt.Println("created call", result.Call.ID, result.Call.Status)
	}
	// Output: created call 397 assigned
}

// double starts a double of the platform, so that the examples run anywhere.
func double() (*calls.Client, *callstest.Server) {
	server, err := callstest.Start()
	if err != nil {
		log.Fatal(err)
	}
	client, err := server.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	return client, server
}

func ExampleClient_CreateOutbound() {
	client, server := double()
	defer server.Close()

	result, err := client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail:    "agent@example.com",
		EndUserNumber: "+1 859-657-9625",
	})
	if err != nil {
		fmt.Println(err, "– can it have rung?", calls.DeliveryOf(err))
		return
	}
	fmt.Println(result.Call.ID, result.Call.Status)
	// Output: 397 assigned
}

// An agent who has to choose the number to call from places the call by hand.
// It is a success: creating the call again would make a second one.
func ExampleClient_CreateOutbound_awaitsAgent() {
	client, server := double()
	defer server.Close()

	result, err := client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail: "chooser@example.com",
		TicketID:   "71450",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.AwaitsAgent, result.Call == nil)
	// Output: true true
}

func ExampleClient_CreateInbound() {
	client, server := double()
	defer server.Close()

	_, err := client.CreateInbound(context.Background(), calls.InboundRequest{
		MenuID:        13,
		EndUserNumber: "+82-10-6861-2345",
	})
	var refused *calls.APIError
	if errors.Is(err, calls.ErrMenuClosed) && errors.As(err, &refused) {
		fmt.Println("closed:", refused.Param)
	}
	// Output: closed: after hours
}

func ExampleClient_CreateScheduled() {
	client, server := double()
	defer server.Close()

	result, err := client.CreateScheduled(context.Background(), calls.ScheduledRequest{
		MenuID:        9,
		EndUserNumber: "+82-10-6861-2345",
		ScheduledAt:   time.Date(2100, 9, 15, 0, 19, 14, 0, time.UTC),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Call.ID, result.Call.ScheduledAt.Format(time.RFC3339))
	// Output: 397 2100-09-15T00:19:14Z
}

func ExampleClient_Validate() {
	client, server := double()
	defer server.Close()

	err := client.Validate(calls.OutboundRequest{EndUserNumber: "123123", Lang: "fr-ca"})
	var problems calls.ValidationErrors
	if errors.As(err, &problems) {
		for _, problem := range problems {
			fmt.Println(problem)
		}
	}
	// Output:
	// calls: agent_email is required
	// calls: end_user_number has no country code
	// calls: lang is not of the form "fr", "fr-CA" or "zh-Hant"
}

func ExampleDeliveryOf() {
	client, server := double()
	defer server.Close()
	server.Fail(callstest.HangUpAfterCreate) // the call is made, and the answer lost

	_, err := client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail: "agent@example.com",
		TicketID:   "71450",
	})
	switch calls.DeliveryOf(err) {
	case calls.DeliveryNotSent, calls.DeliveryRejected:
		fmt.Println("no call: it can be created again")
	case calls.DeliveryAccepted, calls.DeliveryUnknown:
		fmt.Println("it may have rung: look before trying again")
	}
	fmt.Println(len(server.Calls()), "call")
	// Output:
	// it may have rung: look before trying again
	// 1 call
}

func ExampleFailReason() {
	call := calls.Call{Status: calls.CallStatusFailed, FailReason: "eu_busy"}
	fmt.Println(call.FailReason.IsKnown(), call.FailReason.Number(), call.FailReason.Cause())
	// Output: true 21001 end user
}

// A call object is read from wherever it comes, and nothing of it is lost.
func ExampleCall_UnmarshalJSON() {
	var call calls.Call
	err := json.Unmarshal([]byte(`{"id":397,"rating":"4","status":"finished","new_key":true}`), &call)
	if err != nil {
		fmt.Println(err)
		return
	}
	kept, err := json.Marshal(call)
	fmt.Println(*call.Rating, string(kept), err)
	// Output: 4 {"id":397,"rating":"4","status":"finished","new_key":true} <nil>
}

// Several processes share the platform's limit: each takes its part, or all ask
// one limiter.
func ExampleWithRateLimiter() {
	share := rate.NewLimiter(4, 1) // of one of two processes
	_, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token", calls.WithRateLimiter(share))
	fmt.Println(err)
	// Output: <nil>
}

// A mock transport stands in for the platform in tests of a mapping.
func ExampleWithHTTPClient_httpmock() {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://customer.uc1.ccaiplatform.com/apps/api/v1/calls",
		httpmock.NewStringResponder(400, `{"message":"Agent is not available to take this call"}`))
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token",
		calls.WithHTTPClient(&http.Client{Transport: mock}))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail: "agent@example.com",
		TicketID:   "71450",
	})
	fmt.Println(errors.Is(err, calls.ErrAgentUnavailable), mock.GetTotalCallCount())
	// Output: true 1
}

// What is printed shows neither the token nor an address nor a number.
func ExampleOutboundRequest_String() {
	request := calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625", TicketID: "71450"}
	fmt.Printf("%+v\n", request)
	// Output: calls.OutboundRequest{agent_email=[redacted] ticket_id=71450 end_user_number=[redacted]}
}

func ExampleExplain() {
	client, server := double()
	defer server.Close()

	_, err := client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail:    "busy@example.com",
		EndUserNumber: "+1 859-657-9625",
	})
	fmt.Println(calls.Explain(err))

	server.Fail(callstest.HangUpAfterCreate)
	_, err = client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail:    "agent@example.com",
		EndUserNumber: "+1 859-657-9625",
	})
	fmt.Println(calls.Explain(err))
	// Output:
	// The agent cannot take a call now. Try again later, or choose another agent.
	// No response says what became of the request. The call may ring all the same: look before you try again.
}
