// Scheduled has somebody called at a later time: at a given one, or in the next
// callback period that the queue shows as free.
//
//	go run ./examples/scheduled
//	go run ./examples/scheduled -in 24h
//	go run ./examples/scheduled -next -zone America/New_York
//	go run ./examples/scheduled -at 2019-09-15T00:19:14Z -number 123123
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
	request := calls.ScheduledRequest{ScheduledAt: time.Now().Add(time.Hour).UTC().Truncate(time.Minute)}
	var queue queue
	flag.Int64Var(&request.MenuID, "menu", 9, "id of the queue menu, a mobile or web one")
	flag.StringVar(&request.EndUserNumber, "number", platform.Sample("+82-10-6861-2345"), "number to dial, with its country code")
	flag.StringVar(&request.TicketID, "ticket", "", "CRM ticket of the call")
	flag.TextVar(&request.ScheduledAt, "at", request.ScheduledAt, "when to call, such as 2030-01-31T12:00:00Z")
	flag.Func("in", "how long from now to call, such as 90m (instead of -at)", func(value string) error {
		wait, err := time.ParseDuration(value)
		request.ScheduledAt = time.Now().Add(wait)
		return err
	})
	flag.BoolVar(&queue.next, "next", false, "call in the next free callback period of the queue (instead of -at)")
	flag.StringVar(&queue.menuType, "menu-type", string(calls.MenuTypeMobile), "type of the queue menu, for -next")
	flag.StringVar(&queue.zone, "zone", "UTC", "time zone of the queue, for -next")
	platform.ParseFlags()

	if err := create(request, queue); err != nil {
		explain(err)
		os.Exit(1)
	}
}

func create(request calls.ScheduledRequest, queue queue) error {
	client, double, err := platform.Connect(nil)
	if err != nil {
		return err
	}
	defer platform.Stop(double)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if queue.next {
		if request.ScheduledAt, err = queue.nextFree(ctx, client, request.MenuID); err != nil {
			return fmt.Errorf("%w: %w", errNoPeriod, err)
		}
	}
	result, err := client.CreateScheduled(ctx, request)
	if err != nil {
		return err
	}
	if result.AwaitsAgent {
		fmt.Println("Accepted. An agent has to place the call in the widget.")
		return nil
	}
	fmt.Printf("Scheduled call %d", result.Call.ID)
	if at := result.Call.ScheduledAt; at != nil {
		fmt.Printf(" for %s", at.Format(time.RFC1123))
	}
	fmt.Println(".")
	return nil
}

// explain shows each problem of the request beside its field, as a form would.
func explain(err error) {
	fmt.Fprintln(os.Stderr, "No call:")
	for _, problem := range problems(err) {
		fmt.Fprintf(os.Stderr, "  %s %s\n", problem.Field, problem.Reason)
	}
	switch {
	case errors.Is(err, calls.ErrScheduledAtPast):
		fmt.Fprintln(os.Stderr, "Choose a time that is still to come.")
	case len(problems(err)) > 0:
	case calls.DeliveryOf(err).MayExist() && !errors.Is(err, errNoPeriod):
		fmt.Fprintln(os.Stderr, "  It may ring all the same! Look before you try again.", err)
	default:
		fmt.Fprintln(os.Stderr, " ", err)
	}
}

// problems lists what is wrong with a request; it is empty for other errors.
func problems(err error) (all calls.ValidationErrors) {
	errors.As(err, &all)
	return all
}
