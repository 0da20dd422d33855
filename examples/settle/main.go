// Settle has an agent call an end user once, also if the response to the create is
// lost: then it finds out whether the call exists, and does not ring again.
//
//	go run ./examples/settle
//	go run ./cmd/ccaip-double -fail HangUpAfterRead -- go run ./examples/settle -agent agent@example.com -ticket 71450
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/internal/double"
)

func main() {
	double.Start("-agent=agent@example.com", "-ticket=71450", "-window=2s", "-skew=1s").LoseResponse() // delete this line and its import in a copy
	log.SetFlags(0)
	request, opts := calls.OutboundRequest{}, settleFlags()
	flag.StringVar(&request.AgentEmail, "agent", "", "e-mail address of the agent")
	flag.StringVar(&request.TicketID, "ticket", "", "CRM ticket whose end user to dial")
	if flag.Parse(); flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if err := createOnce(request, *opts); err != nil {
		log.Fatal(calls.Explain(err))
	}
}

// createOnce sends the create once. If the call may exist although that failed, it
// looks for the call.
func createOnce(request calls.OutboundRequest, opts calls.SettleOptions) error {
	client, err := calls.NewClientFromEnv()
	if err != nil {
		return err
	}
	result, err := client.CreateOutbound(context.Background(), request)
	if intent, ok := calls.IntentOf(err); ok && calls.DeliveryOf(err).MayExist() {
		fmt.Println(calls.Explain(err))
		fmt.Printf("Looking for it: this takes up to %v, and longer if the platform is slow …\n", opts.Window+opts.ClockSkew)
		result = &calls.CreateResult{}
		result.Call, err = client.Settle(context.Background(), intent, opts)
	}
	if err == nil && result.AwaitsAgent {
		fmt.Println("Accepted. The agent has to place the call in the widget.")
	} else if err == nil {
		fmt.Printf("Carrying on with call %d, %s.\n", result.Call.ID, result.Call.Status)
	}
	return err
}
