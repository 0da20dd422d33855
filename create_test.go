package calls_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestBodies checks whole bodies: an empty field is not sent, so that the platform uses
// its default.
func TestBodies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request calls.CreateRequest
		want    map[string]any
	}{
		"the smallest outbound": {anOutbound, map[string]any{
			"call_type": "Voice Outbound (API)", "agent_email": "agent@example.com", "end_user_number": goodNumber,
		}},
		"the smallest inbound": {anInbound, map[string]any{
			"call_type": "Voice Inbound (API)", "menu_id": 9.0, "end_user_number": goodNumber,
		}},
		"the smallest scheduled": {aScheduled, map[string]any{
			"call_type": "Voice Scheduled (API)", "menu_id": 9.0, "end_user_number": goodNumber, "scheduled_at": "2019-09-01T01:00:00.000Z",
		}},
		"outbound to a ticket": {outbound{AgentEmail: "agent@example.com", TicketID: "71450"}, map[string]any{
			"call_type": "Voice Outbound (API)", "agent_email": "agent@example.com", "ticket_id": "71450",
		}},
		"the largest inbound": {
			inbound{MenuID: 9, EndUserNumber: goodNumber, TicketID: "76517", OutboundNumber: "+1 339-219-5276", Lang: "fr-CA", RecordingPermission: calls.RecordingPermissionDenied},
			map[string]any{
				"call_type": "Voice Inbound (API)", "menu_id": 9.0, "end_user_number": goodNumber, "ticket_id": "76517",
				"outbound_number": "+1 339-219-5276", "lang": "fr-CA", "recording_permission": "recording_permission_denied",
			},
		},
		"the largest scheduled": {
			scheduled{MenuID: 9, ParentCallID: 514, EndUserNumber: goodNumber, TicketID: "76517", Lang: "en", ScheduledAt: documentedNow.Add(time.Second), RecordingPermission: calls.RecordingPermissionNotAsked},
			map[string]any{
				"call_type": "Voice Scheduled (API)", "menu_id": 9.0, "call_id": 514.0, "end_user_number": goodNumber, "ticket_id": "76517",
				"lang": "en", "scheduled_at": "2019-09-01T00:00:01.000Z", "recording_permission": "recording_permission_not_asked",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, checkValidation(t, test.request, nil)); diff != "" {
				t.Errorf("body (-want +sent):\n%s", diff)
			}
		})
	}
}

// TestRequestsSurviveJSON checks that a request can wait in a queue as JSON.
func TestRequestsSurviveJSON(t *testing.T) {
	t.Parallel()
	checkSurvivesJSON(t, privateOutbound)
	checkSurvivesJSON(t, privateInbound)
	checkSurvivesJSON(t, privateScheduled)
	checkSurvivesJSON(t, privateEndUser)
	checkSurvivesJSON(t, privateThird)
	checkSurvivesJSON(t, calls.OutboundRequest{})
	checkSurvivesJSON(t, calls.InboundRequest{})
	checkSurvivesJSON(t, calls.ScheduledRequest{})
	checkSurvivesJSON(t, with(privateScheduled, func(r *calls.ScheduledRequest) {
		r.ScheduledAt = time.Date(2019, 9, 15, 0, 19, 14, 421000001, time.FixedZone("", 2*60*60))
	}))
	checkSurvivesJSON(t, calls.CustomerFlagUpdate{BadActor: ptr(false), RepeatCustomer: ptr(true)})
}

func checkSurvivesJSON[V any](t *testing.T, value V) {
	t.Helper()
	var again V
	mustUnmarshal(t, encode(t, value), &again)
	if diff := cmp.Diff(value, again); diff != "" {
		t.Errorf("%T (-before +after):\n%s", value, diff)
	}
}

func TestUnmarshalRequest(t *testing.T) {
	t.Parallel()
	at := time.Date(2019, 9, 15, 0, 19, 14, 421e6, time.UTC)
	tests := map[string]struct {
		data string
		want calls.CreateRequest // nil for an error
		err  error
	}{
		"outbound":                    {`{"call_type":"Voice Outbound (API)","agent_email":"agent@example.com","ticket_id":"71450"}`, outbound{AgentEmail: "agent@example.com", TicketID: "71450"}, nil},
		"inbound":                     {`{"call_type":"Voice Inbound (API)","menu_id":9,"end_user_number":"+1 859-657-9625"}`, anInbound, nil},
		"scheduled":                   {`{"call_type":"Voice Scheduled (API)","menu_id":9,"scheduled_at":"2019-09-15T00:19:14.421Z"}`, scheduled{MenuID: 9, ScheduledAt: at}, nil},
		"a deprecated outbound type":  {`{"call_type":"OutboundCall"}`, outbound{}, nil},
		"a deprecated inbound type":   {`{"call_type":"IncomingCall"}`, inbound{}, nil},
		"a deprecated scheduled type": {`{"call_type":"ScheduledCall"}`, scheduled{}, nil},
		"another type":                {`{"call_type":"Voice Inbound (IVR)"}`, nil, calls.ErrCallTypeInvalid},
		"no type":                     {`{"menu_id":9}`, nil, calls.ErrCallTypeInvalid},
		"a field of another type":     {`{"call_type":"Voice Inbound (API)","menu_id":"9"}`, nil, calls.ErrInvalidRequest},
		"not an object":               {`[]`, nil, calls.ErrInvalidRequest},
		"not JSON":                    {`agent@example.com`, nil, calls.ErrInvalidRequest},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := calls.UnmarshalRequest([]byte(tt.data))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if err != nil && strings.Contains(err.Error(), "agent@example.com") {
				t.Errorf("the data is in %q", err)
			}
		})
	}
}

// TestRequestIsNotChanged has a number that is sent as E.164.
func TestRequestIsNotChanged(t *testing.T) {
	t.Parallel()
	request := &outbound{AgentEmail: "agent@example.com", EndUserNumber: "859-657-9625"}
	if err := newClient(t, untouched(t), calls.WithDefaultRegion("US")).Validate(request); err != nil {
		t.Fatal(err)
	}
	if request.EndUserNumber != "859-657-9625" {
		t.Errorf("the number was changed to %s", request.EndUserNumber)
	}
}

func TestNilRequestsAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]calls.CreateRequest{
		"nil":                     nil,
		"a nil outbound request":  (*outbound)(nil),
		"a nil inbound request":   (*inbound)(nil),
		"a nil scheduled request": (*scheduled)(nil),
	}
	for name, request := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := newClient(t, untouched(t)).Validate(request)
			var invalid *calls.ValidationError
			if !errors.Is(err, calls.ErrInvalidRequest) || !errors.As(err, &invalid) {
				t.Errorf("error %v, want a *ValidationError", err)
			}
		})
	}
}

// TestUndecodableResponsesOfACreate checks that a 201 means a call with any body,
// and that other statuses mean an unknown outcome without the body they promise.
func TestUndecodableResponsesOfACreate(t *testing.T) {
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
		{"a 201 with an id of another type", 201, `{"id":{"value":397}}`, accepted, calls.DeliveryAccepted},
		{"a 201 with an id that is not a number", 201, `{"id":"call-397"}`, accepted, calls.DeliveryAccepted},
		{"a 201 with an id above int64", 201, `{"id":18446744073709551616}`, accepted, calls.DeliveryAccepted},
		{"a 201 with garbage", 201, `certainly!`, accepted, calls.DeliveryAccepted},
		{"a 201 with HTML", 201, `<html></html>`, accepted, calls.DeliveryAccepted},
		{"a 201 without a body", 201, ``, accepted, calls.DeliveryAccepted},
		{"a 201 that is truncated in its id", 201, `{"id":39`, accepted, calls.DeliveryAccepted},
		{"a 201 with an array", 201, `[]`, accepted, calls.DeliveryAccepted},
		{"a 201 with null", 201, `null`, accepted, calls.DeliveryAccepted},
		{"a 200 with HTML is a gateway's page", 200, `<html></html>`, unknown, calls.DeliveryUnknown},
		{"a 200 with plain text", 200, `OK`, unknown, calls.DeliveryUnknown},
		{"a 200 with half an object", 200, `{"call_type":`, unknown, calls.DeliveryUnknown},
		{"a 204", 204, ``, unknown, calls.DeliveryUnknown},
		{"a 200 without a body", 200, ``, unknown, calls.DeliveryUnknown},
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

// TestACallWithAnIDIsNotLost has responses with an id that are unusual in other ways.
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

func TestResponsesOfACreateOnTheWire(t *testing.T) {
	const accepted, unknown, rejected = calls.DeliveryAccepted, calls.DeliveryUnknown, calls.DeliveryRejected
	tests := map[string]struct {
		response string
		id       int64 // of the call; -1 for AwaitsAgent
		delivery calls.Delivery
		err      error
	}{
		"a 200 with HTML, truncated":     {truncated(200, "<html>"), 0, unknown, calls.ErrUndecodable},
		"a 200 with an error":            {whole(200, `{"error":"maintenance"}`), 0, unknown, calls.ErrUndecodable},
		"a 200 without a body":           {whole(200, ""), 0, unknown, calls.ErrUndecodable},
		"a 200 with an empty object":     {whole(200, "{}"), 0, unknown, calls.ErrUndecodable},
		"a 200 with an array":            {whole(200, "[]"), 0, unknown, calls.ErrUndecodable},
		"a 200 with null":                {whole(200, "null"), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes, truncated":   {truncated(200, `{"call_type":"Voice Outbound (API)",`), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes, no end":      {truncated(200, `{"call_type":"Voice Outbound (API)"}`), 0, unknown, calls.ErrUndecodable},
		"a truncated 202":                {truncated(202, ""), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes":              {whole(200, `{"call_type":"Voice Outbound (API)"}`), -1, accepted, nil},
		"a 200 with an id":               {whole(200, `{"id":7,"status":"assigned"}`), 7, accepted, nil},
		"a 201":                          {whole(201, `{"id":397}`), 397, accepted, nil},
		"a 201, truncated after the id":  {truncated(201, `{"id":397,"lang":"e`), 397, accepted, nil},
		"a 201, truncated in the id":     {truncated(201, `{"id":39`), 0, accepted, calls.ErrUndecodable},
		"a 201, truncated before the id": {truncated(201, `{"lang":"en","i`), 0, accepted, calls.ErrUndecodable},
		"a 201, truncated, an inner id":  {truncated(201, `{"selected_menu":{"id":9},"lang`), 0, accepted, calls.ErrUndecodable},
		"a 201 with HTML":                {whole(201, "<html>created</html>"), 0, accepted, calls.ErrUndecodable},
		"a 201 that is too long":         {whole(201, `{"id":397,"x":"`+strings.Repeat("x", 11<<20)+`"}`), 397, accepted, nil},
		"a 202":                          {whole(202, ""), -1, accepted, nil},
		"a 202 with an object":           {whole(202, `{"status":"waiting"}`), -1, accepted, nil},
		"a 202 with an id":               {whole(202, `{"id":8}`), 8, accepted, nil},
		"a 202 with a message":           {whole(202, `{"message":"Agent is not available to take this call"}`), 0, unknown, calls.ErrUndecodable},
		"a 202 with an error":            {whole(202, `{"error":"no"}`), 0, unknown, calls.ErrUndecodable},
		"a 202 with HTML":                {whole(202, "<html>"), 0, unknown, calls.ErrUndecodable},
		"a 204":                          {"HTTP/1.1 204 No Content\r\n\r\n", 0, unknown, calls.ErrUndecodable},
		"a 408 of a proxy":               {whole(408, "<html>Your browser didn't send a complete request"), 0, unknown, calls.ErrOutcomeUnknown},
		"a truncated 408":                {truncated(408, "<html>"), 0, unknown, calls.ErrOutcomeUnknown},
		"a 101 without more":             {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 0, unknown, calls.ErrOutcomeUnknown},
		"a truncated 400":                {truncated(400, `{"message":"Contact not fo`), 0, rejected, calls.ErrInvalidRequest},
		"a 400 with a message":           {whole(400, `{"message":"Contact not found"}`), 0, rejected, calls.ErrContactNotFound},
		"two responses":                  {whole(201, `{"id":397}`) + whole(400, `{"message":"Contact not found"}`), 397, accepted, nil},
		"early hints, then a 201":        {"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + whole(201, `{"id":397}`), 397, accepted, nil},
		"only early hints":               {"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", 0, unknown, calls.ErrOutcomeUnknown},
		"a body that is not compressed":  {"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" + `{"id":397}`, 0, accepted, calls.ErrUndecodable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, requests := rawServer(t, tt.response, false)
			client := newClient(t, nil, calls.WithBaseURL(root), calls.WithRetry(calls.RetryPolicy{MinWait: 1, MaxWait: 1}))
			result, err := creates["CreateOutbound"](t.Context(), client)
			if got := calls.DeliveryOf(err); got != tt.delivery || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("%v, %v", got, err)
			}
			if tt.delivery == unknown && !errors.Is(err, calls.ErrOutcomeUnknown) {
				t.Errorf("error %v is not ErrOutcomeUnknown", err)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
			switch {
			case err != nil:
			case result.AwaitsAgent != (tt.id == -1) || (result.Call == nil) != result.AwaitsAgent || result.Call != nil && result.Call.ID != tt.id:
				t.Errorf("%v", result)
			case !strings.Contains(tt.response, "X-Request-Id") || result.Header.Get("X-Request-Id") != "gateway-7" || result.StatusCode/100 != 2:
				t.Errorf("%d %v", result.StatusCode, result.Header)
			}
		})
	}
}

// TestA201ThatStallsAfterTheIDIsNotLost never sends the rest of the response.
func TestA201ThatStallsAfterTheIDIsNotLost(t *testing.T) {
	for _, body := range []string{`{"id":397,"lang":"e`, `{"id":397`} {
		ctx, cancel := context.WithCancel(t.Context())
		root, _ := rawServer(t, truncated(201, body), true)
		client := newClient(t, nil, calls.WithBaseURL(root), calls.WithMiddleware(cancelOnStall(callstest.StallBody, nil, cancel)))
		result, err := creates["CreateOutbound"](ctx, client)
		cancel()
		if isWhole := strings.Contains(body, ","); isWhole && (err != nil || result.Call.ID != 397) || !isWhole && (calls.DeliveryOf(err) != calls.DeliveryAccepted || err == nil) {
			t.Errorf("%s: %v, %v", body, result, err)
		}
	}
}

// TestATruncated201IsAccepted loses the connection after the status line.
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

// rawServer responds to each request with the given bytes, and then closes the
// connection, or stalls if stalls is true. It counts the requests.
func rawServer(t *testing.T, response string, stalls bool) (root string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	requests = new(atomic.Int32)
	serve := func(conn net.Conn) {
		defer conn.Close()
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		requests.Add(1)
		_, _ = io.WriteString(conn, response)
		if stalls {
			_, _ = conn.Read(make([]byte, 1)) // until the client goes away
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

// whole returns a response with its length, and truncated one that is shorter than its
// length.
func whole(status int, body string) string { return rawResponse(status, len(body), body) }

func truncated(status int, body string) string { return rawResponse(status, len(body)+500, body) }

func rawResponse(status, length int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nX-Request-Id: gateway-7\r\nContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), length, body)
}

func TestTimeoutOfACreateIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := createError(t, silent, calls.WithAttemptTimeout(5*time.Second))
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
		if !errors.Is(err, calls.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) || calls.DeliveryOf(err) != calls.DeliveryUnknown {
			t.Errorf("error %v, delivery %v", err, calls.DeliveryOf(err))
		}
	})
}

func TestCanceledCreateIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := newClient(t, roundTripper(silent)).CreateOutbound(ctx, anOutbound)
		if !errors.Is(err, calls.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// TestCreateIsNotRetried has a policy that allows more attempts. Retrying a create that
// may have been carried out can call a person twice.
func TestCreateIsNotRetried(t *testing.T) {
	t.Parallel()
	tests := map[string]roundTripper{
		"a 500":               responding(http.StatusInternalServerError, ""),
		"a 503":               responding(http.StatusServiceUnavailable, ""),
		"a broken connection": broken,
		"no response":         silent,
		"a gateway's page":    responding(http.StatusOK, "<html>"),
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
					t.Errorf("sent %d times: %v", sent, err)
				}
			})
		})
	}
}

// TestAnIDOfTwoCreates checks that the second result reports the first create.
func TestAnIDOfTwoCreates(t *testing.T) {
	client := handlerClient(t, &recorder{status: 201, response: `{"id":7,"status":"queued"}`})
	first, err := client.CreateInbound(t.Context(), anyone)
	if err != nil || first.AlsoOwnedBy != "" {
		t.Fatal(first, err)
	}
	p, err := client.Prepare(anyone, calls.WithKey("task 8812"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := client.Send(t.Context(), p, nil)
	if err != nil || second.Call.ID != 7 || second.AlsoOwnedBy == "" || second.AlsoOwnedBy == "task 8812" {
		t.Errorf("%v, %v", second, err)
	}
}
