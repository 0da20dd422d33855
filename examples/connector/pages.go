package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed style.css
var style []byte

// page is what every template is given.
type page struct {
	Title   string
	Refresh int   // seconds until the browser looks again; 0: it does not
	Demo    *demo // nil on the real platform
	Body    any
}

const shownTime = "Mon, 2 Jan 2006 15:04:05 MST"

func (s *service) at(t time.Time) string { return t.In(s.zone).Format(shownTime) }

// parsePages parses all templates at once. html/template escapes whatever is put
// into them.
func (s *service) parsePages() *template.Template {
	funcs := template.FuncMap{"explain": explain, "at": s.at}
	return template.Must(template.New("").Funcs(funcs).ParseFS(templateFiles, "templates/*.html"))
}

// render writes a page as a whole or not at all.
func (s *service) render(w http.ResponseWriter, status int, name string, p page) {
	p.Demo = s.demo
	var body bytes.Buffer
	if err := s.pages.ExecuteTemplate(&body, name, p); err != nil {
		s.logger.Error("a page cannot be shown", "page", name)
		http.Error(w, "This page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // to a browser that may be gone
}

// tell shows a page that has nothing but a message.
func (s *service) tell(w http.ResponseWriter, status int, title, message string) {
	s.render(w, status, "message.html", page{Title: title, Body: message})
}

func showStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(style)
}
