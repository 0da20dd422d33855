// Command calls shows what importing calls costs. See importcost.sh.
package main

import (
	"context"
	"os"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/bench/importcost/internal/heap"
)

func main() {
	afterInit := heap.Live()
	c, err := calls.NewClient("customer", "uc1.example.com", "secret")
	if err != nil {
		panic(err)
	}
	heap.Report(afterInit, []any{c})
	if len(os.Args) > 1 { // links the path of a request, is not run
		_, _ = c.CreateOutbound(context.Background(), calls.OutboundRequest{AgentEmail: os.Args[1], EndUserNumber: os.Args[1]})
	}
}
