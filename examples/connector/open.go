package main

import (
	"net/http"
	"slices"
)

// openPage is what open.html shows.
type openPage struct {
	Attempts []attempt
}

// Mark changes whenever the page shows something else.
func (p openPage) Mark() string {
	text := ""
	for _, a := range p.Attempts {
		text += mark(a) + "; "
	}
	return text
}

// showOpen lists what a person has to look at, of all instances.
func (s *service) showOpen(w http.ResponseWriter, r *http.Request) {
	open, err := s.attempts.unsettled(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	open = slices.DeleteFunc(open, func(a attempt) bool { return !a.State.NeedsPerson() })
	s.render(w, http.StatusOK, "open.html", page{Title: "Calls to check", Body: openPage{open}, Live: "/open"})
}
