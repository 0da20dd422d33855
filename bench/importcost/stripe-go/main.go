// Command stripe-go shows what importing stripe-go costs. See importcost.sh.
package main

import (
	"context"
	"os"

	"github.com/stripe/stripe-go/v86"

	"github.com/ccaip-go/calls/bench/importcost/internal/heap"
)

func main() {
	afterInit := heap.Live()
	c := stripe.NewClient("sk_bench")
	heap.Report(afterInit, c)
	if len(os.Args) > 1 { // links the path of a request, is not run
		_, _ = c.V1PaymentIntents.Create(context.Background(), nil)
	}
}
