// Track creates a call and watches it until it ends.
//
//	go run ./examples/track
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
	double.Start("-agent=agent@example.com", "-number=+1 859-657-9625").AnswerCalls() // delete this line and its import in a copy
	log.SetFlags(0)
	var request calls.OutboundRequest
	flag.StringVar(&request.AgentEmail, "agent", "", "e-mail address of the agent")
	flag.StringVar(&request.EndUserNumber, "number", "", "number to dial, with its country code")
	if flag.Parse(); flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if err := track(context.Background(), request); err != nil {
		log.Fatal(calls.Explain(err))
	}
}

func track(ctx context.Context, request calls.OutboundRequest) error {
	client, err := calls.NewClientFromEnv()
	if err != nil {
		return err
	}
	result, err := client.CreateOutbound(ctx, request)
	if err == nil && result.AwaitsAgent {
		fmt.Println("Accepted. The agent has to place the call first: it has no id before that.")
	}
	if err != nil || result.AwaitsAgent {
		return err
	}
	for call, err := range client.WatchCall(ctx, result.Call, calls.WatchOptions{}) {
		if err != nil {
			return err
		}
		fmt.Printf("Call %d is %s.\n", call.ID, call.Status)
	}
	return nil
}
