package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/ledger"
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
	}, t.request())
}

// submit has a form make one call, however often it is submitted, and sends the
// browser to the page that shows what became of it.
func (s *service) submit(w http.ResponseWriter, r *http.Request, n nonce, a attempt, request calls.CreateRequest) {
	a.ID, a.shown, a.Started = n.ID, n.Shown, s.now()
	// The browser can disconnect meanwhile, and a create that is canceled has an
	// unknown outcome.
	ctx := context.WithoutCancel(r.Context())
	a, became, err := s.attempts.begin(ctx, a, n.Seen, request)
	if err != nil {
		s.fail(w, err)
		return
	}
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
		s.background.Go(func() { s.carryOut(ctx, a, request) })
	}
	select {
	case <-s.attempts.wasAsked(a.ID): // mostly at once, so that people rarely see "Calling…"
	case <-time.After(s.patience):
	case <-r.Context().Done():
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// carryOut asks the platform for a call that was begun.
func (s *service) carryOut(ctx context.Context, a attempt, request calls.CreateRequest) {
	defer s.attempts.end(a.ID)
	if a.State == refused {
		s.logState(ctx, a.ID, s.client.Validate(request))
		return
	}
	seen := &response{}
	attemptCtx := context.WithValue(s.demo.beforeCreate(ctx, a), responseKey{}, seen)
	attemptCtx, cancel := context.WithTimeout(attemptCtx, s.timeout)
	defer cancel()
	e, err := s.attempts.keeper.Advance(attemptCtx, a.ID)
	if e.ID == "" {
		s.logger.Error("an attempt cannot be read: it is taken up later", "cause", causeOf(err))
		return
	}
	s.conclude(ctx, e, seen, err)
}

// response is what the platform said about a create. The ledger keeps the id of the
// call and the reason in words, and pages show more.
type response struct {
	call *calls.Call // nil if there is none
	err  error
}

type responseKey struct{}

// noteResponse is for the keeper: it fills in the response of the context.
func noteResponse(ctx context.Context, _ string, result *calls.CreateResult, err error) {
	seen, ok := ctx.Value(responseKey{}).(*response)
	switch {
	case !ok:
	case err != nil:
		seen.err = err
	default:
		seen.call = result.Call
	}
}

// conclude records what pages show of an entry that the ledger has moved on. The
// response is empty if this is not the process that got it.
func (s *service) conclude(ctx context.Context, e ledger.Entry, seen *response, err error) {
	cause := seen.err
	if cause == nil && !errors.Is(err, &ledger.ErrUnderWay{}) {
		cause = err
	}
	switch e.State {
	case ledger.StatePrepared:
		s.withdraw(ctx, e.ID, errors.Join(cause, err))
		return
	case ledger.StateForPerson:
		s.prepareDecision(ctx, e)
		return
	case ledger.StateInDoubt:
		s.noteFinding(ctx, e.ID, finding{WasLost: true})
	case ledger.StateRejected:
		s.noteFinding(ctx, e.ID, finding{Problem: explain(cause), Problems: problems(cause)})
	case ledger.StateCreated:
		s.noteCall(ctx, e, seen)
	}
	s.logState(ctx, e.ID, cause)
}

func (s *service) noteCall(ctx context.Context, e ledger.Entry, seen *response) {
	if seen.call == nil || seen.call.ID != e.CallID {
		s.noteFinding(ctx, e.ID, finding{WasLost: true})
		return
	}
	if err := s.attempts.saw(ctx, map[int64]call{e.CallID: newCall(seen.call)}); err != nil {
		s.logger.Error("a call cannot be recorded", "cause", causeOf(err))
	}
}

// logState logs no error text: the platform's message could contain a telephone
// number.
func (s *service) logState(ctx context.Context, id string, cause error) {
	a, ok, err := s.attempts.find(ctx, id)
	if err != nil || !ok {
		return
	}
	attrs := []any{slog.String("ticket", a.TicketID), slog.String("state", string(a.State)), slog.Duration("after", s.now().Sub(a.Started).Round(time.Millisecond))}
	if a.Call.ID != 0 {
		attrs = append(attrs, slog.Int64("call", a.Call.ID))
	}
	if cause == nil {
		s.logger.Info("attempt", attrs...)
		return
	}
	s.logger.Warn("attempt", append(attrs, slog.String("cause", causeOf(cause)))...)
}

// attemptPage is what attempt.html shows.
type attemptPage struct {
	attempt
	Nonce       string
	IsRepeated  bool   // the form was submitted before
	IsOvertaken bool   // another form was submitted before
	Wrong       string // with the decision of a person
}

// Mark changes whenever the page shows something else.
func (p attemptPage) Mark() string { return mark(p.attempt) }

// DecisionMark changes whenever there is something else to decide.
func (p attemptPage) DecisionMark() string { return fmt.Sprint(p.Version, p.State, len(p.Candidates)) }

// showAttempt shows what became of an attempt so far.
func (s *service) showAttempt(w http.ResponseWriter, r *http.Request) {
	a, ok := s.readAttempt(w, r)
	if !ok {
		return
	}
	query := r.URL.Query()
	s.renderAttempt(w, http.StatusOK, attemptPage{attempt: a, IsRepeated: query.Has("repeated"), IsOvertaken: query.Has("overtaken")})
}

// readAttempt reports false if the request is finished.
func (s *service) readAttempt(w http.ResponseWriter, r *http.Request) (attempt, bool) {
	a, ok, err := s.attempts.find(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		s.fail(w, err)
		return a, false
	case !ok:
		s.tell(w, http.StatusNotFound, "Nothing is known about this", "It may have been forgotten because of its age. Check whether the customer was called before you call.")
	}
	return a, ok
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
