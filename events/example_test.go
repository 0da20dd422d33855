package events_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ccaip-go/calls/events"
)

// An event makes the program look at its calls at once. It does not say what
// became of the call: the look does.
func ExampleHandler() {
	// lookNow wakes what reads calls back. One look at a time is enough, however
	// many events there were.
	wake := make(chan struct{}, 1)
	lookNow := func() {
		select {
		case wake <- struct{}{}:
		default: // a look is due already
		}
	}

	handler := events.Handler("ccaip", "a long password", func(_ context.Context, e events.Event) error {
		fmt.Println("call", e.CallID, e.State)
		lookNow()
		return nil
	})
	server := httptest.NewServer(handler) // behind https in production
	defer server.Close()

	// The platform sends an event, and sends it again.
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
	fmt.Println("looking at the calls")
	// Output:
	// call 397 connected
	// 200 OK
	// 200 OK
	// looking at the calls
}

// An event prints without anything about the people in the call.
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
