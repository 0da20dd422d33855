package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ccaip-go/calls"
)

// explanation puts a problem in the words of the person who wants to call, and
// names the field of a form that it is about.
type explanation struct {
	problem error
	field   string // by its name in the API; "" if none
	words   string
}

// explanations has special problems before general ones.
var explanations = []explanation{
	{calls.ErrAgentEmailRequired, "agent_email", "The ticket has no agent who could call."},
	{calls.ErrAgentEmailInvalid, "agent_email", "The platform does not know the ticket's agent."},
	{calls.ErrAgentUnavailable, "agent_email", "The agent cannot take a call now. Try again later, or give the ticket to somebody else."},
	{calls.ErrAgentNotPermitted, "agent_email", "The agent may not make calls. An administrator can allow it."},
	{calls.ErrTicketOrNumberRequired, "end_user_number", "Give a ticket or a telephone number."},
	{calls.ErrContactNotFound, "ticket_id", "The ticket has nobody to call. Add a contact with a telephone number to it."},
	{calls.ErrEndUserNumberRequired, "end_user_number", "Give the number to call."},
	{calls.ErrEndUserNumberMalformed, "end_user_number", "This is not a telephone number with its country code, such as +1 859-657-9625."},
	{calls.ErrMenuIDRequired, "menu_id", "Give the id of a menu, or an earlier call."},
	{calls.ErrMenuIDMalformed, "menu_id", "The id of a menu is a positive whole number."},
	{calls.ErrMenuNotFound, "menu_id", "There is no such menu."},
	{calls.ErrMenuTypeNotPermitted, "menu_id", "Calls can be scheduled for mobile and web menus only."},
	{calls.ErrMenuManualRedirection, "menu_id", "This menu is redirected by hand and takes no calls now."},
	{calls.ErrMenuAfterHours, "menu_id", "This menu is after hours and takes no calls now."},
	{calls.ErrMenuClosed, "menu_id", "This menu takes no calls now."},
	{calls.ErrLanguageUnavailable, "lang", "This menu does not offer this language."},
	{calls.ErrLanguageNotFound, "lang", "The platform does not know this language."},
	{calls.ErrLanguageMalformed, "lang", "Write the language like en or fr-CA. Small and capital letters matter."},
	{calls.ErrScheduledAtRequired, "scheduled_at", "Give the day and the time of the call."},
	{calls.ErrScheduledAtPast, "scheduled_at", "Choose a time that is still to come."},
	{calls.ErrRecordingPermissionInvalid, "recording_permission", "Choose one of the answers."},
	{calls.ErrCallIDInvalid, "call_id", "The id of a call is a positive whole number."},
	{calls.ErrFlagUpdateEmpty, "", "Choose yes or no for at least one of them."},
	{calls.ErrUnauthorized, "", "The platform does not accept this service's subdomain and token. Tell whoever runs it."},
	{calls.ErrForbidden, "", "The platform does not let this service do that. Tell whoever runs it."},
	{calls.ErrNotFound, "", "The platform does not know what this service asks for. Tell whoever runs it to check its subdomain."},
	{errNotSentInTime, "", "The service was stopped before the call was asked for. Press Call again if it is still wanted."},
	{calls.ErrServer, "", "The platform failed. Try again later."},
	{calls.ErrRedirected, "", "Something other than the platform responded. Tell whoever runs this service to check the platform's address."},
}

func explain(err error) string {
	for _, e := range explanations {
		if errors.Is(err, e.problem) {
			return e.words
		}
	}
	var invalid *calls.ValidationError
	var response *calls.APIError
	isResponse := errors.As(err, &response)
	switch {
	case errors.As(err, &invalid):
		return "This " + invalid.Reason + "."
	case errors.Is(err, calls.ErrRateLimited) && isResponse && response.RetryAfter > 0:
		return fmt.Sprintf("The platform is busy. Try again in %s.", response.RetryAfter.Round(time.Second))
	case errors.Is(err, calls.ErrRateLimited):
		return "The platform is busy. Try again in a moment."
	case isResponse && response.Message != "":
		return fmt.Sprintf("The platform says: “%s”.", excerpt(response.Message))
	case calls.DeliveryOf(err) == calls.DeliveryNotSent:
		return "The platform could not be reached, and nothing was sent. Try again in a moment."
	}
	return "The platform's response could not be understood. Try again later."
}

const maxExcerpt = 300 // characters

// excerpt returns the beginning of a text of the platform, as it can be shown.
func excerpt(text string) string {
	shown := []rune(printable(strings.TrimSuffix(text, ".")))
	if len(shown) > maxExcerpt {
		return string(shown[:maxExcerpt]) + "…"
	}
	return string(shown)
}

// problems returns, field by field, everything that is wrong with a request,
// whether the SDK or the platform found it.
func problems(err error) map[string]string {
	found := map[string]string{}
	var invalid calls.ValidationErrors
	if errors.As(err, &invalid) {
		for _, problem := range invalid {
			found[problem.Field] = explain(problem)
		}
		return found
	}
	for _, e := range explanations {
		if e.field != "" && errors.Is(err, e.problem) {
			found[e.field] = e.words
			return found
		}
	}
	return found
}
