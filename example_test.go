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

// double starts the double of the platform for the other examples.
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
		fmt.Println(err, "– may the call exist?", calls.DeliveryOf(err).MayExist())
		return
	}
	fmt.Println(result.Call.ID, result.Call.Status)
	// Output: 397 assigned
}

// This agent has to choose the number to call from, and places the call by hand. That is
// a success: creating the call again would make a second one.
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

// This example creates a call from JSON, such as a message from a queue.
func ExampleClient_Create() {
	client, server := double()
	defer server.Close()

	request, err := calls.UnmarshalRequest([]byte(`{"call_type":"Voice Inbound (API)","menu_id":9,"end_user_number":"+82-10-6861-2345"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Create(context.Background(), request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Call.ID, result.Call.CallType)
	// Output: 397 Voice Inbound (API)
}

// This example stores a create that was validated, and sends it later.
func ExampleClient_Prepare() {
	client, server := double()
	defer server.Close()

	prepared, err := client.Prepare(calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"}, calls.WithKey("task 8812"))
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, err := json.Marshal(prepared)
	if err != nil {
		fmt.Println(err)
		return
	}
	var read calls.Prepared
	if err := json.Unmarshal(stored, &read); err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Send(context.Background(), &read, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(read.ID(), "created call", result.Call.ID)
	// Output: task 8812 created call 397
}

// logbook is a Journal that prints.
type logbook struct{}

func (logbook) Sending(_ context.Context, i calls.Intent) error {
	fmt.Println(i.ID, "is sent") // a real Journal stores the Intent
	return nil
}

func (logbook) NotSent(_ context.Context, i calls.Intent) {
	fmt.Println(i.ID, "was not carried out")
}

func ExampleClient_Send() {
	client, server := double()
	defer server.Close()
	server.Fail(callstest.RateLimited("0"))

	prepared, err := client.Prepare(calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"}, calls.WithKey("task 8812"))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Send(context.Background(), prepared, logbook{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("created call", result.Call.ID)
	// Output:
	// task 8812 is sent
	// task 8812 was not carried out
	// task 8812 is sent
	// created call 397
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
	server.Fail(callstest.HangUpAfterCreate) // creates the call and loses the response

	_, err := client.CreateOutbound(context.Background(), calls.OutboundRequest{
		AgentEmail: "agent@example.com",
		TicketID:   "71450",
	})
	switch calls.DeliveryOf(err) {
	case calls.DeliveryNotSent, calls.DeliveryRejected:
		fmt.Println("there is no call: it can be created again")
	case calls.DeliveryAccepted, calls.DeliveryUnknown:
		fmt.Println("the call may exist: look for it before trying again")
	}
	fmt.Println(len(server.Calls()), "call")
	// Output:
	// the call may exist: look for it before trying again
	// 1 call
}

func ExampleNewClient() {
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token")
	fmt.Println(client, err)
	// Output: calls.Client{host=customer.uc1.ccaiplatform.com} <nil>
}

func ExampleFailReason() {
	call := calls.Call{Status: calls.CallStatusFailed, FailReason: "eu_busy"}
	fmt.Println(call.FailReason.IsKnown(), call.FailReason.Number(), call.FailReason.Cause())
	// Output: true 21001 end user
}

// This example decodes a call object from another source. Marshaling it returns the same
// JSON, with the keys that this package does not know.
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

// This process is one of two, which share the platform's limit of 10 requests a second.
func ExampleWithRateLimiter() {
	share := rate.NewLimiter(4, 1)
	_, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token", calls.WithRateLimiter(share))
	fmt.Println(err)
	// Output: <nil>
}

// This example tests the handling of an error with a mock transport.
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

// The printed form of a request has no e-mail address and no telephone number.
func ExampleOutboundRequest_Format() {
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
