package callstest

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/ccaip-go/calls"
)

// endUserParams are the parameters of an authentication. The keys are spelled here
// again, so that a mistake in the package's own shows.
type endUserParams struct {
	Identifier string `json:"identifier"`
	Name       string `json:"name"`
	Email      string `json:"email"`
	Phone      string `json:"phone"`
}

// authenticateEndUser checks in an order of the double's own.
func (p *platform) authenticateEndUser(id int64, body []byte) answer {
	call, ok := p.history.call(id)
	if !ok {
		return notFound()
	}
	var params endUserParams
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseBody()
	}
	switch {
	case params.Identifier == "":
		return missing("identifier")
	case call.hasEnded():
		return refuse("Call is already ended")
	case p.noCRM:
		return refuse("Unsupported CRM request")
	case !p.history.addEndUser(id, calls.EndUserAuth(params)):
		return refuse("Duplicate request: Please wait for the interval to expire")
	}
	return answerMessage(http.StatusAccepted, "accepted")
}

// addEndUser reports whether user is new. The interval after which the platform
// takes the same request again is not documented; here it never ends.
func (h *history) addEndUser(id int64, user calls.EndUserAuth) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.Contains(h.endUsers[id], user) {
		return false
	}
	h.endUsers[id] = append(h.endUsers[id], user)
	return true
}

func (h *history) endUsersOf(id int64) []calls.EndUserAuth {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.endUsers[id])
}
