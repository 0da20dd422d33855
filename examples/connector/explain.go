package main

import (
	"errors"

	"github.com/ccaip-go/calls"
)

// explain puts a problem in the words of the person who wants to call. Most of them
// are the package's own.
func explain(err error) string {
	var failed *calls.OpError
	var invalid *calls.ValidationError
	var response *calls.APIError
	switch {
	case errors.Is(err, errNotSentInTime):
		return "The service was stopped before the call was asked for. Press Call again if it is still wanted."
	case errors.As(err, &invalid), errors.As(err, &response):
		return excerpt(calls.Explain(err))
	case errors.As(err, &failed) && failed.Delivery == calls.DeliveryNotSent: // the address of a host is for the operator
		return "The platform could not be reached, and nothing was sent. Try again in a moment."
	case failed != nil:
		return excerpt(calls.Explain(err))
	}
	return "The records of this service could not be used. Try again in a moment."
}

const maxExcerpt = 400 // characters

// excerpt returns the beginning of a text that can have the platform's words in it, as
// it can be shown.
func excerpt(text string) string {
	shown := []rune(printable(text))
	if len(shown) > maxExcerpt {
		return string(shown[:maxExcerpt]) + "…"
	}
	return string(shown)
}

// fields names the field of the form that a refusal of the platform is about, by its
// name in the API.
var fields = []struct {
	problem error
	name    string
}{
	{calls.ErrTicketOrNumberRequired, "end_user_number"},
	{calls.ErrContactNotFound, "ticket_id"},
	{calls.ErrEndUserNumberRequired, "end_user_number"},
	{calls.ErrEndUserNumberMalformed, "end_user_number"},
	{calls.ErrMenuIDRequired, "menu_id"},
	{calls.ErrMenuIDMalformed, "menu_id"},
	{calls.ErrMenuNotFound, "menu_id"},
	{calls.ErrMenuTypeNotPermitted, "menu_id"},
	{calls.ErrMenuClosed, "menu_id"}, // and its special cases
	{calls.ErrLanguageUnavailable, "lang"},
	{calls.ErrLanguageNotFound, "lang"},
	{calls.ErrLanguageMalformed, "lang"},
	{calls.ErrScheduledAtRequired, "scheduled_at"},
	{calls.ErrScheduledAtPast, "scheduled_at"},
	{calls.ErrRecordingPermissionInvalid, "recording_permission"},
	{calls.ErrCallIDInvalid, "call_id"},
}

// problems returns, field by field, everything that is wrong with a request, whether
// this package or the platform found it.
func problems(err error) map[string]string {
	found := map[string]string{}
	var invalid calls.ValidationErrors
	if errors.As(err, &invalid) {
		for _, problem := range invalid {
			found[problem.Field] = explain(problem)
		}
		return found
	}
	for _, f := range fields {
		if errors.Is(err, f.problem) {
			found[f.name] = explain(err)
			break
		}
	}
	return found
}
