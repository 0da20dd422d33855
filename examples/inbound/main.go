// Inbound puts a call into a queue, to be offered to its agents.
//
//	go run ./examples/inbound
//	go run ./examples/inbound -menu 13
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
	double.Start("-menu=9", "-number=+82-10-6861-2345") // delete this line and its import in a copy
	log.SetFlags(0)
	request := calls.InboundRequest{RecordingPermission: calls.RecordingPermissionGranted}
	flag.Int64Var(&request.MenuID, "menu", 0, "id of the queue menu, an IVR or mobile one")
	flag.StringVar(&request.EndUserNumber, "number", "", "number to dial, with its country code")
	flag.StringVar(&request.TicketID, "ticket", "", "CRM ticket of the call")
	flag.StringVar(&request.Lang, "lang", "", `language, such as "en" or "fr-CA"`)
	if flag.Parse(); flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if err := create(request); err != nil {
		log.Fatal(calls.Explain(err))
	}
}

func create(request calls.InboundRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := calls.NewClientFromEnv()
	if err != nil {
		return err
	}
	result, err := client.CreateInbound(ctx, request)
	if err == nil && result.AwaitsAgent { // a success: another create would make a second call
		fmt.Println("Accepted. An agent has to place the call in the widget.")
	} else if err == nil {
		fmt.Printf("Created call %d, %s.\n", result.Call.ID, result.Call.Status)
	}
	return err
}
