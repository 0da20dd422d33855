package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// The platform takes 10 requests in any one second from each customer. A bucket
// of rate 10 and burst 10 lets 20 through: a full bucket, and what is filled up
// behind it. What holds in every second is rate + burst <= 10, so turns are
// given one at a time, evenly spaced: a burst of 1 leaves a rate of 9. With 9 an
// eleventh request gets into a second as soon as the first of them is late by a
// ninth of a second; with 8, by a quarter. A turn can be used up to an eighth
// late, and the other eighth is for the way to the platform.
const (
	turnsASecond = 8
	spacing      = time.Second / turnsASecond
)

const (
	// longestLine is how many turns may be given out ahead. A process holds one
	// turn at a time: the line is as long as there are processes.
	longestLine = 100
	// longestHold bounds HoldBack.
	longestHold = time.Hour

	patience = 500 * time.Millisecond // with Redis, for one turn
	pause    = 500 * time.Millisecond // before Redis is asked again after a failure
)

// errCrowded is not a failure of Redis: it works, and has no turn to give.
var errCrowded = fmt.Errorf("more than %d processes wait for a turn", longestLine)

// A Limiter is one rate budget for all processes that use the same key of the
// same Redis. Their clocks do not matter: the time is that of Redis. Make it
// with NewLimiter, one for each process and key. It is safe for concurrent use.
//
// Callers get their turns in the order in which they came, and the processes
// take turns with each other. Only the first in line asks Redis, so a crowd
// costs two round trips for each turn and no more.
type Limiter struct {
	line   line
	onDown OnDown
	logger *slog.Logger

	inLine atomic.Int64
	first  chan struct{} // filled by the first in line, who has the fields below
	next   *turn
	down   time.Time // since when Redis fails, zero if it does not
	fellBack,
	recovered time.Time // when a share was used last; when a turn came again after that

	mu        sync.Mutex
	heldUntil time.Time
}

// NewLimiter returns a Limiter. The platform's limit is for each customer, so
// the key has the subdomain in it. Host names have no case, and the key has none.
func NewLimiter(rdb *redis.Client, key string, onDown OnDown) *Limiter {
	return &Limiter{
		line:   line{rdb: rdb, key: "rate:" + strings.ToLower(key)},
		onDown: onDown,
		logger: slog.Default(),
		first:  make(chan struct{}, 1),
	}
}

// Wait blocks until the caller may make one attempt. A wait that does not fit
// the deadline of ctx ends at once, with context.DeadlineExceeded.
func (l *Limiter) Wait(ctx context.Context) error {
	ahead := l.inLine.Add(1) - 1
	defer l.inLine.Add(-1)
	if err := fits(ctx, time.Duration(ahead)*spacing); err != nil {
		return err
	}
	select {
	case l.first <- struct{}{}: // in the order of arrival
		defer func() { <-l.first }()
		return l.takeTurn(ctx)
	case <-ctx.Done():
		return ended(ctx)
	}
}

// HoldBack stops all processes for a time, after the platform has responded to
// one of them with 429. Turns that were given out already are void. Without
// Redis it stops only this process.
func (l *Limiter) HoldBack(wait time.Duration) {
	wait = min(wait, longestHold)
	if wait <= 0 {
		return
	}
	l.mu.Lock()
	if until := time.Now().Add(wait); until.After(l.heldUntil) {
		l.heldUntil = until
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := l.line.run(ctx, wait); err != nil {
		l.logger.Warn("the other processes are not held back", "error", err)
	}
}

func (l *Limiter) held() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heldUntil
}

// takeTurn is called by the first in line. If that gives up, the next caller gets the
// turn.
func (l *Limiter) takeTurn(ctx context.Context) error {
	for {
		if err := sleep(ctx, time.Until(later(l.held(), l.quietUntil()))); err != nil {
			return err
		}
		if l.next == nil || l.next.isOver() {
			l.next = l.ask()
		}
		select {
		case <-l.next.resolved:
		case <-ctx.Done():
			return ended(ctx)
		}
		switch err := l.next.err; {
		case errors.Is(err, errCrowded):
			return err
		case err != nil:
			return l.doWithout(ctx, err)
		}
		if l.isBack() {
			continue
		}
		if err := sleep(ctx, time.Until(l.next.at)); err != nil {
			return err
		}
		if !l.confirm(ctx) {
			continue
		}
		if !l.next.isOver() { // as it is after a pause of the machine
			l.next = nil
			return nil
		}
	}
}

// doWithout has onDown decide.
func (l *Limiter) doWithout(ctx context.Context, cause error) error {
	if l.down.IsZero() {
		l.down = time.Now()
	}
	err := l.onDown(ctx, &DownError{Since: l.down, Err: cause})
	if err == nil {
		l.fellBack = time.Now()
	}
	return err
}

// isBack notes that Redis works. It reports whether that is new and the process
// had its share: then the turn comes too early.
func (l *Limiter) isBack() bool {
	l.down = time.Time{}
	if l.fellBack.IsZero() {
		return false
	}
	l.fellBack, l.recovered, l.next = time.Time{}, time.Now(), nil
	return true
}

// quietUntil is when no process uses a share any more. Others notice that Redis
// is back within pause, too.
func (l *Limiter) quietUntil() time.Time { return l.recovered.Add(time.Second) }

// confirm asks whether a turn that was waited for still counts: Redis can have
// forgotten the line meanwhile, and another process can have had a 429.
func (l *Limiter) confirm(ctx context.Context) bool {
	if !l.next.isAhead {
		return true
	}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	counts, err := l.line.isEpoch(asked, l.next.epoch)
	switch {
	case ctx.Err() != nil: // the next round says so
	case err != nil:
		l.next = failed(err)
	case !counts:
		l.next = nil
	}
	return err == nil && counts
}

// A turn is a response of Redis, or its failure.
type turn struct {
	resolved chan struct{} // closed when the rest is set
	err      error
	epoch    string
	isAhead  bool      // it has to be waited for
	at       time.Time // when it comes
	until    time.Time // of a turn, when the next one comes; of a failure, how long it holds
}

func failed(err error) *turn {
	t := &turn{resolved: make(chan struct{}), err: err, until: time.Now().Add(pause)}
	close(t.resolved)
	return t
}

func (t *turn) isOver() bool {
	select {
	case <-t.resolved:
		return time.Now().After(t.until)
	default:
		return false
	}
}

// ask asks Redis for the next turn, without the context of the caller: a caller that
// gives up must neither wait for Redis nor lose the turn.
func (l *Limiter) ask() *turn {
	t := &turn{resolved: make(chan struct{})}
	go func() {
		defer close(t.resolved)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		place, err := l.line.run(ctx, 0)
		if place.back > 0 {
			l.logger.Warn("the clock of Redis went back; the line goes on", "key", l.line.key, "by", place.back)
		}
		if err != nil {
			t.err, t.until = err, time.Now().Add(pause)
			return
		}
		t.epoch, t.isAhead = place.epoch, place.wait > spacing/10
		t.at = time.Now().Add(place.wait)
		t.until = t.at.Add(spacing)
	}()
	return t
}

// sleep ends at once if ctx ends before the wait does.
func sleep(ctx context.Context, wait time.Duration) error {
	if err := fits(ctx, wait); err != nil {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func fits(ctx context.Context, wait time.Duration) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return fmt.Errorf("the turn comes in %v at the soonest: %w", wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func ended(ctx context.Context) error { return fmt.Errorf("waiting for a turn: %w", ctx.Err()) }
