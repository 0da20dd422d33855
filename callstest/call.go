package callstest

import (
	"slices"
	"time"

	"github.com/ccaip-go/calls"
)

// A Call is a call as the double knows it. What a request did not give and the
// platform does not fill in is the zero value. Timestamps are in UTC, exact to
// the millisecond; nil says that it has not happened.
type Call struct {
	// ID is 0 as long as AwaitsAgent.
	ID int64
	// Type is what the call object says. As in the documented examples that is
	// "Voice Inbound (API)" for a scheduled call too: such a one has ScheduledAt.
	Type   calls.CallType
	Status calls.CallStatus
	// AwaitsAgent: the request was answered 202 or 200, and the agent has yet to
	// place the call. The listing does not show it. See Server.Place.
	AwaitsAgent bool

	AgentEmail     string
	TicketID       string
	EndUserNumber  string // that of the ticket if an outbound call has one
	OutboundNumber string // the default number if the request gave none
	Lang           string
	// RecordingPermission is what the request asked for. The call object says
	// "not_asked", as in every documented example.
	RecordingPermission calls.RecordingPermission
	MenuID              int64
	ParentCallID        int64
	ThirdParties        []ThirdParty // dialed into the call, the first one first

	ScheduledAt *time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
	QueuedAt    *time.Time
	AssignedAt  *time.Time
	ConnectedAt *time.Time
	EndsAt      *time.Time
}

// The names of the call types, as answers show them.
const (
	typeOutbound  = "Voice Outbound (API)"
	typeInbound   = "Voice Inbound (API)"
	typeScheduled = "Voice Scheduled (API)"
)

// moveTo gives the call another status and the timestamp that belongs to it.
func (c *Call) moveTo(status calls.CallStatus, now time.Time) {
	c.Status, c.UpdatedAt = status, now
	switch {
	case status == "queued":
		c.QueuedAt = &now
	case status == "assigned":
		c.AssignedAt = &now
	case status == "connected":
		c.ConnectedAt = &now
	case c.hasEnded():
		c.EndsAt = &now
	}
}

func (c *Call) hasEnded() bool {
	return slices.Contains([]calls.CallStatus{
		"finished", "failed", "recovered", "action_only_finished",
		"deflected", "voicemail_received", "voicemail_read", "cancelled", "completed",
	}, c.Status)
}

// isCanceled reports whether a scheduled call was canceled.
func (c *Call) isCanceled() bool { return c.Status == "cancelled" || c.Status == "completed" }

// clone returns a copy that shares nothing with c.
func (c *Call) clone() Call {
	d := *c
	d.ThirdParties = slices.Clone(c.ThirdParties)
	for _, t := range []**time.Time{&d.ScheduledAt, &d.QueuedAt, &d.AssignedAt, &d.ConnectedAt, &d.EndsAt} {
		*t = copyOf(*t)
	}
	return d
}

// normal returns a copy of a call that a test has made, with its gaps filled
// and its times as exact as the platform's.
func (c *Call) normal(now time.Time) Call {
	d := c.clone()
	if d.AwaitsAgent {
		d.ID = 0
	}
	fill(&d.Type, typeInbound)
	fill(&d.Status, "queued")
	fill(&d.Lang, "en")
	fill(&d.OutboundNumber, defaultOutboundNumber)
	fill(&d.CreatedAt, now)
	fill(&d.UpdatedAt, d.CreatedAt)
	d.CreatedAt, d.UpdatedAt = stamp(d.CreatedAt), stamp(d.UpdatedAt)
	for _, t := range []*time.Time{d.ScheduledAt, d.QueuedAt, d.AssignedAt, d.ConnectedAt, d.EndsAt} {
		if t != nil {
			*t = stamp(*t)
		}
	}
	return d
}

func fill[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
