package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/ccaip-go/calls"
)

// settle looks for the call of a create whose response was lost.
func (s *service) settle(ctx context.Context, id string, lost calls.Intent) {
	s.settlers <- struct{}{} // the others wait: the limit of requests is needed for new calls
	defer func() { <-s.settlers }()
	ctx, cancel := context.WithTimeout(ctx, s.window+s.timeout)
	defer cancel()
	found, err := s.client.Settle(ctx, lost, calls.SettleOptions{Window: s.window})
	var several *calls.AmbiguousError
	switch {
	case err == nil:
		s.record(id, outcome{State: created, Call: newCall(found), Lost: lost}, nil)
	case errors.As(err, &several):
		s.record(id, outcome{State: ambiguous, Candidates: candidates(several), Lost: lost}, err)
	case errors.Is(err, calls.ErrCallNotFound):
		s.record(id, outcome{State: notFound, Lost: lost}, err)
	default:
		s.record(id, outcome{State: notLooked, Err: err, Lost: lost}, err)
	}
}

func candidates(several *calls.AmbiguousError) []call {
	var list []call
	for _, c := range several.Candidates {
		list = append(list, newCall(c))
	}
	return list
}

// lookAgain looks once more for a call that was not found: a listing can lag.
func (s *service) lookAgain(w http.ResponseWriter, r *http.Request) {
	a, n, ok := s.attemptOf(w, r)
	if !ok {
		return
	}
	if a, ok := s.attempts.resolve(a.ID, n.Seen, outcome{State: settling, Lost: a.Lost}); ok {
		s.logState(a, nil)
		ctx := context.WithoutCancel(r.Context())
		s.background.Go(func() { s.settle(ctx, a.ID, a.Lost) })
	}
	http.Redirect(w, r, "/attempts/"+a.ID, http.StatusSeeOther)
}

// decide takes the word of a person who has checked what became of an attempt.
// It is the only way to another call where the platform's listing settles
// nothing, and makes no call by itself: the Call button has to be pressed, too.
func (s *service) decide(w http.ResponseWriter, r *http.Request) {
	a, n, ok := s.attemptOf(w, r)
	if !ok {
		return
	}
	decided, isFinding := decision(a.outcome, r.PostForm.Get("finding"))
	if a.State.NeedsPerson() && !isFinding {
		s.renderAttempt(w, http.StatusUnprocessableEntity, attemptPage{attempt: a, Problem: "Choose what you have found out."})
		return
	}
	if isFinding {
		if a, ok := s.attempts.resolve(a.ID, n.Seen, decided); ok {
			s.logState(a, nil)
		}
	}
	http.Redirect(w, r, "/attempts/"+a.ID, http.StatusSeeOther)
}

// attemptOf returns the attempt that a form is about, and the nonce that has the
// version which the person saw. If it reports false, the request is finished.
func (s *service) attemptOf(w http.ResponseWriter, r *http.Request) (attempt, nonce, bool) {
	a, ok := s.attempts.find(r.PathValue("id"))
	if !ok {
		s.showAttempt(w, r)
		return a, nonce{}, false
	}
	n, isOurs := s.nonces.read(r.PostForm.Get("nonce"), actionAttempt, a.ID)
	if !isOurs {
		s.outOfDate(w)
	}
	return a, n, isOurs
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
