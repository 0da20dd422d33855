package events

import (
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ccaip-go/calls/internal/redact"
)

// What prints a value of this package (fmt with any verb, slog) shows no
// telephone number, no name and nothing that an agent wrote.

// text returns the ids, the state and the times of the event.
func (e Event) text() string {
	var set []string
	add := func(name, text string) {
		if text != "" {
			set = append(set, name+"="+text)
		}
	}
	add("event_id", shown(e.EventID))
	add("timestamp", stamp(&e.Timestamp))
	if e.CallID != 0 {
		add("call_id", strconv.FormatInt(e.CallID, 10))
	}
	add("state", shown(string(e.State)))
	add("connected_at", stamp(e.ConnectedAt))
	add("ends_at", stamp(e.EndsAt))
	return "events.Event{" + strings.Join(set, " ") + "}"
}

// text returns the type and the state of the participant.
func (p Participant) text() string {
	return fmt.Sprintf("events.Participant{type=%s state=%s}", shown(string(p.Type)), shown(string(p.State)))
}

// text shows nothing of the disposition.
func (d Disposition) text() string { return "events.Disposition{[redacted]}" }

// Format prints the ids, the state and the times of the event, with any verb.
func (e Event) Format(state fmt.State, verb rune) { printAs(state, verb, e.text()) }

// LogValue logs the ids, the state and the times of the event.
func (e Event) LogValue() slog.Value { return slog.StringValue(e.text()) }

// Format prints the type and the state of the participant, with any verb.
func (p Participant) Format(state fmt.State, verb rune) { printAs(state, verb, p.text()) }

// LogValue logs the type and the state of the participant.
func (p Participant) LogValue() slog.Value { return slog.StringValue(p.text()) }

// Format prints nothing of the disposition, with any verb.
func (d Disposition) Format(state fmt.State, verb rune) { printAs(state, verb, d.text()) }

// LogValue logs nothing of the disposition.
func (d Disposition) LogValue() slog.Value { return slog.StringValue(d.text()) }

func printAs(state fmt.State, verb rune, text string) {
	fmt.Fprintf(state, fmt.FormatString(state, verb), text)
}

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// shown is for ids and open values, which the platform can fill with anything. A
// UUID can look like a telephone number, and is none.
func shown(text string) string {
	const longest = 64
	if uuid.MatchString(text) {
		return text
	}
	if text = redact.Text(text); len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

func stamp(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
