package calls_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/ccaip-go/calls"
)

const callsURL = "https://customer.uc1.ccaiplatform.com/apps/api/v1/calls"

// sentinels is every sentinel with its parent and with what brings it about: a
// request that the client refuses, a message of a 400, a status. An empty entry
// says that this side never raises it.
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
		client: func(t *testing.T) error { // the platform has no message for it
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
				t.Fatal("nobody raises it")
			}
			if s.parent != nil && (!errors.Is(s.is, s.parent) || errors.Is(s.parent, s.is)) {
				t.Errorf("its parent is not %v", s.parent)
			}
			if !strings.HasPrefix(s.is.Error(), "calls: ") {
				t.Errorf("its text is %q", s.is)
			}
			if s.client != nil {
				checkKind(t, "client", s.client(t), s.is)
			}
			if s.message != "" {
				mock := httpmock.NewMockTransport()
				mock.RegisterResponder("POST", callsURL, httpmock.NewJsonResponderOrPanic(400, map[string]string{"message": s.message}))
				_, err := newClient(t, mock).CreateInbound(t.Context(), anInbound)
				checkKind(t, "platform", err, s.is)
				if answered := apiErrorOf(t, err); answered.Message != s.message || answered.Param != s.param {
					t.Errorf("message %q and param %q, want %q and %q", answered.Message, answered.Param, s.message, s.param)
				}
			}
			if s.status != 0 {
				mock := httpmock.NewMockTransport()
				mock.RegisterResponder("POST", callsURL, httpmock.NewStringResponder(s.status, ""))
				_, err := newClient(t, mock).CreateInbound(t.Context(), anInbound)
				if !errors.Is(err, s.is) || errors.Is(err, calls.ErrInvalidRequest) {
					t.Errorf("status %d gives %v", s.status, err)
				}
			}
		})
	}
}

// Every sentinel of the package has to be in the table.
func TestSentinelTableIsComplete(t *testing.T) {
	t.Parallel()
	var want, got []string
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || file.Name.Name != "calls" {
				continue
			}
			for _, spec := range group.Specs {
				if value, ok := spec.(*ast.ValueSpec); ok && strings.HasPrefix(value.Names[0].Name, "Err") {
					want = append(want, value.Names[0].Name)
				}
			}
		}
	}
	for _, s := range sentinels {
		got = append(got, s.name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sentinels (-package +table):\n%s", diff)
	}
}

func TestMatchingOfMessagesIsForgiving(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, message string
		want          error
		param         string
	}{
		{"lower case", "agent email required", calls.ErrAgentEmailRequired, ""},
		{"upper case", "CONTACT NOT FOUND", calls.ErrContactNotFound, ""},
		{"outer space", "\t Not a valid agent email \n", calls.ErrAgentEmailInvalid, ""},
		{"a final full stop", "menu_id is required.", calls.ErrMenuIDRequired, ""},
		{"a full stop and space", "menu_id is required. ", calls.ErrMenuIDRequired, ""},
		{"a hyphen", "end_user_number is not well-formed", calls.ErrEndUserNumberMalformed, ""},
		{"no hyphen", "end_user_number is not well formed", calls.ErrEndUserNumberMalformed, ""},
		{"a hyphen in upper case with a full stop", "END_USER_NUMBER IS NOT WELL-FORMED.", calls.ErrEndUserNumberMalformed, ""},
		{"a hyphen where the reference has none", "menu_id is not well-formed", calls.ErrMenuIDMalformed, ""},
		{"typographic apostrophes", "Menu is in ‘after hours’ state, can’t accept incoming calls", calls.ErrMenuAfterHours, "after hours"},
		{"a menu state in another case", "menu is in 'Manual Redirection' state, can't accept calls", calls.ErrMenuManualRedirection, "Manual Redirection"},
		{"an unknown menu state", "Menu is in 'holiday' state", calls.ErrMenuClosed, "holiday"},
		{"another language", "Language 'pt-BR' is not available", calls.ErrLanguageUnavailable, "pt-BR"},
		{"upper case around what it names", "MENU_ID 9999 IS NOT FOUND", calls.ErrMenuNotFound, "9999"},
		{"another menu", "menu_id 12 is not found", calls.ErrMenuNotFound, "12"},
		{"another pair of menu types", "Only web menu IDs are permitted", calls.ErrMenuTypeNotPermitted, "web"},
		{"another parameter that is required", "call_type is required", calls.ErrParameterMissing, "call_type"},
		{"a parameter that is missing", "param is missing or the value is empty: end_user", calls.ErrParameterMissing, "end_user"},
		{"an unknown message", "The moon is full", calls.ErrInvalidRequest, ""},
		{"a documented message inside another", "Sorry: Contact not found", calls.ErrInvalidRequest, ""},
		{"a documented message with more behind it", "Contact not found in the CRM", calls.ErrInvalidRequest, ""},
		{"more behind what a message names", "Language 'fr' is not available yet", calls.ErrInvalidRequest, ""},
		{"only the frame of a message", "Language '", calls.ErrInvalidRequest, ""},
		{"a single full stop", ".", calls.ErrInvalidRequest, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterResponder("POST", callsURL, httpmock.NewJsonResponderOrPanic(400, map[string]string{"message": test.message}))
			_, err := newClient(t, mock).CreateOutbound(t.Context(), anOutbound)
			checkKind(t, "platform", err, test.want)
			if answered := apiErrorOf(t, err); answered.Message != test.message || answered.Param != test.param {
				t.Errorf("message %q and param %q, want %q and %q", answered.Message, answered.Param, test.message, test.param)
			}
		})
	}
}

// An unknown message reaches the caller whole, and the log without what is
// private in it.
func TestUnknownMessageIsLogged(t *testing.T) {
	t.Parallel()
	const message = "Agent agent@example.com cannot reach +1 859-657-9625 today"
	var log bytes.Buffer
	client := newClient(t, responding(http.StatusBadRequest, `{"message":"`+message+`"}`), calls.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	_, err := client.CreateOutbound(t.Context(), anOutbound)
	if answered := apiErrorOf(t, err); answered.Message != message || !errors.Is(err, calls.ErrInvalidRequest) {
		t.Errorf("message %q of %v", answered.Message, err)
	}
	var line struct{ Level, Msg, Operation, Message string }
	mustUnmarshal(t, log.Bytes(), &line)
	if line.Level != "WARN" || line.Operation != "CreateOutbound" || line.Message != "Agent [redacted] cannot reach [redacted] today" {
		t.Errorf("logged %s", log.Bytes())
	}
}

func TestKnownMessageIsNotLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	client := newClient(t, responding(http.StatusBadRequest, `{"message":"Contact not found"}`), calls.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	if _, err := client.CreateOutbound(t.Context(), anOutbound); !errors.Is(err, calls.ErrContactNotFound) {
		t.Error(err)
	}
	if log.Len() != 0 {
		t.Errorf("logged %s", &log)
	}
}

// What the platform says of a request that failed can name the person that it
// is about. The error has that, the log has not.
func TestOutcomeUnknownIsLoggedWithoutPrivateData(t *testing.T) {
	t.Parallel()
	tests := map[string]wire{
		"the platform's message": responding(http.StatusBadGateway, `{"message":"cannot dial +1 859-657-9625 for agent@example.com"}`),
		"the transport's error": func(*http.Request) (*http.Response, error) {
			return nil, errors.New("reset by +1 859-657-9625 for agent@example.com")
		},
	}
	for name, transport := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			client := newClient(t, transport, calls.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			if _, err := client.CreateOutbound(t.Context(), anOutbound); !errors.Is(err, calls.ErrOutcomeUnknown) {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "outcome unknown") {
				t.Errorf("no warning in %q", &log)
			}
			if strings.Contains(log.String(), "859-657-9625") || strings.Contains(log.String(), "agent@example.com") {
				t.Errorf("private data in %q", &log)
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

				answered := apiErrorOf(t, err)
				if answered.StatusCode != test.status || answered.Message != "as it came" || string(answered.Body) != `{"message":"as it came"}` ||
					answered.Header.Get("X-Request-Id") != "r1" || answered.RetryAfter != 7*time.Second || answered.Attempts != 1 {
					t.Errorf("the answer did not reach the error: %d %q %q %v %v", answered.StatusCode, answered.Message, answered.Body, answered.Header, answered.RetryAfter)
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

// net/http would turn the 302 into a GET, and what that finds into a call.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					t.Error("the redirect was followed")
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
			defer server.Close()
			_, err := newClient(t, nil, calls.WithBaseURL(server.URL)).CreateOutbound(t.Context(), anOutbound)
			want := calls.DeliveryRejected
			if status == http.StatusSeeOther { // it is how HTTP says that a POST worked
				want = calls.DeliveryUnknown
			}
			if !errors.Is(err, calls.ErrRedirected) || calls.DeliveryOf(err) != want {
				t.Errorf("error %v, delivery %v", err, calls.DeliveryOf(err))
			}
			if got := apiErrorOf(t, err).Header.Get("Location"); got != "/elsewhere" {
				t.Errorf("Location %q", got)
			}
		})
	}
}

func TestErrorBodiesOfOtherKinds(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	tests := map[string]struct{ body, message string }{
		"empty":                           {"", ""},
		"HTML":                            {"<html><h1>Bad Gateway</h1></html>", ""},
		"plain text":                      {"Contact not found", ""},
		"an array":                        {`["Contact not found"]`, ""},
		"null":                            {"null", ""},
		"a cut object":                    {`{"message":"Contact`, ""},
		"a message of another kind":       {`{"message":{"text":"Contact not found"}}`, ""},
		"an error":                        {`{"error":"Contact not found"}`, "Contact not found"},
		"errors":                          {`{"errors":["Contact not found"]}`, "Contact not found"},
		"no message":                      {`{"fault":"Contact not found"}`, ""},
		"a message among others":          {`{"code":7,"message":"Contact not found","hint":null}`, "Contact not found"},
		"a message with escapes":          {`{"message":"Contact \u006eot found"}`, "Contact not found"},
		"a key in another case beside it": {`{"message":"Contact not found","MESSAGE":"x"}`, "Contact not found"},
		"a byte order mark before it":     {"\ufeff" + `{"message":"Contact not found"}`, "Contact not found"},
		"something behind it":             {`{"message":"Contact not found"}</html>`, "Contact not found"},
		"a message before 64 KiB of other things": {`{"message":"Contact not found","trace":"` + strings.Repeat("x", limit) + `"}`, "Contact not found"},
		"64 KiB exactly":                 {strings.Repeat("x", limit), ""},
		"a byte more than 64 KiB":        {strings.Repeat("x", limit+1), ""},
		"a megabyte":                     {strings.Repeat("x", 1<<20), ""},
		"64 KiB, with a message in them": {`{"message":"Contact not found"` + strings.Repeat(" ", limit-len(`{"message":"Contact not found"}`)) + "}", "Contact not found"},
	}
	for name, test := range tests {
		for _, status := range []int{400, 404, 500} {
			t.Run(fmt.Sprintf("%s %d", name, status), func(t *testing.T) {
				t.Parallel()
				_, err := newClient(t, responding(status, test.body)).CreateOutbound(t.Context(), anOutbound)
				answered := apiErrorOf(t, err)
				if want := test.body[:min(len(test.body), limit)]; string(answered.Body) != want {
					t.Errorf("Body has %d bytes, want %d", len(answered.Body), len(want))
				}
				if answered.StatusCode != status || answered.Message != test.message {
					t.Errorf("status %d, message %q, want %d and %q", answered.StatusCode, answered.Message, status, test.message)
				}
				if got := errors.Is(err, calls.ErrContactNotFound); got != (status == 400 && test.message != "") {
					t.Errorf("ErrContactNotFound: %v", got)
				}
				if got := errors.Is(err, calls.ErrInvalidRequest); got != (status == 400) {
					t.Errorf("ErrInvalidRequest: %v", got)
				}
				if len(err.Error()) > 300 {
					t.Errorf("the body is in the text of the error: %d bytes", len(err.Error()))
				}
			})
		}
	}
}

// A 2xx answer settles by itself what became of the request, except where it
// cannot be the platform's.
func TestAnswersOfACreateThatCannotBeRead(t *testing.T) {
	t.Parallel()
	accepted := []error{calls.ErrUndecodable}
	unknown := []error{calls.ErrOutcomeUnknown, calls.ErrUndecodable}
	tests := []struct {
		name     string
		status   int
		body     string
		is       []error
		delivery calls.Delivery
	}{
		{"a 201 without an id is undecodable and accepted", 201, `{"status":"assigned"}`, accepted, calls.DeliveryAccepted},
		{"a 201 with a null id", 201, `{"id":null}`, accepted, calls.DeliveryAccepted},
		{"a 201 with an id of another kind", 201, `{"id":{"value":397}}`, accepted, calls.DeliveryAccepted},
		{"a 201 with an id that is no number", 201, `{"id":"call-397"}`, accepted, calls.DeliveryAccepted},
		{"a 201 with an id above int64", 201, `{"id":18446744073709551616}`, accepted, calls.DeliveryAccepted},
		{"a 201 with garbage", 201, `certainly!`, accepted, calls.DeliveryAccepted},
		{"a 201 with HTML", 201, `<html></html>`, accepted, calls.DeliveryAccepted},
		{"a 201 with nothing", 201, ``, accepted, calls.DeliveryAccepted},
		{"a 201 that is truncated within its id", 201, `{"id":39`, accepted, calls.DeliveryAccepted},
		{"a 201 with an array", 201, `[]`, accepted, calls.DeliveryAccepted},
		{"a 201 with null", 201, `null`, accepted, calls.DeliveryAccepted},
		{"a 200 with HTML is a gateway's page", 200, `<html></html>`, unknown, calls.DeliveryUnknown},
		{"a 200 with plain text", 200, `OK`, unknown, calls.DeliveryUnknown},
		{"a 200 with half an object", 200, `{"call_type":`, unknown, calls.DeliveryUnknown},
		{"a 204 promises nothing", 204, ``, unknown, calls.DeliveryUnknown},
		{"a 200 with nothing", 200, ``, unknown, calls.DeliveryUnknown},
		{"a 200 with an empty object", 200, "\n {} \n", unknown, calls.DeliveryUnknown},
		{"a 200 with an error", 200, `{"error":"maintenance"}`, unknown, calls.DeliveryUnknown},
		{"a 202 with a message", 202, `{"message":"maintenance"}`, unknown, calls.DeliveryUnknown},
		{"a 202 with HTML", 202, `<html></html>`, unknown, calls.DeliveryUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			result, err := newClient(t, responding(test.status, test.body)).CreateOutbound(t.Context(), anOutbound)
			if result != nil || err == nil {
				t.Fatalf("result %v, error %v", result, err)
			}
			for _, s := range allSentinels() {
				if isExpected := slices.Contains(test.is, s); errors.Is(err, s) != isExpected {
					t.Errorf("errors.Is(err, %q) is %v", s, !isExpected)
				}
			}
			if got := calls.DeliveryOf(err); got != test.delivery {
				t.Errorf("DeliveryOf is %v, want %v", got, test.delivery)
			}
		})
	}
}

// The id is enough: the call is not lost, whatever came after it.
func TestACallWithAnIDIsNotLost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		body   string
	}{
		{201, `{"id":397,"lang":"e`},
		{200, `{"id":397,"status":"assigned"}`},
		{200, `{"id":397,"call_type":"Voice Outbound (API)","status":`},
		{202, `{"id":397}`},
		{206, `{"id":397}`},
	} {
		result, err := newClient(t, responding(test.status, test.body)).CreateOutbound(t.Context(), anOutbound)
		if err != nil || result.Call == nil || result.Call.ID != 397 || result.AwaitsAgent || result.StatusCode != test.status {
			t.Errorf("%d %s: %v, %v", test.status, test.body, result, err)
		}
	}
}

// The connection dies after the status line: the call exists, whatever was lost.
func TestATruncated201IsAccepted(t *testing.T) {
	t.Parallel()
	for body, hasID := range map[string]bool{`{"id":397,`: true, `{"lang":"en",`: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, body)
		}))
		defer server.Close()
		result, err := newClient(t, nil, calls.WithBaseURL(server.URL)).CreateOutbound(t.Context(), anOutbound)
		switch {
		case hasID && (err != nil || result.Call.ID != 397):
			t.Errorf("%s: %v, %v", body, result, err)
		case !hasID && (!errors.Is(err, calls.ErrUndecodable) || !errors.Is(err, io.ErrUnexpectedEOF) || calls.DeliveryOf(err) != calls.DeliveryAccepted):
			t.Errorf("%s: error %v, delivery %v", body, err, calls.DeliveryOf(err))
		}
	}
}

func TestResponsesThatAwaitAnAgent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
	}{
		{"a 202 without a body", 202, ""},
		{"a 202 with space", 202, " \n"},
		{"a 202 with an object", 202, `{"status":"accepted"}`},
		{"a 200 that echoes the request", 200, `{"call_type":"Voice Outbound (API)","lang":"en"}`},
		{"a 200 with space around the echo", 200, "\n {\"call_type\":\"Voice Outbound (API)\"} \n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			result, err := newClient(t, responding(test.status, test.body)).CreateOutbound(t.Context(), anOutbound)
			if err != nil {
				t.Fatal(err)
			}
			if result.Call != nil || !result.AwaitsAgent || result.StatusCode != test.status || result.Header == nil {
				t.Errorf("%+v", result)
			}
		})
	}
}

func TestUnreadableFlagIsUndecodable(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>", "[]", "null", `{"bad_actor":`} {
		flag, err := newClient(t, responding(http.StatusOK, body)).GetCustomerFlag(t.Context(), 397)
		if flag != nil || !errors.Is(err, calls.ErrUndecodable) || errors.Is(err, calls.ErrOutcomeUnknown) {
			t.Errorf("body %q: flag %v, error %v", body, flag, err)
		}
	}
}

// Nothing is decoded from the answer to an update, so any 2xx will do.
func TestUpdateTakesAny2xx(t *testing.T) {
	t.Parallel()
	for status, body := range map[int]string{200: "<html>", 201: "{}", 202: "", 204: ""} {
		err := newClient(t, responding(status, body)).UpdateCustomerFlag(t.Context(), 397, calls.CustomerFlagUpdate{BadActor: ptr(true)})
		if err != nil {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

func TestDeliveryOf(t *testing.T) {
	t.Parallel()
	refused := newClient(t, untouched(t)).Validate(calls.OutboundRequest{})
	unknown := createError(t, broken)
	accepted := createError(t, responding(http.StatusCreated, "{}"))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, tooLate := newClient(t, untouched(t)).CreateOutbound(over, anOutbound)
	notLet := createError(t, untouched(t), calls.WithRateLimiter(limiterFunc(func(context.Context) error { return io.EOF })))
	tests := map[string]struct {
		err  error
		want calls.Delivery
	}{
		"nil":                                  {nil, calls.DeliveryAccepted},
		"a foreign error":                      {errors.New("foreign"), calls.DeliveryUnknown},
		"a context error by itself":            {context.Canceled, calls.DeliveryUnknown},
		"a bare sentinel":                      {calls.ErrOutcomeUnknown, calls.DeliveryUnknown},
		"one problem with the request":         {&calls.ValidationError{Field: "lang", Reason: "is odd"}, calls.DeliveryNotSent},
		"several problems":                     {refused, calls.DeliveryNotSent},
		"an unknown outcome":                   {unknown, calls.DeliveryUnknown},
		"an answer that cannot be read":        {accepted, calls.DeliveryAccepted},
		"wrapped problems":                     {fmt.Errorf("dialing: %w", refused), calls.DeliveryNotSent},
		"a wrapped unknown outcome":            {fmt.Errorf("dialing: %w", unknown), calls.DeliveryUnknown},
		"a wrapped answer":                     {fmt.Errorf("dialing: %w", accepted), calls.DeliveryAccepted},
		"joined with a foreign one before":     {errors.Join(errors.New("foreign"), accepted), calls.DeliveryAccepted},
		"joined with a foreign one behind":     {errors.Join(refused, errors.New("foreign")), calls.DeliveryNotSent},
		"a 200 that is an error":               {&calls.APIError{StatusCode: 200}, calls.DeliveryAccepted},
		"a 201 that is an error":               {&calls.APIError{StatusCode: 201}, calls.DeliveryAccepted},
		"a 202 that is an error":               {&calls.APIError{StatusCode: 202}, calls.DeliveryAccepted},
		"a 302":                                {&calls.APIError{StatusCode: 302}, calls.DeliveryRejected},
		"a 400":                                {&calls.APIError{StatusCode: 400}, calls.DeliveryRejected},
		"a 404":                                {&calls.APIError{StatusCode: 404}, calls.DeliveryRejected},
		"a 429":                                {&calls.APIError{StatusCode: 429}, calls.DeliveryRejected},
		"a 499":                                {&calls.APIError{StatusCode: 499}, calls.DeliveryUnknown},
		"a 500":                                {&calls.APIError{StatusCode: 500}, calls.DeliveryUnknown},
		"a 503, wrapped":                       {fmt.Errorf("dialing: %w", &calls.APIError{StatusCode: 503}), calls.DeliveryUnknown},
		"an answer without a status":           {&calls.APIError{}, calls.DeliveryUnknown},
		"a 101, which settles nothing":         {&calls.APIError{StatusCode: 101}, calls.DeliveryUnknown},
		"a limiter that lets nothing pass":     {notLet, calls.DeliveryNotSent},
		"a context that is over beforehand":    {tooLate, calls.DeliveryNotSent},
		"a request of the right kind, but nil": {newClient(t, untouched(t)).Validate((*calls.InboundRequest)(nil)), calls.DeliveryNotSent},
		"a Client that was not made":           {createErrorOf(&calls.Client{}), calls.DeliveryNotSent},
		"a nil Client":                         {createErrorOf(nil), calls.DeliveryNotSent},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := calls.DeliveryOf(test.err); got != test.want {
				t.Errorf("DeliveryOf(%v) is %v, want %v", test.err, got, test.want)
			}
		})
	}
}

func TestDeliveryTexts(t *testing.T) {
	t.Parallel()
	for delivery, want := range map[calls.Delivery]string{
		calls.DeliveryUnknown:  "unknown",
		calls.DeliveryNotSent:  "not sent",
		calls.DeliveryRejected: "rejected",
		calls.DeliveryAccepted: "accepted",
		calls.Delivery(99):     "unknown",
	} {
		if got := delivery.String(); got != want {
			t.Errorf("Delivery(%d) is %q, want %q", delivery, got, want)
		}
	}
}

// The zero value has to be the careful one.
func TestZeroDeliveryIsUnknown(t *testing.T) {
	t.Parallel()
	if calls.DeliveryUnknown != 0 {
		t.Errorf("DeliveryUnknown is %d", calls.DeliveryUnknown)
	}
}

func TestAPIErrorMadeByHand(t *testing.T) {
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

func TestValidationErrorMadeByHand(t *testing.T) {
	t.Parallel()
	err := error(&calls.ValidationError{Field: "lang", Reason: "is odd"})
	if !errors.Is(err, calls.ErrInvalidRequest) || err.Error() != "calls: lang is odd" {
		t.Errorf("error %v", err)
	}
}

func TestTextsOfErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		transport wire
		request   calls.OutboundRequest
		want      string
	}{
		"one problem": {
			untouched(t), calls.OutboundRequest{EndUserNumber: goodNumber},
			"calls: agent_email is required",
		},
		"several problems": {
			untouched(t), calls.OutboundRequest{},
			"calls: agent_email is required; end_user_number or ticket_id is required",
		},
		"a refusal": {
			responding(400, `{"message":"Contact not found"}`), anOutbound,
			"calls: CreateOutbound: POST /apps/api/v1/calls at customer.uc1.ccaiplatform.com: 400 Contact not found",
		},
		"a server error of a create": {
			responding(502, "<html>"), anOutbound,
			"calls: CreateOutbound: outcome unknown: POST /apps/api/v1/calls at customer.uc1.ccaiplatform.com: 502 Bad Gateway",
		},
		"a broken connection": {
			func(*http.Request) (*http.Response, error) { return nil, errors.New("broken\npipe") }, anOutbound,
			"calls: CreateOutbound: outcome unknown: broken; pipe",
		},
		"a created call without an id": {
			responding(201, "{}"), anOutbound,
			"calls: CreateOutbound: the response could not be decoded: the created call has no id",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, test.transport).CreateOutbound(t.Context(), test.request)
			if err == nil || err.Error() != test.want {
				t.Errorf("text %q, want %q", err, test.want)
			}
		})
	}
}

// The cause of a failure stays reachable, whatever the text shows of it.
func TestCauseOfAnUnknownOutcomeIsKept(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	err := createError(t, func(*http.Request) (*http.Response, error) { return nil, cause })
	if !errors.Is(err, cause) || !errors.Is(err, calls.ErrOutcomeUnknown) {
		t.Errorf("error %v", err)
	}
}

func TestTimeoutOfACreateIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := createError(t, silent, calls.WithAttemptTimeout(5*time.Second))
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if !errors.Is(err, calls.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) || calls.DeliveryOf(err) != calls.DeliveryUnknown {
			t.Errorf("error %v, delivery %v", err, calls.DeliveryOf(err))
		}
	})
}

func TestCancelledCreateIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := newClient(t, wire(silent)).CreateOutbound(ctx, anOutbound)
		if !errors.Is(err, calls.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// A create that may have been carried out rings a second time when it is sent
// again, so it is not, however many attempts the policy allows.
func TestCreateOfOpenFateIsNotSentAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]wire{
		"a 500":               responding(http.StatusInternalServerError, ""),
		"a 503":               responding(http.StatusServiceUnavailable, ""),
		"a broken connection": broken,
		"no answer":           silent,
		"a foreign page":      responding(http.StatusOK, "<html>"),
		"a 201 without an id": responding(http.StatusCreated, "{}"),
		"a 400":               responding(http.StatusBadRequest, ""),
	}
	for name, transport := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				err := createError(t, func(r *http.Request) (*http.Response, error) {
					sent++
					return transport(r)
				}, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 5}))
				if sent != 1 {
					t.Errorf("it was sent %d times: %v", sent, err)
				}
			})
		})
	}
}

// A date in Retry-After is as far off as the Client's clock says.
func TestRetryAfterDateFollowsTheClock(t *testing.T) {
	t.Parallel()
	err := createError(t, func(*http.Request) (*http.Response, error) {
		limited := answer(http.StatusTooManyRequests, "")
		limited.Header.Set("Retry-After", documentedNow.Add(90*time.Second).Format(http.TimeFormat))
		return limited, nil
	})
	if got := apiErrorOf(t, err).RetryAfter; got != 90*time.Second {
		t.Errorf("RetryAfter %v", got)
	}
}

// A 429 was not acted on, so that a create is attempted again until the policy
// ends it; the last answer is the error.
func TestRateLimitedCreateCountsItsAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := createError(t, responding(http.StatusTooManyRequests, ""), calls.WithRetry(calls.RetryPolicy{MaxAttempts: 3}))
		if answered := apiErrorOf(t, err); answered.Attempts != 3 || !errors.Is(err, calls.ErrRateLimited) || errors.Is(err, calls.ErrOutcomeUnknown) {
			t.Errorf("%d attempts: %v", answered.Attempts, err)
		}
		if want := "calls: CreateOutbound: POST /apps/api/v1/calls at customer.uc1.ccaiplatform.com: 429 Too Many Requests (after 3 attempts)"; err.Error() != want {
			t.Errorf("text %q, want %q", err, want)
		}
	})
}

// A wait that the context has no time for ends the operation with the answer
// that asked for it, and both are found in the error.
func TestLastAnswerIsKeptWhenTheDeadlineIsTooClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		client := newClient(t, wire(func(*http.Request) (*http.Response, error) {
			limited := answer(http.StatusTooManyRequests, "")
			limited.Header.Set("Retry-After", "30")
			return limited, nil
		}), calls.WithRetry(calls.RetryPolicy{}))
		start := time.Now()
		_, err := client.CreateOutbound(ctx, anOutbound)
		if took := time.Since(start); took != 0 {
			t.Errorf("it waited %v", took)
		}
		if !errors.Is(err, calls.ErrRateLimited) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, calls.ErrOutcomeUnknown) {
			t.Errorf("error %v", err)
		}
		if got := apiErrorOf(t, err).RetryAfter; got != 30*time.Second {
			t.Errorf("RetryAfter %v", got)
		}
		if got := calls.DeliveryOf(err); got != calls.DeliveryRejected {
			t.Errorf("DeliveryOf is %v", got)
		}
	})
}

// allSentinels lists every sentinel of the package.
func allSentinels() (all []error) {
	for _, s := range sentinels {
		all = append(all, s.is)
	}
	return all
}

// refusal is what the client refuses the request with.
func refusal(request calls.CreateRequest) func(*testing.T) error {
	return func(t *testing.T) error {
		_, err := newClient(t, untouched(t)).Create(t.Context(), request)
		return err
	}
}

// with returns a changed copy of a request.
func with[R calls.CreateRequest](request R, change func(*R)) R {
	change(&request)
	return request
}

// checkKind checks that err is the sentinel and its parents, and of no other kind.
func checkKind(t *testing.T, side string, err, sentinel error) {
	t.Helper()
	for _, s := range allSentinels() {
		if isExpected := errors.Is(sentinel, s); errors.Is(err, s) != isExpected {
			t.Errorf("%s: errors.Is(%v, %q) is %v", side, err, s, !isExpected)
		}
	}
}

func apiErrorOf(t *testing.T, err error) *calls.APIError {
	t.Helper()
	var answered *calls.APIError
	if !errors.As(err, &answered) {
		t.Fatalf("error %v, want a *APIError", err)
	}
	return answered
}

// createError is the error of a create of which nothing else matters.
func createError(t *testing.T, transport wire, opts ...calls.Option) error {
	t.Helper()
	return createErrorOf(newClient(t, transport, opts...))
}

func createErrorOf(client *calls.Client) error {
	_, err := client.CreateOutbound(context.Background(), anOutbound)
	return err
}

// broken loses the connection.
func broken(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// silent never answers.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
