package calls

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ccaip-go/calls/internal/redact"
)

// What prints a value of this package (fmt with any verb, slog) shows no token, no
// e-mail address and no telephone number. Format goes before all that fmt would do by
// itself; LogValue is for slog's JSON handler.

func printAs(state fmt.State, verb rune, text string) {
	fmt.Fprintf(state, fmt.FormatString(state, verb), text)
}

// mask returns what is shown for a private value, "" if there is none.
func mask(value string) string {
	if value == "" {
		return ""
	}
	return "[redacted]"
}

// redacted lists the fields that are set, as name=value.
func redacted(name string, fields ...any) string {
	var set []string
	for i := 0; i+1 < len(fields); i += 2 {
		if text := fmt.Sprint(fields[i+1]); text != "" && text != "0" {
			set = append(set, fmt.Sprintf("%s=%s", fields[i], text))
		}
	}
	return redact.Escape(name + "{" + strings.Join(set, " ") + "}")
}

// text returns the host that the Client talks to.
func (c *Client) text() string {
	if c == nil || c.sender == nil {
		return "calls.Client{}"
	}
	return redacted("calls.Client", "host", c.host())
}

// text shows the request without its address and numbers.
func (r OutboundRequest) text() string {
	return redacted("calls.OutboundRequest",
		"agent_email", mask(r.AgentEmail), "ticket_id", r.TicketID, "end_user_number", mask(r.EndUserNumber),
		"outbound_number", mask(r.OutboundNumber), "lang", r.Lang)
}

// text shows the request without its numbers.
func (r InboundRequest) text() string {
	return redacted("calls.InboundRequest",
		"menu_id", r.MenuID, "end_user_number", mask(r.EndUserNumber), "ticket_id", r.TicketID,
		"outbound_number", mask(r.OutboundNumber), "lang", r.Lang, "recording_permission", r.RecordingPermission)
}

// text shows the request without its number.
func (r ScheduledRequest) text() string {
	return redacted("calls.ScheduledRequest",
		"menu_id", r.MenuID, "call_id", r.ParentCallID, "end_user_number", mask(r.EndUserNumber), "ticket_id", r.TicketID,
		"lang", r.Lang, "scheduled_at", stamp(r.ScheduledAt, scheduledAtFormat), "recording_permission", r.RecordingPermission)
}

// text shows which fields are set.
func (u EndUserAuth) text() string {
	return redacted("calls.EndUserAuth", "identifier", mask(u.Identifier), "name", mask(u.Name),
		"email", mask(u.Email), "phone", mask(u.Phone))
}

// text shows the request without its address and number.
func (r ThirdPartyRequest) text() string {
	return redacted("calls.ThirdPartyRequest", "agent_email", mask(r.AgentEmail), "phone_number", mask(r.PhoneNumber))
}

// text shows the id and the type of the create.
func (p *Prepared) text() string {
	i := p.Intent()
	return redacted("calls.Prepared", "id", i.ID, "call_type", i.CallType)
}

// text shows the call's id, type and status.
func (c *Call) text() string {
	if c == nil {
		return "calls.Call{}"
	}
	return redacted("calls.Call", "id", c.ID, "call_type", c.CallType, "status", c.Status)
}

// text shows the agent's id.
func (a *Agent) text() string { return redacted("calls.Agent", "id", orZero(a.ID)) }

// text shows the end user's id.
func (u *EndUser) text() string { return redacted("calls.EndUser", "id", orZero(u.ID)) }

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// text shows the intent without its number.
func (i *Intent) text() string {
	return redacted("calls.Intent",
		"id", i.ID, "attempt", i.Attempt, "call_type", i.CallType,
		"sent_after", stamp(i.SentAfter, time.RFC3339Nano), "sent_before", stamp(i.SentBefore, time.RFC3339Nano),
		"ticket_id", i.TicketID, "menu_id", i.MenuID, "parent_call_id", i.ParentCallID,
		"scheduled_at", stamp(i.ScheduledAt, time.RFC3339Nano), "outbound_number", mask(i.OutboundNumber))
}

// text shows the call, or that it awaits an agent.
func (r *CreateResult) text() string {
	switch {
	case r == nil:
		return "calls.CreateResult{}"
	case r.AwaitsAgent:
		return "calls.CreateResult{awaits agent}"
	}
	return "calls.CreateResult{" + r.Call.text() + "}"
}

// text shows the call, or that it was canceled before.
func (r *CancelResult) text() string {
	switch {
	case r == nil:
		return "calls.CancelResult{}"
	case r.AlreadyCanceled:
		return "calls.CancelResult{already canceled}"
	}
	return "calls.CancelResult{" + r.Call.text() + "}"
}

// text shows the status of the response.
func (c *Cancellation) text() string {
	if c == nil {
		return "calls.Cancellation{}"
	}
	return redacted("calls.Cancellation", "status_code", c.StatusCode)
}

// Format prints the host that the Client sends to, with any verb.
func (c *Client) Format(state fmt.State, verb rune) { printAs(state, verb, c.text()) }

// LogValue logs the host that the Client sends to.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.text()) }

// Format prints the request without its address and numbers, with any verb.
func (r OutboundRequest) Format(state fmt.State, verb rune) { printAs(state, verb, r.text()) }

// LogValue logs the request without its address and numbers.
func (r OutboundRequest) LogValue() slog.Value { return slog.StringValue(r.text()) }

// Format prints the request without its numbers, with any verb.
func (r InboundRequest) Format(state fmt.State, verb rune) { printAs(state, verb, r.text()) }

// LogValue logs the request without its numbers.
func (r InboundRequest) LogValue() slog.Value { return slog.StringValue(r.text()) }

// Format prints the request without its number, with any verb.
func (r ScheduledRequest) Format(state fmt.State, verb rune) { printAs(state, verb, r.text()) }

// LogValue logs the request without its number.
func (r ScheduledRequest) LogValue() slog.Value { return slog.StringValue(r.text()) }

// Format prints which fields are set, with any verb.
func (u EndUserAuth) Format(state fmt.State, verb rune) { printAs(state, verb, u.text()) }

// LogValue logs which fields are set.
func (u EndUserAuth) LogValue() slog.Value { return slog.StringValue(u.text()) }

// Format prints the id and the type of the create, with any verb.
func (p Prepared) Format(state fmt.State, verb rune) { printAs(state, verb, p.text()) }

// LogValue logs the id and the type of the create.
func (p *Prepared) LogValue() slog.Value { return slog.StringValue(p.text()) }

// Format prints the call's id, type and status, with any verb.
func (c Call) Format(state fmt.State, verb rune) { printAs(state, verb, c.text()) }

// LogValue logs the call's id, type and status.
func (c *Call) LogValue() slog.Value { return slog.StringValue(c.text()) }

// Format prints the agent's id, with any verb.
func (a Agent) Format(state fmt.State, verb rune) { printAs(state, verb, a.text()) }

// LogValue logs the agent's id.
func (a Agent) LogValue() slog.Value { return slog.StringValue(a.text()) }

// Format prints the end user's id, with any verb.
func (u EndUser) Format(state fmt.State, verb rune) { printAs(state, verb, u.text()) }

// LogValue logs the end user's id.
func (u EndUser) LogValue() slog.Value { return slog.StringValue(u.text()) }

// Format prints the intent without its number, with any verb.
func (i Intent) Format(state fmt.State, verb rune) { printAs(state, verb, i.text()) }

// LogValue logs the intent without its number.
func (i Intent) LogValue() slog.Value { return slog.StringValue(i.text()) }

// Format prints the call, or that it awaits an agent, with any verb.
func (r CreateResult) Format(state fmt.State, verb rune) { printAs(state, verb, r.text()) }

// LogValue logs the call, or that it awaits an agent.
func (r *CreateResult) LogValue() slog.Value { return slog.StringValue(r.text()) }

// Format prints the request without its address and number, with any verb.
func (r ThirdPartyRequest) Format(state fmt.State, verb rune) { printAs(state, verb, r.text()) }

// LogValue logs the request without its address and number.
func (r ThirdPartyRequest) LogValue() slog.Value { return slog.StringValue(r.text()) }

// Format prints the call, or that it was canceled before, with any verb.
func (r CancelResult) Format(state fmt.State, verb rune) { printAs(state, verb, r.text()) }

// LogValue logs the call, or that it was canceled before.
func (r *CancelResult) LogValue() slog.Value { return slog.StringValue(r.text()) }

// Format prints the status of the response, with any verb.
func (c Cancellation) Format(state fmt.State, verb rune) { printAs(state, verb, c.text()) }

// LogValue logs the status of the response.
func (c *Cancellation) LogValue() slog.Value { return slog.StringValue(c.text()) }

// Format prints what Error returns.
func (e APIError) Format(state fmt.State, verb rune) { printAs(state, verb, e.Error()) }

// Format prints what Error returns.
func (e *OpError) Format(state fmt.State, verb rune) { printAs(state, verb, e.Error()) }
