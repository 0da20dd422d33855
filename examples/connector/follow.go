package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/events"
)

const (
	maxFollowed = time.Hour        // how long a call is followed
	followSkew  = time.Minute      // by how much the platform's clock may be behind
	maxInterval = 10 * time.Second // between two looks at calls that do not change
)

// follow keeps the status of the created calls of all instances up to date until ctx
// ends. They share one tail, however many they are, and there is none while no call is
// running.
func (s *service) follow(ctx context.Context) {
	followed := &followed{ids: map[int64]bool{}}
	var watches sync.WaitGroup
	defer watches.Wait()
	for sleep(ctx, s.sweep) {
		running, err := s.attempts.running(ctx, s.now().Add(-maxFollowed))
		if err != nil {
			continue // it is logged where the rest is read
		}
		if unwatched := followed.begin(running); len(unwatched) > 0 {
			watches.Go(func() {
				if err := s.watch(ctx, unwatched); err != nil && ctx.Err() == nil {
					s.logger.Warn("the status of calls cannot be read", "cause", causeOf(err))
					sleep(ctx, s.retry)
				}
				followed.end(unwatched)
			})
		}
	}
}

// watch records each change of calls that are running until they have ended.
func (s *service) watch(ctx context.Context, running []attempt) error {
	ctx, cancel := context.WithTimeout(ctx, maxFollowed)
	defer cancel()
	options := calls.WatchOptions{Interval: s.interval, MaxInterval: max(s.interval, maxInterval)}
	var known []*calls.Call
	for _, a := range running {
		known = append(known, &calls.Call{ID: a.Call.ID, Status: a.Call.Status, CreatedAt: a.Call.CreatedAt})
		if a.Call.CreatedAt == nil { // a person named the call, or the response was lost
			options.Since = running[0].Started.Add(-followSkew)
		}
	}
	for c, err := range s.client.WatchCalls(ctx, known, options) {
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if slices.Contains(known, c) {
			continue // as it was recorded
		}
		if err := s.attempts.saw(ctx, map[int64]call{c.ID: newCall(c)}); err != nil {
			return err
		}
	}
	return nil
}

// followed has the calls that are watched. It is safe for concurrent use.
type followed struct {
	mu  sync.Mutex
	ids map[int64]bool
}

// begin returns the calls that are not watched yet, and takes them for watched.
func (f *followed) begin(running []attempt) (unwatched []attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	unwatched = slices.DeleteFunc(running, func(a attempt) bool { return f.ids[a.Call.ID] })
	for _, a := range unwatched {
		f.ids[a.Call.ID] = true
	}
	return unwatched
}

// end has calls watched again that have not ended.
func (f *followed) end(watched []attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range watched {
		delete(f.ids, a.Call.ID)
	}
}

// receiveEvents has the platform's session events received. An event is a hint: what
// has become of a call is read from the listing, but at once.
func (s *service) receiveEvents(user, password string) {
	s.events = events.Handler(user, password, func(context.Context, events.Event) error {
		s.client.LookNow()
		return nil
	}, events.WithLogger(s.logger))
}

// sleep reports whether ctx has not ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
