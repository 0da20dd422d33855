package calls_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
)

// documentedExamples is how many examples the platform's reference has, the
// body of the PATCH included.
const documentedExamples = 54

// example is one documented request with its documented answer.
type example struct {
	ID       string
	Method   string
	Path     string
	Request  map[string]any
	Status   int
	Response json.RawMessage
}

// problems says which sentinel stands for each of the documented messages.
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

// deviation is an example whose request does not leave the client as it is
// documented. What the request has to become, so that its documented answer
// can be had, is in instead.
type deviation struct {
	// refused is the sentinel with which the client refuses the request. Without
	// it, why says what keeps a typed request from saying the documented thing.
	refused error
	why     string
	instead map[string]any
}

const (
	goodNumber = "+1 859-657-9625"

	callTypeIsFixed = "each create method sends its own call type"
	menuIsAnInteger = "MenuID is an integer, as the parameter table says"
	ticketIsAString = "TicketID is a string, as the parameter table says"
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
		t.Fatalf("there are %d examples, want %d", len(examples), documentedExamples)
	}
	run := map[string]bool{}
	said := map[string]bool{}
	for _, e := range examples {
		run[e.ID] = true
		said[messageOf(e.Response)] = true
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
		t.Errorf("%d examples are run under a name of their own, want %d", len(run), documentedExamples)
	}
	for id := range deviations {
		if !run[id] {
			t.Errorf("the deviation %s belongs to no example", id)
		}
	}
	for message := range problems {
		if !said[message] {
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
				t.Errorf("the documented request is answered by %v, want a ValidationError that is %v", err, d.refused)
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
		t.Errorf("the body as sent differs from the documented one (-documented +sent):\n%s", diff)
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
		t.Errorf("no rule for an example with status %d", e.Status)
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
	var answered *calls.APIError
	if !errors.As(err, &answered) {
		t.Fatalf("error %v, want a *APIError", err)
	}
	if result != nil || answered.StatusCode != http.StatusBadRequest || answered.Message != message {
		t.Errorf("result %v, status %d, message %q, want nil, 400 and %q", result, answered.StatusCode, answered.Message, message)
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

// The example has no status, and the word "boolean" for every value: a flag
// that cannot be read is one of which nothing was said.
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
		t.Errorf("a GET was sent with the body %v", server.body())
	}
}

// The documented body has the word "boolean" for every value, and a plural that
// is probably a slip: both spellings are sent, with the same value.
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

func TestCustomerFlagUpdateSendsOnlyWhatIsSet(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		update calls.CustomerFlagUpdate
		want   string
	}{
		"only verified":               {calls.CustomerFlagUpdate{VerifiedCustomer: ptr(true)}, `{"verified_customer":true}`},
		"a flag that is set to false": {calls.CustomerFlagUpdate{BadActor: ptr(false)}, `{"bad_actor":false}`},
		"repeat, in both spellings":   {calls.CustomerFlagUpdate{RepeatCustomer: ptr(false)}, `{"repeat_customer":false,"repeat_customers":false}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := ""
			client := newClient(t, wire(func(r *http.Request) (*http.Response, error) {
				sent = r.Method + " " + r.URL.Path + " " + textOf(r.Body)
				return answer(http.StatusNoContent, ""), nil
			}))
			if err := client.UpdateCustomerFlag(t.Context(), 9007199254740993, test.update); err != nil {
				t.Fatal(err)
			}
			if want := "PATCH /apps/api/v1/calls/9007199254740993/customer_flag " + test.want; sent != want {
				t.Errorf("sent %s\nwant %s", sent, want)
			}
		})
	}
}

func TestCustomerFlagIsReadInEitherSpelling(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want calls.CustomerFlag
	}{
		"all flags":                       {`{"verified_customer":true,"bad_actor":false,"repeat_customer":true}`, calls.CustomerFlag{VerifiedCustomer: ptr(true), BadActor: ptr(false), RepeatCustomer: ptr(true)}},
		"the plural":                      {`{"repeat_customers":true}`, calls.CustomerFlag{RepeatCustomer: ptr(true)}},
		"the singular before the plural":  {`{"repeat_customers":true,"repeat_customer":false}`, calls.CustomerFlag{RepeatCustomer: ptr(false)}},
		"the plural, the singular null":   {`{"repeat_customer":null,"repeat_customers":true}`, calls.CustomerFlag{RepeatCustomer: ptr(true)}},
		"flags in quotes":                 {`{"verified_customer":"true","bad_actor":"false"}`, calls.CustomerFlag{VerifiedCustomer: ptr(true), BadActor: ptr(false)}},
		"null is nothing said":            {`{"verified_customer":null,"bad_actor":null,"repeat_customer":null}`, calls.CustomerFlag{}},
		"a missing flag is nothing said":  {`{}`, calls.CustomerFlag{}},
		"a flag of another kind, and one": {`{"verified_customer":{},"bad_actor":true}`, calls.CustomerFlag{BadActor: ptr(true)}},
		"unknown keys":                    {`{"vip":true,"bad_actor":true}`, calls.CustomerFlag{BadActor: ptr(true)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newClient(t, responding(http.StatusOK, test.body)).GetCustomerFlag(t.Context(), 397)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
		})
	}
}

// requestOf makes the typed request of a documented body, field by field, so
// that a field under another's JSON name is seen.
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

// valueOf is the zero value where the document has nothing, or another type.
func valueOf[T any](document map[string]any, key string) T {
	value, _ := document[key].(T)
	return value
}

// platform is a server that gives one answer and keeps the body it was asked with.
type platform struct {
	*httptest.Server
	sent chan map[string]any
	seen map[string]any
}

// serve plays the platform for one example, and checks what stands around the
// body of every request.
func serve(t *testing.T, e example, status int) *platform {
	p := &platform{sent: make(chan map[string]any, 1)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := strings.ReplaceAll(e.Path, ":id", "397"); r.Method != e.Method || r.URL.Path != want {
			t.Errorf("request line %s %s, want %s %s", r.Method, r.URL.Path, e.Method, want)
		}
		if user, password, ok := r.BasicAuth(); !ok || user != "customer" || password != "token" {
			t.Error("the request is not authenticated by the subdomain and the token")
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

// body is what the one request had, nil if it had no body or was never made.
func (p *platform) body() map[string]any {
	select {
	case p.seen = <-p.sent:
	default:
	}
	return p.seen
}

func messageOf(body []byte) string {
	var said struct{ Message string }
	_ = json.Unmarshal(body, &said)
	return said.Message
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

// checkKeepsAll fails where body has a value that the fields of call do not have.
func checkKeepsAll(t *testing.T, body []byte, call *calls.Call) {
	t.Helper()
	type fields calls.Call // marshals to its fields, not to what it was read from
	again, err := json.Marshal((*fields)(call))
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]any
	mustUnmarshal(t, body, &want)
	mustUnmarshal(t, again, &got)
	if reason, isMisspelt := want["voicemail_reaso"]; isMisspelt {
		delete(want, "voicemail_reaso")
		want["voicemail_reason"] = reason
	}
	checkContains(t, "call", want, got)
}

func checkContains(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(want)) {
			checkContains(t, path+"."+key, want[key], got[key])
		}
	case []any:
		got, _ := got.([]any)
		if len(got) != len(want) {
			t.Errorf("%s has %d elements, want %d", path, len(got), len(want))
			return
		}
		for i := range want {
			checkContains(t, path+"[]", want[i], got[i])
		}
	default:
		if text, isText := want.(string); isText && sameTime(text, got) {
			return
		}
		isNullText := want == nil && got == "" // RawJSON tells them apart
		if want != got && !isNullText {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// sameTime forgives that ".000" is not written again.
func sameTime(want string, got any) bool {
	text, _ := got.(string)
	w, err1 := time.Parse(time.RFC3339, want)
	g, err2 := time.Parse(time.RFC3339, text)
	return err1 == nil && err2 == nil && w.Equal(g)
}

// What follows is shared by the tests of this package.

// documentedNow is before every time that the documented examples schedule.
var documentedNow = time.Date(2019, 9, 1, 0, 0, 0, 0, time.UTC)

// One good request of each kind.
var (
	anOutbound = calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: goodNumber}
	anInbound  = calls.InboundRequest{MenuID: 9, EndUserNumber: goodNumber}
	aScheduled = calls.ScheduledRequest{MenuID: 9, EndUserNumber: goodNumber, ScheduledAt: documentedNow.Add(time.Hour)}
)

// newClient returns a client without pacing that makes one attempt, at
// documentedNow, through transport if that is not nil.
func newClient(t testing.TB, transport http.RoundTripper, opts ...calls.Option) *calls.Client {
	t.Helper()
	if transport == nil {
		// Not http.DefaultTransport: a test server that closes breaks its connections.
		own := http.DefaultTransport.(*http.Transport).Clone()
		t.Cleanup(own.CloseIdleConnections)
		transport = own
	}
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token", append([]calls.Option{
		calls.WithHTTPClient(&http.Client{Transport: transport}),
		calls.WithRateLimiter(nil),
		calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}),
		calls.WithClock(func() time.Time { return documentedNow }),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// wire is a transport that is a function.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

// responding gives every request the same answer.
func responding(status int, body string) wire {
	return func(*http.Request) (*http.Response, error) { return answer(status, body), nil }
}

// untouched fails the test when it is used.
func untouched(t testing.TB) wire {
	return func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s %s was sent, and nothing should be", r.Method, r.URL.Path)
		return nil, errors.New("nothing should be sent")
	}
}

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// textOf reads what there is of a body, which may be nil.
func textOf(body io.Reader) string {
	if body == nil {
		return ""
	}
	text, _ := io.ReadAll(body)
	return string(text)
}

func ptr[T any](value T) *T { return &value }

func mustUnmarshal(t testing.TB, data []byte, dst any) {
	t.Helper()
	if err := json.Unmarshal(data, dst); err != nil {
		t.Errorf("%v in %s", err, data)
	}
}
