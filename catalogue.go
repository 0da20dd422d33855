package calls

import "strings"

// entry is one message of the platform. The text between before and after is
// what the message names; a message without after names nothing.
type entry struct {
	before, after string
	// open: the message goes on after that, with what it names where there is
	// no after.
	open    bool
	problem error
}

// catalogue has every message that is documented or was seen, without a final
// full stop, with straight apostrophes, and with "well formed" in two words.
// The first entry that fits is taken, so that a special one stands before the
// general.
//
// Reference: "Call endpoints", error messages.
var catalogue = []entry{
	{before: "Agent email required", problem: ErrAgentEmailRequired},
	{before: "Not a valid agent email", problem: ErrAgentEmailInvalid},
	{before: "Agent is not available to take this call", problem: ErrAgentUnavailable},
	{before: "Agent does not have access to make calls", problem: ErrAgentNotPermitted},
	{before: "ticket_id or end_user_number required", problem: ErrTicketOrNumberRequired},
	{before: "Contact not found", problem: ErrContactNotFound},
	{before: "end_user_number is required", problem: ErrEndUserNumberRequired},
	{before: "end_user_number is not well formed", problem: ErrEndUserNumberMalformed},
	{before: "Invalid call type", problem: ErrCallTypeInvalid},
	{before: "menu_id is required", problem: ErrMenuIDRequired},
	{before: "menu_id is not well formed", problem: ErrMenuIDMalformed},
	{before: "menu_id ", after: " is not found", problem: ErrMenuNotFound},
	{before: "Only ", after: " menu IDs are permitted", problem: ErrMenuTypeNotPermitted},
	{before: "Menu is in '", after: "' state", open: true, problem: ErrMenuClosed},
	{before: "Language '", after: "' is not available", problem: ErrLanguageUnavailable},
	{before: "Language '", after: "' is not found", problem: ErrLanguageNotFound},
	{before: "scheduled_at is required", problem: ErrScheduledAtRequired},
	{before: "Call is already ended", problem: ErrCallEnded},
	{before: "Unsupported CRM request", problem: ErrCRMUnsupported},
	{before: "Duplicate request: Please wait for the interval to expire", problem: ErrDuplicateRequest},
	{before: "param is missing or the value is empty: ", open: true, problem: ErrParameterMissing},
	{after: " is required", problem: ErrParameterMissing},
}

// lookUp finds the problem that a message of the platform stands for, and what
// the message names. It forgives what a text loses or gains on its way: case,
// space around it, a final full stop, a typographic apostrophe, a hyphen.
func lookUp(message string) (param string, problem error) {
	message = plain(message)
	for _, e := range catalogue {
		if param, fits := e.match(message); fits {
			return param, e.refine(param)
		}
	}
	return "", nil
}

// plain brings a message to the form that the catalogue is written in.
func plain(message string) string {
	message = strings.TrimSpace(message)
	message = strings.TrimRight(strings.TrimSuffix(message, "."), " ")
	message = strings.ReplaceAll(strings.ReplaceAll(message, "‘", "'"), "’", "'")
	if n := len(message) - len("well-formed"); n >= 0 && strings.EqualFold(message[n:], "well-formed") {
		message = message[:n] + "well formed"
	}
	return message
}

func (e entry) match(message string) (param string, fits bool) {
	if len(message) < len(e.before) || !strings.EqualFold(message[:len(e.before)], e.before) {
		return "", false
	}
	rest := message[len(e.before):]
	if e.after == "" {
		return rest, rest == "" || e.open
	}
	end := indexFold(rest, e.after)
	if end <= 0 {
		return "", false
	}
	isWhole := end+len(e.after) == len(rest)
	return rest[:end], isWhole || e.open
}

// indexFold is strings.Index without regard to case.
func indexFold(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// refine tells the menu states apart that have a sentinel of their own.
func (e entry) refine(param string) error {
	switch {
	case e.problem != ErrMenuClosed:
		return e.problem
	case strings.EqualFold(param, "manual redirection"):
		return ErrMenuManualRedirection
	case strings.EqualFold(param, "after hours"):
		return ErrMenuAfterHours
	}
	return e.problem
}
