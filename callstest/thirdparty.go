package callstest

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// A ThirdParty is a person who was dialed into a call.
type ThirdParty struct {
	ParticipantID int64
	AgentEmail    string // of the agent who asked for it
	PhoneNumber   string
}

// firstParticipantID is the id in the documented example.
const firstParticipantID = 54321

// WithUnreachableNumbers makes the dialing of third parties at the given numbers
// fail with 422, "Error dialing third party".
func WithUnreachableNumbers(numbers ...string) Option {
	return func(c *config) error {
		for _, number := range numbers {
			if !dialable(number) {
				return errors.New("WithUnreachableNumbers: the platform cannot dial a number anyway")
			}
			c.unreachable = append(c.unreachable, digitsOf(number))
		}
		return nil
	}
}

// dial checks in an order of the double's own. Its status is the double's own,
// too: the documented example has none.
func (p *platform) dial(id int64, body []byte) answer {
	var params struct {
		AgentEmail  string `json:"agent_email"`
		PhoneNumber string `json:"phone_number"`
	}
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseBody()
	}
	call, ok := p.history.call(id)
	_, agent := p.world.agent(params.AgentEmail)
	switch {
	case params.AgentEmail == "":
		return missing("agent_email")
	case params.PhoneNumber == "":
		return missing("phone_number")
	case agent == 0:
		return refuse("Invalid agent_email")
	case !ok:
		return notFound()
	case call.AgentEmail != params.AgentEmail || call.Status != "connected":
		return answerMessage(http.StatusUnprocessableEntity, "Agent is not connected to the call")
	case !dialable(params.PhoneNumber) || slices.Contains(p.unreachable, digitsOf(params.PhoneNumber)):
		return answerMessage(http.StatusUnprocessableEntity, "Error dialing third party")
	}
	third := p.history.addThirdParty(id, ThirdParty{AgentEmail: params.AgentEmail, PhoneNumber: params.PhoneNumber})
	return answerJSON(http.StatusOK, map[string]any{
		"message":     "Third party dialing initiated",
		"participant": map[string]any{"id": third.ParticipantID, "type": "third_party", "status": "connecting"},
	})
}

func (h *history) addThirdParty(callID int64, third ThirdParty) ThirdParty {
	h.mu.Lock()
	defer h.mu.Unlock()
	third.ParticipantID = firstParticipantID + int64(h.thirdParties)
	h.thirdParties++
	r := h.byID[callID]
	r.ThirdParties = append(r.ThirdParties, third)
	return third
}

func digitsOf(number string) string {
	var digits []byte
	for i := range len(number) {
		if c := number[i]; c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	return string(digits)
}
