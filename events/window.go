package events

import (
	"context"
	"crypto/sha256"
	"sync"
)

// windowSize is how many received events are remembered.
const windowSize = 10_000

// window remembers the events that were received last, and knows those that are
// being received. Ids are kept as digests, so that a long one takes no more
// memory than a UUID. It is safe for concurrent use.
type window struct {
	mu        sync.Mutex
	receiving map[eventKey]chan struct{} // closed when its receive has ended
	received  map[eventKey]struct{}
	ring      []eventKey // the keys of received; the oldest is at next once the ring is full
	next      int
}

type eventKey [sha256.Size]byte

func keyOf(id string) eventKey { return sha256.Sum256([]byte(id)) }

func newWindow(size int) *window {
	return &window{
		receiving: map[eventKey]chan struct{}{},
		received:  map[eventKey]struct{}{},
		ring:      make([]eventKey, 0, size),
	}
}

// begin reports whether the event is to be received now. The caller then calls
// end. It waits while the same event is being received elsewhere, since a
// duplicate is one only if that succeeds.
func (w *window) begin(ctx context.Context, id string) (isNew bool, err error) {
	key := keyOf(id)
	for {
		var running <-chan struct{}
		if isNew, running = w.claim(key); running == nil {
			return isNew, nil
		}
		select {
		case <-running:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// claim returns the channel to wait for if the event is being received.
func (w *window) claim(key eventKey) (isNew bool, running <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.received[key]; ok {
		return false, nil
	}
	if running, ok := w.receiving[key]; ok {
		return false, running
	}
	w.receiving[key] = make(chan struct{})
	return true, nil
}

// end lets the waiting duplicates go on: to be dropped, or to try themselves.
func (w *window) end(id string, received bool) {
	key := keyOf(id)
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.receiving[key])
	delete(w.receiving, key)
	if received {
		w.remember(key)
	}
}

func (w *window) remember(key eventKey) {
	w.received[key] = struct{}{}
	if len(w.ring) < cap(w.ring) {
		w.ring = append(w.ring, key)
		return
	}
	delete(w.received, w.ring[w.next])
	w.ring[w.next] = key
	w.next = (w.next + 1) % len(w.ring)
}
