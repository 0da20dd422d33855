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
	"strings"
	"unicode"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// ticket is what this service knows about a ticket of the CRM. The platform
// reads from the CRM whom to dial for it.
type ticket struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Contact string `json:"contact"` // telephone number, "" if the ticket has none
	Agent   string `json:"agent"`   // e-mail address of the agent who calls
}

// tickets takes the place of the CRM: replace it by yours.
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

// IsCallable reports whether the ticket has an id that can be a segment of an
// address: browsers resolve dots, and the mux takes an escaped "/" for the end.
func (t ticket) IsCallable() bool {
	return t.ID != "." && t.ID != ".." && t.ID != "/" && len(t.ID) <= maxTicketID
}

// request is what the platform is asked for.
func (t ticket) request() calls.OutboundRequest {
	return calls.OutboundRequest{AgentEmail: t.Agent, TicketID: t.ID}
}

const maxTicketID = 255 // bytes

// callee identifies who is called: two tickets of the same number are not called
// at the same time.
func (t ticket) callee() string {
	if number := digits(t.Contact); number != "" {
		return "number " + number
	}
	return ticketKey(t.ID)
}

// digits returns the digits of a telephone number without its extension: what is
// the same for all spellings of it.
func digits(number string) string {
	if end := strings.IndexFunc(number, startsExtension); end >= 0 {
		number = number[:end]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= '０' && r <= '９': // full width
			return r - '０' + '0'
		}
		return -1
	}, number)
}

func startsExtension(r rune) bool { return unicode.IsLetter(r) || strings.ContainsRune(";,#", r) }

// ofDouble returns the same tickets for the double of the platform.
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
	Nonce   string
	Latest  *attempt // nil if there is none
	Blocker *attempt // that has to be settled before the ticket can be called
}

// CallLabel says whether there is a call already.
func (r ticketRow) CallLabel() string {
	if r.Latest != nil && r.Latest.State.Tone() == "good" {
		return "Call again"
	}
	return "Call"
}

// Why says why the ticket cannot be called. It is empty if it can.
func (r ticketRow) Why() string {
	switch {
	case !r.IsCallable():
		return "A ticket with this id cannot be called from here."
	case r.Blocker == nil:
		return ""
	case r.Blocker.TicketID == r.ID:
		return r.Blocker.State.Reason()
	case r.Blocker.TicketID == "":
		return "A scheduled call has the same number. " + r.Blocker.State.Reason()
	}
	return "Ticket " + printable(r.Blocker.TicketID) + " has the same number. " + r.Blocker.State.Reason()
}

// Mark changes whenever the line shows something else.
func (r ticketRow) Mark() string {
	text := ""
	for _, a := range []*attempt{r.Latest, r.Blocker} {
		if a != nil {
			text += mark(*a) + "; "
		}
	}
	return text
}

// ticketPage is what tickets.html shows.
type ticketPage struct {
	Rows      []ticketRow
	Unsettled []attempt // of calls for no ticket
}

// UnsettledMark changes whenever the list of unsettled calls does.
func (p ticketPage) UnsettledMark() string {
	text := ""
	for _, a := range p.Unsettled {
		text += mark(a) + "; "
	}
	return text
}

func (s *service) showTickets(w http.ResponseWriter, r *http.Request) {
	seen, err := s.attempts.asOf(r.Context()) // before what is shown
	if err != nil {
		s.fail(w, err)
		return
	}
	board, err := s.attempts.board(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	body := ticketPage{Unsettled: slices.DeleteFunc(board.unsettled, func(a attempt) bool { return a.TicketID != "" })}
	for _, t := range s.tickets {
		row := ticketRow{ticket: t, Nonce: s.nonces.issue(actionCall, t.ID, seen)}
		if latest, ok := board.latestOf(t.ID); ok {
			row.Latest = &latest
		}
		if blocker, ok := board.blocker(t.callee(), t.ID); ok {
			row.Blocker = &blocker
		}
		body.Rows = append(body.Rows, row)
	}
	s.render(w, http.StatusOK, "tickets.html", page{Title: "Tickets", Body: body, Live: "/"})
}
