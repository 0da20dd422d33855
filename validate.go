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

// checker collects the problems of one request. It refuses what the reference
// says that the platform refuses, and nothing else.
type checker struct {
	client   *Client
	problems ValidationErrors
}

func (c *checker) refuse(field, reason string, problem error) {
	c.problems = append(c.problems, &ValidationError{Field: field, Reason: reason, problem: problem})
}

func (c *checker) agentEmail(email string) {
	name, domain, hasAt := strings.Cut(email, "@")
	switch {
	case email == "":
		c.refuse("agent_email", "is required", ErrAgentEmailRequired)
	case !hasAt || name == "" || domain == "" || strings.ContainsFunc(email, isNoEmailRune):
		c.refuse("agent_email", "is not an e-mail address", ErrAgentEmailInvalid)
	}
}

func isNoEmailRune(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError
}

func (c *checker) ticketID(id string) {
	if !utf8.ValidString(id) {
		c.refuse("ticket_id", "is not valid UTF-8", ErrInvalidRequest)
	}
}

// endUserNumber returns the number as it is sent. Next to a ticket it is not
// judged, since the platform dials the ticket's contact.
func (c *checker) endUserNumber(number, ticketID string, isRequired bool) string {
	if number == "" && isRequired {
		c.refuse("end_user_number", "is required", ErrEndUserNumberRequired)
	}
	return c.number("end_user_number", number, ErrEndUserNumberMalformed, ticketID == "")
}

func (c *checker) number(field, number string, malformed error, judged bool) string {
	if number == "" {
		return ""
	}
	dialable, err := phone.Dialable(number, c.client.region)
	if err == nil {
		return dialable
	}
	if judged {
		c.refuse(field, err.Error(), malformed)
	}
	return number
}

func (c *checker) menuID(id int64, isRequired bool) {
	switch {
	case id < 0:
		c.refuse("menu_id", "is not positive", ErrMenuIDMalformed)
	case id == 0 && isRequired:
		c.refuse("menu_id", "is required", ErrMenuIDRequired)
	}
}

// lang accepts an ISO 639-1 code with an optional region: "fr", "fr-CA",
// "es-419". The platform minds the case.
func (c *checker) lang(lang string) {
	if lang == "" {
		return
	}
	code, region, hasRegion := strings.Cut(lang, "-")
	isRegion := isMadeOf(region, 2, 'A', 'Z') || isMadeOf(region, 3, '0', '9')
	if !isMadeOf(code, 2, 'a', 'z') || hasRegion && !isRegion {
		c.refuse("lang", `is not of the form "fr" or "fr-CA"`, ErrLanguageMalformed)
	}
}

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
