package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ccaip-go/calls"
)

const (
	// recordTries is how often the Keeper tries to record what became of an attempt
	// while the Store fails: for about ten seconds.
	recordTries = 10
	maxPause    = 2 * time.Second
	// stepTime bounds one such try. The bound is not one of all tries, which would
	// be over after a process was stopped for a while.
	stepTime = 5 * time.Second
)

// send sends a prepared create, and records what became of it.
func (k *Keeper) send(ctx context.Context, e Entry) (Entry, error) {
	p, err := e.prepared()
	if err != nil {
		return e, err
	}
	s := &sender{keeper: k, entry: e}
	result, err := k.Client.Send(ctx, p, s)
	if k.Responded != nil {
		k.Responded(ctx, e.ID, result, err)
	}
	if s.failed != nil {
		return k.current(ctx, s.entry, s.failed)
	}
	return s.record(ctx, result, err)
}

// sender is the Journal of one create. One goroutine at a time uses it.
type sender struct {
	keeper *Keeper
	entry  Entry // as this sender last knew it to be stored
	failed error // why there must not be another attempt
}

// Sending marks the entry (rule 1). A mark that failed with ErrStale is that of
// another sender, and none of this one's business. After another error it is not
// known whether the mark was stored (rule 2).
func (s *sender) Sending(ctx context.Context, i calls.Intent) error {
	if s.failed != nil {
		return s.failed
	}
	next := s.entry.in(StateSending, "")
	i.ID = next.ID
	next.Intent, next.Until = i, i.SentBefore
	next.Tries++
	s.failed = s.keeper.Store.Replace(ctx, next)
	switch {
	case s.failed == nil:
		s.entry = next
		s.entry.Version++
	case !errors.Is(s.failed, ErrStale):
		s.unmark(ctx, i.Attempt)
	}
	return s.failed
}

// NotSent undoes the mark of an attempt that provably was not carried out.
func (s *sender) NotSent(ctx context.Context, i calls.Intent) { s.unmark(ctx, i.Attempt) }

// unmark puts the entry back to prepared if the stored attempt is the one that was
// not carried out, and no person has decided meanwhile (rule 11).
func (s *sender) unmark(ctx context.Context, attempt string) {
	stored, err := s.keeper.rewrite(ctx, s.entry.ID, func(stored Entry) (Entry, bool) {
		return unmarked(stored), stored.Intent.Attempt == attempt && stored.State.IsDoubt()
	})
	switch {
	case err != nil:
		s.failed = errors.Join(s.failed, fmt.Errorf("ledger: the mark of an attempt that was not sent remains: %w", err))
	case stored.State != StatePrepared && s.failed == nil:
		s.failed = ErrStale
	default:
		s.entry = stored
	}
}

func unmarked(e Entry) Entry {
	e = e.in(StatePrepared, "the last attempt was not sent")
	e.Intent.Attempt, e.Intent.SentAfter, e.Intent.SentBefore = "", time.Time{}, time.Time{}
	e.Until = now().Add(firstTurn)
	return e
}

// record records the outcome of the attempts.
func (s *sender) record(ctx context.Context, result *calls.CreateResult, err error) (Entry, error) {
	switch {
	case err == nil && result.AwaitsAgent:
		return s.respond(ctx, StateAwaitsAgent, 0, fmt.Sprintf("response %d", result.StatusCode))
	case err == nil:
		return s.respond(ctx, StateCreated, result.Call.ID, fmt.Sprintf("response %d", result.StatusCode))
	case s.entry.State == StatePrepared:
		if wait, ok := calls.RetryAfter(err); ok {
			return s.entry, &ErrUnderWay{Wait: max(wait, comeBack), cause: err}
		}
		return s.entry, err
	case calls.DeliveryOf(err) == calls.DeliveryRejected:
		return s.respond(ctx, StateRejected, 0, err.Error())
	}
	return s.doubt(ctx, err)
}

// respond closes the entry with the platform's response, if that is the response to
// the stored attempt, no matter what others concluded without it (rule 10).
func (s *sender) respond(ctx context.Context, state State, callID int64, how string) (Entry, error) {
	e, err := s.keeper.rewrite(ctx, s.entry.ID, func(stored Entry) (Entry, bool) {
		next := stored.in(state, how)
		next.CallID = callID
		if state == StateAwaitsAgent && stored.CallID != 0 {
			next.State, next.CallID = StateCreated, stored.CallID
		}
		isNew := next.State != stored.State || next.CallID != stored.CallID
		return next, isNew && s.isMine(stored)
	})
	switch {
	case errors.Is(err, ErrClaimed):
		return s.dispute(ctx, callID)
	case err != nil:
		e = s.entry.in(state, how)
		e.CallID = callID
		return e, fmt.Errorf("ledger: %s (%s) could not be recorded: %w", state, how, err)
	}
	return s.keeper.report(e, nil)
}

// dispute leaves an entry to a person whose call another entry has.
func (s *sender) dispute(ctx context.Context, callID int64) (Entry, error) {
	e, err := s.keeper.rewrite(ctx, s.entry.ID, func(stored Entry) (Entry, bool) {
		how := fmt.Sprintf("the response has call %d, which another entry has", callID)
		return stored.in(StateForPerson, how), s.isMine(stored) && stored.State.IsDoubt() && stored.How != how
	})
	if err != nil {
		return s.entry, err
	}
	return e, ErrClaimed
}

// doubt records that the response was lost, and when the attempt ended.
func (s *sender) doubt(ctx context.Context, cause error) (Entry, error) {
	ended := s.entry.Intent.SentBefore
	if i, ok := calls.IntentOf(cause); ok && i.SentBefore.Before(ended) {
		ended = i.SentBefore
	}
	e, err := s.keeper.rewrite(ctx, s.entry.ID, func(stored Entry) (Entry, bool) {
		next := stored.in(StateInDoubt, cause.Error())
		next.Intent.SentBefore, next.Until = ended, ended
		return next, s.isMine(stored) && stored.State == StateSending
	})
	if err != nil {
		return s.entry, fmt.Errorf("ledger: a lost response could not be recorded: %w", errors.Join(err, cause))
	}
	return s.keeper.report(e, cause)
}

// isMine reports whether the stored attempt is the one that was sent.
func (s *sender) isMine(stored Entry) bool {
	return stored.Intent.Attempt == s.entry.Intent.Attempt
}

// rewrite replaces an entry by what change makes of the stored one, unless change
// reports false. It looks again when the entry has changed meanwhile, and when it is
// not known whether it was replaced, also after the end of ctx.
func (k *Keeper) rewrite(ctx context.Context, id string, change func(stored Entry) (next Entry, ok bool)) (Entry, error) {
	pause := 100 * time.Millisecond
	for try := 1; ; {
		e, err := k.rewriteOnce(ctx, id, change)
		switch {
		case errors.Is(err, ErrStale):
			continue
		case err == nil, errors.Is(err, ErrNotFound), errors.Is(err, ErrClaimed), try == recordTries:
			return e, err
		}
		time.Sleep(pause)
		pause = min(2*pause, maxPause)
		try++
	}
}

func (k *Keeper) rewriteOnce(ctx context.Context, id string, change func(stored Entry) (next Entry, ok bool)) (Entry, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	defer cancel()
	stored, err := k.get(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	next, ok := change(stored)
	if !ok {
		return stored, nil
	}
	err = k.Store.Replace(ctx, next)
	next.Version++
	return next, err
}
