package calls_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"golang.org/x/net/http2"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestSoak creates calls under random faults from many goroutines, each call with a
// number of its own, and then counts how often each number was called.
func TestSoak(t *testing.T) {
	for protocol, opts := range protocols {
		t.Run(protocol, func(t *testing.T) { soak(t, protocol, opts) })
	}
}

func soak(t *testing.T, protocol string, opts []callstest.Option) {
	const workers, each = 12, 60
	random := rand.New(rand.NewPCG(20190910, 51226))
	server := callstest.NewServer(t, opts...)
	for range workers * each {
		server.Fail(anyFault(random, protocol))
	}
	agents := []string{"agent@example.com", "agent@example.com", "agent@example.com", "chooser@example.com", "prompted@example.com"}

	type end struct {
		number string
		err    error
	}
	var mu sync.Mutex
	var ends []end
	create := func(worker, i int) {
		// Each create has a client of its own, since a 429 holds back all requests of a client.
		client := socketClient(t, server, shortTimeout, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1 + i%4, MinWait: 1, MaxWait: 1}))
		number := fmt.Sprintf("+1 859-65%d-%04d", worker%10, i*workers+worker)
		result, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: agents[i%len(agents)], EndUserNumber: number})
		if err == nil && (result.Call == nil) != result.AwaitsAgent {
			t.Errorf("neither a call nor AwaitsAgent, or both: %v", result)
		}
		mu.Lock()
		defer mu.Unlock()
		ends = append(ends, end{number, err})
	}
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range each {
				create(worker, i)
			}
		})
	}
	wg.Wait()
	for i := each; len(server.UnusedFaults()) > 0; i++ {
		create(0, i)
	}

	made := map[string]int{}
	for _, call := range server.Calls() {
		made[call.EndUserNumber]++
	}
	count := map[string]int{}
	for _, e := range ends {
		n := made[e.number]
		delivery := calls.DeliveryOf(e.err)
		what := delivery.String()
		if e.err == nil {
			what = "success"
		}
		count[fmt.Sprintf("%s, %d made", what, n)]++
		isWrong := n > 1 ||
			delivery == calls.DeliveryNotSent && n != 0 ||
			delivery == calls.DeliveryRejected && n != 0 ||
			delivery == calls.DeliveryAccepted && n != 1
		if isWrong {
			t.Errorf("%s: %s, and called %d times: %v", e.number, what, n, e.err)
		}
	}
	t.Logf("%d creates, %d requests, %d calls: %v", len(ends), len(server.Requests()), len(server.Calls()), count)
	if len(ends) < workers*each {
		t.Errorf("only %d creates ended", len(ends))
	}
}

// anyFault returns a random fault. The huge body is rare because it is slow.
func anyFault(random *rand.Rand, protocol string) callstest.Fault {
	faults := []callstest.Fault{
		callstest.Pass, callstest.Pass, callstest.Pass, callstest.RefuseConnection, callstest.BreakHandshake,
		callstest.HangUpBeforeRead, callstest.HangUpAfterRead, callstest.HangUpAfterCreate, callstest.Reset,
		callstest.ResetAfterCreate, callstest.CutStatusLine, callstest.CutHeaders, callstest.CutBody, callstest.DripBody,
		callstest.NotHTTP, callstest.CloseIdle, callstest.Status(500), callstest.StatusAfterCreate(502), callstest.Status(503),
		callstest.RateLimited(""), callstest.RateLimited("0"), callstest.RateLimited("3600"), callstest.Redirect(302, "/"),
		callstest.Status(400), callstest.Status(404),
	}
	if protocol != "HTTP/1" {
		faults = append(faults, callstest.RefuseStream, callstest.RefuseStreamAfterCreate, callstest.ResetStream(http2.ErrCodeProtocol),
			callstest.ResetStreamAfterCreate(http2.ErrCodeProtocol), callstest.GoAway, callstest.GoAwayAfterCreate)
	}
	if protocol == "HTTP/2 without TLS" {
		faults = slices.DeleteFunc(faults, func(f callstest.Fault) bool { return f == callstest.BreakHandshake })
	}
	switch n := random.IntN(400); {
	case n < 2:
		return callstest.HugeBody
	case n < 12:
		return []callstest.Fault{callstest.Stall, callstest.StallAfterCreate, callstest.StallBody}[n%3]
	}
	return faults[random.IntN(len(faults))]
}
