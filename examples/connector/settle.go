package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/ccaip-go/calls"
)

// settle looks for the call of a create whose answer was lost.
func (s *service) settle(ctx context.Context, a attempt, lost error) {
	ctx, cancel := context.WithTimeout(ctx, s.window+s.timeout)
	defer cancel()
	intent, _ := calls.IntentOf(lost)
	call, err := s.client.Settle(ctx, intent, calls.SettleOptions{Window: s.window})
	var several *calls.AmbiguousError
	switch {
	case err == nil:
		s.record(a, outcome{State: created, Call: call, Lost: lost})
	case errors.As(err, &several):
		s.record(a, outcome{State: ambiguous, Candidates: several.Candidates, Lost: lost})
	case errors.Is(err, calls.ErrCallNotFound):
		s.record(a, outcome{State: notFound, Lost: lost})
	default:
		s.record(a, outcome{State: notLooked, Err: err, Lost: lost})
	}
}

// lookAgain looks once more for a call that was not found: a listing can lag.
func (s *service) lookAgain(w http.ResponseWriter, r *http.Request) {
	a, ok := s.attempts.find(r.PathValue("id"))
	if !ok {
		s.showAttempt(w, r)
		return
	}
	if s.attempts.resolve(a.ID, outcome{State: settling, Lost: a.Lost}) {
		ctx := context.WithoutCancel(r.Context())
		s.background.Go(func() { s.settle(ctx, a, a.Lost) })
	}
	http.Redirect(w, r, "/attempts/"+a.ID, http.StatusSeeOther)
}

// decide takes the word of a person who has checked what became of an attempt.
// It is the only way to another call where the platform's listing settles
// nothing, and makes no call by itself: the Call button has to be pressed, too.
func (s *service) decide(w http.ResponseWriter, r *http.Request) {
	a, ok := s.attempts.find(r.PathValue("id"))
	if !ok {
		s.showAttempt(w, r)
		return
	}
	decided, isFinding := decision(a.outcome, r.PostForm.Get("finding"))
	if a.State.NeedsPerson() && !isFinding {
		s.renderAttempt(w, http.StatusUnprocessableEntity, attemptPage{attempt: a, Problem: "Choose what you have found out."})
		return
	}
	if isFinding && s.attempts.resolve(a.ID, decided) {
		s.logState(a.ID)
	}
	http.Redirect(w, r, "/attempts/"+a.ID, http.StatusSeeOther)
}

// decision reads what a person has found: "made", "not made", or the id of one
// of the candidates.
func decision(o outcome, finding string) (decided outcome, ok bool) {
	switch state(finding) {
	case made, notMade:
		return outcome{State: state(finding)}, true
	}
	for _, candidate := range o.Candidates {
		if finding == strconv.FormatInt(candidate.ID, 10) {
			return outcome{State: created, Call: candidate}, true
		}
	}
	return o, false
}
