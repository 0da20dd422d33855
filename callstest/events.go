package callstest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// An EventOption changes the events that PostEvents posts.
type EventOption int

const (
	// DuplicateEvents posts every request twice, as a sender does that lost the
	// response.
	DuplicateEvents EventOption = iota + 1
	// ReverseEvents posts the last event first.
	ReverseEvents
	// WithoutEnds omits the events at the end of a call. A later PostEvents without
	// this option posts them.
	WithoutEnds
	// CapitalKeys spells call_id as CallID, and all other keys likewise.
	CapitalKeys
	// ItemEvents moves all keys of an event except event_id and timestamp into "item".
	ItemEvents
)

const (
	eventsPerPost = 100
	postTimeout   = 30 * time.Second
)

// PostEvents posts external session events to url, with the given user name and
// password. It posts one event for each change in the state of a call, unless an earlier
// PostEvents has posted that event to url successfully: up to 100 events in a request, in
// the order of their times. It returns after the last response. A response that is not
// 2xx is an error, and no more events are posted. Concurrent calls of PostEvents can post
// the same event twice.
//
// A call has up to six events, in the documented order: it begins, it enters a queue, an
// agent accepts it, it connects, it ends, and the agent submits a disposition. The events
// follow from the timestamps and the status of the call. A scheduled call has no events
// before its time, an outbound call none before an agent is assigned, and a call that
// awaits its agent none at all. Details that are not documented are the double's own
// choice.
func (s *Server) PostEvents(url, user, password string, opts ...EventOption) error {
	for _, opt := range opts {
		if opt < DuplicateEvents || opt > ItemEvents {
			return fmt.Errorf("callstest: unknown EventOption %d", opt)
		}
	}
	unposted := s.posted.unposted(url, s.sessionEvents())
	if slices.Contains(opts, WithoutEnds) {
		unposted = slices.DeleteFunc(unposted, func(e sessionEvent) bool { return e.step >= stepEnded })
	}
	if slices.Contains(opts, ReverseEvents) {
		slices.Reverse(unposted)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // leaves no connection open
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       postTimeout,
	}
	for batch := range slices.Chunk(unposted, eventsPerPost) {
		body := eventBody(batch, slices.Contains(opts, CapitalKeys), slices.Contains(opts, ItemEvents))
		times := 1
		if slices.Contains(opts, DuplicateEvents) {
			times = 2
		}
		for range times {
			if err := postJSON(client, url, user, password, body); err != nil {
				return fmt.Errorf("callstest: events not posted: %w", err)
			}
		}
		s.posted.add(url, batch)
	}
	return nil
}

func postJSON(client *http.Client, url, user, password string, body []byte) error {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(user, password)
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the response is %s", response.Status)
	}
	return nil
}

type sessionEvent struct {
	step      eventStep
	EventID   string `json:"event_id"`
	Timestamp int64  `json:"timestamp"` // Unix time in milliseconds
	*session
	Item *session `json:"item,omitempty"`
}

type session struct {
	CallID         int64              `json:"call_id"`
	State          string             `json:"state"`
	ConnectedAt    *timestamp         `json:"connected_at"`
	EndsAt         *timestamp         `json:"ends_at"`
	QueuePathNames []string           `json:"queue_path_names"`
	Initiator      *string            `json:"initiator"`
	Participants   []eventParticipant `json:"participants"`
	Dispositions   *disposition       `json:"dispositions"`
}

type eventParticipant struct {
	Type      string  `json:"type"`
	State     string  `json:"state"`
	DN        *string `json:"dn"`
	AgentID   *int64  `json:"agent_id"`
	AgentName *string `json:"agent_name"`
}

type disposition struct {
	Code         string `json:"code"`
	CustomCodeID int64  `json:"custom_code_id"`
	Note         string `json:"note"`
}

// eventBody returns the JSON of a batch, which it does not change.
func eventBody(batch []sessionEvent, capitals, items bool) []byte {
	batch = slices.Clone(batch)
	if items {
		for i := range batch {
			batch[i].session, batch[i].Item = nil, batch[i].session
		}
	}
	body, _ := json.Marshal(struct { // never fails with these types
		Count  int            `json:"count"`
		Events []sessionEvent `json:"events"`
	}{len(batch), batch})
	if capitals {
		body = keyInJSON.ReplaceAllFunc(body, capitalKey)
	}
	return body
}

// keyInJSON matches keys only: within a value, the closing quote would be escaped and thus
// follow a backslash.
var keyInJSON = regexp.MustCompile(`"[a-z_]+":`)

func capitalKey(key []byte) []byte {
	words := strings.Split(strings.Trim(string(key), `":`), "_")
	for i, word := range words {
		if words[i] = strings.ToUpper(word[:1]) + word[1:]; word == "id" || word == "dn" {
			words[i] = strings.ToUpper(word)
		}
	}
	return []byte(`"` + strings.Join(words, "") + `":`)
}

// eventStep is the position of an event in the documented order.
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

// eventWriter derives the events of one call from the call.
type eventWriter struct {
	call   Call
	server *Server
	events []sessionEvent
}

func (w *eventWriter) write() {
	c := &w.call
	accepted := cmp.Or(c.AssignedAt, c.updatedAtIf(c.Status == "assigned"))
	connected := cmp.Or(c.ConnectedAt, c.updatedAtIf(c.Status == "connected"))
	ended := cmp.Or(c.EndsAt, c.updatedAtIf(c.hasEnded()))
	begun := cmp.Or(c.QueuedAt, &c.CreatedAt)
	switch {
	case c.Type == typeOutbound:
		begun = connected // the platform calls the agent first
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

// add adds an event, unless at is nil: then the step has not happened.
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
		s.Initiator = textOrNull("virtual_agent_15") // as in the documented example
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
	if w.call.Type != typeOutbound || step != stepAccepted { // the platform calls the end user of an outbound call last
		all = append(all, external)
	}
	if _, id := w.server.platform.world.agent(w.call.AgentEmail); id != 0 && agent.State != "" {
		agent.AgentID = &id
		all = append(all, agent)
	}
	return all
}

// eventID returns an id that is always the same for one step of one call of one server.
func eventID(url string, callID int64, step eventStep, at time.Time) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d", url, callID, step, at.UnixMilli()))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // a version 8 UUID
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// postedEvents holds which events were posted to which URL. It is safe for concurrent use.
type postedEvents struct {
	mu  sync.Mutex
	ids map[string]map[string]bool // by URL and event id
}

// unposted returns the events that were not posted to url yet.
func (p *postedEvents) unposted(url string, events []sessionEvent) []sessionEvent {
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
