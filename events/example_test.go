package events_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ccaip-go/calls/events"
)

// This program polls its calls when an event arrives. The event is only a hint: the state of
// the call comes from the platform.
func ExampleHandler() {
	// lookNow wakes the part of the program that polls, once for any number of events.
	wake := make(chan struct{}, 1)
	lookNow := func() {
		select {
		case wake <- struct{}{}:
		default: // already due
		}
	}

	handler := events.Handler("ccaip", "a long password", func(_ context.Context, e events.Event) error {
		fmt.Println("call", e.CallID, e.State)
		lookNow()
		return nil
	})
	server := httptest.NewServer(handler) // behind https in production
	defer server.Close()

	// The platform sends an event twice.
	const body = `{"count": 1, "events": [{"event_id": "6f1c2d3e-0000-4000-8000-000000000001", "call_id": 397, "state": "connected"}]}`
	for range 2 {
		request, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		request.Header.Set("Content-Type", "application/json")
		request.SetBasicAuth("ccaip", "a long password")
		response, err := server.Client().Do(request)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = response.Body.Close()
		fmt.Println(response.Status)
	}

	<-wake
	fmt.Println("polling the calls")
	// Output:
	// call 397 connected
	// 200 OK
	// 200 OK
	// polling the calls
}

// The printed form of an event has no data about the people in the call.
func ExampleEvent() {
	var e events.Event
	err := e.UnmarshalJSON([]byte(`{
		"event_id": "6f1c2d3e-0000-4000-8000-000000000001",
		"timestamp": 1568074754421,
		"item": {
			"CallID": "397",
			"State": "connected",
			"Participants": [{"Type": "external", "State": "connected", "DN": "+18596579625"}]
		}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e)
	fmt.Println(e.Participants)
	// Output:
	// events.Event{event_id=6f1c2d3e-0000-4000-8000-000000000001 timestamp=2019-09-10T00:19:14.421Z call_id=397 state=connected}
	// [events.Participant{type=external state=connected}]
}
