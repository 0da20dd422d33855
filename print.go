package calls

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/ccaip-go/calls/internal/redact"
)

// What prints a value of this package (fmt with any verb, slog) shows no token,
// no e-mail address and no telephone number. Format goes before all that fmt
// would do by itself, so one method for each type is enough; slog needs another.

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

// String returns the host that the Client talks to.
func (c *Client) String() string {
	if c == nil || c.sender == nil {
		return "calls.Client{}"
	}
	return redacted("calls.Client", "host", c.host())
}

// String shows the request without its address and numbers.
func (r OutboundRequest) String() string {
	return redacted("calls.OutboundRequest",
		"agent_email", mask(r.AgentEmail), "ticket_id", r.TicketID, "end_user_number", mask(r.EndUserNumber),
		"outbound_number", mask(r.OutboundNumber), "lang", r.Lang)
}

// String shows the request without its numbers.
func (r InboundRequest) String() string {
	return redacted("calls.InboundRequest",
		"menu_id", r.MenuID, "end_user_number", mask(r.EndUserNumber), "ticket_id", r.TicketID,
		"outbound_number", mask(r.OutboundNumber), "lang", r.Lang, "recording_permission", r.RecordingPermission)
}

// String shows the request without its number.
func (r ScheduledRequest) String() string {
	scheduledAt := ""
	if !r.ScheduledAt.IsZero() {
		scheduledAt = r.ScheduledAt.UTC().Format(scheduledAtFormat)
	}
	return redacted("calls.ScheduledRequest",
		"menu_id", r.MenuID, "call_id", r.ParentCallID, "end_user_number", mask(r.EndUserNumber), "ticket_id", r.TicketID,
		"lang", r.Lang, "scheduled_at", scheduledAt, "recording_permission", r.RecordingPermission)
}

// String shows which fields are set.
func (u EndUserAuth) String() string {
	return redacted("calls.EndUserAuth", "identifier", mask(u.Identifier), "name", mask(u.Name),
		"email", mask(u.Email), "phone", mask(u.Phone))
}

// String shows the request without its address and number.
func (r ThirdPartyRequest) String() string {
	return redacted("calls.ThirdPartyRequest", "agent_email", mask(r.AgentEmail), "phone_number", mask(r.PhoneNumber))
}

// String shows the id and the type of the create.
func (p *Prepared) String() string {
	i := p.Intent()
	return redacted("calls.Prepared", "id", i.ID, "call_type", i.CallType)
}

// String shows the call's id, type and status.
func (c *Call) String() string {
	if c == nil {
		return "calls.Call{}"
	}
	return redacted("calls.Call", "id", c.ID, "call_type", c.CallType, "status", c.Status)
}

// String shows the call, or that it awaits an agent.
func (r *CreateResult) String() string {
	switch {
	case r == nil:
		return "calls.CreateResult{}"
	case r.AwaitsAgent:
		return "calls.CreateResult{awaits agent}"
	}
	return "calls.CreateResult{" + r.Call.String() + "}"
}

// String shows the call, or that it was canceled before.
func (r *CancelResult) String() string {
	switch {
	case r == nil:
		return "calls.CancelResult{}"
	case r.AlreadyCanceled:
		return "calls.CancelResult{already canceled}"
	}
	return "calls.CancelResult{" + r.Call.String() + "}"
}

// String shows the status of the response.
func (c *Cancellation) String() string {
	if c == nil {
		return "calls.Cancellation{}"
	}
	return redacted("calls.Cancellation", "status_code", c.StatusCode)
}

// Format prints what String returns.
func (c *Client) Format(state fmt.State, verb rune) { printAs(state, verb, c.String()) }

// LogValue logs what String returns.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Format prints what String returns.
func (r OutboundRequest) Format(state fmt.State, verb rune) { printAs(state, verb, r.String()) }

// LogValue logs what String returns.
func (r OutboundRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Format prints what String returns.
func (r InboundRequest) Format(state fmt.State, verb rune) { printAs(state, verb, r.String()) }

// LogValue logs what String returns.
func (r InboundRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Format prints what String returns.
func (r ScheduledRequest) Format(state fmt.State, verb rune) { printAs(state, verb, r.String()) }

// LogValue logs what String returns.
func (r ScheduledRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Format prints what String returns.
func (u EndUserAuth) Format(state fmt.State, verb rune) { printAs(state, verb, u.String()) }

// LogValue logs what String returns.
func (u EndUserAuth) LogValue() slog.Value { return slog.StringValue(u.String()) }

// Format prints what String returns.
func (p Prepared) Format(state fmt.State, verb rune) { printAs(state, verb, p.String()) }

// LogValue logs what String returns.
func (p *Prepared) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Format prints what String returns.
func (c Call) Format(state fmt.State, verb rune) { printAs(state, verb, c.String()) }

// LogValue logs what String returns.
func (c *Call) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Format prints what String returns.
func (r CreateResult) Format(state fmt.State, verb rune) { printAs(state, verb, r.String()) }

// LogValue logs what String returns.
func (r *CreateResult) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Format prints what String returns.
func (r ThirdPartyRequest) Format(state fmt.State, verb rune) { printAs(state, verb, r.String()) }

// LogValue logs what String returns.
func (r ThirdPartyRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Format prints what String returns.
func (r CancelResult) Format(state fmt.State, verb rune) { printAs(state, verb, r.String()) }

// LogValue logs what String returns.
func (r *CancelResult) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Format prints what String returns.
func (c Cancellation) Format(state fmt.State, verb rune) { printAs(state, verb, c.String()) }

// LogValue logs what String returns.
func (c *Cancellation) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Format prints what Error returns.
func (e *APIError) Format(state fmt.State, verb rune) { printAs(state, verb, e.Error()) }

// Format prints what Error returns.
func (e *OpError) Format(state fmt.State, verb rune) { printAs(state, verb, e.Error()) }
