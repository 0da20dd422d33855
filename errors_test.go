package calls_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/ccaip-go/calls"
)

const callsURL = "https://customer.uc1.ccaiplatform.com/apps/api/v1/calls"

// sentinels has every sentinel with its parent and what causes it: a request that the
// client refuses, a message of a 400, or a status. A cause that is empty does not exist.
var sentinels = []struct {
	name    string
	is      error
	parent  error
	client  func(*testing.T) error
	message string
	param   string
	status  int
}{
	{
		name: "ErrInvalidRequest", is: calls.ErrInvalidRequest,
		client:  refusal(with(anOutbound, func(r *calls.OutboundRequest) { r.TicketID = "\xff" })),
		message: "Something else is wrong",
	},
	{
		name: "ErrAgentEmailRequired", is: calls.ErrAgentEmailRequired, parent: calls.ErrInvalidRequest,
		client:  refusal(with(anOutbound, func(r *calls.OutboundRequest) { r.AgentEmail = "" })),
		message: "Agent email required",
	},
	{
		name: "ErrAgentEmailInvalid", is: calls.ErrAgentEmailInvalid, parent: calls.ErrInvalidRequest,
		client:  refusal(with(anOutbound, func(r *calls.OutboundRequest) { r.AgentEmail = "agent" })),
		message: "Not a valid agent email",
	},
	{
		name: "ErrAgentUnavailable", is: calls.ErrAgentUnavailable, parent: calls.ErrInvalidRequest,
		message: "Agent is not available to take this call",
	},
	{
		name: "ErrAgentNotPermitted", is: calls.ErrAgentNotPermitted, parent: calls.ErrInvalidRequest,
		message: "Agent does not have access to make calls",
	},
	{
		name: "ErrTicketOrNumberRequired", is: calls.ErrTicketOrNumberRequired, parent: calls.ErrInvalidRequest,
		client:  refusal(with(anOutbound, func(r *calls.OutboundRequest) { r.EndUserNumber = "" })),
		message: "ticket_id or end_user_number required",
	},
	{
		name: "ErrContactNotFound", is: calls.ErrContactNotFound, parent: calls.ErrInvalidRequest,
		message: "Contact not found",
	},
	{
		name: "ErrEndUserNumberRequired", is: calls.ErrEndUserNumberRequired, parent: calls.ErrInvalidRequest,
		client:  refusal(with(anInbound, func(r *calls.InboundRequest) { r.EndUserNumber = "" })),
		message: "end_user_number is required",
	},
	{
		name: "ErrEndUserNumberMalformed", is: calls.ErrEndUserNumberMalformed, parent: calls.ErrInvalidRequest,
		client:  refusal(with(aScheduled, func(r *calls.ScheduledRequest) { r.EndUserNumber = "123123" })),
		message: "end_user_number is not well formed",
	},
	{
		name: "ErrOutboundNumberMalformed", is: calls.ErrOutboundNumberMalformed, parent: calls.ErrInvalidRequest,
		client: refusal(with(anOutbound, func(r *calls.OutboundRequest) { r.OutboundNumber = "123123" })),
	},
	{
		name: "ErrCallTypeInvalid", is: calls.ErrCallTypeInvalid, parent: calls.ErrInvalidRequest,
		message: "Invalid call type",
	},
	{
		name: "ErrMenuIDRequired", is: calls.ErrMenuIDRequired, parent: calls.ErrInvalidRequest,
		client:  refusal(with(anInbound, func(r *calls.InboundRequest) { r.MenuID = 0 })),
		message: "menu_id is required",
	},
	{
		name: "ErrMenuIDMalformed", is: calls.ErrMenuIDMalformed, parent: calls.ErrInvalidRequest,
		client:  refusal(with(anInbound, func(r *calls.InboundRequest) { r.MenuID = -1 })),
		message: "menu_id is not well formed",
	},
	{
		name: "ErrMenuNotFound", is: calls.ErrMenuNotFound, parent: calls.ErrInvalidRequest,
		message: "menu_id 9999 is not found", param: "9999",
	},
	{
		name: "ErrMenuTypeNotPermitted", is: calls.ErrMenuTypeNotPermitted, parent: calls.ErrInvalidRequest,
		message: "Only mobile and web menu IDs are permitted", param: "mobile and web",
	},
	{
		name: "ErrMenuClosed", is: calls.ErrMenuClosed, parent: calls.ErrInvalidRequest,
		message: "Menu is in 'over capacity' state, can't accept calls", param: "over capacity",
	},
	{
		name: "ErrMenuManualRedirection", is: calls.ErrMenuManualRedirection, parent: calls.ErrMenuClosed,
		message: "Menu is in 'manual redirection' state, can't accept calls", param: "manual redirection",
	},
	{
		name: "ErrMenuAfterHours", is: calls.ErrMenuAfterHours, parent: calls.ErrMenuClosed,
		message: "Menu is in 'after hours' state, can't accept incoming calls", param: "after hours",
	},
	{
		name: "ErrLanguageUnavailable", is: calls.ErrLanguageUnavailable, parent: calls.ErrInvalidRequest,
		message: "Language 'fr' is not available", param: "fr",
	},
	{
		name: "ErrLanguageNotFound", is: calls.ErrLanguageNotFound, parent: calls.ErrInvalidRequest,
		message: "Language 'xy' is not found", param: "xy",
	},
	{
		name: "ErrLanguageMalformed", is: calls.ErrLanguageMalformed, parent: calls.ErrInvalidRequest,
		client: refusal(with(anOutbound, func(r *calls.OutboundRequest) { r.Lang = "fr-ca" })),
	},
	{
		name: "ErrScheduledAtRequired", is: calls.ErrScheduledAtRequired, parent: calls.ErrInvalidRequest,
		client:  refusal(with(aScheduled, func(r *calls.ScheduledRequest) { r.ScheduledAt = time.Time{} })),
		message: "scheduled_at is required",
	},
	{
		name: "ErrScheduledAtPast", is: calls.ErrScheduledAtPast, parent: calls.ErrInvalidRequest,
		client: refusal(with(aScheduled, func(r *calls.ScheduledRequest) { r.ScheduledAt = documentedNow })),
	},
	{
		name: "ErrScheduleRejected", is: calls.ErrScheduleRejected, parent: calls.ErrInvalidRequest,
		client: func(t *testing.T) error { // no message is documented
			_, err := newClient(t, responding(http.StatusUnprocessableEntity, "")).CreateScheduled(t.Context(), aScheduled)
			return err
		},
	},
	{
		name: "ErrRecordingPermissionInvalid", is: calls.ErrRecordingPermissionInvalid, parent: calls.ErrInvalidRequest,
		client: refusal(with(anInbound, func(r *calls.InboundRequest) { r.RecordingPermission = "granted" })),
	},
	{
		name: "ErrCallIDInvalid", is: calls.ErrCallIDInvalid, parent: calls.ErrInvalidRequest,
		client: refusal(with(aScheduled, func(r *calls.ScheduledRequest) { r.ParentCallID = -1 })),
	},
	{
		name: "ErrFlagUpdateEmpty", is: calls.ErrFlagUpdateEmpty, parent: calls.ErrInvalidRequest,
		client: func(t *testing.T) error {
			return newClient(t, untouched(t)).UpdateCustomerFlag(t.Context(), 397, calls.CustomerFlagUpdate{})
		},
	},
	{
		name: "ErrParameterMissing", is: calls.ErrParameterMissing, parent: calls.ErrInvalidRequest,
		message: "param is missing or the value is empty: identifier", param: "identifier",
	},
	{
		name: "ErrCallEnded", is: calls.ErrCallEnded, parent: calls.ErrInvalidRequest,
		message: "Call is already ended",
	},
	{
		name: "ErrCRMUnsupported", is: calls.ErrCRMUnsupported, parent: calls.ErrInvalidRequest,
		message: "Unsupported CRM request",
	},
	{
		name: "ErrDuplicateRequest", is: calls.ErrDuplicateRequest, parent: calls.ErrInvalidRequest,
		message: "Duplicate request: Please wait for the interval to expire",
	},
	{
		name: "ErrAgentNotOnCall", is: calls.ErrAgentNotOnCall, parent: calls.ErrInvalidRequest,
		message: "Agent is not connected to the call",
	},
	{
		name: "ErrDialFailed", is: calls.ErrDialFailed, parent: calls.ErrInvalidRequest,
		message: "Error dialing third party",
	},
	{name: "ErrUnauthorized", is: calls.ErrUnauthorized, status: http.StatusUnauthorized},
	{name: "ErrForbidden", is: calls.ErrForbidden, status: http.StatusForbidden},
	{name: "ErrNotFound", is: calls.ErrNotFound, status: http.StatusNotFound},
	{name: "ErrRateLimited", is: calls.ErrRateLimited, status: http.StatusTooManyRequests},
	{name: "ErrRejected", is: calls.ErrRejected, status: http.StatusConflict},
	{name: "ErrServer", is: calls.ErrServer, status: http.StatusInternalServerError},
	{name: "ErrRedirected", is: calls.ErrRedirected, status: http.StatusFound},
	{
		name: "ErrOutcomeUnknown", is: calls.ErrOutcomeUnknown,
		client: func(t *testing.T) error { return createError(t, broken) },
	},
	{
		name: "ErrUndecodable", is: calls.ErrUndecodable,
		client: func(t *testing.T) error { return createError(t, responding(http.StatusCreated, "<html>")) },
	},
	{
		name: "ErrCallNotFound", is: calls.ErrCallNotFound, parent: calls.ErrNotFound,
		client: func(t *testing.T) error {
			_, err := newClient(t, responding(http.StatusOK, "[]")).FindCall(t.Context(), 397, calls.FindOptions{})
			return err
		},
	},
	{
		name: "ErrAmbiguous", is: calls.ErrAmbiguous,
		client: func(*testing.T) error { return &calls.AmbiguousError{} },
	},
}

func TestEverySentinelIsReached(t *testing.T) {
	t.Parallel()
	for _, s := range sentinels {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if s.client == nil && s.message == "" && s.status == 0 {
				t.Fatal("it has no cause")
			}
			if s.parent != nil && (!errors.Is(s.is, s.parent) || errors.Is(s.parent, s.is)) {
				t.Errorf("the parent is not %v", s.parent)
			}
			if !strings.HasPrefix(s.is.Error(), "calls: ") {
				t.Errorf("the text is %q", s.is)
			}
			if s.client != nil {
				checkKind(t, "client", s.client(t), s.is)
			}
			if s.message != "" {
				mock := httpmock.NewMockTransport()
				mock.RegisterResponder("POST", callsURL, httpmock.NewJsonResponderOrPanic(400, map[string]string{"message": s.message}))
				_, err := newClient(t, mock).CreateInbound(t.Context(), anInbound)
				checkKind(t, "platform", err, s.is)
				if apiErr := apiErrorOf(t, err); apiErr.Message != s.message || apiErr.Param != s.param {
					t.Errorf("message %q and param %q, want %q and %q", apiErr.Message, apiErr.Param, s.message, s.param)
				}
			}
			if s.status != 0 {
				mock := httpmock.NewMockTransport()
				mock.RegisterResponder("POST", callsURL, httpmock.NewStringResponder(s.status, ""))
				_, err := newClient(t, mock).CreateInbound(t.Context(), anInbound)
				if !errors.Is(err, s.is) || errors.Is(err, calls.ErrInvalidRequest) {
					t.Errorf("status %d: %v", s.status, err)
				}
			}
		})
	}
}

func TestSentinelTableIsComplete(t *testing.T) {
	t.Parallel()
	var got []string
	for _, s := range sentinels {
		got = append(got, s.name)
	}
	want := sentinelNames(t)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sentinels (-package +table):\n%s", diff)
	}
}

// sentinelNames returns the names of the variables in all sources of the package that
// begin with Err.
func sentinelNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				for _, variable := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(variable.Name, "Err") {
						names = append(names, variable.Name)
					}
				}
			}
		}
	}
	return names
}

func TestMatchingOfMessagesIsLenient(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, message string
		want          error
		param         string
	}{
		{"lower case", "agent email required", calls.ErrAgentEmailRequired, ""},
		{"upper case", "CONTACT NOT FOUND", calls.ErrContactNotFound, ""},
		{"leading and trailing space", "\t Not a valid agent email \n", calls.ErrAgentEmailInvalid, ""},
		{"a final period", "menu_id is required.", calls.ErrMenuIDRequired, ""},
		{"a period and space", "menu_id is required. ", calls.ErrMenuIDRequired, ""},
		{"a hyphen", "end_user_number is not well-formed", calls.ErrEndUserNumberMalformed, ""},
		{"no hyphen", "end_user_number is not well formed", calls.ErrEndUserNumberMalformed, ""},
		{"a hyphen in upper case with a period", "END_USER_NUMBER IS NOT WELL-FORMED.", calls.ErrEndUserNumberMalformed, ""},
		{"a hyphen where the reference has none", "menu_id is not well-formed", calls.ErrMenuIDMalformed, ""},
		{"typographic apostrophes", "Menu is in ‘after hours’ state, can’t accept incoming calls", calls.ErrMenuAfterHours, "after hours"},
		{"a menu state in another case", "menu is in 'Manual Redirection' state, can't accept calls", calls.ErrMenuManualRedirection, "Manual Redirection"},
		{"an unknown menu state", "Menu is in 'holiday' state", calls.ErrMenuClosed, "holiday"},
		{"another language", "Language 'pt-BR' is not available", calls.ErrLanguageUnavailable, "pt-BR"},
		{"upper case around a parameter", "MENU_ID 9999 IS NOT FOUND", calls.ErrMenuNotFound, "9999"},
		{"another menu", "menu_id 12 is not found", calls.ErrMenuNotFound, "12"},
		{"another menu type", "Only web menu IDs are permitted", calls.ErrMenuTypeNotPermitted, "web"},
		{"another parameter that is required", "call_type is required", calls.ErrParameterMissing, "call_type"},
		{"a parameter that is missing", "param is missing or the value is empty: end_user", calls.ErrParameterMissing, "end_user"},
		{"an unknown message", "The moon is full", calls.ErrInvalidRequest, ""},
		{"a documented message inside another", "Sorry: Contact not found", calls.ErrInvalidRequest, ""},
		{"text after a documented message", "Contact not found in the CRM", calls.ErrInvalidRequest, ""},
		{"text after a message with a parameter", "Language 'fr' is not available yet", calls.ErrInvalidRequest, ""},
		{"a message that ends before its parameter", "Language '", calls.ErrInvalidRequest, ""},
		{"a single period", ".", calls.ErrInvalidRequest, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterResponder("POST", callsURL, httpmock.NewJsonResponderOrPanic(400, map[string]string{"message": test.message}))
			_, err := newClient(t, mock).CreateOutbound(t.Context(), anOutbound)
			checkKind(t, "platform", err, test.want)
			if apiErr := apiErrorOf(t, err); apiErr.Message != test.message || apiErr.Param != test.param {
				t.Errorf("message %q and param %q, want %q and %q", apiErr.Message, apiErr.Param, test.message, test.param)
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status   int
		is       error
		delivery calls.Delivery
	}{
		{http.StatusMultipleChoices, calls.ErrRedirected, calls.DeliveryRejected},
		{http.StatusMovedPermanently, calls.ErrRedirected, calls.DeliveryRejected},
		{http.StatusFound, calls.ErrRedirected, calls.DeliveryRejected},
		{http.StatusTemporaryRedirect, calls.ErrRedirected, calls.DeliveryRejected},
		{http.StatusPermanentRedirect, calls.ErrRedirected, calls.DeliveryRejected},
		{http.StatusBadRequest, calls.ErrInvalidRequest, calls.DeliveryRejected},
		{http.StatusUnauthorized, calls.ErrUnauthorized, calls.DeliveryRejected},
		{http.StatusForbidden, calls.ErrForbidden, calls.DeliveryRejected},
		{http.StatusNotFound, calls.ErrNotFound, calls.DeliveryRejected},
		{http.StatusTeapot, calls.ErrRejected, calls.DeliveryRejected},
		{http.StatusUnprocessableEntity, calls.ErrInvalidRequest, calls.DeliveryRejected},
		{http.StatusTooManyRequests, calls.ErrRateLimited, calls.DeliveryRejected},
		{http.StatusInternalServerError, calls.ErrServer, calls.DeliveryUnknown},
		{http.StatusNotImplemented, calls.ErrServer, calls.DeliveryUnknown},
		{http.StatusBadGateway, calls.ErrServer, calls.DeliveryUnknown},
		{http.StatusServiceUnavailable, calls.ErrServer, calls.DeliveryUnknown},
		{599, calls.ErrServer, calls.DeliveryUnknown},
	}
	operations := map[string]func(*calls.Client) error{
		"CreateOutbound": func(c *calls.Client) error {
			_, err := c.CreateOutbound(context.Background(), anOutbound)
			return err
		},
		"GetCustomerFlag": func(c *calls.Client) error {
			_, err := c.GetCustomerFlag(context.Background(), 397)
			return err
		},
		"UpdateCustomerFlag": func(c *calls.Client) error {
			return c.UpdateCustomerFlag(context.Background(), 397, calls.CustomerFlagUpdate{BadActor: ptr(true)})
		},
	}
	for _, test := range tests {
		for name, operate := range operations {
			t.Run(fmt.Sprintf("%s %d", name, test.status), func(t *testing.T) {
				t.Parallel()
				mock := httpmock.NewMockTransport()
				mock.RegisterNoResponder(httpmock.NewStringResponder(test.status, `{"message":"as it came"}`).
					HeaderSet(http.Header{"X-Request-Id": {"r1"}, "Location": {"https://elsewhere.example.com/"}, "Retry-After": {"7"}}))
				err := operate(newClient(t, mock))

				apiErr := apiErrorOf(t, err)
				if apiErr.StatusCode != test.status || apiErr.Message != "as it came" || string(apiErr.Body) != `{"message":"as it came"}` ||
					apiErr.Header.Get("X-Request-Id") != "r1" || apiErr.RetryAfter != 7*time.Second || apiErr.Attempts != 1 {
					t.Errorf("the error lacks part of the response: %d %q %q %v %v", apiErr.StatusCode, apiErr.Message, apiErr.Body, apiErr.Header, apiErr.RetryAfter)
				}
				if mock.GetTotalCallCount() != 1 {
					t.Errorf("%d requests were sent", mock.GetTotalCallCount())
				}
				for _, s := range allSentinels() {
					isExpected := s == test.is || s == calls.ErrOutcomeUnknown && test.status >= 500 && name == "CreateOutbound"
					if errors.Is(err, s) != isExpected {
						t.Errorf("errors.Is(err, %q) is %v", s, !isExpected)
					}
				}
				if got := calls.DeliveryOf(err); got != test.delivery {
					t.Errorf("DeliveryOf is %v, want %v", got, test.delivery)
				}
			})
		}
	}
}

func TestBodiesOfErrors(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	tests := map[string]struct{ body, message string }{
		"empty":                           {"", ""},
		"HTML":                            {"<html><h1>Bad Gateway</h1></html>", ""},
		"plain text":                      {"Contact not found", ""},
		"an array":                        {`["Contact not found"]`, ""},
		"null":                            {"null", ""},
		"a truncated object":              {`{"message":"Contact`, ""},
		"a message of another type":       {`{"message":{"text":"Contact not found"}}`, ""},
		"an error":                        {`{"error":"Contact not found"}`, "Contact not found"},
		"errors":                          {`{"errors":["Contact not found"]}`, "Contact not found"},
		"no message":                      {`{"fault":"Contact not found"}`, ""},
		"a message among others":          {`{"code":7,"message":"Contact not found","hint":null}`, "Contact not found"},
		"a message with escapes":          {`{"message":"Contact \u006eot found"}`, "Contact not found"},
		"another key in upper case":       {`{"message":"Contact not found","MESSAGE":"x"}`, "Contact not found"},
		"a byte order mark":               {"\ufeff" + `{"message":"Contact not found"}`, "Contact not found"},
		"text after the object":           {`{"message":"Contact not found"}</html>`, "Contact not found"},
		"a message before 64 KiB of data": {`{"message":"Contact not found","trace":"` + strings.Repeat("x", limit) + `"}`, "Contact not found"},
		"64 KiB exactly":                  {strings.Repeat("x", limit), ""},
		"a byte more than 64 KiB":         {strings.Repeat("x", limit+1), ""},
		"a megabyte":                      {strings.Repeat("x", 1<<20), ""},
		"64 KiB with a message":           {`{"message":"Contact not found"` + strings.Repeat(" ", limit-len(`{"message":"Contact not found"}`)) + "}", "Contact not found"},
	}
	for name, test := range tests {
		for _, status := range []int{400, 404, 500} {
			t.Run(fmt.Sprintf("%s %d", name, status), func(t *testing.T) {
				t.Parallel()
				_, err := newClient(t, responding(status, test.body)).CreateOutbound(t.Context(), anOutbound)
				apiErr := apiErrorOf(t, err)
				if want := test.body[:min(len(test.body), limit)]; string(apiErr.Body) != want {
					t.Errorf("Body has %d bytes, want %d", len(apiErr.Body), len(want))
				}
				if apiErr.StatusCode != status || apiErr.Message != test.message {
					t.Errorf("status %d, message %q, want %d and %q", apiErr.StatusCode, apiErr.Message, status, test.message)
				}
				if got := errors.Is(err, calls.ErrContactNotFound); got != (status == 400 && test.message != "") {
					t.Errorf("ErrContactNotFound: %v", got)
				}
				if got := errors.Is(err, calls.ErrInvalidRequest); got != (status == 400) {
					t.Errorf("ErrInvalidRequest: %v", got)
				}
				if len(err.Error()) > 300 {
					t.Errorf("the text of the error has %d bytes", len(err.Error()))
				}
			})
		}
	}
}

func TestAPIErrorOfAnotherPackage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  *calls.APIError
		is   []error
		text string
	}{
		"a documented message": {
			&calls.APIError{StatusCode: 400, Message: "Menu is in 'after hours' state, can't accept calls", Method: "POST", Path: "/apps/api/v1/calls", Attempts: 1},
			[]error{calls.ErrMenuAfterHours, calls.ErrMenuClosed, calls.ErrInvalidRequest},
			"calls: POST /apps/api/v1/calls: 400 Menu is in 'after hours' state, can't accept calls",
		},
		"a 400 without a message": {
			&calls.APIError{StatusCode: 400, Method: "POST", Path: "/x"},
			[]error{calls.ErrInvalidRequest},
			"calls: POST /x: 400 Bad Request",
		},
		"a documented message with another status": {
			&calls.APIError{StatusCode: 404, Message: "Contact not found", Method: "GET", Path: "/x"},
			[]error{calls.ErrNotFound},
			"calls: GET /x: 404 Contact not found (check the subdomain, the host and the id)",
		},
		"a status without a sentinel": {
			&calls.APIError{StatusCode: 418, Method: "GET", Path: "/x"},
			[]error{calls.ErrRejected},
			"calls: GET /x: 418 I'm a teapot",
		},
		"a status without a name, after several attempts": {
			&calls.APIError{StatusCode: 599, Method: "PATCH", Path: "/x", Attempts: 3},
			[]error{calls.ErrServer},
			"calls: PATCH /x: 599 (after 3 attempts)",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range allSentinels() {
				if isExpected := slices.Contains(test.is, s); errors.Is(test.err, s) != isExpected {
					t.Errorf("errors.Is(err, %q) is %v", s, !isExpected)
				}
			}
			if got := test.err.Error(); got != test.text {
				t.Errorf("text %q, want %q", got, test.text)
			}
		})
	}
}

func TestValidationErrorOfAnotherPackage(t *testing.T) {
	t.Parallel()
	err := error(&calls.ValidationError{Field: "lang", Reason: "is malformed"})
	if !errors.Is(err, calls.ErrInvalidRequest) || err.Error() != "calls: lang is malformed" {
		t.Errorf("error %v", err)
	}
}

func TestAmbiguousError(t *testing.T) {
	t.Parallel()
	err := error(&calls.AmbiguousError{Candidates: []*calls.Call{{ID: 397}, {ID: 398}}})
	if !errors.Is(err, calls.ErrAmbiguous) || err.Error() != "calls: not certain which call it is: 2 possible" {
		t.Errorf("error %v", err)
	}
}

// allSentinels returns every sentinel of the package.
func allSentinels() (all []error) {
	for _, s := range sentinels {
		all = append(all, s.is)
	}
	return all
}

// refusal returns a function that returns the client's validation error of a request.
func refusal(request calls.CreateRequest) func(*testing.T) error {
	return func(t *testing.T) error {
		_, err := newClient(t, untouched(t)).Create(t.Context(), request)
		return err
	}
}

// checkKind checks that err is the sentinel and its parents, and no other sentinel.
func checkKind(t *testing.T, side string, err, sentinel error) {
	t.Helper()
	for _, s := range allSentinels() {
		if isExpected := errors.Is(sentinel, s); errors.Is(err, s) != isExpected {
			t.Errorf("%s: errors.Is(%v, %q) is %v", side, err, s, !isExpected)
		}
	}
}
