package main

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

const (
	maxBody   = 16 << 10
	maxHeader = 16 << 10
)

// contentPolicy permits only styles and scripts of this service.
const contentPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secured sets the headers that keep a page from being misused.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		// With "no-referrer" browsers send "Origin: null" with forms, which cannot
		// be told from another site's.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// ofKnownHost refuses requests for other host names: with DNS rebinding the page of
// another site is of the same origin as this service.
func (s *service) ofKnownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.access.knows(r.Host) {
			s.tell(w, http.StatusMisdirectedRequest, "This is not the name of this service", "Its operator can name it with -host.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ofPermitted refuses requests of those who may not use the service.
func (s *service) ofPermitted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch refusal := s.access.permits(r); refusal {
		case 0:
			next.ServeHTTP(w, r)
		case http.StatusUnauthorized:
			w.Header().Set("WWW-Authenticate", `Basic realm="Connector", charset="UTF-8"`)
			s.tell(w, refusal, "Sign in first", "This service requires a user name and a password.")
		case http.StatusServiceUnavailable:
			s.tellBusy(w, "Too many people are signing in. Try again in a moment.")
		default:
			s.tell(w, refusal, "You have no access", "Use the address that you were given for this service.")
		}
	})
}

// ofThisSite refuses requests that the page of another site has made.
func (s *service) ofThisSite(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.tell(w, http.StatusForbidden, "This came from another site", "Nothing was done.")
	}))
	return guard.Handler(next)
}

// visited wraps a page that spends requests to the platform, of which the customer has
// few. It is shown to a person who visits it, and not to the page of another site that
// has it fetched as an image, a frame or a script.
func (s *service) visited(page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !isVisit(r.Header) {
			s.tell(w, http.StatusForbidden, "This came from another site", "Open this page itself to see it.")
			return
		}
		s.inTurn(page)(w, r)
	}
}

// inTurn bounds how many requests ask the platform at the same time.
func (s *service) inTurn(page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.turns <- struct{}{}:
			defer func() { <-s.turns }()
			page(w, r)
		default:
			s.tellBusy(w, "Too many people are asking at the same time. Try again in a moment.")
		}
	}
}

// isVisit reports whether a browser shows the response as a page, or asked for it
// on behalf of a page of this site. Old browsers do not say.
func isVisit(h http.Header) bool {
	if strings.Contains(h.Get("Sec-Purpose"), "prefetch") {
		return false
	}
	mode, destination := h.Get("Sec-Fetch-Mode"), h.Get("Sec-Fetch-Dest")
	switch h.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "": // old browsers, and programs
		return mode == "" || mode == "navigate"
	}
	return mode == "navigate" && (destination == "document" || destination == "")
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

// framed replaces the text of the mux for an unknown address or method by a page of
// this service.
func (s *service) framed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fallback, route := mux.Handler(r)
		if route != "" {
			mux.ServeHTTP(w, r)
			return
		}
		refusal := &headerOnly{header: http.Header{}, status: http.StatusOK}
		fallback.ServeHTTP(refusal, r)
		if refusal.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", refusal.header.Get("Allow"))
			s.tell(w, refusal.status, "That cannot be done here", "Nothing was done.")
			return
		}
		s.tell(w, http.StatusNotFound, "There is no such page", "")
	})
}

// headerOnly is a response without its body.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header         { return h.header }
func (h *headerOnly) WriteHeader(status int)      { h.status = status }
func (h *headerOnly) Write(p []byte) (int, error) { return len(p), nil }

// logged logs each request by its route: an address could contain private data.
func (s *service) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		level := slog.LevelInfo
		if r.Method == http.MethodGet && recorder.status == http.StatusOK {
			level = slog.LevelDebug // every open page asks every other second
		}
		s.logger.Log(r.Context(), level, "request", "method", r.Method, "route", r.Pattern, "status", recorder.status, "took", time.Since(start).Round(time.Millisecond))
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
