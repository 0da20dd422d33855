package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"

	"github.com/ccaip-go/calls/callstest"
)

// ticket is what this service knows of a ticket of the CRM. The platform finds
// out by itself, from the CRM, whom to dial for it.
type ticket struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Contact string `json:"contact"` // telephone number, "" if the ticket has none
	Agent   string `json:"agent"`   // e-mail address of the agent who calls
}

// tickets stands for the CRM: replace it by yours.
type tickets []ticket

//go:embed tickets.json
var sampleTickets []byte

// loadTickets reads a file like tickets.json, or the samples if there is none.
func loadTickets(file string) (tickets, error) {
	if file == "" {
		return parseTickets(sampleTickets)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	list, err := parseTickets(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

func parseTickets(data []byte) (tickets, error) {
	var list tickets
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("not a JSON array of tickets: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("no ticket in it")
	}
	for i, t := range list {
		if t.ID == "" || t.Agent == "" {
			return nil, fmt.Errorf("ticket number %d has no id or no agent", i+1)
		}
		if _, isKnown := list[:i].find(t.ID); isKnown {
			return nil, fmt.Errorf("ticket %q is in it twice", t.ID)
		}
	}
	return list, nil
}

func (list tickets) find(id string) (t ticket, ok bool) {
	i := slices.IndexFunc(list, func(t ticket) bool { return t.ID == id })
	if i < 0 {
		return t, false
	}
	return list[i], true
}

// ofDouble are the same tickets as the double of the platform has to know them.
func (list tickets) ofDouble() []callstest.Ticket {
	known := make([]callstest.Ticket, len(list))
	for i, t := range list {
		known[i] = callstest.Ticket{ID: t.ID, Number: t.Contact}
	}
	return known
}

// ticketRow is a line of tickets.html.
type ticketRow struct {
	ticket
	Nonce  string
	Latest *attempt // nil if there is none
}

// MayCall is for the page. The Call button goes by it, and submit by the same.
func (r ticketRow) MayCall() bool { return r.Latest == nil || !r.Latest.State.IsOpen() }

// CallLabel tells of a call that there is already.
func (r ticketRow) CallLabel() string {
	if r.Latest != nil && r.Latest.State.Tone() == "good" {
		return "Call again"
	}
	return "Call"
}

// ticketPage is what tickets.html shows.
type ticketPage struct {
	Rows      []ticketRow
	Unsettled []attempt // of calls for no ticket
}

func (s *service) showTickets(w http.ResponseWriter, _ *http.Request) {
	body := ticketPage{Unsettled: slices.DeleteFunc(s.attempts.unsettled(), func(a attempt) bool { return a.TicketID != "" })}
	for _, t := range s.tickets {
		row := ticketRow{ticket: t, Nonce: s.nonces.next()}
		if latest, ok := s.attempts.latestOf(t.ID); ok {
			row.Latest = &latest
		}
		body.Rows = append(body.Rows, row)
	}
	s.render(w, http.StatusOK, "tickets.html", page{Title: "Tickets", Body: body})
}
