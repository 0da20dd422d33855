package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ccaip-go/calls"
)

// field is an input of a form. Its name is that of the parameter in the API, so
// that a problem finds its place.
type field struct {
	Name, Label, Hint string
	Type, Mode        string   // of an <input>
	Options           []option // of a <select>
	Value, Problem    string
}

type option struct{ Value, Label string }

var scheduleFields = []field{
	{Name: "ticket_id", Label: "Ticket", Options: []option{{"", "None"}}},
	{Name: "end_user_number", Label: "Number to call", Hint: "With its country code, such as +1 859-657-9625", Type: "tel"},
	{Name: "scheduled_at", Label: "Day and time", Type: "datetime-local"},
	{Name: "menu_id", Label: "Menu", Hint: "Id of a mobile or web menu of the queue", Type: "text", Mode: "numeric"},
	{Name: "call_id", Label: "Earlier call (optional)", Hint: "Id of the call that this one follows", Type: "text", Mode: "numeric"},
	{Name: "lang", Label: "Language (optional)", Hint: "Such as en or fr-CA", Type: "text"},
	{Name: "recording_permission", Label: "May the call be recorded?", Options: []option{
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
	if a, ok := s.attempts.find(query.Get("mend")); ok && a.State == refused {
		typed, found = a.Form, problems(a.Err)
	}
	s.renderSchedule(w, http.StatusOK, s.nonces.next(), typed, found)
}

// renderSchedule keeps what was typed, sense or nonsense, and shows each problem
// beside its field.
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
	s.submit(w, r, attempt{
		Subject:  subjectOf(request),
		TicketID: request.TicketID,
		Title:    "Call at " + s.at(request.ScheduledAt),
		Form:     typed,
	}, func(ctx context.Context) (*calls.CreateResult, error) { return s.client.CreateScheduled(ctx, request) })
}

// read makes a request of what was typed. What it cannot make sense of is a
// problem beside those that the SDK finds.
func (s *service) read(typed map[string]string) (calls.ScheduledRequest, map[string]string) {
	senseless := map[string]string{}
	id := func(name string) int64 {
		n, err := strconv.ParseInt(typed[name], 10, 64)
		if err != nil && typed[name] != "" {
			senseless[name] = "This is not a whole number."
		}
		return n
	}
	at, err := time.ParseInLocation(localTime, typed["scheduled_at"], s.zone)
	if err != nil && typed["scheduled_at"] != "" {
		senseless["scheduled_at"] = "This is not a day and a time, such as 2030-01-31T12:00."
	}
	if _, ok := s.tickets.find(typed["ticket_id"]); !ok && typed["ticket_id"] != "" {
		senseless["ticket_id"] = "There is no such ticket."
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
	maps.Copy(found, senseless)
	return request, found
}

// subjectOf tells whom a call is for: no two calls of unknown outcome may be for
// the same.
func subjectOf(request calls.ScheduledRequest) string {
	if request.TicketID != "" {
		return "ticket " + request.TicketID
	}
	return "number " + strings.Map(func(r rune) rune {
		if !unicode.IsDigit(r) {
			return -1
		}
		return r
	}, request.EndUserNumber)
}
