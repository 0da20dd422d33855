package calls

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ccaip-go/calls/internal/redact"
)

// Explain returns what to tell the person who asked for a call: what is wrong, and
// what to do about it, in English sentences without private data. If the call may
// exist although its create failed, it warns against trying again. It explains the
// errors of this package and those that wrap them; for any other error it returns
// the text without private data, and for nil "".
//
// Explain hides the cause of an unknown outcome. Log the error as well.
func Explain(err error) string {
	if err == nil {
		return ""
	}
	var failed *OpError
	mayExist := errors.As(err, &failed) && failed.Intent != nil && failed.Delivery.MayExist()
	var invalid ValidationErrors
	if errors.As(err, &invalid) && !mayExist {
		sentences := make([]string, len(invalid))
		for i, problem := range invalid {
			sentences[i] = explanationOf(problem).String()
		}
		return strings.Join(sentences, " ")
	}
	e := explanationOf(err)
	switch {
	case mayExist && failed.Delivery == DeliveryAccepted:
		e.advice = "The call was made and may ring: look for it, and do not try again."
	case mayExist:
		e.advice = "The call may ring all the same: look before you try again."
	}
	return e.String()
}

// explanation is what to tell people about a problem.
type explanation struct {
	sentinel error
	problem  string // a sentence without its full stop
	advice   string // sentences, "" for none
}

func (e explanation) String() string {
	return strings.TrimSuffix(strings.TrimSuffix(e.problem, ".")+". "+e.advice, " ")
}

// explanationOf returns the explanation of the first sentinel that err is, with
// the details that err has.
func explanationOf(err error) explanation {
	for _, e := range explanations {
		if errors.Is(err, e.sentinel) {
			return e.withDetails(err)
		}
	}
	var failed *OpError
	switch {
	case !errors.As(err, &failed):
		return explanation{problem: redact.Text(err.Error())}
	case failed.Delivery == DeliveryNotSent:
		return explanation{problem: "Nothing was sent: " + failed.causes()}
	}
	return explanation{problem: "The request failed: " + failed.causes()}
}

// causes returns the text of an error without the operation.
func (e *OpError) causes() string { return strings.TrimPrefix(e.text(), e.Operation+": ") }

// withDetails adds what a sentinel alone does not tell: the missing parameter, a
// message that is not in the catalog, what is wrong with a number, how long to wait.
func (e explanation) withDetails(err error) explanation {
	var response *APIError
	var invalid *ValidationError
	isOneOf := func(sentinels ...error) bool { return slices.Contains(sentinels, e.sentinel) }
	switch {
	case isOneOf(ErrInvalidRequest, ErrParameterMissing, ErrScheduleRejected, ErrRejected):
		if errors.As(err, &invalid) {
			e.problem += ": " + invalid.text()
		} else if errors.As(err, &response) && response.Message != "" {
			e.problem += ": " + response.redactor.Text(response.Message)
		}
	case isOneOf(ErrEndUserNumberMalformed, ErrOutboundNumberMalformed):
		if errors.As(err, &invalid) {
			e.problem = strings.TrimSuffix(e.problem, isNoNumber) + invalid.Reason
		}
	case isOneOf(ErrRateLimited):
		if errors.As(err, &response) && response.RetryAfter > 0 {
			wait := response.RetryAfter.Round(time.Second)
			e.advice = fmt.Sprintf("Try again in %v.", max(wait, time.Second))
		}
	}
	return e
}

// isNoNumber is what withDetails replaces with the reason, where one is known.
const isNoNumber = "is not a telephone number"

// explanations has the explanation of each sentinel. Special ones stand before
// general ones, and a refusal before ErrOutcomeUnknown.
var explanations = []explanation{
	{ErrAgentEmailRequired, "The e-mail address of the agent is missing", ""},
	{ErrAgentEmailInvalid, "There is no agent with this e-mail address", ""},
	{ErrAgentUnavailable, "The agent cannot take a call now", "Try again later, or choose another agent."},
	{ErrAgentNotPermitted, "The agent is not permitted to make calls", "An administrator can change that."},
	{ErrAgentNotOnCall, "The agent is not connected to the call", ""},

	{ErrTicketOrNumberRequired, "There is nobody to call", "Give a ticket or a telephone number."},
	{ErrContactNotFound, "The ticket has no contact to call", "Give a telephone number instead."},
	{ErrEndUserNumberRequired, "The telephone number to call is missing", ""},
	{ErrEndUserNumberMalformed, "The number to call " + isNoNumber, "Write it with its country code, such as +1 859-657-9625."},
	{ErrOutboundNumberMalformed, "The number to call from " + isNoNumber, "Write it with its country code, or leave it out."},

	{ErrCallTypeInvalid, "The platform does not make calls of this type", ""},
	{ErrMenuIDRequired, "The queue menu is missing", ""},
	{ErrMenuIDMalformed, "The id of the queue menu is not a positive whole number", ""},
	{ErrMenuNotFound, "There is no queue menu with this id", ""},
	{ErrMenuTypeNotPermitted, "The queue menu has the wrong type", "Inbound calls need an IVR or mobile menu, scheduled calls a mobile or web menu."},
	{ErrMenuManualRedirection, "The queue is redirected by hand and takes no calls now", "Choose another queue or another time."},
	{ErrMenuAfterHours, "The queue is closed at this hour", "Choose another queue or another time."},
	{ErrMenuClosed, "The queue takes no calls now", "Choose another queue or another time."},

	{ErrLanguageUnavailable, "The queue does not offer this language", "Choose another one."},
	{ErrLanguageNotFound, "The platform does not support this language", "Choose another one."},
	{ErrLanguageMalformed, "The language is not a code such as en or fr-CA", "Upper and lower case matter."},

	{ErrScheduledAtRequired, "The time of the call is missing", ""},
	{ErrScheduledAtPast, "The time of the call is not in the future", "Choose a later time."},
	{ErrScheduleRejected, "The platform did not schedule the call", "A setting of the CRM can be the reason."},

	{ErrRecordingPermissionInvalid, "The recording permission is not a documented one", ""},
	{ErrCallIDInvalid, "The id of a call is a positive whole number", ""},
	{ErrFlagUpdateEmpty, "The update sets no flag", ""},
	{ErrParameterMissing, "A parameter is missing", ""},

	{ErrDialFailed, "The third party could not be dialed", ""},
	{ErrCallEnded, "The call has already ended", ""},
	{ErrCRMUnsupported, "The CRM does not support this", ""},
	{ErrDuplicateRequest, "The same request was sent a moment ago", "Wait before you send it again."},
	{ErrInvalidRequest, "The request is not valid", ""},

	{ErrCallNotFound, "No listing has shown the call", "That does not prove that it does not exist."},
	{ErrAmbiguous, "It is not certain which call is the right one", "A person has to decide."},
	{ErrUnauthorized, "The platform does not accept the user name and the token", "Tell the operator of this program."},
	{ErrForbidden, "The platform does not permit this", "Tell the operator of this program."},
	{ErrNotFound, "The platform cannot find what was asked for", "Check the id; the subdomain may be wrong as well."},
	{ErrRateLimited, "The platform is busy", "Try again in a moment."},
	{ErrRedirected, "Something other than the platform responded", "Tell the operator of this program to check its address."},
	{ErrServer, "The platform failed", "Try again later."},
	{ErrRejected, "The platform refused the request", ""},
	{ErrUndecodable, "The platform's response could not be read", ""},
	{ErrOutcomeUnknown, "No response says what became of the request", "Look before you send it again."},
}
