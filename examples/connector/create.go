package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/ccaip-go/calls"
)

// call is the Call button of a ticket.
func (s *service) call(w http.ResponseWriter, r *http.Request) {
	t, ok := s.tickets.find(r.PathValue("id"))
	if !ok || !t.IsCallable() {
		s.tell(w, http.StatusNotFound, "There is no such ticket", "Nobody was called.")
		return
	}
	n, isOurs := s.nonces.read(r.PostForm.Get("nonce"), actionCall, t.ID)
	if !isOurs {
		s.outOfDate(w)
		return
	}
	s.submit(w, r, n, attempt{
		Subject:  t.callee(),
		TicketID: t.ID,
		Title:    "Call for ticket " + t.ID,
	}, calls.OutboundRequest{AgentEmail: t.Agent, TicketID: t.ID})
}

// submit has a form make one call, however often it is submitted, and sends the
// browser to the page that shows what became of it.
func (s *service) submit(w http.ResponseWriter, r *http.Request, n nonce, a attempt, request calls.CreateRequest) {
	a.ID, a.shown, a.Started = n.ID, n.Shown, s.now()
	a, became := s.attempts.begin(a, n.Seen)
	address := "/attempts/" + a.ID
	switch became {
	case busy:
		s.render(w, http.StatusConflict, "busy.html", page{Title: "Nobody was called just now", Body: a})
		return
	case overtaken:
		s.renderAttempt(w, http.StatusConflict, attemptPage{attempt: a, IsOvertaken: true})
		return
	case expired:
		s.outOfDate(w)
		return
	case full:
		s.tellBusy(w, "Too many calls are under way or not settled. Nobody was called: try again in a moment, or settle those that have to be checked.")
		return
	case repeated:
		address += "?repeated=1"
	case begun:
		// The browser may go away meanwhile: a create that is canceled is one whose
		// outcome is unknown.
		ctx := context.WithoutCancel(r.Context())
		s.background.Go(func() { s.carryOut(ctx, a, request) })
	}
	select {
	case <-a.asked: // mostly at once, which spares people a page that says "wait"
	case <-time.After(s.patience):
	case <-r.Context().Done():
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (s *service) carryOut(ctx context.Context, a attempt, request calls.CreateRequest) {
	o, cause := s.create(s.demo.beforeCreate(ctx, a), request)
	s.record(a.ID, o, cause)
	if o.State == settling {
		s.settle(ctx, a.ID, o.Lost)
	}
}

// create asks the platform for a call. It returns the error, too, for the log.
func (s *service) create(ctx context.Context, request calls.CreateRequest) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	result, err := s.client.Create(ctx, request)
	if err == nil && result.AwaitsAgent {
		return outcome{State: awaitsAgent}, nil
	}
	if err == nil {
		return outcome{State: created, Call: newCall(result.Call)}, nil
	}
	intent, wasSent := calls.IntentOf(err)
	if calls.DeliveryOf(err).MayExist() && wasSent {
		return outcome{State: settling, Lost: intent}, err
	}
	return outcome{State: refused, Err: err}, err
}

// record records what became of an attempt, and logs it with the cause.
func (s *service) record(id string, o outcome, err error) {
	s.logState(s.attempts.advance(id, o), err)
}

// logState logs no error text: the platform's own words could have a number in
// them.
func (s *service) logState(a attempt, err error) {
	attrs := []any{slog.String("ticket", a.TicketID), slog.String("state", string(a.State)), slog.Duration("after", s.now().Sub(a.Started).Round(time.Millisecond))}
	if a.Call.ID != 0 {
		attrs = append(attrs, slog.Int64("call", a.Call.ID))
	}
	if err == nil {
		s.logger.Info("attempt", attrs...)
		return
	}
	s.logger.Warn("attempt", append(attrs, slog.String("cause", causeOf(err)))...)
}

// attemptPage is what attempt.html shows.
type attemptPage struct {
	attempt
	Nonce       string
	IsRepeated  bool   // the form was submitted before
	IsOvertaken bool   // another form was submitted before
	Problem     string // with the decision of a person
}

// Mark changes whenever the page shows something else.
func (p attemptPage) Mark() string { return mark(p.attempt) }

// showAttempt shows what became of an attempt so far.
func (s *service) showAttempt(w http.ResponseWriter, r *http.Request) {
	a, ok := s.attempts.find(r.PathValue("id"))
	if !ok {
		s.tell(w, http.StatusNotFound, "Nothing is known about this", "It may have been forgotten because of its age or a restart. Check whether the customer was called before you call.")
		return
	}
	query := r.URL.Query()
	s.renderAttempt(w, http.StatusOK, attemptPage{attempt: a, IsRepeated: query.Has("repeated"), IsOvertaken: query.Has("overtaken")})
}

func (s *service) renderAttempt(w http.ResponseWriter, status int, body attemptPage) {
	body.Nonce = s.nonces.issue(actionAttempt, body.ID, body.Version)
	p := page{Title: body.Title, Body: body, Live: "/attempts/" + body.ID}
	if body.IsOvertaken {
		p.Live += "?overtaken=1"
	}
	p.MustReload = body.State.IsMoving()
	s.render(w, status, "attempt.html", p)
}
