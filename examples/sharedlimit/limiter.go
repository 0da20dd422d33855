package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"github.com/ccaip-go/calls"
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

// line makes redis_rate keep a line of turns instead of a bucket. Its Burst is
// how many turns may be given out ahead, and each comes with how far ahead it
// is. Whoever got one waits until then, so nothing arrives in a burst. A process
// holds one turn at a time: the line is as long as there are processes.
var line = redis_rate.Limit{Rate: turnsASecond, Period: time.Second, Burst: 100}

// errCrowded is none of Redis' failures: it works, and has no turn to give.
var errCrowded = fmt.Errorf("more than %d processes wait for a turn", line.Burst)

const (
	patience = 500 * time.Millisecond // with Redis, for one turn
	pause    = 500 * time.Millisecond // before Redis is asked again after a failure
)

// A Limiter is one rate budget for all processes that use the same key of the
// same Redis. Their clocks do not matter: the time is that of Redis. Make it
// with NewLimiter, one for each process and key.
//
// Callers get their turns in the order in which they came, and the processes
// take turns with each other. Only the first in line asks Redis, so a crowd
// costs one round trip for each turn and no more.
type Limiter struct {
	turns  *redis_rate.Limiter
	key    string
	onDown OnDown

	inLine atomic.Int64
	first  chan struct{} // filled by the first in line
	next   *turn         // of the first in line
}

// OnDown decides about an attempt when Redis gives no answer: nil lets it
// through, an error refuses it.
type OnDown func(ctx context.Context, cause error) error

// Refuse lets nothing through while Redis is down: no call rather than one too
// many. The error makes the operation fail with calls.DeliveryNotSent.
func Refuse(_ context.Context, cause error) error {
	return fmt.Errorf("the shared rate limit is not reachable: %w", cause)
}

// FallBackTo paces the process by a share of its own while Redis is down. The
// shares of all processes together have to fit the platform's limit. Where only
// some processes have lost Redis, the others know nothing of it: a 429 can come
// then, after which the Client holds back.
func FallBackTo(share calls.RateLimiter) OnDown {
	return func(ctx context.Context, _ error) error { return share.Wait(ctx) }
}

// NewLimiter returns a Limiter. The platform's limit is for each customer, so
// the key has the subdomain in it.
func NewLimiter(rdb *redis.Client, key string, onDown OnDown) *Limiter {
	return &Limiter{
		turns:  redis_rate.NewLimiter(rdb),
		key:    key,
		onDown: onDown,
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

// takeTurn is for the first in line. If it gives up, the turn is for who comes
// after it.
func (l *Limiter) takeTurn(ctx context.Context) error {
	for {
		if l.next == nil || l.next.isOver() {
			l.next = l.ask()
		}
		select {
		case <-l.next.answered:
		case <-ctx.Done():
			return ended(ctx)
		}
		switch err := l.next.err; {
		case errors.Is(err, errCrowded):
			return err
		case err != nil:
			return l.onDown(ctx, err)
		}
		if err := sleep(ctx, time.Until(l.next.at)); err != nil {
			return err
		}
		if !l.next.isOver() { // it is if the machine was held up
			l.next = nil
			return nil
		}
	}
}

// A turn is what Redis answers, or its failure.
type turn struct {
	answered chan struct{} // closed when the rest is set
	err      error
	at       time.Time // when it comes
	until    time.Time // of a turn, when the next one comes; of a failure, how long it holds
}

func (t *turn) isOver() bool {
	select {
	case <-t.answered:
		return time.Now().After(t.until)
	default:
		return false
	}
}

// ask asks Redis for the next turn, without the context of the caller: one who
// gives up must neither wait for Redis nor lose the turn.
func (l *Limiter) ask() *turn {
	t := &turn{answered: make(chan struct{})}
	go func() {
		defer close(t.answered)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		result, err := l.turns.Allow(ctx, l.key, line)
		switch {
		case err != nil:
			t.err, t.until = err, time.Now().Add(pause)
		case result.Allowed == 0:
			t.err, t.until = errCrowded, time.Now().Add(pause)
		default:
			t.until = time.Now().Add(result.ResetAfter)
			t.at = t.until.Add(-spacing)
		}
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

func ended(ctx context.Context) error { return fmt.Errorf("waiting for a turn: %w", ctx.Err()) }
