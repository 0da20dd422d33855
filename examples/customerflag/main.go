// Customerflag reads the customer flag of a call and, if a flag is given,
// changes it first.
//
//	go run ./examples/customerflag
//	go run ./examples/customerflag -verified=true -bad-actor=false
//	go run ./examples/customerflag -call 4711
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/internal/platform"
)

func main() {
	var update calls.CustomerFlagUpdate
	callID := flag.Int64("call", 0, "id of the call (default, with the double: of a call that is created first)")
	flag.BoolFunc("verified", "the customer is verified", set(&update.VerifiedCustomer))
	flag.BoolFunc("bad-actor", "the customer is a bad actor", set(&update.BadActor))
	flag.BoolFunc("repeat", "the customer calls repeatedly", set(&update.RepeatCustomer))
	platform.ParseFlags()

	if err := show(*callID, update); err != nil {
		fmt.Fprintln(os.Stderr, "No customer flag:", explain(err))
		os.Exit(1)
	}
}

// set keeps apart what was not given (nil), given as true and given as false.
func set(target **bool) func(string) error {
	return func(value string) error {
		b, err := strconv.ParseBool(value)
		*target = &b
		return err
	}
}

func show(callID int64, update calls.CustomerFlagUpdate) error {
	client, double, err := platform.Connect(nil)
	if err != nil {
		return err
	}
	defer platform.Stop(double)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if callID == 0 && !platform.IsReal() {
		if callID, err = create(ctx, client); err != nil {
			return err
		}
	}
	if update != (calls.CustomerFlagUpdate{}) {
		if err := client.UpdateCustomerFlag(ctx, callID, update); err != nil {
			return err
		}
	}
	flags, err := client.GetCustomerFlag(ctx, callID)
	if err != nil {
		return err
	}
	fmt.Printf("Call %d: verified customer %s, bad actor %s, repeat customer %s.\n", callID,
		word(flags.VerifiedCustomer), word(flags.BadActor), word(flags.RepeatCustomer))
	return nil
}

func create(ctx context.Context, client *calls.Client) (callID int64, err error) {
	result, err := client.CreateOutbound(ctx, calls.OutboundRequest{
		AgentEmail:    "agent@example.com",
		EndUserNumber: "+1 859-657-9625",
	})
	switch {
	case err != nil:
		return 0, err
	case result.AwaitsAgent:
		return 0, errors.New("the call has no id before the agent has placed it")
	}
	return result.Call.ID, nil
}

func word(flag *bool) string {
	switch {
	case flag == nil:
		return "not set"
	case *flag:
		return "yes"
	}
	return "no"
}

func explain(err error) string {
	switch {
	case errors.Is(err, calls.ErrNotFound):
		return "there is no such call."
	case errors.Is(err, calls.ErrCallIDInvalid):
		return "the id of a call is a positive number."
	}
	return err.Error()
}
