package calls_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// The canaries stand for private data that must not be printed.
const (
	canaryToken    = "canary-Tk7Qz9"
	canaryEmail    = "canary.agent@secret.example"
	canaryNumber   = "+1 312-867-5309"
	canaryOutbound = "+1 773-202-5862"
)

var (
	privateOutbound  = calls.OutboundRequest{AgentEmail: canaryEmail, TicketID: "71450", EndUserNumber: canaryNumber, OutboundNumber: canaryOutbound, Lang: "fr-CA"}
	privateInbound   = calls.InboundRequest{MenuID: 9, EndUserNumber: canaryNumber, TicketID: "71450", OutboundNumber: canaryOutbound, Lang: "en", RecordingPermission: calls.RecordingPermissionGranted}
	privateEndUser   = calls.EndUserAuth{Identifier: canaryToken, Name: canaryOutbound, Email: canaryEmail, Phone: canaryNumber}
	privateThird     = calls.ThirdPartyRequest{AgentEmail: canaryEmail, PhoneNumber: canaryNumber}
	privateScheduled = calls.ScheduledRequest{MenuID: 9, ParentCallID: 514, EndUserNumber: canaryNumber, TicketID: "71450", Lang: "en", ScheduledAt: documentedNow.Add(421 * time.Millisecond), RecordingPermission: calls.RecordingPermissionDenied}
)

func TestNothingPrivateIsPrinted(t *testing.T) {
	t.Parallel()
	client := newClientWithToken(t, canaryToken, untouched(t))
	result, err := newClientWithToken(t, canaryToken, responding(http.StatusCreated,
		`{"id":397,"call_type":"Voice Outbound (API)","status":"assigned","outbound_number":"`+canaryOutbound+`","support_number":"`+canaryNumber+`",`+
			`"agent_info":{"name":"`+canaryEmail+`","agent_number":"`+canaryNumber+`"},"end_user":{"identifier":"`+canaryEmail+`"}}`)).
		CreateOutbound(t.Context(), privateOutbound)
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := client.Prepare(privateOutbound, calls.WithKey("task 8812"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		value any
		// logged means that the value is logged too. The JSON handler of slog marshals a
		// value that is inside another, which keeps all data.
		logged bool
	}{
		"client":                        {client, true},
		"client, by value":              {*client, true},
		"nil client":                    {(*calls.Client)(nil), true},
		"zero client":                   {&calls.Client{}, true},
		"outbound request":              {privateOutbound, true},
		"outbound request, by pointer":  {&privateOutbound, true},
		"inbound request":               {privateInbound, true},
		"inbound request, by pointer":   {&privateInbound, true},
		"scheduled request":             {privateScheduled, true},
		"scheduled request, by pointer": {&privateScheduled, true},
		"end user":                      {privateEndUser, true},
		"end user, by pointer":          {&privateEndUser, true},
		"prepared create":               {prepared, true},
		"prepared create, by value":     {*prepared, false},
		"third party":                   {privateThird, true},
		"third party, by pointer":       {&privateThird, true},
		"canceled call":                 {&calls.CancelResult{Call: result.Call}, true},
		"canceled call, by value":       {calls.CancelResult{Call: result.Call}, false},
		"cancellation":                  {&calls.Cancellation{Location: "/" + canaryEmail + "?key=" + canaryToken}, true},
		"cancellation, by value":        {calls.Cancellation{Location: "/" + canaryEmail}, false},
		"result":                        {result, true},
		"result that awaits an agent":   {&calls.CreateResult{AwaitsAgent: true}, true},
		"call":                          {result.Call, true},
		"agent of a call":               {&calls.Agent{ID: ptr[int64](9), Name: canaryEmail, AgentNumber: canaryNumber}, true},
		"agent of a call, by value":     {calls.Agent{Name: canaryEmail, AgentNumber: canaryNumber}, true},
		"end user of a call":            {&calls.EndUser{ID: ptr[int64](9), Identifier: canaryEmail, OutContactID: canaryNumber}, true},
		"end user of a call, by value":  {calls.EndUser{Identifier: canaryEmail, OutContactID: canaryNumber}, true},
		"intent":                        {&calls.Intent{ID: "1", OutboundNumber: canaryNumber}, true},
		"intent, by value":              {calls.Intent{ID: "1", OutboundNumber: canaryNumber}, true},
		"platform's error, by value":    {calls.APIError{StatusCode: 400, Message: canaryEmail + canaryNumber, Body: []byte(canaryNumber), Header: http.Header{"X-Echo": {canaryToken}}}, false},
		"result, by value":              {*result, false},
		"call, by value":                {*result.Call, false},
		"requests in a slice":           {[]calls.CreateRequest{privateOutbound, &privateInbound, privateScheduled}, false},
		"a request in a struct":         {struct{ Request calls.OutboundRequest }{privateOutbound}, false},
		"a request in a map":            {map[string]*calls.InboundRequest{"request": &privateInbound}, false},
		"calls in a slice":              {[]*calls.Call{result.Call}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkPrints(t, test.value)
			if test.logged {
				checkLogs(t, test.value)
			}
		})
	}
}

func TestNothingPrivateIsPrintedInErrors(t *testing.T) {
	t.Parallel()
	const body = `{"message":"Contact not found","number":"` + canaryNumber + `","agent":"` + canaryEmail + `"}`
	echo := func(status int) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			response := newResponse(status, body)
			response.Header.Set("X-Echo", r.Header.Get("Authorization")+canaryEmail+canaryNumber)
			return response, nil
		}
	}
	failing := func(err error) roundTripper {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	text := "cannot reach " + canaryNumber + " for " + canaryEmail
	tests := map[string]struct {
		transport roundTripper
		request   calls.CreateRequest
	}{
		"one problem":               {untouched(t), with(privateOutbound, func(r *calls.OutboundRequest) { r.OutboundNumber += " " + canaryEmail })},
		"several problems":          {untouched(t), calls.OutboundRequest{AgentEmail: canaryEmail + " " + canaryNumber, EndUserNumber: canaryNumber + canaryEmail, Lang: canaryEmail}},
		"problems of an inbound":    {untouched(t), calls.InboundRequest{EndUserNumber: canaryNumber + "5", RecordingPermission: calls.RecordingPermission(canaryEmail)}},
		"a refusal":                 {echo(http.StatusBadRequest), privateOutbound},
		"a 404":                     {echo(http.StatusNotFound), privateInbound},
		"a 302":                     {echo(http.StatusFound), privateInbound},
		"an unknown outcome":        {echo(http.StatusBadGateway), privateScheduled},
		"a gateway's page":          {func(*http.Request) (*http.Response, error) { return newResponse(200, "<html>"+text), nil }, privateOutbound},
		"a call without an id":      {responding(http.StatusCreated, `{"outbound_number":"`+canaryOutbound+`","x":"`+canaryEmail+`"}`), privateOutbound},
		"a body that is not JSON":   {responding(http.StatusCreated, text), privateOutbound},
		"the transport's error":     {failing(errors.New(text)), privateOutbound},
		"joined errors":             {failing(errors.Join(errors.New(text), errors.New(text))), privateOutbound},
		"an error that is a string": {failing(textError(text)), privateOutbound},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClientWithToken(t, canaryToken, test.transport).Create(t.Context(), test.request)
			if err == nil {
				t.Fatal("no error")
			}
			checkPrints(t, err)
			checkLogs(t, err)
			wrapped := fmt.Errorf("dialing: %w", err)
			checkHasNoCanary(t, "wrapped, %+v", fmt.Sprintf("%+v", wrapped))
			checkHasNoCanary(t, "wrapped, %#v", fmt.Sprintf("%#v", wrapped))
			checkLogs(t, wrapped)
		})
	}
}

// TestNothingPrivateIsLogged checks the log lines of a create.
func TestNothingPrivateIsLogged(t *testing.T) {
	t.Parallel()
	tests := map[string]roundTripper{
		"created":             responding(http.StatusCreated, `{"id":397,"outbound_number":"`+canaryOutbound+`"}`),
		"awaits an agent":     responding(http.StatusOK, `{"agent_email":"`+canaryEmail+`","end_user_number":"`+canaryNumber+`"}`),
		"an unknown message":  responding(http.StatusBadRequest, `{"message":"no `+canaryEmail+` for `+canaryNumber+`"}`),
		"a gateway's page":    responding(http.StatusOK, "<html>"+canaryNumber),
		"a broken connection": func(*http.Request) (*http.Response, error) { return nil, errors.New(canaryNumber + " " + canaryEmail) },
	}
	for name, transport := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text, lines bytes.Buffer
			options := &slog.HandlerOptions{Level: slog.LevelDebug}
			for _, handler := range []slog.Handler{slog.NewTextHandler(&text, options), slog.NewJSONHandler(&lines, options)} {
				client := newClientWithToken(t, canaryToken, transport, calls.WithLogger(slog.New(handler)))
				_, _ = client.CreateOutbound(t.Context(), privateOutbound)
			}
			if text.Len() == 0 || lines.Len() == 0 {
				t.Error("nothing was logged")
			}
			checkHasNoCanary(t, "text", text.String())
			checkHasNoCanary(t, "JSON", lines.String())
		})
	}
}

// TestPrintedForms checks that printed forms have ids and other data that is not private.
func TestPrintedForms(t *testing.T) {
	t.Parallel()
	prepared, err := newClient(t, untouched(t)).Prepare(anInbound, calls.WithKey("task 8812"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		value any
		want  string
	}{
		"client":   {newClient(t, untouched(t)), "calls.Client{host=customer.uc1.ccaiplatform.com}"},
		"outbound": {privateOutbound, "calls.OutboundRequest{agent_email=[redacted] ticket_id=71450 end_user_number=[redacted] outbound_number=[redacted] lang=fr-CA}"},
		"inbound":  {privateInbound, "calls.InboundRequest{menu_id=9 end_user_number=[redacted] ticket_id=71450 outbound_number=[redacted] lang=en recording_permission=recording_permission_granted}"},
		"scheduled": {privateScheduled, "calls.ScheduledRequest{menu_id=9 call_id=514 end_user_number=[redacted] ticket_id=71450 lang=en " +
			"scheduled_at=2019-09-01T00:00:00.421Z recording_permission=recording_permission_denied}"},
		"prepared create":    {prepared, "calls.Prepared{id=task 8812 call_type=Voice Inbound (API)}"},
		"zero prepared":      {&calls.Prepared{}, "calls.Prepared{}"},
		"end user":           {privateEndUser, "calls.EndUserAuth{identifier=[redacted] name=[redacted] email=[redacted] phone=[redacted]}"},
		"third party":        {privateThird, "calls.ThirdPartyRequest{agent_email=[redacted] phone_number=[redacted]}"},
		"canceled":           {&calls.CancelResult{Call: &calls.Call{ID: 515, Status: "cancelled"}}, "calls.CancelResult{calls.Call{id=515 status=cancelled}}"},
		"canceled before":    {&calls.CancelResult{AlreadyCanceled: true}, "calls.CancelResult{already canceled}"},
		"cancellation":       {&calls.Cancellation{StatusCode: 202, Location: "/x"}, "calls.Cancellation{status_code=202}"},
		"empty end user":     {calls.EndUserAuth{}, "calls.EndUserAuth{}"},
		"empty outbound":     {calls.OutboundRequest{}, "calls.OutboundRequest{}"},
		"empty inbound":      {calls.InboundRequest{}, "calls.InboundRequest{}"},
		"empty scheduled":    {calls.ScheduledRequest{}, "calls.ScheduledRequest{}"},
		"call":               {&calls.Call{ID: 397, CallType: calls.CallTypeOutbound, Status: calls.CallStatusAssigned}, "calls.Call{id=397 call_type=Voice Outbound (API) status=assigned}"},
		"agent":              {&calls.Agent{ID: ptr[int64](9), Name: "Jane"}, "calls.Agent{id=9}"},
		"end user of a call": {&calls.EndUser{ID: ptr[int64](9), Identifier: "jane"}, "calls.EndUser{id=9}"},
		"intent": {calls.Intent{ID: "task 8812", CallType: calls.CallTypeInbound, MenuID: 9, OutboundNumber: "+13392195276", SentAfter: time.Unix(1567296000, 0)},
			"calls.Intent{id=task 8812 call_type=Voice Inbound (API) sent_after=2019-09-01T00:00:00Z menu_id=9 outbound_number=[redacted]}"},
		"result": {&calls.CreateResult{Call: &calls.Call{ID: 397}}, "calls.CreateResult{calls.Call{id=397}}"},
		"awaits": {&calls.CreateResult{AwaitsAgent: true}, "calls.CreateResult{awaits agent}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range []string{"%v", "%+v", "%s"} {
				if got := fmt.Sprintf(format, test.value); got != test.want {
					t.Errorf("%s prints %s, want %s", format, got, test.want)
				}
			}
			for _, format := range []string{"%q", "%#v", "%d", "%x", "%10.5s"} {
				if got, want := fmt.Sprintf(format, test.value), fmt.Sprintf(format, test.want); got != want {
					t.Errorf("%s prints %s, want %s", format, got, want)
				}
			}
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Info("", "value", test.value)
			var line struct{ Value string }
			mustUnmarshal(t, log.Bytes(), &line)
			if line.Value != test.want {
				t.Errorf("logs %q, want %q", line.Value, test.want)
			}
		})
	}
}

// checkPrints prints a value with every verb.
func checkPrints(t *testing.T, value any) {
	t.Helper()
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%+q", "%#q", "%d", "%x", "%X", "% x", "%o", "%t", "%30v", "%.200s", "%T"} {
		checkHasNoCanary(t, format, fmt.Sprintf(format, value))
	}
	checkHasNoCanary(t, "Sprintln", fmt.Sprintln("value", value))
}

// checkLogs logs a value with the handlers of slog.
func checkLogs(t *testing.T, value any) {
	t.Helper()
	var text, lines bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&lines, nil)} {
		slog.New(handler).Info("", "value", value, slog.Group("group", "value", value))
	}
	checkHasNoCanary(t, "slog, as text", text.String())
	checkHasNoCanary(t, "slog, as JSON", lines.String())
}

func checkHasNoCanary(t *testing.T, format, text string) {
	t.Helper()
	for _, canary := range []string{canaryToken, canaryEmail, canaryNumber, canaryOutbound, "3128675309", "7732025862"} {
		for _, form := range formsOf(canary) {
			if strings.Contains(text, form) {
				t.Errorf("%s has the canary %q as %q: %s", format, canary, form, text)
				return
			}
		}
	}
}

// formsOf returns a text as it is, in hexadecimal, and the part of its Base64 form that
// does not depend on the text around it.
func formsOf(text string) []string {
	spaced := strings.TrimSpace(strings.ToLower(fmt.Sprintf("% x", text)))
	forms := []string{text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))), spaced}
	quoted, _ := json.Marshal(text)
	forms = append(forms, strings.Trim(string(quoted), `"`))
	for before := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + text))
		forms = append(forms, encoded[4:len(encoded)-2])
	}
	return forms
}

// textError is an error whose value fmt can print.
type textError string

func (e textError) Error() string { return string(e) }

// TestTheTokenIsInNoText has the platform, a proxy and the network repeat
// the token in each form in which it was sent.
func TestTheTokenIsInNoText(t *testing.T) {
	const token = "canary-Tk7Qz9-of-the-client"
	pair := base64.StdEncoding.EncodeToString([]byte("customer:" + token))
	for _, leak := range []string{token, pair, "Authorization: Basic " + pair, base64.StdEncoding.EncodeToString([]byte(token))} {
		for name, transport := range map[string]roundTripper{
			"a message":  responding(400, `{"message":"cannot read `+leak+`"}`),
			"a 5xx":      responding(502, `{"message":"cannot read `+leak+`"}`),
			"plain text": responding(403, "denied: "+leak),
			"the network": func(*http.Request) (*http.Response, error) {
				return nil, errors.New("malformed: " + leak)
			},
		} {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := newClientWithToken(t, token, transport, calls.WithLogger(logger)).CreateOutbound(t.Context(), anOutbound)
			if text := err.Error() + log.String(); strings.Contains(text, leak) || strings.Contains(text, token) || strings.Contains(text, pair) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

func TestPathsOfDoAreShownWithoutPrivateData(t *testing.T) {
	client := newClient(t, responding(http.StatusBadRequest, ""))
	_, err := client.Do(context.Background(), http.MethodGet, "agents/agent@example.com/+18596579625", nil, nil, nil)
	if text := err.Error(); strings.Contains(text, "agent@example.com") || strings.Contains(text, "8596579625") || strings.Contains(text, "agent%40") {
		t.Error(text)
	}
}

func TestControlCharactersOfThePlatformAreEscaped(t *testing.T) {
	const hostile = "a\u001b[2Jb\u202ec\r\nlevel=INFO"
	err := createError(t, responding(400, `{"message":"a\u001b[2Jb\u202ec\r\nlevel=INFO"}`))
	if text := err.Error(); strings.ContainsAny(text, "\u001b\u202e\r\n") {
		t.Errorf("%q", text)
	}
	if got := apiErrorOf(t, err).Message; got != hostile {
		t.Errorf("Message is %q", got)
	}
	call := &calls.Call{ID: 1, Status: hostile}
	if text := fmt.Sprint(call); strings.ContainsAny(text, "\u001b\u202e\r\n") {
		t.Errorf("%q", text)
	}
}

// TestAHostileMessageIsRedactedInTime has a message that took 9 s in quadratic time.
func TestAHostileMessageIsRedactedInTime(t *testing.T) {
	begin := time.Now()
	body := `{"message":"` + strings.Repeat("1234567a", 60<<10/8) + `"}`
	client := newClient(t, responding(400, body), calls.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	_, err := client.CreateOutbound(t.Context(), anOutbound)
	if text := err.Error(); len(text) > 8<<10 {
		t.Errorf("the text has %d bytes", len(text))
	}
	if took := time.Since(begin); took > 5*time.Second { // linear time: less than a millisecond
		t.Errorf("took %v", took)
	}
}

// TestNothingPrivateLeaksUnderAnyFault looks for the token, the address and the numbers
// in every log line and every printed form of results and errors.
func TestNothingPrivateLeaksUnderAnyFault(t *testing.T) {
	const token, email, to, from = "canary-token-4f9a", "canary.agent@secret.example", "+1 312-867-5309", "+1 773-202-5862"
	canaries := []string{token, email, "canary.agent", to, from, "3128675309", "7732025862",
		base64.StdEncoding.EncodeToString([]byte("customer:" + token))}
	server := callstest.NewServer(t, callstest.WithTLS(), callstest.WithCredentials("customer", token),
		callstest.WithAgents(callstest.Agent{Email: email, Available: true, Permitted: true}))
	var log bytes.Buffer
	for _, handler := range []slog.Handler{
		slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}),
		slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}),
	} {
		logger := slog.New(handler)
		for _, fault := range []callstest.Fault{
			callstest.Pass, callstest.RefuseConnection, callstest.BreakHandshake, callstest.HangUpBeforeRead,
			callstest.HangUpAfterRead, callstest.HangUpAfterCreate, callstest.Reset, callstest.Stall, callstest.StallBody,
			callstest.NotHTTP, callstest.CutStatusLine, callstest.CutHeaders, callstest.CutBody, callstest.HugeBody,
			callstest.Status(400), callstest.Status(401), callstest.StatusAfterCreate(502), callstest.RateLimited("3600"),
			callstest.Redirect(302, "https://customer:"+token+"@other.example.com/"+email),
		} {
			server.Fail(fault)
			client := socketClient(t, server, shortTimeout, calls.WithLogger(logger))
			request := calls.OutboundRequest{AgentEmail: email, EndUserNumber: to, OutboundNumber: from}
			result, err := client.CreateOutbound(t.Context(), request)
			logger.Info("a line of the caller", "client", client, "request", request, "result", result, "error", err)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
				fmt.Fprintf(&log, verb+verb+verb+verb+"\n", client, request, result, err)
			}
			if result != nil {
				fmt.Fprintf(&log, "%+v %#v\n", result.Call, result.Call)
			}
		}
	}
	if !strings.Contains(log.String(), "level=DEBUG") || !strings.Contains(log.String(), `"level":"WARN"`) {
		t.Error("nothing was logged")
	}
	for _, canary := range canaries {
		if i := strings.Index(log.String(), canary); i >= 0 {
			t.Errorf("%q leaked: …%s", canary, log.String()[max(0, i-200):i+len(canary)])
		}
	}
}
