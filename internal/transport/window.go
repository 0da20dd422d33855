package transport

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Window lets at most so many attempts reach the platform in any one second. A
// token bucket would let twice as many through: a full burst, and what has
// been filled up behind it.
type Window struct {
	// slots holds, for each attempt of a second, when one like it last may have
	// arrived. Waiting attempts are served in the order in which they came.
	slots chan time.Time
}

const second = time.Second

// NewWindow returns a Window of so many attempts a second.
func NewWindow(attempts int) *Window {
	w := &Window{slots: make(chan time.Time, attempts)}
	for range attempts {
		w.slots <- time.Time{}
	}
	return w
}

// Wait makes a Window a Limiter, for attempts that are over at once.
func (w *Window) Wait(ctx context.Context) error {
	leave, err := w.enter(ctx)
	if err == nil {
		leave()
	}
	return err
}

func (w *Window) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil { // else select might still choose a slot
		return nil, err
	}
	select {
	case last := <-w.slots:
		if err := Sleep(ctx, time.Until(last.Add(second))); err != nil {
			w.slots <- last
			return nil, fmt.Errorf("waiting for a turn: %w", err)
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a turn: %w", ctx.Err())
	}
	return w.occupy(), nil
}

// occupy keeps a slot until the attempt has certainly arrived: at its end, since
// an answer proves it, and after a second without one. Counting from the moment
// of sending would let a slow first request and a fast later one arrive closer
// together than they were sent.
func (w *Window) occupy() (leave func()) {
	giveBack := sync.OnceFunc(func() { w.slots <- time.Now() })
	timer := time.AfterFunc(second, giveBack)
	return func() {
		timer.Stop()
		giveBack()
	}
}
