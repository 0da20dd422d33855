package callstest

import (
	"net/http"
	"time"

	"github.com/ccaip-go/calls"
)

func (p *platform) createOutbound(params *createParams, now time.Time) answer {
	if problem := p.world.outboundProblem(params); problem != "" {
		return refuse(problem)
	}
	c := Call{
		Type:           typeOutbound,
		AgentEmail:     params.AgentEmail,
		TicketID:       string(params.TicketID),
		EndUserNumber:  params.EndUserNumber,
		OutboundNumber: params.OutboundNumber,
		Lang:           params.Lang,
		CreatedAt:      now,
	}
	if ticket, ok := p.world.ticket(c.TicketID); ok {
		c.EndUserNumber = ticket.Number
	}
	fill(&c.OutboundNumber, defaultOutboundNumber)
	c.moveTo("assigned", now)

	agent, _ := p.world.agent(params.AgentEmail)
	if agent.Answer == AnswerCreated {
		return p.created(c)
	}
	c.AwaitsAgent = true
	p.history.add(c)
	if agent.Answer == AnswerPrompted {
		return answerJSON(http.StatusOK, newEcho(c))
	}
	return answer{status: http.StatusAccepted}
}

// echo is the body of the documented 200 answers.
type echo struct {
	CallType      calls.CallType `json:"call_type"`
	AgentEmail    string         `json:"agent_email"`
	EndUserNumber string         `json:"end_user_number"`
	Lang          string         `json:"lang"`
}

func newEcho(c Call) echo {
	return echo{CallType: c.Type, AgentEmail: c.AgentEmail, EndUserNumber: c.EndUserNumber, Lang: c.Lang}
}

// outboundProblem is the message of the first check that fails, empty if none
// does. The order of the checks is the double's own.
func (w *world) outboundProblem(params *createParams) string {
	if params.AgentEmail == "" {
		return "Agent email required"
	}
	agent, id := w.agent(params.AgentEmail)
	if id == 0 {
		return "Not a valid agent email"
	}
	if problem := w.dialProblem(params); problem != "" {
		return problem
	}
	if params.OutboundNumber != "" && !dialable(params.OutboundNumber) {
		return "outbound_number is not well-formed" // the double's own text: none is documented
	}
	switch {
	case !agent.Permitted:
		return "Agent does not have access to make calls"
	case !agent.Available:
		return "Agent is not available to take this call"
	}
	return ""
}

// dialProblem does not look at the number of a request that has a ticket.
func (w *world) dialProblem(params *createParams) string {
	if params.TicketID != "" {
		ticket, _ := w.ticket(string(params.TicketID))
		if ticket.Number == "" {
			return "Contact not found"
		}
		return ""
	}
	switch {
	case params.EndUserNumber == "":
		return "ticket_id or end_user_number required"
	case !dialable(params.EndUserNumber):
		return "end_user_number is not well-formed" // with a hyphen, unlike the other call types
	}
	return ""
}
