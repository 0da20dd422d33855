// Outbound has an agent call an end user, by number or by CRM ticket.
//
//	go run ./examples/outbound
//	go run ./examples/outbound -ticket 71450
//	go run ./examples/outbound -agent nobody@example.com
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/internal/double"
)

func main() {
	double.Start("-agent=agent@example.com", "-number=+1 859-657-9625") // delete this line and its import in a copy
	log.SetFlags(0)
	var request calls.OutboundRequest
	flag.StringVar(&request.AgentEmail, "agent", "", "e-mail address of the agent")
	flag.StringVar(&request.EndUserNumber, "number", "", "number to dial, with its country code")
	flag.StringVar(&request.TicketID, "ticket", "", "CRM ticket whose end user to dial; wins over the number")
	flag.StringVar(&request.OutboundNumber, "from", "", "number to call from (default the platform's)")
	flag.StringVar(&request.Lang, "lang", "", `language, such as "en" or "fr-CA"`)
	if flag.Parse(); flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if err := create(request); err != nil {
		log.Fatal(calls.Explain(err))
	}
}

func create(request calls.OutboundRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := calls.NewClientFromEnv()
	if err != nil {
		return err
	}
	result, err := client.CreateOutbound(ctx, request)
	if err == nil && result.AwaitsAgent { // a success: another create would make a second call
		fmt.Println("Accepted. The agent has to place the call in the widget.")
	} else if err == nil {
		fmt.Printf("Created call %d, %s.\n", result.Call.ID, result.Call.Status)
	}
	return err
}
