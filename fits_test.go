package calls_test

import (
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

// TestFitsAndContests has a skew of 5 s.
func TestFitsAndContests(t *testing.T) {
	sent := time.Date(2019, 9, 10, 5, 12, 26, 0, time.UTC)
	outbound := calls.Intent{ID: "1", CallType: calls.CallTypeOutbound, SentAfter: sent, SentBefore: sent.Add(30 * time.Second), OutboundNumber: "+13392195276"}
	ticket, unbounded := outbound, outbound
	ticket.TicketID = "71450"
	unbounded.SentBefore = time.Time{}
	scheduled := calls.Intent{ID: "2", CallType: calls.CallTypeScheduled, SentAfter: sent, SentBefore: sent.Add(30 * time.Second), ScheduledAt: sent.Add(time.Hour), ParentCallID: 397, MenuID: 9}
	call := func(after time.Duration, change func(*calls.Call)) *calls.Call {
		created := sent.Add(after)
		c := &calls.Call{ID: 7, CallType: calls.CallTypeOutbound, CreatedAt: &created, OutboundNumber: new("+1 339-219-5276")}
		if change != nil {
			change(c)
		}
		return c
	}
	at := func(c *calls.Call) {
		due := sent.Add(time.Hour)
		c.CallType, c.ScheduledAt = calls.CallTypeInbound, &due
	}
	menu := func(id int64) func(*calls.Call) {
		return func(c *calls.Call) { at(c); c.SelectedMenu = &calls.Menu{ID: &id} }
	}
	parent := func(id int64) func(*calls.Call) {
		return func(c *calls.Call) { at(c); c.ParentID = &id }
	}
	number := func(n string) func(*calls.Call) { return func(c *calls.Call) { c.OutboundNumber = &n } }
	tests := []struct {
		name           string
		intent         calls.Intent
		call           *calls.Call
		fits, contests bool
	}{
		{"at the time of sending", outbound, call(0, nil), true, true},
		{"before it, within the skew", outbound, call(-5*time.Second, nil), true, true},
		{"before it, beyond the skew", outbound, call(-5*time.Second-1, nil), false, false},
		{"after the end, within the skew", outbound, call(35*time.Second, nil), true, true},
		{"after the end, beyond the skew", outbound, call(35*time.Second+1, nil), false, true},
		{"a day later", outbound, call(24*time.Hour, nil), false, true},
		{"a day later, without an end", unbounded, call(24*time.Hour, nil), true, true},
		{"no call", outbound, nil, false, false},
		{"without an id", outbound, call(0, func(c *calls.Call) { c.ID = 0 }), false, true},
		{"without a time", outbound, call(0, func(c *calls.Call) { c.CreatedAt = nil }), false, true},
		{"of another type", outbound, call(0, func(c *calls.Call) { c.CallType = calls.CallTypeInbound }), false, false},
		{"of the same type, deprecated name", outbound, call(0, func(c *calls.Call) { c.CallType = calls.CallTypeOutboundDeprecated }), true, true},
		{"from another number", outbound, call(0, number("+1 760-410-8538")), false, false},
		{"from the number, national form", outbound, call(0, number("(339) 219-5276")), true, true},
		{"from the number, with a trunk prefix", outbound, call(0, number("0339/2195276")), true, true},
		{"from a short number with the same end", outbound, call(0, number("5276")), false, false},
		{"from a malformed number", outbound, call(0, number("unknown")), false, true},
		{"from an empty number", outbound, call(0, number("")), true, true},
		{"without a number", outbound, call(0, func(c *calls.Call) { c.OutboundNumber = nil }), true, true},
		{"of its ticket", ticket, call(0, func(c *calls.Call) { c.OutTicketID = new("71450") }), true, true},
		{"of another ticket", ticket, call(0, func(c *calls.Call) { c.OutTicketID = new("76517") }), false, false},
		{"without a ticket", ticket, call(0, nil), false, false},
		{"scheduled for its time", scheduled, call(0, at), true, true},
		{"scheduled for its time, scheduled type", scheduled, call(0, func(c *calls.Call) { at(c); c.CallType = calls.CallTypeScheduled }), true, true},
		{"scheduled for another time", scheduled, call(0, func(c *calls.Call) { at(c); *c.ScheduledAt = sent.Add(2 * time.Hour) }), false, false},
		{"not scheduled", scheduled, call(0, func(c *calls.Call) { c.CallType = calls.CallTypeInbound }), false, false},
		{"of its menu", scheduled, call(0, menu(9)), true, true},
		{"of another menu", scheduled, call(0, menu(11)), false, false},
		{"of its parent", scheduled, call(0, parent(397)), true, true},
		{"of another parent", scheduled, call(0, parent(398)), false, false},
	}
	for _, tt := range tests {
		if got := tt.intent.Fits(tt.call, 5*time.Second); got != tt.fits {
			t.Errorf("%s: Fits returns %v", tt.name, got)
		}
		if got := tt.intent.Contests(tt.call, 5*time.Second); got != tt.contests {
			t.Errorf("%s: Contests returns %v", tt.name, got)
		}
	}
}
