package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/ccaip-go/calls"
)

// health is what the last check of the platform and the credentials found.
type health struct {
	mu        sync.Mutex
	isChecked bool
	err       error
}

func (h *health) set(err error) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	changed = !h.isChecked || causeOf(h.err) != causeOf(err)
	h.isChecked, h.err = true, err
	return changed
}

// problem returns what is wrong, "" if nothing is.
func (h *health) problem() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.isChecked:
		return "not checked yet"
	case h.err == nil:
		return ""
	case errors.Is(h.err, calls.ErrUnauthorized), errors.Is(h.err, calls.ErrForbidden), errors.Is(h.err, calls.ErrNotFound):
		return "the platform refuses the credentials"
	}
	return "the platform cannot be reached"
}

const pingTimeout = 5 * time.Second

// checkPlatform finds out whether the platform accepts the credentials, and logs
// when that has changed.
func (s *service) checkPlatform(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	err := s.client.Ping(ctx)
	if !s.health.set(err) {
		return
	}
	if err != nil {
		s.logger.Error("the platform cannot be used", "problem", s.health.problem(), "cause", causeOf(err))
		return
	}
	s.logger.Info("the platform accepts the credentials")
}

// keepChecking checks the platform every minute, and prunes old attempts, until ctx
// ends.
func (s *service) keepChecking(ctx context.Context) {
	for sleep(ctx, time.Minute) {
		s.checkPlatform(ctx)
		if err := s.attempts.prune(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("old attempts cannot be forgotten now", "error", err)
		}
	}
}

// showHealth responds with the result of the last check. It sends no request.
func (s *service) showHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if problem := s.health.problem(); problem != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, problem+"\n")
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}
