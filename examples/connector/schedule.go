package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ccaip-go/calls"
)

// field is an input of a form. Its name is that of the parameter in the API, so
// that a problem finds its place.
type field struct {
	Name, Label, Hint string
	Type, Mode        string   // of an <input>
	Options           []option // of a <select>
	Max               int      // bytes
	Value, Problem    string
}

type option struct{ Value, Label string }

var scheduleFields = []field{
	{Name: "ticket_id", Max: maxTicketID, Label: "Ticket", Options: []option{{"", "None"}}},
	{Name: "end_user_number", Max: 40, Label: "Number to call", Hint: "With its country code, such as +1 859-657-9625", Type: "tel"},
	{Name: "scheduled_at", Max: 30, Label: "Day and time", Type: "datetime-local"},
	{Name: "menu_id", Max: 19, Label: "Menu", Hint: "Id of a mobile or web menu of the queue", Type: "text", Mode: "numeric"},
	{Name: "call_id", Max: 19, Label: "Earlier call (optional)", Hint: "Id of the call that this one follows", Type: "text", Mode: "numeric"},
	{Name: "lang", Max: 35, Label: "Language (optional)", Hint: "Such as en or fr-CA", Type: "text"},
	{Name: "recording_permission", Max: 40, Label: "May the call be recorded?", Options: []option{
		{string(calls.RecordingPermissionNotAsked), "The customer was not asked"},
		{string(calls.RecordingPermissionGranted), "Yes"},
		{string(calls.RecordingPermissionDenied), "No"},
	}},
}

// localTime is how <input type="datetime-local"> writes a time.
const localTime = "2006-01-02T15:04"

// scheduleForm is what schedule.html shows.
type scheduleForm struct {
	Nonce    string
	Fields   []field
	Problems map[string]string // by field
}

// showSchedule shows the form: for a ticket, or as it was sent when the platform
// refused it.
func (s *service) showSchedule(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	typed := map[string]string{}
	if t, ok := s.tickets.find(query.Get("ticket")); ok {
		typed["ticket_id"], typed["end_user_number"] = t.ID, t.Contact
	}
	var found map[string]string
	seen, err := s.attempts.asOf(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	if a, ok, err := s.attempts.find(r.Context(), query.Get("fix")); err == nil && ok && a.State == refused {
		typed, found = a.Form, a.Problems
	}
	s.renderSchedule(w, http.StatusOK, s.nonces.issue(actionSchedule, "", seen), typed, found)
}

// renderSchedule keeps what was typed, valid or not, and shows each problem beside
// its field.
func (s *service) renderSchedule(w http.ResponseWriter, status int, nonce string, typed, found map[string]string) {
	fields := slices.Clone(scheduleFields)
	for i := range fields {
		f := &fields[i]
		f.Value, f.Problem = typed[f.Name], found[f.Name]
		switch f.Name {
		case "scheduled_at":
			f.Hint = "By this service's clock, where it is now " + s.at(s.now())
		case "ticket_id":
			f.Options = slices.Clone(f.Options)
			for _, t := range s.tickets {
				f.Options = append(f.Options, option{t.ID, t.ID + ": " + t.Subject})
			}
		}
	}
	s.render(w, status, "schedule.html", page{
		Title: "Schedule a call",
		Body:  scheduleForm{Nonce: nonce, Fields: fields, Problems: found},
	})
}

// schedule checks the form and, if nothing is wrong with it, makes the call.
func (s *service) schedule(w http.ResponseWriter, r *http.Request) {
	typed := map[string]string{}
	for _, f := range scheduleFields {
		typed[f.Name] = strings.TrimSpace(r.PostForm.Get(f.Name))
	}
	request, found := s.read(typed)
	if len(found) > 0 {
		s.renderSchedule(w, http.StatusUnprocessableEntity, r.PostForm.Get("nonce"), typed, found)
		return
	}
	n, isOurs := s.nonces.read(r.PostForm.Get("nonce"), actionSchedule, "")
	if !isOurs {
		s.outOfDate(w)
		return
	}
	s.submit(w, r, n, attempt{
		Subject:  "number " + digits(request.EndUserNumber),
		TicketID: request.TicketID,
		Title:    "Call at " + s.at(request.ScheduledAt),
		Form:     typed,
	}, request)
}

// read makes a request from what was typed. What it cannot read is a problem
// beside those that the SDK finds.
func (s *service) read(typed map[string]string) (calls.ScheduledRequest, map[string]string) {
	unreadable := map[string]string{}
	id := func(name string) int64 {
		n, err := strconv.ParseInt(typed[name], 10, 64)
		if err != nil && typed[name] != "" {
			unreadable[name] = "This is not a whole number."
		}
		return n
	}
	at, err := time.ParseInLocation(localTime, typed["scheduled_at"], s.zone)
	if err != nil && typed["scheduled_at"] != "" {
		unreadable["scheduled_at"] = "This is not a day and a time, such as 2030-01-31T12:00."
	}
	if _, ok := s.tickets.find(typed["ticket_id"]); !ok && typed["ticket_id"] != "" {
		unreadable["ticket_id"] = "There is no such ticket."
	}
	request := calls.ScheduledRequest{
		MenuID:              id("menu_id"),
		ParentCallID:        id("call_id"),
		EndUserNumber:       typed["end_user_number"],
		TicketID:            typed["ticket_id"],
		Lang:                typed["lang"],
		ScheduledAt:         at,
		RecordingPermission: calls.RecordingPermission(typed["recording_permission"]),
	}
	found := problems(s.client.Validate(request))
	maps.Copy(found, unreadable)
	for _, f := range scheduleFields {
		if len(typed[f.Name]) > f.Max {
			found[f.Name] = fmt.Sprintf("This is too long: at most %d characters.", f.Max)
		}
	}
	return request, found
}
