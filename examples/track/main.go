// Track creates a call and watches it until it ends. However many calls a program
// watches, one tail of its Client serves them all.
//
//	go run ./examples/track
//	go run ./examples/track -ends failed
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/internal/platform"
)

func main() {
	var request calls.OutboundRequest
	flag.StringVar(&request.AgentEmail, "agent", platform.Sample("agent@example.com"), "e-mail address of the agent")
	flag.StringVar(&request.EndUserNumber, "number", platform.Sample("+1 859-657-9625"), "number to dial, with its country code")
	ends := flag.String("ends", "finished", "status in which the double lets the call end")
	platform.ParseFlags()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := track(ctx, request, calls.CallStatus(*ends)); err != nil {
		fmt.Fprintln(os.Stderr, "Lost track:", err)
		os.Exit(1)
	}
}

func track(ctx context.Context, request calls.OutboundRequest, ends calls.CallStatus) error {
	if !ends.IsTerminal() {
		return fmt.Errorf("a call does not end as %q", ends)
	}
	client, double, err := platform.Connect(nil)
	if err != nil {
		return err
	}
	defer platform.Stop(double)

	result, err := client.CreateOutbound(ctx, request)
	switch {
	case err != nil:
		return err
	case result.AwaitsAgent:
		return errors.New("the agent has to place the call first, and it has no id before that")
	}
	if double != nil { // on the real platform people do this
		if err := double.Script(result.Call.ID, calls.CallStatusAssigned, calls.CallStatusConnecting, calls.CallStatusConnected, ends); err != nil {
			return err
		}
	}

	for call, err := range client.WatchCall(ctx, result.Call, calls.WatchOptions{Interval: time.Second}) {
		if err != nil {
			return err
		}
		fmt.Printf("Call %d is %s.\n", call.ID, call.Status)
	}
	return nil
}
