package calls

import (
	"context"
	"errors"
	"net/http"

	"github.com/ccaip-go/calls/internal/flex"
)

const thirdPartyRoute = callsRoute + "/:id/dial"

// ThirdPartyRequest asks for a third party to be dialed into a running call. As
// JSON it keeps all its data; printed it shows no address and no number.
//
// Reference: "Add third party to call".
type ThirdPartyRequest struct {
	// AgentEmail is the e-mail address of the agent who adds the third party, and
	// who must be connected to the call. Required.
	AgentEmail string `json:"agent_email,omitempty"`
	// PhoneNumber is the telephone number to dial, with its country code unless the
	// Client has WithDefaultRegion. Required.
	PhoneNumber string `json:"phone_number,omitempty"`
}

// DialThirdParty dials a third party into a running call. It rings a person, so it
// has the care of a create: it is attempted again only if the platform cannot have
// acted on it, and DeliveryOf reports whether the person may have been rung.
//
// IntentOf returns an Intent with the ids and times of the attempt, whose
// ParentCallID is callID and whose CallType is "". A third party is a participant
// and no call of its own, so Settle cannot look for it: look at the Participants of
// the call instead.
//
// ErrAgentNotOnCall and ErrDialFailed are the platform's refusals of this
// operation; other failures are like those of CreateOutbound.
//
// Reference: "Add third party to call".
func (c *Client) DialThirdParty(ctx context.Context, callID int64, req ThirdPartyRequest) (*Participant, error) {
	if c == nil || c.sender == nil {
		return nil, errNotMade
	}
	check := checker{client: c}
	body := req.prepare(&check, callID)
	if len(check.problems) > 0 {
		return nil, check.problems
	}
	o, err := c.send(ctx, operation{
		name: "DialThirdParty", method: http.MethodPost, route: thirdPartyRoute, id: callID, in: body,
		create: &pendingCreate{intent: Intent{ID: newID(), ParentCallID: callID}, client: c},
	})
	if err != nil {
		return nil, err
	}
	return o.participant(ctx)
}

// prepare checks the request and returns it as it is sent. What is missing is also
// an ErrParameterMissing, which is how the platform reports it.
func (r ThirdPartyRequest) prepare(c *checker, callID int64) ThirdPartyRequest {
	if callID <= 0 {
		c.refuse("id", "is not positive", ErrCallIDInvalid)
	}
	if r.AgentEmail == "" {
		c.refuse("agent_email", "is required", errors.Join(ErrAgentEmailRequired, ErrParameterMissing))
	} else {
		r.AgentEmail = c.agentEmail(r.AgentEmail)
	}
	if r.PhoneNumber == "" {
		c.refuse("phone_number", "is required", errors.Join(ErrEndUserNumberRequired, ErrParameterMissing))
	}
	r.PhoneNumber = c.number("phone_number", r.PhoneNumber, ErrEndUserNumberMalformed, true).Wire
	return r
}

// participant returns the participant who is being dialed. A response without one
// does not say that nobody was rung.
func (o *outcome) participant(ctx context.Context) (*Participant, error) {
	response := o.result.Response
	var started struct {
		Participant Participant `json:"participant"`
	}
	err := response.Truncated
	if err == nil {
		err = flex.Decode(response.Body, &started)
	}
	switch {
	case err == nil && started.Participant.ID != nil:
		return &started.Participant, nil
	case err == nil:
		err = errors.New("the response has no participant")
	}
	if response.StatusCode == http.StatusCreated {
		return nil, o.fail(ctx, DeliveryAccepted, ErrUndecodable, err)
	}
	return nil, o.fail(ctx, DeliveryUnknown, ErrOutcomeUnknown, ErrUndecodable, o.apiError(), err)
}
