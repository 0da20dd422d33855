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
	kind    string // what a listing shows of it
	request calls.OutboundRequest
	agent   callstest.Agent
}

// newCreates returns creates of every kind: most have a ticket of their own, a twentieth
// shares one with another, a twentieth has none and is called from a number of its own,
// and some end without a call. The last twentieth has nothing that a listing shows: each
// of those contests every call that is made after it began.
func newCreates(n int) []create {
	creates := make([]create, n)
	for i := range creates {
		c := &creates[i]
		c.agent = callstest.Agent{Email: fmt.Sprintf("agent-%d@example.com", i), Available: true, Permitted: true}
		c.request = calls.OutboundRequest{AgentEmail: c.agent.Email, TicketID: ticketOf(i)}
		c.kind = "with a ticket of its own"
		switch {
		case i >= n-n/20:
			c.kind = "with nothing to tell it by"
			c.request.TicketID, c.request.EndUserNumber = "", endUserNumber
		case i%20 == 3:
			c.kind = "with a number to call from"
			c.request.TicketID, c.request.EndUserNumber, c.request.OutboundNumber = "", endUserNumber, outboundNumber
		case i%20 == 6:
			creates[i-1].kind, c.kind = sharing, sharing
			c.request.TicketID = ticketOf(i - 1)
		case i%20 == 17:
			c.kind = "that awaits its agent"
			c.agent.Response = callstest.ResponseAccepted
		case i%40 == 12:
			c.agent.Available = false
		}
	}
	return creates
}

const (
	sharing        = "that shares a ticket"
	endUserNumber  = "+18596579625"
	outboundNumber = "+18005550100"
)

func ticketOf(i int) string { return fmt.Sprint("ticket-", i) }

// startDouble starts a platform for n creates that loses one response in fifty, and
// refuses one request in a hundred for the rate limit.
func startDouble(n int, random *rand.Rand, agents []callstest.Agent, tickets []callstest.Ticket) (*callstest.Server, error) {
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
	for range 30 * n {
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

// startPlatform starts the double of the fleet's customer.
func startPlatform(creates []create, random *rand.Rand) (*callstest.Server, error) {
	var agents []callstest.Agent
	var tickets []callstest.Ticket
	for i, c := range creates {
		agents = append(agents, c.agent)
		tickets = append(tickets, callstest.Ticket{ID: ticketOf(i), Number: endUserNumber})
	}
	return startDouble(len(creates), random, agents, tickets)
}
