package calls_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// documentedExamples is the number of examples in the platform's reference, the
// body of the PATCH included.
const documentedExamples = 54

// example is a documented request with its documented response.
type example struct {
	ID       string
	Method   string
	Path     string
	Request  map[string]any
	Status   int
	Response json.RawMessage
}

// problems maps each documented message to its sentinel.
var problems = map[string]error{
	"Agent is not available to take this call":                    calls.ErrAgentUnavailable,
	"ticket_id or end_user_number required":                       calls.ErrTicketOrNumberRequired,
	"Not a valid agent email":                                     calls.ErrAgentEmailInvalid,
	"Agent email required":                                        calls.ErrAgentEmailRequired,
	"Agent does not have access to make calls":                    calls.ErrAgentNotPermitted,
	"Contact not found":                                           calls.ErrContactNotFound,
	"end_user_number is not well-formed":                          calls.ErrEndUserNumberMalformed,
	"end_user_number is not well formed":                          calls.ErrEndUserNumberMalformed,
	"Invalid call type":                                           calls.ErrCallTypeInvalid,
	"end_user_number is required":                                 calls.ErrEndUserNumberRequired,
	"menu_id is required":                                         calls.ErrMenuIDRequired,
	"menu_id is not well formed":                                  calls.ErrMenuIDMalformed,
	"menu_id 9999 is not found":                                   calls.ErrMenuNotFound,
	"Only IVR and mobile menu IDs are permitted":                  calls.ErrMenuTypeNotPermitted,
	"Only mobile and web menu IDs are permitted":                  calls.ErrMenuTypeNotPermitted,
	"Menu is in 'manual redirection' state, can't accept calls":   calls.ErrMenuManualRedirection,
	"Menu is in 'after hours' state, can't accept incoming calls": calls.ErrMenuAfterHours,
	"Language 'fr' is not available":                              calls.ErrLanguageUnavailable,
	"Language 'xy' is not found":                                  calls.ErrLanguageNotFound,
	"scheduled_at is required":                                    calls.ErrScheduledAtRequired,
}

// deviation is an example whose documented request the client does not send. instead
// has the fields to change so that the platform gives the documented response.
type deviation struct {
	// refused is the sentinel that the client refuses the request with. If it is nil,
	// why is the reason that a typed request cannot have the documented value.
	refused error
	why     string
	instead map[string]any
}

const (
	callTypeIsFixed = "each create method sends its own call type"
	menuIsAnInteger = "MenuID is an integer, as in the parameter table"
	ticketIsAString = "TicketID is a string, as in the parameter table"
)

var deviations = map[string]deviation{
	"outbound/error_agent_email_required":                {refused: calls.ErrAgentEmailRequired, instead: map[string]any{"agent_email": "agent@example.com"}},
	"outbound_ticket/error_agent_email_required":         {refused: calls.ErrAgentEmailRequired, instead: map[string]any{"agent_email": "agent@example.com"}},
	"outbound/error_end_user_number_malformed":           {refused: calls.ErrEndUserNumberMalformed, instead: map[string]any{"end_user_number": goodNumber}},
	"outbound_ticket/error_end_user_number_malformed":    {refused: calls.ErrEndUserNumberMalformed, instead: map[string]any{"end_user_number": goodNumber}},
	"outbound/accepted_outbound_number_must_be_selected": {refused: calls.ErrEndUserNumberMalformed, instead: map[string]any{"end_user_number": goodNumber}},
	"outbound/accepted_adapter_prompt_several_numbers":   {refused: calls.ErrEndUserNumberMalformed, instead: map[string]any{"end_user_number": goodNumber}},
	"outbound/error_invalid_call_type":                   {refused: calls.ErrEndUserNumberMalformed, instead: map[string]any{"end_user_number": goodNumber}},
	"outbound_ticket/error_invalid_call_type": {
		refused: calls.ErrEndUserNumberMalformed, why: callTypeIsFixed,
		instead: map[string]any{"end_user_number": goodNumber, "call_type": "Voice Outbound (API)"},
	},
	"outbound/error_contact_not_found":          {why: ticketIsAString, instead: map[string]any{"ticket_id": "1"}},
	"outbound_ticket/error_contact_not_found":   {why: ticketIsAString, instead: map[string]any{"ticket_id": "1"}},
	"inbound/error_end_user_number_malformed":   {refused: calls.ErrEndUserNumberMalformed, instead: map[string]any{"end_user_number": goodNumber}},
	"scheduled/error_end_user_number_malformed": {refused: calls.ErrEndUserNumberMalformed, instead: map[string]any{"end_user_number": goodNumber}},
	"inbound/error_end_user_number_required":    {refused: calls.ErrEndUserNumberRequired, instead: map[string]any{"end_user_number": goodNumber}},
	"scheduled/error_end_user_number_required":  {refused: calls.ErrEndUserNumberRequired, instead: map[string]any{"end_user_number": goodNumber}},
	"inbound/error_menu_id_required":            {refused: calls.ErrMenuIDRequired, instead: map[string]any{"menu_id": 9.0}},
	"scheduled/error_menu_id_required":          {refused: calls.ErrMenuIDRequired, instead: map[string]any{"menu_id": 9.0}},
	"inbound/error_menu_id_malformed":           {why: menuIsAnInteger, instead: map[string]any{"menu_id": 9.0}},
	"scheduled/error_menu_id_malformed":         {why: menuIsAnInteger, instead: map[string]any{"menu_id": 9.0}},
	"inbound/error_invalid_call_type":           {why: callTypeIsFixed, instead: map[string]any{"call_type": "Voice Inbound (API)"}},
	"scheduled/error_invalid_call_type":         {why: callTypeIsFixed, instead: map[string]any{"call_type": "Voice Scheduled (API)"}},
	"scheduled/error_scheduled_at_required":     {refused: calls.ErrScheduledAtRequired, instead: map[string]any{"scheduled_at": "2019-09-15T00:19:14.421Z"}},
}

func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	examples := readExamples(t)
	if len(examples) != documentedExamples {
		t.Fatalf("%d examples, want %d", len(examples), documentedExamples)
	}
	run := map[string]bool{}
	messages := map[string]bool{}
	for _, e := range examples {
		run[e.ID] = true
		messages[messageOf(e.Response)] = true
		t.Run(e.ID, func(t *testing.T) {
			t.Parallel()
			switch e.Method {
			case http.MethodGet:
				checkGetExample(t, e)
			case http.MethodPatch:
				checkPatchExample(t, e)
			default:
				checkCreateExample(t, e)
			}
		})
	}
	if len(run) != documentedExamples {
		t.Errorf("%d examples have a name of their own, want %d", len(run), documentedExamples)
	}
	for id := range deviations {
		if !run[id] {
			t.Errorf("the deviation %s has no example", id)
		}
	}
	for message := range problems {
		if !messages[message] {
			t.Errorf("no example has the message %q", message)
		}
	}
}

func checkCreateExample(t *testing.T, e example) {
	document := maps.Clone(e.Request)
	if d, deviates := deviations[e.ID]; deviates {
		if d.refused != nil {
			refused := requestOf(t, e.ID, document)
			_, err := newClient(t, untouched(t)).Create(t.Context(), refused)
			var invalid *calls.ValidationError
			if !errors.Is(err, d.refused) || !errors.As(err, &invalid) {
				t.Errorf("the documented request: %v, want a ValidationError that is %v", err, d.refused)
			}
		} else if d.why == "" {
			t.Error("the deviation has no reason")
		}
		maps.Copy(document, d.instead)
	}

	request := requestOf(t, e.ID, document)
	server := serve(t, e, e.Status)
	result, err := newClient(t, nil, calls.WithBaseURL(server.URL)).Create(t.Context(), request)

	if diff := cmp.Diff(document, server.body()); diff != "" {
		t.Errorf("body (-documented +sent):\n%s", diff)
	}
	switch e.Status {
	case http.StatusCreated:
		checkCreatedCall(t, e.Response, result, err)
	case http.StatusOK, http.StatusAccepted:
		if err != nil || result.Call != nil || !result.AwaitsAgent {
			t.Errorf("result %v, error %v, want one that awaits an agent", result, err)
		}
	case http.StatusBadRequest:
		checkRefusal(t, messageOf(e.Response), result, err)
	default:
		t.Errorf("no check for an example with status %d", e.Status)
	}
}

func checkCreatedCall(t *testing.T, body []byte, result *calls.CreateResult, err error) {
	if err != nil || result == nil || result.Call == nil || result.AwaitsAgent {
		t.Fatalf("result %v, error %v, want a call", result, err)
	}
	call := result.Call
	if !bytes.Equal(call.RawJSON(), body) {
		t.Errorf("RawJSON is\n%s\nwant\n%s", call.RawJSON(), body)
	}
	var documented struct {
		ID          int64
		CallType    string     `json:"call_type"`
		Status      string     `json:"status"`
		CreatedAt   *time.Time `json:"created_at"`
		QueuedAt    *time.Time `json:"queued_at"`
		AssignedAt  *time.Time `json:"assigned_at"`
		ConnectedAt *time.Time `json:"connected_at"`
		EndsAt      *time.Time `json:"ends_at"`
		ScheduledAt *time.Time `json:"scheduled_at"`
	}
	mustUnmarshal(t, body, &documented)
	if call.ID != documented.ID || string(call.CallType) != documented.CallType || string(call.Status) != documented.Status {
		t.Errorf("got %v, want id %d, type %s, status %s", call, documented.ID, documented.CallType, documented.Status)
	}
	got := []*time.Time{call.CreatedAt, call.QueuedAt, call.AssignedAt, call.ConnectedAt, call.EndsAt, call.ScheduledAt}
	want := []*time.Time{documented.CreatedAt, documented.QueuedAt, documented.AssignedAt, documented.ConnectedAt, documented.EndsAt, documented.ScheduledAt}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("times (-documented +got):\n%s", diff)
	}
	checkKeepsAll(t, body, call)
}

func checkRefusal(t *testing.T, message string, result *calls.CreateResult, err error) {
	want, listed := problems[message]
	if !listed {
		t.Fatalf("no sentinel is listed for %q", message)
	}
	var apiErr *calls.APIError
	if !errors.As(err, &apiErr) {
		t.Fatalf("error %v, want a *APIError", err)
	}
	if result != nil || apiErr.StatusCode != http.StatusBadRequest || apiErr.Message != message {
		t.Errorf("result %v, status %d, message %q, want nil, 400 and %q", result, apiErr.StatusCode, apiErr.Message, message)
	}
	for _, sentinel := range allSentinels() {
		isExpected := sentinel == want || sentinel == calls.ErrInvalidRequest ||
			sentinel == calls.ErrMenuClosed && strings.HasPrefix(message, "Menu is in")
		if errors.Is(err, sentinel) != isExpected {
			t.Errorf("errors.Is(err, %q) is %v", sentinel, !isExpected)
		}
	}
	if got := calls.DeliveryOf(err); got != calls.DeliveryRejected {
		t.Errorf("DeliveryOf is %v", got)
	}
}

// checkGetExample reads the documented flags. The example has no status and the word
// "boolean" for every value. A flag that is not a boolean is nil.
func checkGetExample(t *testing.T, e example) {
	server := serve(t, e, http.StatusOK)
	flag, err := newClient(t, nil, calls.WithBaseURL(server.URL)).GetCustomerFlag(t.Context(), 397)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&calls.CustomerFlag{}, flag); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
	if server.body() != nil {
		t.Errorf("the GET had the body %v", server.body())
	}
}

// checkPatchExample sends the documented keys. The documented body has the word
// "boolean" for every value and a plural that is probably a slip, so both spellings
// are sent with the same value.
func checkPatchExample(t *testing.T, e example) {
	server := serve(t, e, http.StatusOK)
	err := newClient(t, nil, calls.WithBaseURL(server.URL)).UpdateCustomerFlag(t.Context(), 397, calls.CustomerFlagUpdate{
		VerifiedCustomer: ptr(true), BadActor: ptr(false), RepeatCustomer: ptr(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"verified_customer": true, "bad_actor": false, "repeat_customer": true, "repeat_customers": true}
	if diff := cmp.Diff(want, server.body()); diff != "" {
		t.Errorf("body (-want +sent):\n%s", diff)
	}
	for key := range e.Request {
		if _, sent := server.body()[key]; !sent {
			t.Errorf("the documented key %s was not sent", key)
		}
	}
}

// requestOf returns the typed request for a documented body. It copies field by
// field, so that a field with the JSON name of another shows.
func requestOf(t *testing.T, id string, document map[string]any) calls.CreateRequest {
	t.Helper()
	kind, _, _ := strings.Cut(id, "/")
	switch kind {
	case "outbound", "outbound_ticket":
		return calls.OutboundRequest{
			AgentEmail:     valueOf[string](document, "agent_email"),
			TicketID:       valueOf[string](document, "ticket_id"),
			EndUserNumber:  valueOf[string](document, "end_user_number"),
			OutboundNumber: valueOf[string](document, "outbound_number"),
			Lang:           valueOf[string](document, "lang"),
		}
	case "inbound":
		return calls.InboundRequest{
			MenuID:              int64(valueOf[float64](document, "menu_id")),
			EndUserNumber:       valueOf[string](document, "end_user_number"),
			TicketID:            valueOf[string](document, "ticket_id"),
			OutboundNumber:      valueOf[string](document, "outbound_number"),
			Lang:                valueOf[string](document, "lang"),
			RecordingPermission: calls.RecordingPermission(valueOf[string](document, "recording_permission")),
		}
	case "scheduled":
		scheduledAt, _ := time.Parse(time.RFC3339, valueOf[string](document, "scheduled_at"))
		return calls.ScheduledRequest{
			MenuID:              int64(valueOf[float64](document, "menu_id")),
			ParentCallID:        int64(valueOf[float64](document, "call_id")),
			EndUserNumber:       valueOf[string](document, "end_user_number"),
			TicketID:            valueOf[string](document, "ticket_id"),
			Lang:                valueOf[string](document, "lang"),
			ScheduledAt:         scheduledAt,
			RecordingPermission: calls.RecordingPermission(valueOf[string](document, "recording_permission")),
		}
	}
	t.Fatalf("no request for %s", id)
	return nil
}

// valueOf returns the zero value if the document has no such key or another type.
func valueOf[T any](document map[string]any, key string) T {
	value, _ := document[key].(T)
	return value
}

// platform is a server that gives one response and keeps the body of the request.
type platform struct {
	*httptest.Server
	sent chan map[string]any
	seen map[string]any
}

// serve starts the platform of an example. It checks everything but the body of each
// request.
func serve(t *testing.T, e example, status int) *platform {
	p := &platform{sent: make(chan map[string]any, 1)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := strings.ReplaceAll(e.Path, ":id", "397"); r.Method != e.Method || r.URL.Path != want {
			t.Errorf("request line %s %s, want %s %s", r.Method, r.URL.Path, e.Method, want)
		}
		if user, password, ok := r.BasicAuth(); !ok || user != "customer" || password != "token" {
			t.Error("the credentials are not the subdomain and the token")
		}
		var body map[string]any
		if text := textOf(r.Body); text != "" {
			mustUnmarshal(t, []byte(text), &body)
			if got := r.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
		}
		p.sent <- body
		w.WriteHeader(status)
		if string(e.Response) != "null" {
			_, _ = w.Write(e.Response)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// body returns the body of the request, nil if it had none or was not sent.
func (p *platform) body() map[string]any {
	select {
	case p.seen = <-p.sent:
	default:
	}
	return p.seen
}

func messageOf(body []byte) string {
	var refusal struct{ Message string }
	_ = json.Unmarshal(body, &refusal)
	return refusal.Message
}

func readExamples(t testing.TB) (examples []example) {
	t.Helper()
	data, err := os.ReadFile("testdata/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	mustUnmarshal(t, data, &examples)
	return examples
}

// body is the body of a create for Do, which does not validate it as the create
// methods do.
type body map[string]any

func (b body) with(key string, value any) body {
	changed := maps.Clone(b)
	if changed[key] = value; value == nil {
		delete(changed, key)
	}
	return changed
}

// TestDocumentedRefusalsOfTheDouble gets each documented message from the double over
// real HTTP.
func TestDocumentedRefusalsOfTheDouble(t *testing.T) {
	outbound := body{"call_type": "Voice Outbound (API)", "agent_email": "agent@example.com", "end_user_number": "+1 859-657-9625"}
	inbound := body{"call_type": "Voice Inbound (API)", "menu_id": 9, "end_user_number": "+1 859-657-9625"}
	scheduled := body{"call_type": "Voice Scheduled (API)", "menu_id": 9, "end_user_number": "+1 859-657-9625", "scheduled_at": "2100-09-15T00:19:14.421Z"}
	tests := []struct {
		request body
		message string
		err     error
	}{
		{outbound.with("agent_email", "busy@example.com"), "Agent is not available to take this call", calls.ErrAgentUnavailable},
		{outbound.with("end_user_number", nil), "ticket_id or end_user_number required", calls.ErrTicketOrNumberRequired},
		{outbound.with("agent_email", "nobody@example.com"), "Not a valid agent email", calls.ErrAgentEmailInvalid},
		{outbound.with("agent_email", nil), "Agent email required", calls.ErrAgentEmailRequired},
		{outbound.with("agent_email", "forbidden@example.com"), "Agent does not have access to make calls", calls.ErrAgentNotPermitted},
		{outbound.with("ticket_id", 1), "Contact not found", calls.ErrContactNotFound},
		{outbound.with("end_user_number", "123123"), "end_user_number is not well-formed", calls.ErrEndUserNumberMalformed},
		{inbound.with("end_user_number", "+1 999-657-12"), "end_user_number is not well formed", calls.ErrEndUserNumberMalformed},
		{inbound.with("call_type", "InvalidCallType"), "Invalid call type", calls.ErrCallTypeInvalid},
		{inbound.with("end_user_number", nil), "end_user_number is required", calls.ErrEndUserNumberRequired},
		{inbound.with("menu_id", nil), "menu_id is required", calls.ErrMenuIDRequired},
		{inbound.with("menu_id", "menu_999"), "menu_id is not well formed", calls.ErrMenuIDMalformed},
		{inbound.with("menu_id", 9999), "menu_id 9999 is not found", calls.ErrMenuNotFound},
		{inbound.with("menu_id", 50), "Only IVR and mobile menu IDs are permitted", calls.ErrMenuTypeNotPermitted},
		{scheduled.with("menu_id", 50), "Only mobile and web menu IDs are permitted", calls.ErrMenuTypeNotPermitted},
		{inbound.with("menu_id", 12), "Menu is in 'manual redirection' state, can't accept calls", calls.ErrMenuManualRedirection},
		{scheduled.with("menu_id", 13), "Menu is in 'after hours' state, can't accept incoming calls", calls.ErrMenuAfterHours},
		{inbound.with("lang", "fr"), "Language 'fr' is not available", calls.ErrLanguageUnavailable},
		{scheduled.with("lang", "xy"), "Language 'xy' is not found", calls.ErrLanguageNotFound},
		{scheduled.with("scheduled_at", nil), "scheduled_at is required", calls.ErrScheduledAtRequired},
	}
	if len(tests) != 20 {
		t.Fatalf("%d messages, want the 20 that are documented", len(tests))
	}
	server := callstest.NewServer(t)
	client := socketClient(t, server)
	for _, tt := range tests {
		_, err := client.Do(t.Context(), http.MethodPost, "calls", nil, tt.request, nil)
		var refused *calls.APIError
		if !errors.As(err, &refused) || refused.Message != tt.message || refused.StatusCode != http.StatusBadRequest || !errors.Is(err, tt.err) {
			t.Errorf("%v: %v, want %q", tt.request, err, tt.message)
		}
	}
	if n := len(server.Calls()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// TestDocumentedStatusesOfTheDouble has the successes, 401 and 404.
func TestDocumentedStatusesOfTheDouble(t *testing.T) {
	server := callstest.NewServer(t)
	client := socketClient(t, server)
	for agent, awaits := range map[string]bool{"agent@example.com": false, "chooser@example.com": true, "prompted@example.com": true} {
		result, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: agent, TicketID: "71450"})
		if err != nil || result.AwaitsAgent != awaits || (result.Call == nil) != awaits {
			t.Errorf("%s: %v, %v", agent, result, err)
		}
	}
	if _, err := client.GetCustomerFlag(t.Context(), 4711); !errors.Is(err, calls.ErrNotFound) {
		t.Errorf("an unknown call: %v", err)
	}
	stranger, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "another token",
		calls.WithBaseURL(server.URL()), calls.WithHTTPClient(server.HTTPClient()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.CreateScheduled(t.Context(), calls.ScheduledRequest{
		MenuID: 9, EndUserNumber: "+82-10-6861-2345", ScheduledAt: time.Now().Add(time.Hour),
	})
	if !errors.Is(err, calls.ErrUnauthorized) || calls.DeliveryOf(err) != calls.DeliveryRejected {
		t.Errorf("another token: %v", err)
	}
}
