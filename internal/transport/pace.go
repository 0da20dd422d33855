package transport

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Limiter blocks until an attempt may be made. *rate.Limiter is one.
type Limiter interface {
	Wait(ctx context.Context) error
}

// gate is what every attempt of a Sender passes: the hold after a 429, then the
// pace.
type gate struct {
	pacer pacer

	mu        sync.Mutex
	heldUntil time.Time
}

// enter waits for its turn. leave is to be called when the attempt has ended.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	for {
		if err := g.waitOut(ctx); err != nil {
			return nil, err
		}
		leave, err := g.pacer.enter(ctx)
		if err != nil {
			return nil, err
		}
		if g.held() <= 0 {
			return leave, nil
		}
		leave() // a 429 came in meanwhile
	}
}

func (g *gate) waitOut(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for wait := g.held(); wait > 0; wait = g.held() {
		if err := Sleep(ctx, wait); err != nil {
			return fmt.Errorf("held back after a 429: %w", err)
		}
	}
	return nil
}

func (g *gate) held() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.heldUntil.IsZero() {
		return 0
	}
	return time.Until(g.heldUntil)
}

func (g *gate) holdBack(wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(wait); until.After(g.heldUntil) {
		g.heldUntil = until
	}
}

// Sleep waits. It returns the context's error when that ends first, and at once
// where its deadline comes before the end of the wait.
func Sleep(ctx context.Context, wait time.Duration) error {
	if err := fits(ctx, wait); err != nil {
		return err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fits tells whether ctx lives long enough for a wait.
func fits(ctx context.Context, wait time.Duration) error {
	deadline, ok := ctx.Deadline()
	if ok && time.Until(deadline) <= wait {
		return fmt.Errorf("a wait of %v does not fit: %w", wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	return nil
}

// pacer lets attempts through at the pace that the platform allows.
type pacer interface {
	enter(ctx context.Context) (leave func(), err error)
}

func newPacer(limiter Limiter) pacer {
	switch l := limiter.(type) {
	case nil:
		return unpaced{}
	case *Window:
		return l
	}
	return byLimiter{limiter}
}

type unpaced struct{}

func (unpaced) enter(context.Context) (func(), error) { return nothing, nil }

func nothing() {}

type byLimiter struct{ Limiter }

func (l byLimiter) enter(ctx context.Context) (func(), error) {
	if err := l.Wait(ctx); err != nil {
		return nil, fmt.Errorf("rate limiter: %w", err)
	}
	return nothing, nil
}
