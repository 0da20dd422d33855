package transport

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	second = time.Second
	// transit is how much longer one request may take to the platform than another.
	// A request that was written counts as arrived after it.
	transit = 100 * time.Millisecond
	// readsApart is how many writes go before a read that waits beside them.
	readsApart = 9
)

// Window lets at most so many attempts reach the platform within any second, as
// long as the way there takes no more than transit longer for one than for
// another. A token bucket would let twice as many through: a full burst, and what
// was filled up behind it. It is safe for concurrent use.
type Window struct {
	mu     sync.Mutex
	slots  []slot
	usable int       // fewer than the slots after a 429
	raise  time.Time // when one more is usable again
	queues [2][]*waiter
	// nextRead is when the next read may begin while no write waits.
	nextRead time.Time
	// writesInRow counts the writes that went before a waiting read.
	writesInRow int
	timer       *time.Timer
}

// The queues of a Window.
const (
	writers = iota
	readers
)

// slot is the place of one attempt in a second. It is free again a second after
// its attempt arrived.
type slot struct {
	state slotState
	at    time.Time // when its attempt was written, or if it is free can have arrived; zero for never
	turn  int       // counts its turns
}

type slotState int

const (
	slotFree slotState = iota
	slotHeld           // its attempt is not written yet, so it can arrive at any time
	slotWritten
)

// freeAt returns when an attempt may begin in the slot. It reports false if that
// is not known.
func (s *slot) freeAt() (at time.Time, ok bool) {
	switch s.state {
	case slotHeld:
		return time.Time{}, false
	case slotWritten:
		return s.at.Add(transit + second), true
	}
	if s.at.IsZero() {
		return time.Time{}, true
	}
	return s.at.Add(second), true
}

// waiter is an attempt that waits for its turn.
type waiter struct {
	granted chan turn // capacity 1
}

// turn is an attempt's place in a Window. The zero turn is one without pacing. The slot
// of an attempt that was written can have another turn before the attempt has ended.
type turn struct {
	window *Window
	slot   int
	number int // of the turn in the slot
}

// NewWindow returns a Window of so many attempts a second.
func NewWindow(attempts int) *Window {
	return &Window{slots: make([]slot, attempts), usable: attempts}
}

// Wait makes a Window a Limiter, for attempts that are over at once.
func (w *Window) Wait(ctx context.Context) error {
	t, err := w.enter(ctx, true)
	if err == nil {
		t.arrived(true, true)
	}
	return err
}

func (w *Window) enter(ctx context.Context, isFirst bool) (turn, error) {
	if err := ctx.Err(); err != nil {
		return turn{}, err
	}
	queue := readers
	if isFirst {
		queue = writers
	}
	w.mu.Lock()
	if len(w.queues[writers])+len(w.queues[readers]) == 0 {
		if t, ok := w.take(queue); ok {
			w.mu.Unlock()
			return t, nil
		}
	}
	waits := &waiter{granted: make(chan turn, 1)}
	w.queues[queue] = append(w.queues[queue], waits)
	w.grant(time.Now())
	wait := w.leastWait(queue)
	w.mu.Unlock()

	select {
	case t := <-waits.granted:
		return t, nil
	default:
	}
	err := fits(ctx, wait)
	if err == nil {
		select {
		case t := <-waits.granted:
			return t, nil
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	w.leave(queue, waits)
	return turn{}, fmt.Errorf("waiting for a turn: %w", err)
}

// leave takes back a waiter. A turn that was granted meanwhile goes to the next.
func (w *Window) leave(queue int, waits *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.queues[queue], waits); i >= 0 {
		w.queues[queue] = slices.Delete(w.queues[queue], i, i+1)
		return
	}
	w.slots[(<-waits.granted).slot].state = slotFree
	w.grant(time.Now())
}

// take takes a slot at once, if one is free for the queue.
func (w *Window) take(queue int) (t turn, ok bool) {
	now := time.Now()
	w.recover(now)
	i, _, ok := w.freeSlot(now, queue)
	if !ok {
		return turn{}, false
	}
	return w.hold(i, queue, now), true
}

func (w *Window) hold(i, queue int, now time.Time) turn {
	s := &w.slots[i]
	s.state = slotHeld
	s.turn++
	if queue == readers {
		w.nextRead = now.Add(second / time.Duration(w.usable))
	}
	return turn{w, i, s.turn}
}

// grant gives slots to those who wait while there are both, and comes back
// when the next slot is free.
func (w *Window) grant(now time.Time) {
	w.recover(now)
	for len(w.queues[writers])+len(w.queues[readers]) > 0 {
		queue := w.nextQueue()
		i, next, ok := w.freeSlot(now, queue)
		if !ok {
			w.comeBack(now, next)
			return
		}
		w.countTurn(queue)
		waits := w.queues[queue][0]
		w.queues[queue] = w.queues[queue][1:]
		waits.granted <- w.hold(i, queue, now)
	}
}

// nextQueue returns the queue whose turn it is: writes before reads, but a read
// after every readsApart writes. One queue at least is not empty.
func (w *Window) nextQueue() int {
	if len(w.queues[writers]) == 0 || len(w.queues[readers]) > 0 && w.writesInRow >= readsApart {
		return readers
	}
	return writers
}

func (w *Window) countTurn(queue int) {
	if queue == readers || len(w.queues[readers]) == 0 {
		w.writesInRow = 0
		return
	}
	w.writesInRow++
}

// recover makes one more slot usable for each second after a slowDown.
func (w *Window) recover(now time.Time) {
	for w.usable < len(w.slots) && !now.Before(w.raise) {
		w.usable++
		w.raise = w.raise.Add(second)
	}
}

// freeSlot returns a slot that is free now for a queue. Without one it returns
// when the next one is, zero if that is not known. While no write waits, reads
// leave one slot free, so that a write that comes finds it, and are spread over the
// second, so that the slot that a later write needs is soon free again.
func (w *Window) freeSlot(now time.Time, queue int) (i int, next time.Time, ok bool) {
	usable := w.usable
	if queue == readers && len(w.queues[writers]) == 0 {
		if now.Before(w.nextRead) {
			return -1, w.nextRead, false
		}
		usable = max(1, usable-1)
	}
	i = -1
	taken := 0
	frees := make([]time.Time, 0, 16)
	for j := range w.slots {
		at, isKnown := w.slots[j].freeAt()
		switch {
		case isKnown && !at.After(now):
			i = j
		case isKnown:
			frees = append(frees, at)
			taken++
		default:
			taken++
		}
	}
	if taken < usable {
		return i, time.Time{}, true
	}
	slices.SortFunc(frees, time.Time.Compare)
	if surplus := taken - usable; surplus < len(frees) {
		next = frees[surplus]
	}
	if w.usable < len(w.slots) && (next.IsZero() || w.raise.Before(next)) {
		next = w.raise
	}
	return -1, next, false
}

func (w *Window) comeBack(now, at time.Time) {
	if w.timer != nil {
		w.timer.Stop()
	}
	if at.IsZero() {
		return // the slot that is given back next calls grant
	}
	w.timer = time.AfterFunc(at.Sub(now), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.grant(time.Now())
	})
}

// leastWait returns how long the last waiter of a queue has to wait at least.
func (w *Window) leastWait(queue int) time.Duration {
	ahead := len(w.queues[queue]) - 1
	if ahead < 0 {
		return 0
	}
	if queue == readers {
		ahead += min(len(w.queues[writers]), (ahead+1)*readsApart)
	}
	now := time.Now()
	waits := make([]time.Duration, len(w.slots))
	for i := range w.slots {
		at, isKnown := w.slots[i].freeAt()
		if isKnown {
			waits[i] = max(0, at.Sub(now))
		}
	}
	slices.Sort(waits)
	return waits[ahead%len(waits)] + second*time.Duration(ahead/len(waits))
}

// slowDown halves the pace after a 429. It recovers by one attempt a second.
func (w *Window) slowDown(wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.usable = max(1, w.usable/2)
	w.raise = time.Now().Add(wait + second)
}

// written says that the attempt is being written.
func (t turn) written() {
	if t.window == nil {
		return
	}
	w := t.window
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.slots[t.slot]
	if s.turn != t.number {
		return
	}
	now := time.Now()
	s.state, s.at = slotWritten, now
	w.grant(now)
}

// arrived ends a turn. isSent is false if nothing was sent. Without a response the
// attempt can still be on its way.
func (t turn) arrived(isSent, hasResponse bool) {
	if t.window == nil {
		return
	}
	w := t.window
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.slots[t.slot]
	if s.turn != t.number {
		return
	}
	now := time.Now()
	if s.state == slotHeld {
		s.at = now
	}
	latest := s.at.Add(transit)
	switch {
	case !isSent:
		s.at = time.Time{}
	case hasResponse && now.Before(latest):
		s.at = now
	default:
		s.at = latest
	}
	s.state = slotFree
	w.grant(now)
}

// unused gives a turn back.
func (t turn) unused() { t.arrived(false, false) }
