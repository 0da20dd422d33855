// Scheduled has an end user called at a later time: at a given one, or in the next
// callback period that the queue shows as free.
//
//	go run ./examples/scheduled
//	go run ./examples/scheduled -in 24h
//	go run ./examples/scheduled -next -zone America/New_York
//	go run ./examples/scheduled -at 2019-09-15T00:19:14Z -number 123123
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
	double.Start("-menu=9", "-number=+82-10-6861-2345").Unless("-in=1h", "at", "next") // delete this line and its import in a copy
	log.SetFlags(0)
	request, slot := calls.ScheduledRequest{}, slotFlags()
	flag.Int64Var(&request.MenuID, "menu", 0, "id of the queue menu, a mobile or web one")
	flag.StringVar(&request.EndUserNumber, "number", "", "number to dial, with its country code")
	flag.StringVar(&request.TicketID, "ticket", "", "CRM ticket of the call")
	if flag.Parse(); flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if err := create(context.Background(), request, slot); err != nil {
		log.Fatal(calls.Explain(err))
	}
}

func create(ctx context.Context, request calls.ScheduledRequest, slot *slot) error {
	client, err := calls.NewClientFromEnv()
	if err == nil {
		request.ScheduledAt, err = slot.choose(ctx, client, request.MenuID)
	}
	if err != nil {
		return err
	}
	result, err := client.CreateScheduled(ctx, request)
	if err == nil && result.AwaitsAgent {
		fmt.Println("Accepted. An agent has to place the call in the widget.")
	} else if err == nil {
		fmt.Printf("Scheduled call %d for %s.\n", result.Call.ID, request.ScheduledAt.Format(time.RFC1123))
	}
	return err
}
