package calls

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Fits reports whether call can be the call of the create: it matches what was sent,
// and was created between SentAfter and SentBefore, give or take skew. What call does
// not show does not count, but a call without a ticket was not created for one. A zero
// SentBefore bounds nothing.
//
// A call whose time, ticket or number cannot be read does not fit, but is contested.
func (i Intent) Fits(call *Call, skew time.Duration) bool {
	return i.match(&sighting{Call: call}, skew) == matches && !i.isTooLate(call, skew)
}

// Contests reports whether the create can have made call, so that no other create may
// take it. It is like Fits, but without an upper bound of time: a gateway or a kernel
// can deliver a request long after it was sent. What cannot be read is taken to match.
func (i Intent) Contests(call *Call, skew time.Duration) bool {
	return i.match(&sighting{Call: call}, skew) != differs
}

// isTooLate reports whether call was created after the create can have been carried
// out.
func (i Intent) isTooLate(call *Call, skew time.Duration) bool {
	return !i.SentBefore.IsZero() && call.CreatedAt != nil && call.CreatedAt.After(i.SentBefore.Add(skew))
}

// match says whether a call is what a create asked for.
type match int

const (
	differs   match = iota
	isUnclear       // it would match, but for something that cannot be read
	matches
)

// match compares a call with the create.
func (i Intent) match(call *sighting, skew time.Duration) match {
	if call.Call == nil || call.CreatedAt != nil && call.CreatedAt.Before(i.SentAfter.Add(-skew)) {
		return differs
	}
	// Most calls differ in something that can be read, which spares parsing their JSON.
	call.isHasty = true
	if i.compare(call) == differs {
		return differs
	}
	call.isHasty = false
	if call.ID == 0 || call.CreatedAt == nil {
		return min(isUnclear, i.compare(call))
	}
	return i.compare(call)
}

func (i Intent) compare(call *sighting) match {
	return min(i.matchType(call), i.matchParent(call), i.matchMenu(call), i.matchNumber(call), i.matchTicket(call))
}

// matchType compares the type. The platform shows a scheduled call as an inbound one:
// only the time that it is scheduled at tells them apart.
func (i Intent) matchType(call *sighting) match {
	shown, sent := call.CallType.Canonical(), i.CallType.Canonical()
	isScheduled := sent == CallTypeScheduled
	isOfType := shown == sent || isScheduled && shown == CallTypeInbound
	isUnreadable := shown == "" && call.isUnreadable("call_type") ||
		call.ScheduledAt == nil && call.isUnreadable("scheduled_at")
	switch {
	case shown != "" && !isOfType, !isScheduled && call.ScheduledAt != nil:
		return differs
	case isUnreadable:
		return isUnclear
	case !isOfType, isScheduled && (call.ScheduledAt == nil || call.ScheduledAt.Sub(i.ScheduledAt).Abs() >= time.Second):
		return differs
	}
	return matches
}

func (i Intent) matchTicket(call *sighting) match {
	switch {
	case i.TicketID == "" || call.OutTicketID != nil && *call.OutTicketID == i.TicketID:
		return matches
	case call.OutTicketID == nil && call.isUnreadable("out_ticket_id"):
		return isUnclear
	}
	return differs
}

func (i Intent) matchParent(call *sighting) match {
	switch {
	case i.ParentCallID == 0 || call.ParentID != nil && *call.ParentID == i.ParentCallID:
		return matches
	case call.ParentID != nil:
		return differs
	case call.isUnreadable("parent_id"):
		return isUnclear
	}
	return matches
}

func (i Intent) matchMenu(call *sighting) match {
	menu := call.SelectedMenu
	switch {
	case i.MenuID == 0 || menu != nil && menu.ID != nil && *menu.ID == i.MenuID:
		return matches
	case menu != nil && menu.ID != nil:
		return differs
	case menu == nil && call.isUnreadable("selected_menu"), menu != nil && call.isUnreadable("selected_menu", "id"):
		return isUnclear
	}
	return matches
}

// matchNumber compares the outbound numbers. The one of the create has its country
// code; the other may be in the form that people dial at home.
func (i Intent) matchNumber(call *sighting) match {
	if i.OutboundNumber == "" {
		return matches
	}
	if call.OutboundNumber == nil || *call.OutboundNumber == "" {
		if call.isUnreadable("outbound_number") {
			return isUnclear
		}
		return matches
	}
	shown := strings.TrimSpace(*call.OutboundNumber)
	if strings.Trim(shown, "+0123456789 ().-/\u00a0\u2010\u2011") != "" {
		return isUnclear
	}
	sent, digits := digitsOf(i.OutboundNumber), digitsOf(shown)
	isAtHome := !strings.HasPrefix(shown, "+") && len(digits) >= minHomeDigits && strings.HasSuffix(sent, strings.TrimLeft(digits, "0"))
	switch {
	case digits == "":
		return isUnclear
	case sent == digits || isAtHome:
		return matches
	}
	return differs
}

const minHomeDigits = 6 // of a number without its country code

func digitsOf(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// sighting is a call that is compared with creates.
type sighting struct {
	*Call
	isHasty bool                       // takes for unreadable what has no value
	keys    map[string]json.RawMessage // of its JSON; nil as long as nobody asked
}

// isUnreadable reports whether the platform sent something under a key, or under a key
// of the object under a key. Ask only about a field that has no value.
func (s *sighting) isUnreadable(path ...string) bool {
	if s.isHasty {
		return true
	}
	if s.keys == nil {
		s.keys = map[string]json.RawMessage{}
		if s.raw != nil {
			_ = json.Unmarshal(*s.raw, &s.keys)
		}
	}
	value := s.keys[path[0]]
	for _, key := range path[1:] {
		var object map[string]json.RawMessage
		_ = json.Unmarshal(value, &object)
		value = object[key]
	}
	value = bytes.TrimSpace(value)
	return len(value) > 0 && string(value) != "null" && string(value) != `""`
}
