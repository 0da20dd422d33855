package calls_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/jarcoal/httpmock"
	"golang.org/x/time/rate"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

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

// quickStart is what the README begins with.
func quickStart(ctx context.Context) error {
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", os.Getenv("CCAIP_TOKEN"))
	if err != nil {
		return err
	}
	result, err := client.CreateOutbound(ctx, calls.OutboundRequest{
		AgentEmail:    "agent@example.com",
		EndUserNumber: "+1 859-657-9625",
	})
	switch {
	case errors.Is(err, calls.ErrAgentUnavailable):
		return errors.New("the agent is busy")
	case err != nil:
		return err // see "When a create fails" before trying again
	case result.AwaitsAgent:
		fmt.Println("the agent has to place the call in the widget")
	default:
		fmt.Println("created call", result.Call.ID, result.Call.Status)
	}
	return nil
}

func Example() {
	// Without CCAIP_TOKEN the quick start of the README ends here.
	if os.Getenv("CCAIP_TOKEN") != "" {
		return
	}
	fmt.Println(quickStart(context.Background()))
	// Output: calls: NewClient: the token is empty
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

func ExampleClient_GetCustomerFlag() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{})

	flag, err := client.GetCustomerFlag(context.Background(), id)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(flag.BadActor == nil) // nobody has said so or otherwise
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
		fmt.Println("there is nothing to settle:", createErr)
		return
	}
	// The double's clock is this machine's, and its listing does not lag.
	call, err := client.Settle(context.Background(), intent, calls.SettleOptions{ClockSkew: time.Millisecond, Window: time.Millisecond})
	switch {
	case errors.Is(err, calls.ErrAmbiguous), errors.Is(err, calls.ErrCallNotFound):
		fmt.Println("a person has to look before anybody calls again:", err)
	case err != nil:
		fmt.Println("still not known:", err)
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
		if seen++; seen == 2 { // a real tail goes on
			break
		}
	}
	// Output:
	// 397 queued
	// 398 queued
}

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

	_, err := client.FindCall(context.Background(), 4711, calls.FindOptions{Since: time.Now().Add(-time.Hour)})
	fmt.Println(errors.Is(err, calls.ErrCallNotFound))
	// Output: true
}

func ExampleClient_WatchCall() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{Status: "finished"})

	for call, err := range client.WatchCall(context.Background(), &calls.Call{ID: id}, calls.WatchOptions{}) {
		if err != nil {
			fmt.Println("no longer watching:", err)
			return
		}
		fmt.Println(call.ID, call.Status)
	}
	// Output: 397 finished
}

func ExampleClient_AuthenticateEndUser() {
	client, server := double()
	defer server.Close()
	id := server.AddCall(callstest.Call{Status: "finished"})

	err := client.AuthenticateEndUser(context.Background(), id, calls.EndUserAuth{Identifier: "customer-67"})
	fmt.Println(errors.Is(err, calls.ErrCallEnded))
	// Output: true
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
	var shown any // what the platform shows is not documented
	err = cancellation.Fetch(context.Background(), &shown)
	fmt.Println(shown, err)
	// Output: map[canceled:[397 398] failed:[]] <nil>
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
		fmt.Println(err, "– can it have rung?", calls.DeliveryOf(err).MayExist())
	default:
		fmt.Println(participant.Type, participant.Status)
	}
	// Output: third_party connecting
}

// The documented way to schedule a call: ask for the callback periods first, and
// use only one that is free.
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
		fmt.Println(wait.MaterializedPath, wait.VoiceCall) // in a unit that is not certain
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

func ExampleFailReason() {
	call := calls.Call{Status: calls.CallStatusFailed, FailReason: "eu_busy"}
	fmt.Println(call.FailReason.IsKnown(), call.FailReason.Number(), call.FailReason.Cause())
	// Output: true 21001 end user
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
