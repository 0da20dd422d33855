package calls_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestDeliveryOf(t *testing.T) {
	t.Parallel()
	refused := newClient(t, untouched(t)).Validate(calls.OutboundRequest{})
	unknown := createError(t, broken)
	accepted := createError(t, responding(http.StatusCreated, "{}"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, tooLate := newClient(t, untouched(t)).CreateOutbound(ended, anOutbound)
	noTurn := createError(t, untouched(t), calls.WithRateLimiter(limiterFunc(func(context.Context) error { return io.EOF })))
	tests := map[string]struct {
		err  error
		want calls.Delivery
	}{
		"nil":                               {nil, calls.DeliveryAccepted},
		"an error of another package":       {errors.New("foreign"), calls.DeliveryUnknown},
		"a context error by itself":         {context.Canceled, calls.DeliveryUnknown},
		"a bare sentinel":                   {calls.ErrOutcomeUnknown, calls.DeliveryUnknown},
		"one problem with the request":      {&calls.ValidationError{Field: "lang", Reason: "is malformed"}, calls.DeliveryNotSent},
		"several problems":                  {refused, calls.DeliveryNotSent},
		"an unknown outcome":                {unknown, calls.DeliveryUnknown},
		"a response that cannot be decoded": {accepted, calls.DeliveryAccepted},
		"wrapped problems":                  {fmt.Errorf("dialing: %w", refused), calls.DeliveryNotSent},
		"a wrapped unknown outcome":         {fmt.Errorf("dialing: %w", unknown), calls.DeliveryUnknown},
		"a wrapped undecodable response":    {fmt.Errorf("dialing: %w", accepted), calls.DeliveryAccepted},
		"joined after another error":        {errors.Join(errors.New("foreign"), accepted), calls.DeliveryAccepted},
		"joined before another error":       {errors.Join(refused, errors.New("foreign")), calls.DeliveryNotSent},
		"a 200 that is an error":            {&calls.APIError{StatusCode: 200}, calls.DeliveryAccepted},
		"a 201 that is an error":            {&calls.APIError{StatusCode: 201}, calls.DeliveryAccepted},
		"a 202 that is an error":            {&calls.APIError{StatusCode: 202}, calls.DeliveryAccepted},
		"a 302":                             {&calls.APIError{StatusCode: 302}, calls.DeliveryRejected},
		"a 400":                             {&calls.APIError{StatusCode: 400}, calls.DeliveryRejected},
		"a 404":                             {&calls.APIError{StatusCode: 404}, calls.DeliveryRejected},
		"a 429":                             {&calls.APIError{StatusCode: 429}, calls.DeliveryRejected},
		"a 499":                             {&calls.APIError{StatusCode: 499}, calls.DeliveryUnknown},
		"a 500":                             {&calls.APIError{StatusCode: 500}, calls.DeliveryUnknown},
		"a 503, wrapped":                    {fmt.Errorf("dialing: %w", &calls.APIError{StatusCode: 503}), calls.DeliveryUnknown},
		"an APIError without a status":      {&calls.APIError{}, calls.DeliveryUnknown},
		"a 101":                             {&calls.APIError{StatusCode: 101}, calls.DeliveryUnknown},
		"an error of the rate limiter":      {noTurn, calls.DeliveryNotSent},
		"a context that had ended":          {tooLate, calls.DeliveryNotSent},
		"a nil pointer to a request":        {newClient(t, untouched(t)).Validate((*calls.InboundRequest)(nil)), calls.DeliveryNotSent},
		"a zero Client":                     {createErrorOf(&calls.Client{}), calls.DeliveryNotSent},
		"a nil Client":                      {createErrorOf(nil), calls.DeliveryNotSent},
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

// TestZeroDeliveryIsUnknown checks that the zero value never allows a retry.
func TestZeroDeliveryIsUnknown(t *testing.T) {
	t.Parallel()
	if calls.DeliveryUnknown != 0 {
		t.Errorf("DeliveryUnknown is %d", calls.DeliveryUnknown)
	}
}

func TestMayExist(t *testing.T) {
	t.Parallel()
	for delivery, want := range map[calls.Delivery]bool{
		calls.DeliveryUnknown:  true,
		calls.DeliveryNotSent:  false,
		calls.DeliveryRejected: false,
		calls.DeliveryAccepted: true,
		calls.Delivery(99):     true,
	} {
		if got := delivery.MayExist(); got != want {
			t.Errorf("%d: MayExist returns %v", delivery, got)
		}
	}
}

func TestRetryAfterReportsWhatCanBeRetried(t *testing.T) {
	server := newServer(t)
	once := calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1})
	for fault, want := range map[callstest.Fault]time.Duration{
		callstest.RateLimited("7"):   7 * time.Second,
		callstest.RateLimited("2.0"): 2 * time.Second,
		callstest.RateLimited(""):    time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			server.Fail(fault)
			_, err := creates["CreateInbound"](t.Context(), inProcessClient(t, server, once))
			if wait, ok := calls.RetryAfter(err); wait != want || !ok || apiErrorOf(t, err).RetryAfter != want {
				t.Errorf("%v: %v, %v, %v", fault, wait, ok, err)
			}
		})
	}
	refused := callstest.NewServer(t)
	refused.Fail(callstest.RefuseConnection)
	client := socketClient(t, refused, once)
	_, err := creates["CreateInbound"](t.Context(), client)
	if _, ok := calls.RetryAfter(err); !ok || calls.DeliveryOf(err) != calls.DeliveryNotSent {
		t.Errorf("a refused connection: %v", err)
	}
	for _, fault := range []callstest.Fault{callstest.HangUpAfterCreate, callstest.Status(400), callstest.Status(503)} {
		refused.Fail(fault)
		_, err := creates["CreateInbound"](t.Context(), client)
		if _, ok := calls.RetryAfter(err); ok || err == nil {
			t.Errorf("%v: %v", fault, err)
		}
	}
	for name, err := range map[string]error{
		"nil": nil, "of another package": context.Canceled, "not valid": client.Validate(calls.InboundRequest{}), "a nil Client": (*calls.Client)(nil).Validate(anInbound),
	} {
		if _, ok := calls.RetryAfter(err); ok {
			t.Errorf("%s: RetryAfter reports true", name)
		}
	}
}

func TestTextsOfErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		transport roundTripper
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

// TestCauseOfAnUnknownOutcomeIsKept finds the cause with errors.Is and errors.As.
func TestCauseOfAnUnknownOutcomeIsKept(t *testing.T) {
	cause := errors.New("cause")
	err := createError(t, func(*http.Request) (*http.Response, error) { return nil, cause })
	if !errors.Is(err, cause) || !errors.Is(err, calls.ErrOutcomeUnknown) {
		t.Errorf("an error of the transport: %v", err)
	}

	server := callstest.NewServer(t)
	client := socketClient(t, server)
	create := creates["CreateOutbound"]
	server.Fail(callstest.StatusAfterCreate(502))
	_, err = create(t.Context(), client)
	if apiErr := apiErrorOf(t, err); apiErr.StatusCode != 502 || apiErr.Attempts != 1 || !errors.Is(err, calls.ErrServer) {
		t.Errorf("a 5xx: %v", err)
	}
	server.Fail(callstest.Stall)
	if _, err = create(t.Context(), socketClient(t, server, shortTimeout)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a stall: %v", err)
	}
	server.Fail(callstest.Stall)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for len(server.Requests()) < 3 {
			runtime.Gosched()
		}
		cancel()
	}()
	if _, err = create(ctx, client); !errors.Is(err, context.Canceled) || calls.DeliveryOf(err) != calls.DeliveryUnknown {
		t.Errorf("canceled: %v", err)
	}
}

func TestIntentOfACreate(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, roundTripper(broken)).CreateScheduled(t.Context(), calls.ScheduledRequest{
		MenuID: 9, ParentCallID: 514, TicketID: "76517", EndUserNumber: goodNumber, ScheduledAt: documentedNow.Add(time.Hour),
	})
	got, ok := calls.IntentOf(fmt.Errorf("ticket 76517: %w", err))
	want := calls.Intent{
		ID: got.ID, Attempt: got.Attempt, CallType: calls.CallTypeScheduled, SentAfter: documentedNow, SentBefore: got.SentBefore,
		MenuID: 9, ParentCallID: 514, TicketID: "76517", ScheduledAt: documentedNow.Add(time.Hour),
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" || got.ID == "" || got.Attempt == "" || got.SentBefore.Before(documentedNow) {
		t.Errorf("%v, intent (-want +got):\n%s", ok, diff)
	}
	if strings.Contains(string(encode(t, got)), "9625") {
		t.Errorf("the number of the end user is in %s", encode(t, got))
	}
	for name, err := range map[string]error{
		"nil": nil, "of another package": io.EOF, "a validation error": newClient(t, untouched(t)).Validate(outbound{}),
		"a read": func() error {
			_, err := newClient(t, roundTripper(broken)).GetCustomerFlag(t.Context(), 397)
			return err
		}(),
	} {
		if intent, ok := calls.IntentOf(err); ok {
			t.Errorf("%s: intent %+v", name, intent)
		}
	}
}

// TestAClockThatIsSetBackDuringACreate has a clock that is an hour fast and set right
// before the response is lost. The call has the right time.
func TestAClockThatIsSetBackDuringACreate(t *testing.T) {
	t.Parallel()
	right := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	now := right.Add(time.Hour)
	client := newClient(t, roundTripper(func(*http.Request) (*http.Response, error) {
		now = right.Add(time.Second)
		return nil, io.EOF
	}), calls.WithClock(func() time.Time { return now }))
	_, err := client.CreateOutbound(t.Context(), anOutbound)
	intent, _ := calls.IntentOf(err)
	var call calls.Call
	mustUnmarshal(t, []byte(`{"id":397,"call_type":"Voice Outbound (API)","created_at":"2026-11-30T12:00:00Z"}`), &call)
	if !intent.Fits(&call, time.Minute) || intent.SentAfter.After(intent.SentBefore) {
		t.Errorf("the call does not fit %+v", intent)
	}
}

func TestPreparedSurvivesJSON(t *testing.T) {
	t.Parallel()
	platform := &recorder{status: http.StatusCreated, response: `{"id":397}`}
	client := handlerClient(t, platform)
	prepared, err := client.Prepare(anOutbound, calls.WithKey("task 8812"))
	if err != nil {
		t.Fatal(err)
	}
	var read calls.Prepared
	mustUnmarshal(t, encode(t, prepared), &read)
	if read.ID() != "task 8812" || read.Intent() != prepared.Intent() {
		t.Errorf("id %q, intent %+v", read.ID(), read.Intent())
	}
	if _, err := client.Send(t.Context(), &read, nil); err != nil {
		t.Fatal(err)
	}
	if want := `{"call_type":"Voice Outbound (API)","agent_email":"agent@example.com","end_user_number":"+1 859-657-9625"}`; platform.body != want {
		t.Errorf("sent %s, want %s", platform.body, want)
	}
}

func TestMalformedPrepared(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"not an object":      `[]`,
		"no intent":          `{"request":{"call_type":"Voice Inbound (API)"}}`,
		"no request":         `{"intent":{"id":"1","call_type":"Voice Inbound (API)"}}`,
		"no id":              `{"intent":{"call_type":"Voice Inbound (API)"},"request":{"call_type":"Voice Inbound (API)"}}`,
		"an unknown type":    `{"intent":{"id":"1","call_type":"x"},"request":{"call_type":"x"}}`,
		"different types":    `{"intent":{"id":"1","call_type":"Voice Inbound (API)"},"request":{"call_type":"Voice Outbound (API)"}}`,
		"a request of text":  `{"intent":{"id":"1","call_type":"Voice Inbound (API)"},"request":"agent@example.com"}`,
		"an intent of texts": `{"intent":{"id":1},"request":{}}`,
	} {
		var prepared calls.Prepared
		err := json.Unmarshal([]byte(data), &prepared)
		if err == nil || strings.Contains(err.Error(), "agent@example.com") || prepared.ID() != "" {
			t.Errorf("%s: id %q, %v", name, prepared.ID(), err)
		}
	}
	var none *calls.Prepared
	client := newClient(t, untouched(t))
	for name, prepared := range map[string]*calls.Prepared{"nil": none, "zero": {}} {
		if text := string(encode(t, prepared)); text != "null" || prepared.ID() != "" {
			t.Errorf("%s: id %q, marshals to %s", name, prepared.ID(), text)
		}
		if _, err := client.Send(t.Context(), prepared, nil); !errors.Is(err, calls.ErrInvalidRequest) || calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%s: sent with %v", name, err)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	client := newClient(t, untouched(t))
	for key, isValid := range map[string]bool{
		"task 8812": true, strings.Repeat("k", 255): true, strings.Repeat("k", 256): false, "": false, " \t": false,
	} {
		prepared, err := client.Prepare(anInbound, calls.WithKey(key))
		switch {
		case isValid && (err != nil || prepared.ID() != key):
			t.Errorf("%q: id %q, %v", key, prepared.ID(), err)
		case !isValid:
			checkProblems(t, err, []problem{{"key", calls.ErrInvalidRequest}})
		}
	}
	first, err1 := client.Prepare(anInbound)
	second, err2 := client.Prepare(anInbound)
	if err1 != nil || err2 != nil || first.ID() == "" || first.ID() == second.ID() {
		t.Errorf("ids without a key: %q, %q, %v, %v", first.ID(), second.ID(), err1, err2)
	}
}

// journal records the attempts. Sending returns err.
type journal struct {
	sending, notSent []calls.Intent
	err              error
}

func (j *journal) Sending(_ context.Context, i calls.Intent) error {
	j.sending = append(j.sending, i)
	return j.err
}

func (j *journal) NotSent(_ context.Context, i calls.Intent) { j.notSent = append(j.notSent, i) }

// TestJournalGetsEachAttempt has two attempts that are not carried out before one whose
// outcome is unknown.
func TestJournalGetsEachAttempt(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t)
	client := socketClient(t, server)
	server.Fail(callstest.RateLimited("0"), callstest.RefuseConnection, callstest.HangUpAfterCreate)
	prepared, err := client.Prepare(anOutbound, calls.WithKey("task 8812"))
	if err != nil {
		t.Fatal(err)
	}
	var j journal
	_, err = client.Send(t.Context(), prepared, &j)
	if !errors.Is(err, calls.ErrOutcomeUnknown) || len(j.sending) != 3 || !slices.Equal(j.notSent, j.sending[:2]) {
		t.Fatalf("sending %v, not sent %v: %v", j.sending, j.notSent, err)
	}
	attempts := map[string]bool{}
	for _, i := range j.sending {
		attempts[i.Attempt] = true
		if i.ID != "task 8812" || i.Attempt == "" || i.SentAfter.IsZero() || !i.SentBefore.After(i.SentAfter) {
			t.Errorf("attempt %+v", i)
		}
	}
	if last := intentOf(err); len(attempts) != 3 || last.Attempt != j.sending[2].Attempt || last.SentBefore.After(j.sending[2].SentBefore) {
		t.Errorf("attempts %v, the error has %+v", attempts, last)
	}
}

func TestAJournalThatFailsSendsNothing(t *testing.T) {
	t.Parallel()
	client := newClient(t, untouched(t), calls.WithRetry(calls.RetryPolicy{}))
	prepared, err := client.Prepare(anOutbound)
	if err != nil {
		t.Fatal(err)
	}
	j := journal{err: errors.New("the disk is full")}
	_, err = client.Send(t.Context(), prepared, &j)
	if !errors.Is(err, j.err) || calls.DeliveryOf(err) != calls.DeliveryNotSent || len(j.sending) != 1 {
		t.Errorf("%d attempts, %v, %v", len(j.sending), calls.DeliveryOf(err), err)
	}
}
