package callstest

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// crm is how scheduled requests come to nothing by the customer's CRM.
type crm struct {
	closed, scheduled map[string]bool // ids of tickets
	unreachable       bool
	rejection         string // message of a 422; "" for none
}

// WithCRMClosedRecords closes the CRM records of tickets. A scheduled request for
// one of them gets 201 and a call object, but no call is made: neither the listing
// nor Calls shows it. The documentation says that the platform accepts such a
// request; its response is the double's own.
func WithCRMClosedRecords(ticketIDs ...string) Option {
	return func(c *config) error {
		return c.crm.mark("WithCRMClosedRecords", &c.crm.closed, ticketIDs)
	}
}

// WithCRMScheduledRecords gives the CRM records of tickets an active scheduled
// call. A scheduled request for one of them is accepted and makes no call, as with
// WithCRMClosedRecords.
func WithCRMScheduledRecords(ticketIDs ...string) Option {
	return func(c *config) error {
		return c.crm.mark("WithCRMScheduledRecords", &c.crm.scheduled, ticketIDs)
	}
}

// WithCRMUnreachable makes the CRM unreachable. A scheduled request with a ticket
// gets 201 and a queued call, which is canceled right after.
func WithCRMUnreachable() Option {
	return func(c *config) error {
		c.crm.unreachable = true
		return nil
	}
}

// WithCRMScheduleRejection refuses every scheduled request that is valid with 422
// and message, as a setting of some customers' CRM does. The platform's own message
// is not documented.
func WithCRMScheduleRejection(message string) Option {
	return func(c *config) error {
		if message == "" {
			return errors.New("WithCRMScheduleRejection: empty message")
		}
		c.crm.rejection = message
		return nil
	}
}

func (c *crm) mark(option string, tickets *map[string]bool, ids []string) error {
	if len(ids) == 0 {
		return fmt.Errorf("%s: no ticket", option)
	}
	if *tickets == nil {
		*tickets = map[string]bool{}
	}
	for _, id := range ids {
		if id == "" {
			return fmt.Errorf("%s: ticket without an id", option)
		}
		(*tickets)[id] = true
	}
	return nil
}

// schedule responds to a scheduled request that passed every check.
func (p *platform) schedule(c Call, now time.Time) answer {
	hasTicket := c.TicketID != ""
	switch {
	case p.crm.rejection != "":
		return answerMessage(http.StatusUnprocessableEntity, p.crm.rejection)
	case hasTicket && (p.crm.closed[c.TicketID] || p.crm.scheduled[c.TicketID]):
		c.ID = p.history.skipID()
		return answerJSON(http.StatusCreated, p.world.object(c))
	case hasTicket && p.crm.unreachable:
		made := p.history.add(c)
		p.history.advance(made.ID, "cancelled", now)
		return answerJSON(http.StatusCreated, p.world.object(made))
	}
	return p.created(c)
}

// skipID returns an id that no call has or will get.
func (h *history) skipID() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextID++
	return h.nextID - 1
}
