package calls_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

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
