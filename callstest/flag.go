package callstest

import (
	"cmp"
	"encoding/json"
	"net/http"
)

// A Flag holds the reserved data attributes of a call. nil is a value that has
// not been set, which the platform's answer shows as null.
type Flag struct {
	VerifiedCustomer, BadActor, RepeatCustomer *bool
}

func (f Flag) clone() Flag {
	return Flag{
		VerifiedCustomer: copyOf(f.VerifiedCustomer),
		BadActor:         copyOf(f.BadActor),
		RepeatCustomer:   copyOf(f.RepeatCustomer),
	}
}

// flagObject has the spelling of the documented answer, and that of the
// documented PATCH body.
type flagObject struct {
	VerifiedCustomer *bool `json:"verified_customer"`
	BadActor         *bool `json:"bad_actor"`
	RepeatCustomer   *bool `json:"repeat_customer"`
	RepeatCustomers  *bool `json:"repeat_customers,omitempty"`
}

func (f Flag) answer() answer {
	return answerJSON(http.StatusOK, flagObject{
		VerifiedCustomer: f.VerifiedCustomer,
		BadActor:         f.BadActor,
		RepeatCustomer:   f.RepeatCustomer,
	})
}

func (p *platform) getFlag(id int64) answer {
	if _, ok := p.history.call(id); !ok {
		return notFound()
	}
	return p.history.flag(id).answer()
}

// patchFlag answers with all flags; which body the platform sends is not
// documented.
func (p *platform) patchFlag(id int64, body []byte) answer {
	if _, ok := p.history.call(id); !ok {
		return notFound()
	}
	var update flagObject
	if err := json.Unmarshal(body, &update); err != nil {
		return refuseBody()
	}
	return p.history.updateFlag(id, Flag{
		VerifiedCustomer: update.VerifiedCustomer,
		BadActor:         update.BadActor,
		RepeatCustomer:   cmp.Or(update.RepeatCustomer, update.RepeatCustomers),
	}).answer()
}

func (h *history) flag(id int64) Flag {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.flags[id].clone()
}

func (h *history) setFlag(id int64, f Flag) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flags[id] = f.clone()
}

// updateFlag leaves alone what is nil in update.
func (h *history) updateFlag(id int64, update Flag) Flag {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.flags[id]
	f.VerifiedCustomer = cmp.Or(update.VerifiedCustomer, f.VerifiedCustomer)
	f.BadActor = cmp.Or(update.BadActor, f.BadActor)
	f.RepeatCustomer = cmp.Or(update.RepeatCustomer, f.RepeatCustomer)
	h.flags[id] = f
	return f.clone()
}
