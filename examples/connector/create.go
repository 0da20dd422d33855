package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/ccaip-go/calls"
)

// creation asks the platform for a call.
type creation func(ctx context.Context) (*calls.CreateResult, error)

// call is the Call button of a ticket.
func (s *service) call(w http.ResponseWriter, r *http.Request) {
	t, ok := s.tickets.find(r.PathValue("id"))
	if !ok {
		s.tell(w, http.StatusNotFound, "There is no such ticket", "Nobody was called.")
		return
	}
	request := calls.OutboundRequest{AgentEmail: t.Agent, TicketID: t.ID}
	s.submit(w, r, attempt{
		Subject:  "ticket " + t.ID,
		TicketID: t.ID,
		Title:    "Call for ticket " + t.ID,
	}, func(ctx context.Context) (*calls.CreateResult, error) { return s.client.CreateOutbound(ctx, request) })
}

// submit has a form make one call, however often it is submitted, and sends the
// browser to the page that tells what became of it.
func (s *service) submit(w http.ResponseWriter, r *http.Request, a attempt, create creation) {
	a.ID, a.Started = r.PostForm.Get("nonce"), s.now()
	if !s.nonces.isOurs(a.ID) {
		s.tell(w, http.StatusBadRequest, "This page is out of date", "Nobody was called. Start again from the tickets.")
		return
	}
	begun, isNew := s.attempts.begin(a)
	switch {
	case isNew:
		// The browser may go away meanwhile: a create that is cut off is one that
		// nobody knows the outcome of.
		ctx := context.WithoutCancel(r.Context())
		s.background.Go(func() { s.carryOut(ctx, begun, create) })
	case begun.ID != a.ID:
		s.render(w, http.StatusConflict, "busy.html", page{Title: "Nobody was called just now", Body: begun})
		return
	}
	select {
	case <-begun.answered: // mostly at once, which spares people a page that says "wait"
	case <-time.After(s.patience):
	case <-r.Context().Done():
	}
	address := "/attempts/" + begun.ID
	if !isNew {
		address += "?repeated=1"
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (s *service) carryOut(ctx context.Context, a attempt, create creation) {
	s.demo.beforeCreate(a)
	o := s.create(ctx, create)
	s.record(a, o)
	close(a.answered)
	if o.State == settling {
		s.settle(ctx, a, o.Lost)
	}
}

func (s *service) create(ctx context.Context, create creation) outcome {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	result, err := create(ctx)
	switch delivery := calls.DeliveryOf(err); {
	case err == nil && result.AwaitsAgent:
		return outcome{State: awaitsAgent}
	case err == nil:
		return outcome{State: created, Call: result.Call}
	case delivery == calls.DeliveryNotSent, delivery == calls.DeliveryRejected:
		return outcome{State: refused, Err: err}
	}
	return outcome{State: settling, Lost: err}
}

func (s *service) record(a attempt, o outcome) {
	s.attempts.end(a.ID, o)
	s.logState(a.ID)
}

// logState logs no error text: the platform's own words could have a number in
// them. The SDK logs what it finds odd, without.
func (s *service) logState(id string) {
	a, _ := s.attempts.find(id)
	attrs := []any{slog.String("ticket", a.TicketID), slog.String("state", string(a.State)), slog.Duration("after", s.now().Sub(a.Started).Round(time.Millisecond))}
	if a.Call != nil {
		attrs = append(attrs, slog.Int64("call", a.Call.ID))
	}
	s.logger.Info("attempt", attrs...)
}

// attemptPage is what attempt.html shows.
type attemptPage struct {
	attempt
	Repeated bool   // the form was submitted before
	Problem  string // with the decision of a person
}

// showAttempt tells what became of an attempt so far.
func (s *service) showAttempt(w http.ResponseWriter, r *http.Request) {
	a, ok := s.attempts.find(r.PathValue("id"))
	if !ok {
		s.tell(w, http.StatusNotFound, "Nothing is known of this", "The service may have been started anew since. Check whether the customer was called before you call.")
		return
	}
	s.renderAttempt(w, http.StatusOK, attemptPage{attempt: a, Repeated: r.URL.Query().Has("repeated")})
}

func (s *service) renderAttempt(w http.ResponseWriter, status int, body attemptPage) {
	p := page{Title: body.Title, Body: body}
	if body.State == underWay || body.State == settling {
		p.Refresh = 1
	}
	s.render(w, status, "attempt.html", p)
}
