// Command phonenumbers shows what importing phonenumbers costs. See importcost.sh.
package main

import (
	"net/http"
	"os"

	"github.com/nyaruka/phonenumbers/v2"

	"github.com/ccaip-go/calls/bench/importcost/internal/heap"
)

func main() { // the baseline and one Parse
	afterInit := heap.Live()
	c := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	n, err := phonenumbers.Parse("+14155550100", "US")
	if err != nil {
		panic(err)
	}
	heap.Report(afterInit, []any{c, n})
	if len(os.Args) > 1 { // links the path of a request, is not run
		if response, err := c.Post(os.Args[1], "application/json", nil); err == nil {
			response.Body.Close()
		}
	}
}
