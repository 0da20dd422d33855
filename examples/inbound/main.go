// Inbound puts a call into a queue, to be offered to its agents.
//
//	go run ./examples/inbound
//	go run ./examples/inbound -menu 13
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/internal/platform"
)

func main() {
	request := calls.InboundRequest{RecordingPermission: calls.RecordingPermissionGranted}
	flag.Int64Var(&request.MenuID, "menu", 9, "id of the queue menu, an IVR or mobile one")
	flag.StringVar(&request.EndUserNumber, "number", platform.Sample("+82-10-6861-2345"), "number to dial, with its country code")
	flag.StringVar(&request.TicketID, "ticket", "", "CRM ticket of the call")
	flag.StringVar(&request.Lang, "lang", "", `language, such as "en" or "fr-CA"`)
	platform.ParseFlags()

	if err := create(request); err != nil {
		fmt.Fprintln(os.Stderr, "No call:", explain(err))
		os.Exit(1)
	}
}

func create(request calls.InboundRequest) error {
	client, double, err := platform.Connect(nil)
	if err != nil {
		return err
	}
	defer platform.Stop(double)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := client.CreateInbound(ctx, request)
	if err != nil {
		return err
	}
	if result.AwaitsAgent {
		fmt.Println("Accepted. An agent has to place the call in the widget.")
		return nil
	}
	fmt.Printf("Created call %d, %s.\n", result.Call.ID, result.Call.Status)
	return nil
}

// explain puts an error in the words of the person who asked for the call.
func explain(err error) string {
	var refused *calls.APIError
	switch {
	case errors.Is(err, calls.ErrMenuAfterHours):
		return "the queue is closed at this hour. Schedule a call instead."
	case errors.Is(err, calls.ErrMenuClosed): // also the states that are not known yet
		return "the queue takes no calls now."
	case errors.Is(err, calls.ErrMenuNotFound):
		return "there is no such menu."
	case errors.Is(err, calls.ErrMenuTypeNotPermitted):
		return "the menu is neither an IVR nor a mobile one."
	case errors.Is(err, calls.ErrLanguageUnavailable) && errors.As(err, &refused):
		return fmt.Sprintf("nobody answers in the language %q.", refused.Param)
	}
	switch calls.DeliveryOf(err) {
	case calls.DeliveryUnknown, calls.DeliveryAccepted:
		return "it may ring all the same! Look before you try again. " + err.Error()
	}
	return err.Error()
}
