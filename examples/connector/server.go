package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/ledger"
)

// service is the connector: it asks the platform for calls, and shows people
// what became of them.
type service struct {
	client   *calls.Client
	tickets  tickets
	attempts *attempts
	nonces   *nonces
	access   *access
	events   http.Handler // of the platform's session events; nil: they are not set up
	demo     *demo        // nil on the real platform
	health   health
	pages    *template.Template
	logger   *slog.Logger
	now      func() time.Time
	zone     *time.Location // of the times on pages

	timeout  time.Duration // of one operation on the platform, attempts and waits included
	sweep    time.Duration // between two looks at what is unsettled
	unread   time.Duration // how long the platform's calls may be unreadable before a person is asked
	patience time.Duration // how long a browser waits for a create before it is redirected
	interval time.Duration // between two looks at the calls that are running, at least a second
	retry    time.Duration // after such a look has failed

	turns      chan struct{}  // of the pages that ask the platform
	background sync.WaitGroup // the creates
}

const maxTurns = 8

// newService returns a service of the real platform if demo is nil. The keeper has
// all but a store and a key, which are in the database.
func newService(ctx context.Context, db *database, keeper *ledger.Keeper, list tickets, demo *demo, logger *slog.Logger) (*service, error) {
	record, err := openAttempts(ctx, db, keeper)
	if err != nil {
		return nil, err
	}
	key, err := db.key(ctx, "key of nonces")
	if err != nil {
		return nil, err
	}
	s := &service{
		client:   keeper.Client,
		tickets:  list,
		attempts: record,
		nonces:   &nonces{key: key, now: time.Now},
		access:   &access{},
		demo:     demo,
		logger:   logger,
		now:      time.Now,
		zone:     time.Local,
		timeout:  30 * time.Second,
		sweep:    2 * time.Second,
		unread:   5 * time.Minute,
		patience: 2 * time.Second,
		interval: 2 * time.Second,
		retry:    30 * time.Second,
		turns:    make(chan struct{}, maxTurns),
	}
	s.pages = s.parsePages()
	return s, nil
}

// handler has each request checked before the routes. The public files have no data of
// the customer.
func (s *service) handler() http.Handler {
	public := http.NewServeMux()
	public.HandleFunc("GET /style.css", showFile("text/css", style))
	public.HandleFunc("GET /live.js", showFile("text/javascript", script))
	public.HandleFunc("GET /healthz", s.showHealth)
	if s.events != nil {
		public.Handle("/events", s.events) // has credentials of its own
	}
	public.Handle("/", s.ofPermitted(s.ofThisSite(s.parsed(s.framed(s.routes())))))
	return s.logged(secured(s.ofKnownHost(public)))
}

func (s *service) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showTickets)
	mux.HandleFunc("POST /tickets/{id}/call", s.call)
	mux.HandleFunc("GET /schedule", s.showSchedule)
	mux.HandleFunc("POST /schedule", s.schedule)
	mux.HandleFunc("GET /attempts/{id}", s.showAttempt)
	mux.HandleFunc("GET /open", s.showOpen)
	mux.HandleFunc("POST /attempts/{id}/look", s.inTurn(s.lookAgain))
	mux.HandleFunc("POST /attempts/{id}/decision", s.decide)
	mux.HandleFunc("GET /calls/{id}/flags", s.visited(s.showFlags))
	mux.HandleFunc("POST /calls/{id}/flags", s.inTurn(s.changeFlags))
	if s.demo != nil {
		mux.HandleFunc("POST /demo", s.armDemo)
	}
	return mux
}

// serve serves until ctx ends, and then finishes what it has begun: it takes no
// more requests, and waits for the creates that are under way.
func (s *service) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2*s.timeout + 10*time.Second, // the change of a flag, and its reading
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	stop := s.startLoops(ctx)
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	s.logger.Info("shutting down: finishing what is under way")
	stop()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*s.timeout)
	defer cancel()
	return errors.Join(err, server.Shutdown(end), s.finish(end))
}

// startLoops starts the work in the background. The function that it returns ends it.
func (s *service) startLoops(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var loops sync.WaitGroup
	loops.Go(func() { s.follow(ctx) })
	loops.Go(func() { s.keepChecking(ctx) })
	loops.Go(func() { s.keepRecovering(ctx) })
	return func() {
		cancel()
		loops.Wait()
	}
}

// finish waits for the creates in the background. What is unsettled then is in the
// ledger: another instance or the next start goes on with it.
func (s *service) finish(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.background.Wait()
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = fmt.Errorf("calls were still being asked for: %w", ctx.Err())
	}
	open, readErr := s.attempts.unsettled(context.WithoutCancel(ctx))
	for _, a := range open {
		s.logger.Warn("unsettled: another instance or the next start goes on with it", "ticket", a.TicketID, "state", string(a.State), "started", a.Started)
	}
	return errors.Join(err, readErr)
}
