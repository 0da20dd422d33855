// Outbound has an agent call somebody, by number or by CRM ticket.
//
//	go run ./examples/outbound
//	go run ./examples/outbound -ticket 71450
//	go run ./examples/outbound -agent nobody@example.com
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
	var request calls.OutboundRequest
	flag.StringVar(&request.AgentEmail, "agent", platform.Sample("agent@example.com"), "e-mail address of the agent")
	flag.StringVar(&request.EndUserNumber, "number", platform.Sample("+1 859-657-9625"), "number to dial, with its country code")
	flag.StringVar(&request.TicketID, "ticket", "", "CRM ticket whose end user to dial; wins over the number")
	flag.StringVar(&request.OutboundNumber, "from", "", "number to call from (default the platform's)")
	flag.StringVar(&request.Lang, "lang", "", `language, such as "en" or "fr-CA"`)
	platform.ParseFlags()

	if err := create(request); err != nil {
		fmt.Fprintln(os.Stderr, "No call:", explain(err))
		os.Exit(1)
	}
}

func create(request calls.OutboundRequest) error {
	client, double, err := platform.Connect(nil)
	if err != nil {
		return err
	}
	defer platform.Stop(double)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := client.CreateOutbound(ctx, request)
	if err != nil {
		return err
	}
	if result.AwaitsAgent {
		// A success: creating the call again would make a second one.
		fmt.Println("Accepted. The agent has to place the call in the widget.")
		return nil
	}
	fmt.Printf("Created call %d, %s.\n", result.Call.ID, result.Call.Status)
	return nil
}

// explain puts an error in the words of the person who asked for the call.
func explain(err error) string {
	switch {
	case errors.Is(err, calls.ErrAgentEmailInvalid):
		return "there is no agent with this e-mail address."
	case errors.Is(err, calls.ErrAgentUnavailable):
		return "the agent cannot take a call now. Try later, or choose another."
	case errors.Is(err, calls.ErrAgentNotPermitted):
		return "the agent may not make calls. An administrator can allow it."
	case errors.Is(err, calls.ErrContactNotFound):
		return "the ticket has nobody to call. Give a number instead."
	case errors.Is(err, calls.ErrEndUserNumberMalformed):
		return "the number to dial is not a telephone number with a country code."
	case errors.Is(err, calls.ErrUnauthorized):
		return "the platform does not accept the subdomain and token."
	}
	switch calls.DeliveryOf(err) {
	case calls.DeliveryUnknown, calls.DeliveryAccepted:
		return "it may ring all the same! Look before you try again. " + err.Error()
	}
	return err.Error()
}
