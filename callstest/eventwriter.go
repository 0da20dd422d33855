package callstest

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"
)

// eventStep is the place of an event in the documented order.
type eventStep int

const (
	stepBegun eventStep = iota + 1
	stepQueued
	stepAccepted
	stepConnected
	stepEnded
	stepDisposed
)

// sessionEvents returns the events of all calls, the earliest first.
func (s *Server) sessionEvents() []sessionEvent {
	var all []sessionEvent
	for _, c := range s.Calls() {
		if !c.AwaitsAgent {
			w := eventWriter{call: c, server: s}
			w.write()
			all = append(all, w.events...)
		}
	}
	slices.SortStableFunc(all, func(a, b sessionEvent) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return all
}

// eventWriter writes the events of one call.
type eventWriter struct {
	call   Call
	server *Server
	events []sessionEvent
}

func (w *eventWriter) write() {
	c := &w.call
	accepted := cmp.Or(c.AssignedAt, c.since(c.Status == "assigned"))
	connected := cmp.Or(c.ConnectedAt, c.since(c.Status == "connected"))
	ended := cmp.Or(c.EndsAt, c.since(c.hasEnded()))
	begun := cmp.Or(c.QueuedAt, &c.CreatedAt)
	switch {
	case c.Type == typeOutbound:
		begun = connected // the agent is called first
	case c.Status == "scheduled":
		begun = nil
	}
	_, hasQueue := w.server.platform.world.menu(c.MenuID)
	_, agentID := w.server.platform.world.agent(c.AgentEmail)

	w.add(stepBegun, begun)
	if hasQueue {
		w.add(stepQueued, begun)
	}
	if agentID != 0 {
		w.add(stepAccepted, accepted)
	}
	w.add(stepConnected, connected)
	w.add(stepEnded, ended)
	if agentID != 0 && connected != nil {
		w.add(stepDisposed, ended)
	}
}

// since returns when the call got its status, if that is the status in question.
func (c *Call) since(isStatus bool) *time.Time {
	if !isStatus {
		return nil
	}
	return &c.UpdatedAt
}

// add adds nothing for what has not happened.
func (w *eventWriter) add(step eventStep, at *time.Time) {
	if at == nil {
		return
	}
	w.events = append(w.events, sessionEvent{
		step:      step,
		EventID:   eventID(w.server.url, w.call.ID, step, *at),
		Timestamp: at.UnixMilli(),
		session:   w.session(step, at),
	})
}

func (w *eventWriter) session(step eventStep, at *time.Time) *session {
	s := &session{CallID: w.call.ID, State: "connected", QueuePathNames: []string{}, Participants: w.participants(step)}
	if menu, ok := w.server.platform.world.menu(w.call.MenuID); ok && step >= stepQueued {
		s.QueuePathNames = []string{menu.Name}
		s.Initiator = textOrNull("virtual_agent_15") // the documented example
	}
	if _, id := w.server.platform.world.agent(w.call.AgentEmail); id != 0 && step >= stepAccepted {
		s.Initiator = textOrNull(fmt.Sprintf("agent_%d", id))
	}
	if step >= stepConnected {
		s.ConnectedAt = (*timestamp)(w.call.ConnectedAt)
	}
	if step >= stepEnded {
		s.State, s.EndsAt = "disconnected", (*timestamp)(at)
	}
	if step == stepDisposed {
		s.Dispositions = &disposition{Code: "resolved", CustomCodeID: 12, Note: "Asked about the lock"}
	}
	return s
}

func (w *eventWriter) participants(step eventStep) []eventParticipant {
	external := eventParticipant{Type: "external", State: "connected", DN: textOrNull(w.call.EndUserNumber)}
	agent := eventParticipant{Type: "agent", AgentName: textOrNull("Example Agent")}
	switch step {
	case stepAccepted:
		agent.State = "accepted"
	case stepConnected:
		agent.State = "connected"
	case stepEnded:
		external.State, agent.State = "disconnected", "disconnected"
	case stepDisposed:
		external.State, agent.State = "disconnected", "dispositionSubmitted"
	}
	var all []eventParticipant
	if w.call.Type != typeOutbound || step != stepAccepted { // the end user of an outbound call is called last
		all = append(all, external)
	}
	if _, id := w.server.platform.world.agent(w.call.AgentEmail); id != 0 && agent.State != "" {
		agent.AgentID = &id
		all = append(all, agent)
	}
	return all
}

// eventID is the same each time for one change of one call of one server.
func eventID(url string, callID int64, step eventStep, at time.Time) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d", url, callID, step, at.UnixMilli()))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // a UUID of version 8
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// postedEvents remembers what was posted where. It is safe for concurrent use.
type postedEvents struct {
	mu  sync.Mutex
	ids map[string]map[string]bool // by URL and event id
}

// missing returns those of events that were not posted to url.
func (p *postedEvents) missing(url string, events []sessionEvent) []sessionEvent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(events, func(e sessionEvent) bool { return p.ids[url][e.EventID] })
}

func (p *postedEvents) add(url string, events []sessionEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ids == nil {
		p.ids = map[string]map[string]bool{}
	}
	if p.ids[url] == nil {
		p.ids[url] = map[string]bool{}
	}
	for _, e := range events {
		p.ids[url][e.EventID] = true
	}
}
