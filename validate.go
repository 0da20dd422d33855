package calls

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ccaip-go/calls/internal/phone"
)

// scheduledAtFormat is ISO 8601 as the reference shows it; the time is in UTC.
const scheduledAtFormat = "2006-01-02T15:04:05.000Z"

// stamp returns a time in UTC, "" for the zero time.
func stamp(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(layout)
}

// checker collects the problems of one request. It refuses only what the reference
// says that the platform refuses.
type checker struct {
	client   *Client
	problems ValidationErrors
}

func (c *checker) refuse(field, reason string, problem error) {
	c.problems = append(c.problems, &ValidationError{Field: field, Reason: reason, problem: problem})
}

// agentEmail returns the address as it is sent: people paste space around it.
func (c *checker) agentEmail(email string) string {
	trimmed := strings.TrimFunc(email, isInvisible)
	switch {
	case email == "":
		c.refuse("agent_email", "is required", ErrAgentEmailRequired)
	case trimmed == "":
		c.refuse("agent_email", "is blank", ErrAgentEmailRequired)
	default:
		if problem := emailProblem(trimmed); problem != "" {
			c.refuse("agent_email", problem, ErrAgentEmailInvalid)
		}
	}
	return trimmed
}

// ticketID refuses what no CRM has as an id.
func (c *checker) ticketID(id string) {
	const maxLength = 255 // bytes
	switch {
	case id == "":
	case isBlank(id):
		c.refuse("ticket_id", "is blank", ErrInvalidRequest)
	case len(id) > maxLength:
		c.refuse("ticket_id", "is longer than 255 bytes", ErrInvalidRequest)
	case !utf8.ValidString(id):
		c.refuse("ticket_id", "is not valid UTF-8", ErrInvalidRequest)
	case strings.ContainsFunc(id, unicode.IsControl):
		c.refuse("ticket_id", "has control characters", ErrInvalidRequest)
	}
}

// isBlank reports whether nothing is seen of text.
func isBlank(text string) bool { return strings.TrimFunc(text, isInvisible) == "" }

func isInvisible(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

// endUserNumber returns the number as it is sent. It is not validated if there is
// a ticket, since the platform dials the ticket's contact.
func (c *checker) endUserNumber(number, ticketID string, isRequired bool) string {
	if number == "" && isRequired {
		c.refuse("end_user_number", "is required", ErrEndUserNumberRequired)
	}
	return c.number("end_user_number", number, ErrEndUserNumberMalformed, ticketID == "").Wire
}

// number returns a number as it is sent. One that cannot be dialed is sent as it
// was written, unless it has to be valid.
func (c *checker) number(field, number string, malformed error, hasToBeValid bool) phone.Number {
	if number == "" {
		return phone.Number{}
	}
	dialable, err := phone.Dialable(number, c.client.region)
	if err == nil {
		return dialable
	}
	if hasToBeValid {
		c.refuse(field, err.Error(), malformed)
	}
	return phone.Number{Wire: number}
}

func (c *checker) menuID(id int64, isRequired bool) {
	switch {
	case id < 0:
		c.refuse("menu_id", "is not positive", ErrMenuIDMalformed)
	case id == 0 && isRequired:
		c.refuse("menu_id", "is required", ErrMenuIDRequired)
	}
}

// lang accepts an ISO 639 code with an optional script and an optional region:
// "fr", "fr-CA", "es-419", "zh-Hant". The platform is case-sensitive, and decides
// which languages exist.
func (c *checker) lang(lang string) {
	if lang == "" {
		return
	}
	code, rest, _ := strings.Cut(lang, "-")
	isCode := isMadeOf(code, 2, 'a', 'z') || isMadeOf(code, 3, 'a', 'z')
	if !isCode || lang != code && !isScriptOrRegion(rest) {
		c.refuse("lang", `is not of the form "fr", "fr-CA" or "zh-Hant"`, ErrLanguageMalformed)
	}
}

// isScriptOrRegion reports whether subtags, what follows a language and a hyphen,
// are a script, a region, or a script and a region.
func isScriptOrRegion(subtags string) bool {
	first, second, hasSecond := strings.Cut(subtags, "-")
	if hasSecond {
		return isScript(first) && isRegion(second)
	}
	return isScript(first) || isRegion(first)
}

func isScript(s string) bool {
	return len(s) == 4 && isMadeOf(s[:1], 1, 'A', 'Z') && isMadeOf(s[1:], 3, 'a', 'z')
}

func isRegion(s string) bool { return isMadeOf(s, 2, 'A', 'Z') || isMadeOf(s, 3, '0', '9') }

func isMadeOf(s string, length int, from, to rune) bool {
	return len(s) == length && !strings.ContainsFunc(s, func(r rune) bool { return r < from || r > to })
}

func (c *checker) recordingPermission(permission RecordingPermission) {
	if permission != "" && !permission.isSendable() {
		c.refuse("recording_permission", "is none of the documented values", ErrRecordingPermissionInvalid)
	}
}

// scheduledAt returns the time as it is sent, in UTC and truncated to
// milliseconds. The truncated time is the one validated.
func (c *checker) scheduledAt(at time.Time) time.Time {
	at = at.UTC().Truncate(time.Millisecond)
	switch {
	case at.IsZero():
		c.refuse("scheduled_at", "is required", ErrScheduledAtRequired)
	case !at.After(c.client.now()):
		c.refuse("scheduled_at", "is not in the future", ErrScheduledAtPast)
	case at.Year() > 9999:
		c.refuse("scheduled_at", "is after the year 9999", ErrInvalidRequest)
	}
	return at
}
