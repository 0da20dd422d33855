//go:build linux

package harness

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// create is one that is enqueued. Each has an agent of its own, which neither an
// Intent nor a listing shows: the harness alone knows by it whose a call is.
type create struct {
	id      string // of its entry
	request calls.OutboundRequest
	agent   callstest.Agent
}

// newCreates returns creates of every kind: most have a ticket of their own, a twentieth
// shares one with another, a twentieth has none, and some end without a call.
func newCreates(n int) []create {
	creates := make([]create, n)
	for i := range creates {
		c := &creates[i]
		c.agent = callstest.Agent{Email: fmt.Sprintf("agent-%d@example.com", i), Available: true, Permitted: true}
		c.request = calls.OutboundRequest{AgentEmail: c.agent.Email, TicketID: ticketOf(i)}
		switch {
		case i%20 == 3:
			c.request.TicketID, c.request.EndUserNumber = "", endUserNumber
		case i%20 == 6:
			c.request.TicketID = ticketOf(i - 1)
		case i%20 == 17:
			c.agent.Response = callstest.ResponseAccepted
		case i%40 == 12:
			c.agent.Available = false
		}
	}
	return creates
}

const endUserNumber = "+18596579625"

func ticketOf(i int) string { return fmt.Sprint("ticket-", i) }

// startDouble starts a platform that loses one response in fifty, and refuses one
// request in a hundred for the rate limit.
func startDouble(creates []create, random *rand.Rand) (*callstest.Server, error) {
	var agents []callstest.Agent
	var tickets []callstest.Ticket
	for i, c := range creates {
		agents = append(agents, c.agent)
		tickets = append(tickets, callstest.Ticket{ID: ticketOf(i), Number: endUserNumber})
	}
	double, err := callstest.Start(callstest.WithAgents(agents...), callstest.WithTickets(tickets...),
		callstest.WithListingLag(func(callID int64) time.Duration {
			return time.Duration(callID) * 137 * time.Millisecond % listingLag
		}))
	if err != nil {
		return nil, err
	}
	lost := []callstest.Fault{
		callstest.HangUpBeforeRead, callstest.HangUpAfterRead, callstest.HangUpAfterCreate, callstest.ResetAfterCreate,
		callstest.StallAfterCreate, callstest.CutStatusLine, callstest.CutHeaders, callstest.CutBody,
		callstest.StatusAfterCreate(502),
	}
	for range 30 * len(creates) {
		switch random.IntN(100) {
		case 0, 1:
			double.Fail(lost[random.IntN(len(lost))])
		case 2:
			double.Fail(callstest.RateLimited("1"))
		default:
			double.Fail(callstest.Pass)
		}
	}
	return double, nil
}
