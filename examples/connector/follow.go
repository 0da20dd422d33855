package main

import (
	"context"
	"time"

	"github.com/ccaip-go/calls"
)

const (
	maxFollowed = time.Hour        // how long a call is followed
	followSkew  = time.Minute      // by how much the platform's clock may be behind
	maxChanges  = 1000             // read in one look
	retryFollow = 30 * time.Second // after a listing that failed
)

// follow keeps the status of the created calls up to date until ctx ends. One
// listing serves all of them, and none is asked for while no call is running.
func (s *service) follow(ctx context.Context) {
	var since time.Time // the newest change that was seen, by the platform's clock
	wait := s.interval
	for sleep(ctx, wait) {
		wait = s.interval
		running, err := s.attempts.running(ctx, s.now().Add(-maxFollowed))
		if err != nil || len(running) == 0 {
			since = time.Time{}
			continue
		}
		if since.IsZero() {
			since = running[0].Started.Add(-followSkew)
		}
		newest, err := s.look(ctx, since)
		if err != nil && ctx.Err() == nil {
			s.logger.Warn("the status of calls cannot be read", "cause", causeOf(err))
			wait = retryFollow
			continue
		}
		since = newest
	}
}

// look reads what has changed since, and returns the time of the newest change.
func (s *service) look(ctx context.Context, since time.Time) (newest time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	listed := map[int64]call{}
	newest = since
	options := calls.ListOptions{UpdatedSince: since, SortBy: "updated_at"}
	for c, err := range s.client.ListCalls(ctx, options) {
		if err != nil {
			return newest, err
		}
		listed[c.ID] = newCall(c)
		if c.UpdatedAt != nil && c.UpdatedAt.After(newest) {
			newest = *c.UpdatedAt
		}
		if len(listed) == maxChanges {
			break
		}
	}
	return newest, s.attempts.saw(ctx, listed)
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
