package calls

import (
	"context"
	"sync"
)

// feed is the one reader of a Client: it tails the calls for all who watch or settle,
// and runs only while there is somebody: its maps are made when the reader starts. It
// is safe for concurrent use.
type feed struct {
	client *Client

	mu       sync.Mutex
	watchers map[*watcher]struct{}
	watched  map[int64]map[*watcher]struct{} // by the id of the call
	settlers map[*settler]struct{}
	tails    map[chan<- struct{}]struct{} // of TailCalls, to wake up
	reader   *reader                      // nil: none runs
}

// watch adds a watcher, which must be removed in the end.
func (f *feed) watch(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.start()
	f.watchers[w] = struct{}{}
	for id := range w.states {
		if f.watched[id] == nil {
			f.watched[id] = map[*watcher]struct{}{}
		}
		f.watched[id][w] = struct{}{}
	}
	r.admit(w)
}

// unwatch removes a watcher.
func (f *feed) unwatch(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range w.states {
		f.forget(w, id)
	}
	delete(f.watchers, w)
	f.stopIfIdle()
}

// forget ends the watch of one call. f.mu is held.
func (f *feed) forget(w *watcher, id int64) {
	delete(w.states, id)
	delete(f.watched[id], w)
	if len(f.watched[id]) == 0 {
		delete(f.watched, id)
	}
}

// known returns the states that the watchers know, nil unless each knows all of its
// calls. f.mu is held.
func (f *feed) known() (states []*Call) {
	for w := range f.watchers {
		if !w.isKnown {
			return nil
		}
		for _, call := range w.states {
			if call.UpdatedAt == nil { // a new call, as its create returned it
				fresh := *call
				fresh.UpdatedAt = call.CreatedAt
				call = &fresh
			}
			states = append(states, call)
		}
	}
	return states
}

// settle adds settlers, which must be removed in the end.
func (f *feed) settle(settlers []*settler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.start()
	for _, s := range settlers {
		s.joined = r.polls
		f.settlers[s] = struct{}{}
		if s.isAccepted {
			r.wait = s.interval
			r.need(s.since)
		}
	}
	notify(r.wake)
}

// unsettle removes settlers.
func (f *feed) unsettle(settlers []*settler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range settlers {
		delete(f.settlers, s)
	}
	f.stopIfIdle()
}

// wakeUp returns a channel that lookNow sends to until leave is called.
func (f *feed) wakeUp() (wake <-chan struct{}, leave func()) {
	tail := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tails == nil {
		f.tails = map[chan<- struct{}]struct{}{}
	}
	f.tails[tail] = struct{}{}
	return tail, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.tails, tail)
	}
}

func (f *feed) lookNow() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for tail := range f.tails {
		notify(tail)
	}
	if f.reader != nil {
		f.reader.isAsked = true
		notify(f.reader.wake)
	}
}

// notify sends to a channel with room for one, unless it is full.
func notify(news chan<- struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

// start returns the reader, and starts it if none runs. f.mu is held.
func (f *feed) start() *reader {
	if f.reader == nil {
		f.watchers, f.watched, f.settlers = map[*watcher]struct{}{}, map[int64]map[*watcher]struct{}{}, map[*settler]struct{}{}
		ctx, stop := context.WithCancel(context.Background())
		f.reader = &reader{feed: f, stop: stop, wake: make(chan struct{}, 1)}
		go f.reader.run(ctx)
	}
	return f.reader
}

// stopIfIdle stops the reader if nobody needs it. f.mu is held.
func (f *feed) stopIfIdle() {
	if f.reader != nil && len(f.watchers) == 0 && len(f.settlers) == 0 {
		f.reader.stop()
		f.reader = nil
	}
}
