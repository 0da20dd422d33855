// Command go-retryablehttp shows what importing go-retryablehttp costs. See importcost.sh.
package main

import (
	"os"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/ccaip-go/calls/bench/importcost/internal/heap"
)

func main() {
	afterInit := heap.Live()
	c := retryablehttp.NewClient()
	heap.Report(afterInit, c)
	if len(os.Args) > 1 { // links the path of a request, is not run
		if response, err := c.Post(os.Args[1], "application/json", nil); err == nil {
			response.Body.Close()
		}
	}
}
