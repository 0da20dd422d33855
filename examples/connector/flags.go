package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/ccaip-go/calls"
)

// flagPanel is what flags.html shows.
type flagPanel struct {
	CallID  int64
	Nonce   string
	Flags   []flagField
	Changed bool
	Problem string
}

type flagField struct {
	Name, Label string
	Value       *bool
}

// Shown is for the page.
func (f flagField) Shown() string {
	switch {
	case f.Value == nil:
		return "not set"
	case *f.Value:
		return "yes"
	}
	return "no"
}

// showFlags reads the customer flag of a call. A real connector shows those of
// calls that the person may see.
func (s *service) showFlags(w http.ResponseWriter, r *http.Request) {
	s.renderFlags(w, r, http.StatusOK, "")
}

// changeFlags changes what is yes or no in the form, and leaves the rest as it
// is. It can be submitted twice without harm.
func (s *service) changeFlags(w http.ResponseWriter, r *http.Request) {
	if !s.comesFromOurPage(r, actionFlags, r.PathValue("id")) {
		s.outOfDate(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout)
	defer cancel()
	err := s.client.UpdateCustomerFlag(ctx, callID(r), calls.CustomerFlagUpdate{
		VerifiedCustomer: choice(r, "verified_customer"),
		BadActor:         choice(r, "bad_actor"),
		RepeatCustomer:   choice(r, "repeat_customer"),
	})
	switch {
	case errors.Is(err, calls.ErrFlagUpdateEmpty):
		s.renderFlags(w, r, http.StatusUnprocessableEntity, explain(err))
	case err != nil:
		s.renderFlags(w, r, http.StatusBadGateway, "It is not certain that this was changed. "+explain(err))
	default:
		http.Redirect(w, r, r.URL.Path+"?changed=1", http.StatusSeeOther)
	}
}

func (s *service) renderFlags(w http.ResponseWriter, r *http.Request, status int, problem string) {
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout)
	defer cancel()
	flag, err := s.client.GetCustomerFlag(ctx, callID(r))
	switch {
	case errors.Is(err, calls.ErrNotFound), errors.Is(err, calls.ErrCallIDInvalid):
		s.tell(w, http.StatusNotFound, "There is no such call", "")
		return
	case err != nil:
		s.tell(w, http.StatusBadGateway, "The customer flag could not be read", explain(err))
		return
	}
	s.render(w, status, "flags.html", page{
		Title: "Customer flag of call " + r.PathValue("id"),
		Body: flagPanel{
			CallID: callID(r),
			Nonce:  s.nonces.issue(actionFlags, r.PathValue("id"), 0),
			Flags: []flagField{
				{"verified_customer", "Verified customer", flag.VerifiedCustomer},
				{"bad_actor", "Bad actor", flag.BadActor},
				{"repeat_customer", "Repeat customer", flag.RepeatCustomer},
			},
			Changed: r.URL.Query().Has("changed"),
			Problem: problem,
		},
	})
}

// callID returns the id in the address, or 0, which no call has, if it is not written
// as this service does.
func callID(r *http.Request) int64 {
	text := r.PathValue("id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(id, 10) != text {
		return 0
	}
	return id
}

// choice is nil for "leave as it is".
func choice(r *http.Request, name string) *bool {
	switch value := r.PostForm.Get(name); value {
	case "yes", "no":
		isYes := value == "yes"
		return &isYes
	}
	return nil
}
