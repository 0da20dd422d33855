// Command godo shows what importing godo costs. See importcost.sh.
package main

import (
	"context"
	"os"

	"github.com/digitalocean/godo"

	"github.com/ccaip-go/calls/bench/importcost/internal/heap"
)

func main() {
	afterInit := heap.Live()
	c := godo.NewFromToken("bench")
	heap.Report(afterInit, c)
	if len(os.Args) > 1 { // links the path of a request, is not run
		_, _, _ = c.Droplets.Create(context.Background(), nil)
	}
}
