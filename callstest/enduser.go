package callstest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// An EndUser is what a mid-session authentication said of the end user of a
// call.
type EndUser struct {
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
	var user EndUser
	if err := json.Unmarshal(body, &user); err != nil {
		return refuseBody()
	}
	switch {
	case user.Identifier == "":
		return missing("identifier")
	case call.hasEnded():
		return refuse("Call is already ended")
	case p.noCRM:
		return refuse("Unsupported CRM request")
	case !p.history.addEndUser(id, user):
		return refuse("Duplicate request: Please wait for the interval to expire")
	}
	return answerMessage(http.StatusAccepted, "accepted")
}

// addEndUser reports whether user is new. The interval after which the platform
// takes the same request again is not documented; here it never ends.
func (h *history) addEndUser(id int64, user EndUser) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.Contains(h.endUsers[id], user) {
		return false
	}
	h.endUsers[id] = append(h.endUsers[id], user)
	return true
}

func (h *history) endUsersOf(id int64) []EndUser {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.endUsers[id])
}
