package callstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ccaip-go/calls"
)

func (p *platform) create(body []byte, now time.Time) response {
	var params createParams
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseMalformed()
	}
	setDefault(&params.Lang, "en")
	switch params.CallType {
	case typeOutbound, "OutboundCall":
		return p.createOutbound(&params, now)
	case typeInbound, "IncomingCall":
		return p.createInbound(&params, now)
	case typeScheduled, "ScheduledCall":
		return p.createScheduled(&params, now)
	}
	return refuse("Invalid call type")
}

// createParams are the parameters of a create request. MenuID stays raw, since it
// matters whether it is absent or malformed.
type createParams struct {
	CallType            calls.CallType            `json:"call_type"`
	AgentEmail          string                    `json:"agent_email"`
	TicketID            textOrNumber              `json:"ticket_id"`
	EndUserNumber       string                    `json:"end_user_number"`
	OutboundNumber      string                    `json:"outbound_number"`
	MenuID              json.RawMessage           `json:"menu_id"`
	CallID              int64                     `json:"call_id"`
	ScheduledAt         string                    `json:"scheduled_at"`
	Lang                string                    `json:"lang"`
	RecordingPermission calls.RecordingPermission `json:"recording_permission"`
}

// textOrNumber is a text that can also be a JSON number, as ticket_id is in a documented
// request.
type textOrNumber string

func (t *textOrNumber) UnmarshalJSON(raw []byte) error {
	var number json.Number
	if json.Unmarshal(raw, &number) == nil && raw[0] != '"' {
		*t = textOrNumber(number)
		return nil
	}
	return json.Unmarshal(raw, (*string)(t))
}

func isGiven(raw []byte) bool { return len(raw) > 0 && string(raw) != "null" }

func (p *platform) createOutbound(params *createParams, now time.Time) response {
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
	setDefault(&c.OutboundNumber, defaultOutboundNumber)
	c.setStatus("assigned", now)

	agent, _ := p.world.agent(params.AgentEmail)
	if agent.Response == ResponseCreated {
		return p.respondCreated(c)
	}
	c.AwaitsAgent = true
	p.history.add(c)
	if agent.Response == ResponsePrompted {
		return respondJSON(http.StatusOK, newEcho(c))
	}
	return response{status: http.StatusAccepted}
}

// echo is the body of the documented 200 responses.
type echo struct {
	CallType      calls.CallType `json:"call_type"`
	AgentEmail    string         `json:"agent_email"`
	EndUserNumber string         `json:"end_user_number"`
	Lang          string         `json:"lang"`
}

func newEcho(c Call) echo {
	return echo{CallType: c.Type, AgentEmail: c.AgentEmail, EndUserNumber: c.EndUserNumber, Lang: c.Lang}
}

// outboundProblem returns the message of the first check that fails, or "". The order of
// the checks is the double's own.
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

// dialProblem ignores the number of a request that has a ticket.
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

// createInbound takes IVR and mobile menus, as the documented message says. The
// documented table of parameters says "IVR and web".
func (p *platform) createInbound(params *createParams, now time.Time) response {
	if problem := p.world.menuProblem(params, []calls.MenuType{typeIVR, typeMobile}, "Only IVR and mobile menu IDs are permitted"); problem != "" {
		return refuse(problem)
	}
	if problem := p.world.queuedProblem(params); problem != "" {
		return refuse(problem)
	}
	c := newQueued(params, now)
	c.QueuedAt = &now
	if dialable(params.OutboundNumber) {
		c.OutboundNumber = params.OutboundNumber
	}
	return p.respondCreated(c)
}

func (p *platform) createScheduled(params *createParams, now time.Time) response {
	if params.CallID == 0 || isGiven(params.MenuID) {
		if problem := p.world.menuProblem(params, []calls.MenuType{typeMobile, typeWeb}, "Only mobile and web menu IDs are permitted"); problem != "" {
			return refuse(problem)
		}
	}
	if problem := p.world.queuedProblem(params); problem != "" {
		return refuse(problem)
	}
	if params.ScheduledAt == "" {
		return refuse("scheduled_at is required")
	}
	at, err := time.Parse(time.RFC3339, params.ScheduledAt)
	if err != nil || !at.After(now) {
		return refuse("scheduled_at is not a valid future time") // the double's own text: none is documented
	}
	at = toMilliseconds(at)
	c := newQueued(params, now)
	c.ScheduledAt = &at
	c.ParentCallID = params.CallID
	if c.MenuID == 0 {
		// The documented example has no menu_id, and its response has a menu.
		parent, _ := p.history.call(params.CallID)
		c.MenuID = parent.MenuID
	}
	return p.respondScheduled(c, now)
}

// respondScheduled responds to a scheduled request that passed every check.
func (p *platform) respondScheduled(c Call, now time.Time) response {
	hasTicket := c.TicketID != ""
	switch {
	case p.crm.rejection != "":
		return respondMessage(http.StatusUnprocessableEntity, p.crm.rejection)
	case hasTicket && (p.crm.closed[c.TicketID] || p.crm.scheduled[c.TicketID]):
		c.ID = p.history.reserveID()
		return respondJSON(http.StatusCreated, p.world.object(c))
	case hasTicket && p.crm.unreachable:
		created := p.history.add(c)
		p.history.advance(created.ID, "cancelled", now)
		return respondJSON(http.StatusCreated, p.world.object(created))
	}
	return p.respondCreated(c)
}

func (p *platform) respondCreated(c Call) response {
	return respondJSON(http.StatusCreated, p.world.object(p.history.add(c)))
}

// newQueued returns a queued call. The parameters must have been checked.
func newQueued(params *createParams, now time.Time) Call {
	menuID, _ := strconv.ParseInt(string(params.MenuID), 10, 64)
	return Call{
		Type:                typeInbound,
		Status:              "queued",
		TicketID:            string(params.TicketID),
		EndUserNumber:       params.EndUserNumber,
		OutboundNumber:      defaultOutboundNumber,
		Lang:                params.Lang,
		RecordingPermission: params.RecordingPermission,
		MenuID:              menuID,
		CreatedAt:           now,
		UpdatedAt:           now,
	}
}

// menuProblem returns the message of the first check that fails, or "".
func (w *world) menuProblem(params *createParams, permitted []calls.MenuType, notPermitted string) string {
	if !isGiven(params.MenuID) {
		return "menu_id is required"
	}
	id, err := strconv.ParseInt(string(params.MenuID), 10, 64)
	if err != nil {
		return "menu_id is not well formed"
	}
	menu, ok := w.menu(id)
	if !ok {
		return fmt.Sprintf("menu_id %d is not found", id)
	}
	if !slices.ContainsFunc(menu.Types, func(t calls.MenuType) bool { return slices.Contains(permitted, t) }) {
		return notPermitted
	}
	switch menu.State {
	case ManualRedirection:
		return "Menu is in 'manual redirection' state, can't accept calls"
	case AfterHours:
		return "Menu is in 'after hours' state, can't accept incoming calls"
	}
	return ""
}

// queuedProblem checks the parameters that inbound and scheduled calls have in common. It
// returns the message of the first check that fails, or "".
func (w *world) queuedProblem(params *createParams) string {
	switch {
	case params.EndUserNumber == "":
		return "end_user_number is required"
	case !dialable(params.EndUserNumber):
		return "end_user_number is not well formed" // without a hyphen, unlike outbound calls
	}
	if problem := w.langProblem(params.Lang); problem != "" {
		return problem
	}
	switch params.RecordingPermission {
	case "", "recording_permission_not_asked", "recording_permission_denied", "recording_permission_granted":
		return ""
	}
	return "recording_permission is not well formed" // the double's own text: none is documented
}
