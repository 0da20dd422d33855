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

// What a body does not have is as much a promise as what it has: empty fields
// are the platform's to fill in.
func TestBodies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request calls.CreateRequest
		want    map[string]any
	}{
		"the least outbound": {anOutbound, map[string]any{
			"call_type": "Voice Outbound (API)", "agent_email": "agent@example.com", "end_user_number": goodNumber,
		}},
		"the least inbound": {anInbound, map[string]any{
			"call_type": "Voice Inbound (API)", "menu_id": 9.0, "end_user_number": goodNumber,
		}},
		"the least scheduled": {aScheduled, map[string]any{
			"call_type": "Voice Scheduled (API)", "menu_id": 9.0, "end_user_number": goodNumber, "scheduled_at": "2019-09-01T01:00:00.000Z",
		}},
		"an outbound ticket": {outbound{AgentEmail: "agent@example.com", TicketID: "71450"}, map[string]any{
			"call_type": "Voice Outbound (API)", "agent_email": "agent@example.com", "ticket_id": "71450",
		}},
		"the most inbound": {
			inbound{MenuID: 9, EndUserNumber: goodNumber, TicketID: "76517", OutboundNumber: "+1 339-219-5276", Lang: "fr-CA", RecordingPermission: calls.RecordingPermissionDenied},
			map[string]any{
				"call_type": "Voice Inbound (API)", "menu_id": 9.0, "end_user_number": goodNumber, "ticket_id": "76517",
				"outbound_number": "+1 339-219-5276", "lang": "fr-CA", "recording_permission": "recording_permission_denied",
			},
		},
		"the most scheduled": {
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

// As JSON a request keeps everything, so that it can wait in a queue.
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

// A request is the caller's: what goes out as E.164 stays as it was written.
func TestRequestIsNotChanged(t *testing.T) {
	t.Parallel()
	request := &outbound{AgentEmail: "agent@example.com", EndUserNumber: "859-657-9625"}
	if err := newClient(t, untouched(t), calls.WithDefaultRegion("US")).Validate(request); err != nil {
		t.Fatal(err)
	}
	if request.EndUserNumber != "859-657-9625" {
		t.Errorf("the number has become %s", request.EndUserNumber)
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
			if err := newClient(t, untouched(t)).Validate(request); !errors.Is(err, calls.ErrInvalidRequest) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// The documentation of Validate knows three outcomes: nil, a *ValidationError,
// and a list of them.
func TestNilRequestIsAValidationError(t *testing.T) {
	t.Parallel()
	err := newClient(t, untouched(t)).Validate(nil)
	var invalid *calls.ValidationError
	if !errors.As(err, &invalid) {
		t.Errorf("error %v is no *ValidationError", err)
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
		id       int64 // of the call; -1 if an agent has to finish it
		delivery calls.Delivery
		err      error
	}{
		"a 200 with HTML, cut":                   {cut(200, "<html>"), 0, unknown, calls.ErrUndecodable},
		"a 200 with an error":                    {whole(200, `{"error":"maintenance"}`), 0, unknown, calls.ErrUndecodable},
		"a 200 with nothing":                     {whole(200, ""), 0, unknown, calls.ErrUndecodable},
		"a 200 with an empty object":             {whole(200, "{}"), 0, unknown, calls.ErrUndecodable},
		"a 200 with an array":                    {whole(200, "[]"), 0, unknown, calls.ErrUndecodable},
		"a 200 with null":                        {whole(200, "null"), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes, cut":                 {cut(200, `{"call_type":"Voice Outbound (API)",`), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes, cut after that":      {cut(200, `{"call_type":"Voice Outbound (API)"}`), 0, unknown, calls.ErrUndecodable},
		"a 202 whose body is cut off":            {cut(202, ""), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes":                      {whole(200, `{"call_type":"Voice Outbound (API)"}`), -1, accepted, nil},
		"a 200 with an id":                       {whole(200, `{"id":7,"status":"assigned"}`), 7, accepted, nil},
		"a 201":                                  {whole(201, `{"id":397}`), 397, accepted, nil},
		"a 201, cut after the id":                {cut(201, `{"id":397,"lang":"e`), 397, accepted, nil},
		"a 201, cut within the id":               {cut(201, `{"id":39`), 0, accepted, calls.ErrUndecodable},
		"a 201, cut before the id":               {cut(201, `{"lang":"en","i`), 0, accepted, calls.ErrUndecodable},
		"a 201 with the id of something else":    {cut(201, `{"selected_menu":{"id":9},"lang`), 0, accepted, calls.ErrUndecodable},
		"a 201 with HTML":                        {whole(201, "<html>created</html>"), 0, accepted, calls.ErrUndecodable},
		"a 201 that is too long":                 {whole(201, `{"id":397,"x":"`+strings.Repeat("x", 11<<20)+`"}`), 397, accepted, nil},
		"a 202":                                  {whole(202, ""), -1, accepted, nil},
		"a 202 with an object":                   {whole(202, `{"status":"waiting"}`), -1, accepted, nil},
		"a 202 with an id":                       {whole(202, `{"id":8}`), 8, accepted, nil},
		"a 202 with a message":                   {whole(202, `{"message":"Agent is not available to take this call"}`), 0, unknown, calls.ErrUndecodable},
		"a 202 with an error":                    {whole(202, `{"error":"no"}`), 0, unknown, calls.ErrUndecodable},
		"a 202 with HTML":                        {whole(202, "<html>"), 0, unknown, calls.ErrUndecodable},
		"a 204":                                  {"HTTP/1.1 204 No Content\r\n\r\n", 0, unknown, calls.ErrUndecodable},
		"a 408 of a proxy":                       {whole(408, "<html>Your browser didn't send a complete request"), 0, unknown, calls.ErrOutcomeUnknown},
		"a 408 that is cut":                      {cut(408, "<html>"), 0, unknown, calls.ErrOutcomeUnknown},
		"a 101, and silence":                     {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 0, unknown, calls.ErrOutcomeUnknown},
		"a 400 that is cut":                      {cut(400, `{"message":"Contact not fo`), 0, rejected, calls.ErrInvalidRequest},
		"a 400 with a message":                   {whole(400, `{"message":"Contact not found"}`), 0, rejected, calls.ErrContactNotFound},
		"two responses":                          {whole(201, `{"id":397}`) + whole(400, `{"message":"Contact not found"}`), 397, accepted, nil},
		"early hints, then a 201":                {"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + whole(201, `{"id":397}`), 397, accepted, nil},
		"early hints, then the end":              {"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", 0, unknown, calls.ErrOutcomeUnknown},
		"a body that says that it is compressed": {"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" + `{"id":397}`, 0, accepted, calls.ErrUndecodable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, requests := rawServer(t, tt.response, false)
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			server := callstest.NewServer(t) // for its credentials
			client := socketClient(t, server, calls.WithBaseURL(root), calls.WithHTTPClient(&http.Client{Transport: transport}), calls.WithAttemptTimeout(time.Minute))
			result, err := creates["CreateOutbound"](t.Context(), client)
			if got := calls.DeliveryOf(err); got != tt.delivery || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("%v, %v", got, err)
			}
			if tt.delivery == unknown && !errors.Is(err, calls.ErrOutcomeUnknown) {
				t.Errorf("unknown, and yet %v", err)
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

// TestA201ThatStallsAfterTheIDIsNotLost has the rest of the response never come.
func TestA201ThatStallsAfterTheIDIsNotLost(t *testing.T) {
	for _, body := range []string{`{"id":397,"lang":"e`, `{"id":397`} {
		ctx, cancel := context.WithCancel(t.Context())
		root, _ := rawServer(t, cut(201, body), true)
		transport := &http.Transport{}
		client := socketClient(t, callstest.NewServer(t), calls.WithBaseURL(root), calls.WithHTTPClient(&http.Client{Transport: transport}),
			calls.WithAttemptTimeout(time.Minute), calls.WithMiddleware(cancelOnStall(callstest.StallBody, nil, cancel)))
		result, err := creates["CreateOutbound"](ctx, client)
		cancel()
		if isWhole := strings.Contains(body, ","); isWhole && (err != nil || result.Call.ID != 397) || !isWhole && (calls.DeliveryOf(err) != calls.DeliveryAccepted || err == nil) {
			t.Errorf("%s: %v, %v", body, result, err)
		}
		transport.CloseIdleConnections()
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

// rawServer responds to each request with the given bytes, and then closes the
// connection, or stalls if it is told to. It counts the requests.
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

// whole is a response with its length, and cut one that promises more than it has.
func whole(status int, body string) string { return rawResponse(status, len(body), body) }

func cut(status int, body string) string { return rawResponse(status, len(body)+500, body) }

func rawResponse(status, length int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nX-Request-Id: gateway-7\r\nContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), length, body)
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
		_, err := newClient(t, roundTripper(silent)).CreateOutbound(ctx, anOutbound)
		if !errors.Is(err, calls.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// A create that may have been carried out rings a second time when it is sent
// again, so it is not, however many attempts the policy allows.
func TestCreateOfOpenFateIsNotSentAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]roundTripper{
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

// TestAnIDThatComesTwiceIsTold by the result and in the log.
func TestAnIDThatComesTwiceIsTold(t *testing.T) {
	client := handlerClient(t, &recorder{status: 201, response: `{"id":7,"status":"queued"}`})
	first, err := client.CreateInbound(t.Context(), anybody)
	if err != nil || first.AlsoOwnedBy != "" {
		t.Fatal(first, err)
	}
	p, err := client.Prepare(anybody, calls.WithKey("task 8812"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := client.Send(t.Context(), p, nil)
	if err != nil || second.Call.ID != 7 || second.AlsoOwnedBy == "" || second.AlsoOwnedBy == "task 8812" {
		t.Errorf("%v, %v", second, err)
	}
}
