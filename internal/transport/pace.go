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

// HoldBacker is a Limiter that shares the hold after a 429.
type HoldBacker interface {
	HoldBack(wait time.Duration)
}

// gate is what every attempt of a Sender passes: the hold after a 429, then the
// pace. It is safe for concurrent use.
type gate struct {
	pacer pacer

	mu        sync.Mutex
	heldUntil time.Time
}

// enter waits for a turn. The turn has to be ended.
func (g *gate) enter(ctx context.Context, isFirst bool) (turn, error) {
	for {
		if err := g.waitOut(ctx); err != nil {
			return turn{}, err
		}
		t, err := g.pacer.enter(ctx, isFirst)
		if err != nil {
			return turn{}, err
		}
		if g.held() <= 0 {
			return t, nil
		}
		t.unused() // there was a 429 meanwhile
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

// held returns how long the hold lasts, 0 for none.
func (g *gate) held() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.heldUntil.IsZero() {
		return 0
	}
	return max(0, time.Until(g.heldUntil))
}

// holdBack lets no attempt begin before wait is over.
func (g *gate) holdBack(wait time.Duration) {
	g.mu.Lock()
	until := time.Now().Add(wait)
	isLater := until.After(g.heldUntil)
	if isLater {
		g.heldUntil = until
	}
	g.mu.Unlock()
	g.pacer.slowDown(wait)
}

// Sleep waits. It returns the context's error if that ends first, and at once if
// its deadline comes before the end of the wait.
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

// fits returns an error if ctx ends before a wait does.
func fits(ctx context.Context, wait time.Duration) error {
	deadline, ok := ctx.Deadline()
	if ok && time.Until(deadline) <= wait {
		return fmt.Errorf("a wait of %v does not fit: %w", wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	return nil
}

// pacer lets attempts through at the pace that the platform allows.
type pacer interface {
	enter(ctx context.Context, isFirst bool) (turn, error)
	// slowDown is called after a 429, which holds every attempt for wait.
	slowDown(wait time.Duration)
}

func newPacer(limiter Limiter) pacer {
	switch l := limiter.(type) {
	case nil:
		return unpaced{}
	case *Window:
		return l
	}
	return &byLimiter{limiter: limiter, reading: make(chan struct{}, 1), changed: make(chan struct{})}
}

type unpaced struct{}

func (unpaced) enter(context.Context, bool) (turn, error) { return turn{}, nil }
func (unpaced) slowDown(time.Duration)                    {}

// byLimiter paces by a Limiter of the caller's. Writes ask it at once. One read
// at a time asks it, and stands back while writes do.
type byLimiter struct {
	limiter Limiter
	reading chan struct{} // filled while a read stands back or asks

	mu      sync.Mutex
	writing int           // how many writes ask the limiter
	granted int           // how many writes it let through
	changed chan struct{} // closed, and replaced, when one of them changes
}

func (l *byLimiter) enter(ctx context.Context, isFirst bool) (turn, error) {
	if isFirst {
		l.count(1, 0)
		defer l.count(-1, 1)
		return turn{}, l.ask(ctx)
	}
	select {
	case l.reading <- struct{}{}:
	case <-ctx.Done():
		return turn{}, fmt.Errorf("waiting for a turn: %w", ctx.Err())
	}
	defer func() { <-l.reading }()
	if err := l.standBack(ctx); err != nil {
		return turn{}, fmt.Errorf("waiting for a turn: %w", err)
	}
	return turn{}, l.ask(ctx)
}

func (l *byLimiter) ask(ctx context.Context) error {
	if err := l.limiter.Wait(ctx); err != nil {
		return fmt.Errorf("rate limiter: %w", err)
	}
	return nil
}

func (l *byLimiter) count(writing, granted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writing += writing
	l.granted += granted
	close(l.changed)
	l.changed = make(chan struct{})
}

// standBack waits until no write asks the limiter, or readsApart of them were let
// through.
func (l *byLimiter) standBack(ctx context.Context) error {
	l.mu.Lock()
	end := l.granted + readsApart
	for l.writing > 0 && l.granted < end {
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
		l.mu.Lock()
	}
	l.mu.Unlock()
	return nil
}

func (l *byLimiter) slowDown(wait time.Duration) {
	if h, ok := l.limiter.(HoldBacker); ok {
		h.HoldBack(wait)
	}
}
