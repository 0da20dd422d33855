package callstest

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/ccaip-go/calls"
)

// createParams are the parameters of a create request. Those whose absence has
// a meaning of its own, or that come in more than one JSON type, stay raw.
type createParams struct {
	CallType            calls.CallType            `json:"call_type"`
	AgentEmail          string                    `json:"agent_email"`
	TicketID            looseText                 `json:"ticket_id"`
	EndUserNumber       string                    `json:"end_user_number"`
	OutboundNumber      string                    `json:"outbound_number"`
	MenuID              json.RawMessage           `json:"menu_id"`
	CallID              int64                     `json:"call_id"`
	ScheduledAt         string                    `json:"scheduled_at"`
	Lang                string                    `json:"lang"`
	RecordingPermission calls.RecordingPermission `json:"recording_permission"`
}

// looseText is text that can also come as a JSON number, as ticket_id does in
// a documented request.
type looseText string

func (t *looseText) UnmarshalJSON(raw []byte) error {
	var number json.Number
	if json.Unmarshal(raw, &number) == nil && raw[0] != '"' {
		*t = looseText(number)
		return nil
	}
	return json.Unmarshal(raw, (*string)(t))
}

func (p *platform) create(body []byte, now time.Time) answer {
	var params createParams
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseBody()
	}
	fill(&params.Lang, "en")
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

func (p *platform) created(c Call) answer {
	return answerJSON(http.StatusCreated, p.world.object(p.history.add(c)))
}

// refuseBody answers what is no JSON object with values of the documented
// types. Its text is the double's own.
func refuseBody() answer { return refuse("the body is not a well-formed JSON object") }
