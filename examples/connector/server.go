package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// service is the connector: it asks the platform for calls, and shows people
// what became of them.
type service struct {
	client   *calls.Client
	tickets  tickets
	attempts *attempts
	nonces   *nonces
	demo     *demo // nil on the real platform
	pages    *template.Template
	logger   *slog.Logger
	now      func() time.Time
	zone     *time.Location // of the times on pages
	hosts    []string       // that this service goes by; nil: any

	timeout  time.Duration // of one operation on the platform, attempts and waits included
	window   time.Duration // how long to look for a call whose answer was lost
	patience time.Duration // how long a browser waits for a create before it is sent on

	background sync.WaitGroup // the creates, and the looking for lost ones
}

// newService returns a service of the real platform where double is nil.
func newService(client *calls.Client, list tickets, double *callstest.Server, logger *slog.Logger) *service {
	s := &service{
		client:   client,
		tickets:  list,
		attempts: newAttempts(),
		nonces:   newNonces(),
		logger:   logger,
		now:      time.Now,
		zone:     time.Local,
		timeout:  30 * time.Second,
		window:   15 * time.Second,
		patience: 2 * time.Second,
	}
	if double != nil {
		s.demo = &demo{server: double}
	}
	s.pages = s.parsePages()
	return s
}

const (
	maxBody   = 16 << 10
	maxHeader = 16 << 10
)

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showTickets)
	mux.HandleFunc("POST /tickets/{id}/call", s.call)
	mux.HandleFunc("GET /schedule", s.showSchedule)
	mux.HandleFunc("POST /schedule", s.schedule)
	mux.HandleFunc("GET /attempts/{id}", s.showAttempt)
	mux.HandleFunc("POST /attempts/{id}/look", s.lookAgain)
	mux.HandleFunc("POST /attempts/{id}/decision", s.decide)
	mux.HandleFunc("GET /calls/{id}/flags", s.showFlags)
	mux.HandleFunc("POST /calls/{id}/flags", s.changeFlags)
	mux.HandleFunc("GET /style.css", showStyle)
	if s.demo != nil {
		mux.HandleFunc("POST /demo", s.demo.arm)
	}
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.tell(w, http.StatusForbidden, "This came from another site", "Nothing was done.")
	}))
	return s.logged(secured(s.ofKnownHost(guard.Handler(s.parsed(mux)))))
}

// secured sets the headers that keep a page from being misused. Nothing on a
// page runs, and nothing comes from elsewhere.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		// With "no-referrer" browsers send "Origin: null" with forms, which cannot
		// be told from another site's.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// ofKnownHost keeps out pages of other sites whose names were made to lead here
// (DNS rebinding): to the browser those are of the same origin.
func (s *service) ofKnownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if s.hosts != nil && !slices.Contains(s.hosts, host) {
			s.tell(w, http.StatusMisdirectedRequest, "This service does not go by that name", "")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// parsed reads the form of a request.
func (s *service) parsed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		var tooLarge *http.MaxBytesError
		switch err := r.ParseForm(); {
		case errors.As(err, &tooLarge):
			s.tell(w, http.StatusRequestEntityTooLarge, "The form is too large", "Nothing was done.")
		case err != nil:
			s.tell(w, http.StatusBadRequest, "The form cannot be read", "Nothing was done.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// logged logs each request, by its route: an address could have more in it.
func (s *service) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		s.logger.Info("request", "method", r.Method, "route", r.Pattern, "status", recorder.status, "took", time.Since(start).Round(time.Millisecond))
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// serve answers until ctx ends, and then finishes what it has begun: it takes no
// more requests, and waits for the creates that are under way and for those that
// are being settled.
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
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	s.logger.Info("shutting down: finishing what is under way")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*s.timeout+s.window)
	defer cancel()
	return errors.Join(err, server.Shutdown(end), s.finish(end))
}

// finish waits for what runs in the background. What is unsettled then is known
// to nobody any more, so it is logged for somebody to look into.
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
	for _, a := range s.attempts.unsettled() {
		s.logger.Warn("unsettled: check whether the customer was called", "ticket", a.TicketID, "state", string(a.State), "started", a.Started)
	}
	return err
}
