package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed style.css
var style []byte

//go:embed live.js
var script []byte

// page is what every template is given.
type page struct {
	Title string
	// Live is where live.js gets the page's parts anew, "" if they do not change.
	Live string
	// MustReload has a browser that runs no script load Live anew.
	MustReload bool
	Demo       *demoPanel // nil on the real platform
	Body       any
}

const shownTime = "Mon, 2 Jan 2006 15:04:05 MST"

func (s *service) at(t time.Time) string { return t.In(s.zone).Format(shownTime) }

// parsePages parses all templates. html/template escapes everything in them but the
// segments of paths.
func (s *service) parsePages() *template.Template {
	funcs := template.FuncMap{"at": s.at, "segment": url.PathEscape, "printable": printable}
	return template.Must(template.New("").Funcs(funcs).ParseFS(templateFiles, "templates/*.html"))
}

// render writes a page as a whole or not at all.
func (s *service) render(w http.ResponseWriter, status int, name string, p page) {
	p.Demo = s.demoPanel()
	var body bytes.Buffer
	if err := s.pages.ExecuteTemplate(&body, name, p); err != nil {
		s.logger.Error("a page cannot be shown", "page", name)
		http.Error(w, "This page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // the browser can have disconnected
}

// tell shows a page that has nothing but a message.
func (s *service) tell(w http.ResponseWriter, status int, title, message string) {
	s.render(w, status, "message.html", page{Title: title, Body: message})
}

// tellBusy shows that the service is at one of its limits.
func (s *service) tellBusy(w http.ResponseWriter, message string) {
	w.Header().Set("Retry-After", "5")
	s.tell(w, http.StatusServiceUnavailable, "This service is busy", message)
}

// fail says that the database cannot be used now.
func (s *service) fail(w http.ResponseWriter, err error) {
	s.logger.Error("the database cannot be used", "error", err)
	w.Header().Set("Retry-After", "5")
	s.tell(w, http.StatusServiceUnavailable, "The records of this service cannot be used now", "Nobody was called just now. Try again in a moment, and look at the tickets first.")
}

// mark identifies what is shown of an attempt: it changes whenever that does.
func mark(a attempt) string {
	return fmt.Sprintf("%s %d %s %s %d %d %t", a.ID, a.Version, a.State, a.Call.Status, len(a.Candidates), len(a.Problem), a.WasLost)
}

func showFile(contentType string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType+"; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=300")
		_, _ = w.Write(content)
	}
}
