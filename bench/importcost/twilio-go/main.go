// Command twilio-go shows what importing twilio-go costs. See importcost.sh.
package main

import (
	"os"

	"github.com/twilio/twilio-go"
	twilioapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/ccaip-go/calls/bench/importcost/internal/heap"
)

func main() {
	afterInit := heap.Live()
	c := twilio.NewRestClientWithParams(twilio.ClientParams{Username: "ACbench", Password: "secret"})
	heap.Report(afterInit, c)
	if len(os.Args) > 1 { // links the path of a request, is not run
		_, _ = c.Api.CreateCall(&twilioapi.CreateCallParams{})
	}
}
