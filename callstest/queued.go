package callstest

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The documented parameter table of inbound calls says "IVR and web"; the
// message says what the platform does.
func (p *platform) createInbound(params *createParams, now time.Time) answer {
	if problem := p.world.menuProblem(params, []Channel{IVR, Mobile}, "Only IVR and mobile menu IDs are permitted"); problem != "" {
		return refuse(problem)
	}
	if problem := p.world.queuedProblem(params); problem != "" {
		return refuse(problem)
	}
	c := newQueued(params, now)
	c.QueuedAt = &now
	if dialable(params.OutboundNumber) {
		c.OutboundNumber = params.OutboundNumber
	}
	return p.created(c)
}

func (p *platform) createScheduled(params *createParams, now time.Time) answer {
	if params.CallID == 0 || isGiven(params.MenuID) {
		if problem := p.world.menuProblem(params, []Channel{Mobile, Web}, "Only mobile and web menu IDs are permitted"); problem != "" {
			return refuse(problem)
		}
	}
	if problem := p.world.queuedProblem(params); problem != "" {
		return refuse(problem)
	}
	if params.ScheduledAt == "" {
		return refuse("scheduled_at is required")
	}
	at, err := time.Parse(time.RFC3339, params.ScheduledAt)
	if err != nil || !at.After(now) {
		return refuse("scheduled_at is not a valid future time") // the double's own text: none is documented
	}
	at = stamp(at)
	c := newQueued(params, now)
	c.ScheduledAt = &at
	c.ParentCallID = params.CallID
	if c.MenuID == 0 {
		// As in the documented example, which names no menu and is in one.
		parent, _ := p.history.call(params.CallID)
		c.MenuID = parent.MenuID
	}
	return p.schedule(c, now)
}

// newQueued takes parameters that have been checked.
func newQueued(params *createParams, now time.Time) Call {
	menuID, _ := strconv.ParseInt(string(params.MenuID), 10, 64)
	return Call{
		Type:                typeInbound,
		Status:              "queued",
		TicketID:            string(params.TicketID),
		EndUserNumber:       params.EndUserNumber,
		OutboundNumber:      defaultOutboundNumber,
		Lang:                params.Lang,
		RecordingPermission: params.RecordingPermission,
		MenuID:              menuID,
		CreatedAt:           now,
		UpdatedAt:           now,
	}
}

// menuProblem is the message of the first check that fails, empty if none does.
func (w *world) menuProblem(params *createParams, permitted []Channel, notPermitted string) string {
	if !isGiven(params.MenuID) {
		return "menu_id is required"
	}
	id, err := strconv.ParseInt(string(params.MenuID), 10, 64)
	if err != nil {
		return "menu_id is not well formed"
	}
	menu, ok := w.menu(id)
	if !ok {
		return fmt.Sprintf("menu_id %d is not found", id)
	}
	if !slices.ContainsFunc(menu.Channels, func(c Channel) bool { return slices.Contains(permitted, c) }) {
		return notPermitted
	}
	switch menu.State {
	case ManualRedirection:
		return "Menu is in 'manual redirection' state, can't accept calls"
	case AfterHours:
		return "Menu is in 'after hours' state, can't accept incoming calls"
	}
	return ""
}

// queuedProblem checks what inbound and scheduled calls have in common.
func (w *world) queuedProblem(params *createParams) string {
	switch {
	case params.EndUserNumber == "":
		return "end_user_number is required"
	case !dialable(params.EndUserNumber):
		return "end_user_number is not well formed" // without a hyphen, unlike outbound calls
	}
	if problem := w.langProblem(params.Lang); problem != "" {
		return problem
	}
	switch params.RecordingPermission {
	case "", "recording_permission_not_asked", "recording_permission_denied", "recording_permission_granted":
		return ""
	}
	return "recording_permission is not well formed" // the double's own text: none is documented
}

func isGiven(raw []byte) bool { return len(raw) > 0 && string(raw) != "null" }
