// Customerflag reads the customer flag of a call and, if a flag is given, changes it
// first. A flag that was never set is null.
//
//	go run ./examples/customerflag
//	go run ./examples/customerflag -verified=true -bad-actor=false
//	go run ./examples/customerflag -call 4711
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"strconv"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/internal/double"
)

func main() {
	double.Start("-call=397").AddCall() // delete this line and its import in a copy
	log.SetFlags(0)
	callID := flag.Int64("call", 0, "id of the call")
	var update calls.CustomerFlagUpdate // a flag that is not given stays nil
	for name, target := range map[string]**bool{"verified": &update.VerifiedCustomer, "bad-actor": &update.BadActor, "repeat": &update.RepeatCustomer} {
		flag.BoolFunc(name, "set this flag to true, or with =false to false", func(text string) error {
			value, err := strconv.ParseBool(text)
			*target = &value
			return err
		})
	}
	if flag.Parse(); flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q: write the value of a flag as in -verified=true", flag.Arg(0))
	}
	client, err := calls.NewClientFromEnv()
	if err == nil && update != (calls.CustomerFlagUpdate{}) {
		err = client.UpdateCustomerFlag(context.Background(), *callID, update)
	}
	if err != nil {
		log.Fatal(calls.Explain(err))
	}
	flags, err := client.GetCustomerFlag(context.Background(), *callID)
	if err != nil {
		log.Fatal(calls.Explain(err))
	}
	text, _ := json.Marshal(flags) // three booleans
	fmt.Printf("Call %d: %s\n", *callID, text)
}
