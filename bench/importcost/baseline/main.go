// Command baseline shows what importing net/http alone costs. See importcost.sh.
package main

import (
	"net/http"
	"os"

	"github.com/ccaip-go/calls/bench/importcost/internal/heap"
)

func main() {
	afterInit := heap.Live()
	c := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	heap.Report(afterInit, c)
	if len(os.Args) > 1 { // links the path of a request, is not run
		if response, err := c.Post(os.Args[1], "application/json", nil); err == nil {
			response.Body.Close()
		}
	}
}
