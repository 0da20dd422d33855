package callstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// An EventOption changes what PostEvents posts.
type EventOption int

const (
	// DuplicateEvents posts every request twice, as a sender does that has lost
	// the response.
	DuplicateEvents EventOption = iota + 1
	// ReverseEvents posts the last event first.
	ReverseEvents
	// WithoutEnds leaves out the events of a call's end. A later PostEvents
	// without it posts them.
	WithoutEnds
	// CapitalKeys writes CallID instead of call_id, and all other keys likewise.
	CapitalKeys
	// ItemEvents puts all of an event but its id and its timestamp into "item".
	ItemEvents
)

const (
	eventsPerPost = 100
	postTimeout   = 30 * time.Second
)

// PostEvents posts external session events to url, with this user name and
// password: one for each change of the state of a call that no PostEvents has
// posted to url successfully before, up to 100 in one request, in the order of
// their times. It returns after the last response. A response other than 2xx is
// an error and ends it. Two PostEvents at the same time can both post an event.
//
// A call has up to six events, in the documented order: its begin, its queue, an
// agent that accepts it, the connection, the end, and the agent's disposition.
// They follow from the timestamps and the status of the call, and what the
// documents do not say about them is the double's own choice. A scheduled call
// has none before its time, an outbound call none before an agent is assigned,
// and a call that awaits its agent none at all.
func (s *Server) PostEvents(url, user, password string, opts ...EventOption) error {
	for _, opt := range opts {
		if opt < DuplicateEvents || opt > ItemEvents {
			return fmt.Errorf("callstest: unknown EventOption %d", opt)
		}
	}
	unposted := s.posted.missing(url, s.sessionEvents())
	if slices.Contains(opts, WithoutEnds) {
		unposted = slices.DeleteFunc(unposted, func(e sessionEvent) bool { return e.step >= stepEnded })
	}
	if slices.Contains(opts, ReverseEvents) {
		slices.Reverse(unposted)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // leaves no connection behind
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
	Timestamp int64  `json:"timestamp"` // in milliseconds since 1970
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

// eventBody does not change batch.
func eventBody(batch []sessionEvent, capitals, items bool) []byte {
	batch = slices.Clone(batch)
	if items {
		for i := range batch {
			batch[i].session, batch[i].Item = nil, batch[i].session
		}
	}
	body, _ := json.Marshal(struct { // these types always encode
		Count  int            `json:"count"`
		Events []sessionEvent `json:"events"`
	}{len(batch), batch})
	if capitals {
		body = keyInJSON.ReplaceAllFunc(body, capitalKey)
	}
	return body
}

// keyInJSON matches no string in a value: a quote in one has a backslash before
// it, so that the colon would have one too.
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
