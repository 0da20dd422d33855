package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/ledger"
)

const (
	// maxUnsent is how long after its button was pressed a call may be asked for.
	maxUnsent = time.Minute
	// maxCandidates is how many calls a person can choose from.
	maxCandidates = 20
)

// keepRecovering settles, until ctx ends, what this and other instances left behind,
// also before a restart.
func (s *service) keepRecovering(ctx context.Context) {
	for {
		if err := s.recoverAll(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("what is unsettled cannot be settled now", "cause", causeOf(err))
		}
		if !sleep(ctx, s.sweep) {
			return
		}
	}
}

// recoverAll withdraws what was not sent in time before the ledger sends it: nobody
// expects that call any more. It settles the rest with one listing for all.
func (s *service) recoverAll(ctx context.Context) error {
	open, err := s.attempts.unsettled(ctx)
	if err != nil {
		return err
	}
	for _, a := range open {
		if s.now().Sub(a.Started) > maxUnsent && a.State == underWay {
			s.withdraw(ctx, a.ID, errNotSentInTime)
		}
	}
	var failed error
	for e, err := range s.attempts.keeper.Recover(ctx) {
		if e.ID == "" {
			failed = err
			continue
		}
		s.conclude(ctx, e, &response{}, err)
	}
	return errors.Join(failed, s.prepareDecisions(ctx, failed))
}

var errNotSentInTime = errors.New("the service was stopped before the call was asked for")

// withdraw closes an attempt that was not sent. It does nothing if another instance
// has begun to send it: then the version in the ledger is another.
func (s *service) withdraw(ctx context.Context, id string, cause error) {
	e, err := s.attempts.store.Get(ctx, id)
	if err != nil || e.State != ledger.StatePrepared {
		return
	}
	s.noteFinding(ctx, id, finding{Problem: explain(cause), Problems: problems(cause)}) // shown once it is withdrawn
	e.State, e.Request, e.How, e.Until = ledger.StateRejected, nil, "withdrawn before it was sent", s.now()
	if err := s.attempts.store.Replace(ctx, e); err != nil {
		return // the next look at what is unsettled tries it again
	}
	s.logState(ctx, id, cause)
}

// prepareDecisions finds the candidates of what a person has to decide. What cannot be
// settled because the listing has not been readable for long is for a person, too.
func (s *service) prepareDecisions(ctx context.Context, listing error) error {
	open, err := s.attempts.store.Open(ctx, s.attempts.keeper.Tenant, time.Time{})
	if err != nil {
		return err
	}
	for _, e := range open {
		isOld := s.now().Sub(e.Until) > s.attempts.keeper.Skew+s.attempts.keeper.Lag+s.unread
		switch {
		case e.State == ledger.StateInDoubt && listing != nil && isOld:
			s.handOver(ctx, e, listing)
		case e.State == ledger.StateForPerson:
			s.prepareDecision(ctx, e)
		}
	}
	return nil
}

// handOver leaves to a person what is in doubt and cannot be looked for.
func (s *service) handOver(ctx context.Context, e ledger.Entry, cause error) {
	e.State, e.How = ledger.StateForPerson, "the listing could not be read"
	if err := s.attempts.store.Replace(ctx, e); err != nil {
		return // it has changed meanwhile, or is tried again
	}
	s.noteFinding(ctx, e.ID, finding{Version: e.Version + 1, Problem: explain(cause), WasLost: true})
	s.logState(ctx, e.ID, cause)
}

// prepareDecision does nothing if it was done for this version of the entry.
func (s *service) prepareDecision(ctx context.Context, e ledger.Entry) {
	a, ok, err := s.attempts.find(ctx, e.ID)
	if err != nil || !ok || a.State.NeedsPerson() {
		return
	}
	f := finding{Version: e.Version, WasLost: true}
	found, cause := s.candidates(ctx, e)
	switch {
	case cause != nil:
		f.Problem = explain(cause)
	case len(found) == 0:
		cause = calls.ErrCallNotFound
	default:
		cause = &calls.AmbiguousError{Candidates: found}
	}
	for _, c := range found {
		f.Candidates = append(f.Candidates, newCall(c))
	}
	s.noteFinding(ctx, e.ID, f)
	s.logState(ctx, e.ID, cause)
}

// candidates lists the calls that can be that of the entry and are no other's.
func (s *service) candidates(ctx context.Context, e ledger.Entry) ([]*calls.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	skew := s.attempts.keeper.Skew
	var found []*calls.Call
	var ids []int64
	for c, err := range s.client.ListCalls(ctx, calls.ListOptions{UpdatedSince: e.Intent.SentAfter.Add(-skew)}) {
		if err != nil {
			return nil, err
		}
		if e.Intent.Fits(c, skew) && len(found) < maxCandidates {
			found, ids = append(found, c), append(ids, c.ID)
		}
	}
	owners, err := s.attempts.store.Claimed(ctx, e.Tenant, ids)
	return slices.DeleteFunc(found, func(c *calls.Call) bool { return owners[c.ID] != "" }), err
}

func (s *service) noteFinding(ctx context.Context, id string, f finding) {
	if err := s.attempts.note(ctx, id, f); err != nil {
		s.logger.Error("a finding cannot be recorded", "cause", causeOf(err))
	}
}

// lookAgain looks once more for a call that was not found: a listing can lag.
func (s *service) lookAgain(w http.ResponseWriter, r *http.Request) {
	a, n, ok := s.attemptOf(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.timeout)
	defer cancel()
	e, err := s.attempts.keeper.LookAgain(ctx, a.ID, n.Seen)
	switch isListed := err == nil || errors.Is(err, &ledger.ErrUnderWay{}); {
	case errors.Is(err, ledger.ErrStale), !a.State.NeedsPerson(): // the page shows how it is now
	case e.State == ledger.StateInDoubt && !isListed:
		s.handOver(ctx, e, err)
	default:
		s.conclude(ctx, e, &response{}, err)
	}
	http.Redirect(w, r, "/attempts/"+a.ID, http.StatusSeeOther)
}

// decide records the decision of a person who has checked what became of an attempt.
// If the listing settles nothing, only this permits another call. It makes no call
// itself: the Call button has to be pressed, too.
func (s *service) decide(w http.ResponseWriter, r *http.Request) {
	a, n, ok := s.attemptOf(w, r)
	if !ok {
		return
	}
	isMade, found, isFinding := decision(a.outcome, r.PostForm.Get("finding"))
	if a.State.NeedsPerson() && !isFinding {
		s.renderAttempt(w, http.StatusUnprocessableEntity, attemptPage{attempt: a, Wrong: "Choose what you have found out."})
		return
	}
	if isFinding && a.State.NeedsPerson() {
		switch err := s.attempts.decide(context.WithoutCancel(r.Context()), a.ID, n.Seen, isMade, found); {
		case err == nil:
			s.logState(r.Context(), a.ID, nil)
		case errors.Is(err, ledger.ErrStale): // the page shows how it is now
		case errors.Is(err, ledger.ErrClaimed):
			s.renderAttempt(w, http.StatusConflict, attemptPage{attempt: a, Wrong: "That call belongs to another attempt. Look again."})
			return
		default:
			s.fail(w, err)
			return
		}
	}
	http.Redirect(w, r, "/attempts/"+a.ID, http.StatusSeeOther)
}

// attemptOf returns the attempt that a form is about, and the nonce that has the
// version which the person saw. If it reports false, the request is finished.
func (s *service) attemptOf(w http.ResponseWriter, r *http.Request) (attempt, nonce, bool) {
	a, ok := s.readAttempt(w, r)
	if !ok {
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
func decision(o outcome, finding string) (isMade bool, found call, ok bool) {
	switch state(finding) {
	case made, notMade:
		return state(finding) == made, call{}, true
	}
	for _, candidate := range o.Candidates {
		if finding == strconv.FormatInt(candidate.ID, 10) {
			return true, candidate, true
		}
	}
	return false, call{}, false
}
