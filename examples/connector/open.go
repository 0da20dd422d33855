package main

import (
	"net/http"
	"slices"
)

// openPage is what open.html shows.
type openPage struct {
	ForPerson []attempt
	Moving    []attempt // the service itself finds out
}

// Mark changes whenever the page shows something else.
func (p openPage) Mark() string {
	text := ""
	for _, a := range slices.Concat(p.ForPerson, p.Moving) {
		text += mark(a) + "; "
	}
	return text
}

// showOpen lists what a person has to look at, and what is not settled yet, of all
// instances.
func (s *service) showOpen(w http.ResponseWriter, r *http.Request) {
	open, err := s.attempts.unsettled(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	var body openPage
	for _, a := range open {
		if a.State.NeedsPerson() {
			body.ForPerson = append(body.ForPerson, a)
		} else {
			body.Moving = append(body.Moving, a)
		}
	}
	s.render(w, http.StatusOK, "open.html", page{Title: "Calls to check", Body: body, Live: "/open"})
}
