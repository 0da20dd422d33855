package callstest

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/ccaip-go/calls"
)

func cloneFlag(f calls.CustomerFlag) calls.CustomerFlag {
	return calls.CustomerFlag{
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

func flagAnswer(f calls.CustomerFlag) answer {
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
	return flagAnswer(p.history.flag(id))
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
	return flagAnswer(p.history.updateFlag(id, calls.CustomerFlag{
		VerifiedCustomer: update.VerifiedCustomer,
		BadActor:         update.BadActor,
		RepeatCustomer:   cmp.Or(update.RepeatCustomer, update.RepeatCustomers),
	}))
}

func (h *history) flag(id int64) calls.CustomerFlag {
	h.mu.Lock()
	defer h.mu.Unlock()
	return cloneFlag(h.flags[id])
}

func (h *history) setFlag(id int64, f calls.CustomerFlag) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flags[id] = cloneFlag(f)
}

// updateFlag leaves alone what is nil in update.
func (h *history) updateFlag(id int64, update calls.CustomerFlag) calls.CustomerFlag {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.flags[id]
	f.VerifiedCustomer = cmp.Or(update.VerifiedCustomer, f.VerifiedCustomer)
	f.BadActor = cmp.Or(update.BadActor, f.BadActor)
	f.RepeatCustomer = cmp.Or(update.RepeatCustomer, f.RepeatCustomer)
	h.flags[id] = f
	return cloneFlag(f)
}
