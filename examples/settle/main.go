// Settle shows what to do when the answer to a create is lost: find out whether
// the call exists, and do not ring again. The double makes the call and hangs
// up without a word.
//
//	go run ./examples/settle
//	go run ./examples/settle -lost-before
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/examples/internal/platform"
)

func main() {
	ticket := flag.String("ticket", "71450", "CRM ticket whose end user to dial")
	lostBefore := flag.Bool("lost-before", false, "lose the request before the call is made, instead of the answer after it")
	platform.ParseFlags()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fault := callstest.HangUpAfterCreate
	if *lostBefore {
		fault = callstest.HangUpAfterRead
	}
	if err := run(ctx, *ticket, fault); err != nil {
		fmt.Fprintln(os.Stderr, "No call:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, ticket string, fault callstest.Fault) error {
	client, double, err := platform.Double(nil) // also with an account: nobody loses answers on purpose
	if err != nil {
		return err
	}
	defer platform.Stop(double)
	double.Fail(fault)

	call, err := createOnce(ctx, client, calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: ticket})
	fmt.Printf("Requests to create a call: %d. Calls made: %d.\n", creates(double), len(double.Calls()))
	if err != nil {
		return err
	}
	fmt.Printf("Carrying on with call %d, %s.\n", call.ID, call.Status)
	return nil
}

// createOnce creates a call and, if nobody knows whether it was created, looks
// for it. It never sends the request again.
func createOnce(ctx context.Context, client *calls.Client, request calls.OutboundRequest) (*calls.Call, error) {
	result, err := client.CreateOutbound(ctx, request)
	switch {
	case err == nil && result.AwaitsAgent:
		return nil, errors.New("the agent has to place it first")
	case err == nil:
		return result.Call, nil
	}
	fmt.Println(err)
	switch calls.DeliveryOf(err) {
	case calls.DeliveryNotSent, calls.DeliveryRejected:
		return nil, err
	}

	fmt.Println("The call may exist. Looking for it …")
	intent, _ := calls.IntentOf(err)
	call, settleErr := client.Settle(ctx, intent, calls.SettleOptions{Window: 2 * time.Second, ClockSkew: time.Second})
	switch {
	case errors.Is(settleErr, calls.ErrCallNotFound):
		return nil, errors.New("no listing has shown it. Ask the agent before you try again")
	case errors.Is(settleErr, calls.ErrAmbiguous):
		return nil, errors.New("several calls can be the one. A person has to look")
	}
	return call, settleErr
}

// creates counts the requests to create a call; the others looked for it.
func creates(double *callstest.Server) (n int) {
	for _, request := range double.Requests() {
		if request.Method == http.MethodPost {
			n++
		}
	}
	return n
}
