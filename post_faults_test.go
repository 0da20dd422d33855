package calls_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"golang.org/x/net/http2"
)

// protocols are the versions of HTTP that a request can use.
var protocols = map[string][]callstest.Option{
	"HTTP/1":             {callstest.WithTLS()},
	"HTTP/2":             {callstest.WithTLS(), callstest.WithHTTP2()},
	"HTTP/2 without TLS": {callstest.WithHTTP2()},
}

// posts has every operation that sends a POST. made returns how often the platform
// carried it out.
var posts = map[string]struct {
	send func(ctx context.Context, c *calls.Client, callID int64) error
	made func(s *callstest.Server, callID int64) int
	// isCreate means that the response has to have the id of the call.
	isCreate bool
	// isRefused means that the platform refuses every such request.
	isRefused bool
	// needsAll means that a truncated response leaves the outcome unknown.
	needsAll bool
}{
	"CreateOutbound":      {send: errorOf("CreateOutbound"), made: callsMade, isCreate: true},
	"CreateInbound":       {send: errorOf("CreateInbound"), made: callsMade, isCreate: true},
	"CreateScheduled":     {send: errorOf("CreateScheduled"), made: callsMade, isCreate: true},
	"AuthenticateEndUser": {send: authenticate, made: endUsersKnown},
	"DialThirdParty":      {send: dialThirdParty, made: thirdPartiesDialed, needsAll: true},
	"Do with a body":      {send: doPost(outboundBody), made: callsMade},
	"Do without a body":   {send: doPost(nil), made: callsMade, isRefused: true},
}

var outboundBody = body{"call_type": "Voice Outbound (API)", "agent_email": "agent@example.com", "end_user_number": "+1 859-657-9625"}

func errorOf(create string) func(context.Context, *calls.Client, int64) error {
	return func(ctx context.Context, c *calls.Client, _ int64) error {
		result, err := creates[create](ctx, c)
		if (result != nil && result.Call != nil) != (err == nil) {
			return errors.New("neither a call nor an error, or both")
		}
		return err
	}
}

// callsMade leaves out the call that each test begins with.
func callsMade(s *callstest.Server, _ int64) int { return len(s.Calls()) - 1 }

func authenticate(ctx context.Context, c *calls.Client, callID int64) error {
	return c.AuthenticateEndUser(ctx, callID, calls.EndUserAuth{Identifier: "customer-8812"})
}

func endUsersKnown(s *callstest.Server, callID int64) int { return len(s.EndUsers(callID)) }

func dialThirdParty(ctx context.Context, c *calls.Client, callID int64) error {
	participant, err := c.DialThirdParty(ctx, callID, aThirdParty)
	if (participant != nil) != (err == nil) {
		return errors.New("neither a participant nor an error, or both")
	}
	return err
}

func thirdPartiesDialed(s *callstest.Server, callID int64) int {
	for _, call := range s.Calls() {
		if call.ID == callID {
			return len(call.ThirdParties)
		}
	}
	return 0
}

func doPost(in any) func(context.Context, *calls.Client, int64) error {
	return func(ctx context.Context, c *calls.Client, _ int64) error {
		_, err := c.Do(ctx, http.MethodPost, "calls", nil, in, nil)
		return err
	}
}

// postFault has the outcome of a POST under faults.
type postFault struct {
	faults   []callstest.Fault
	requests int // that reached the platform
	delivery calls.Delivery
	made     int
	// err is nil if the operation succeeds. ErrUndecodable is for creates only.
	err error
}

// postFaults has the faults of every version of HTTP.
var postFaults = []postFault{
	// Retried: not a byte was written, or the platform refused the request.
	{faultsOf(callstest.RefuseConnection), 1, calls.DeliveryAccepted, 1, nil},
	{faultsOf(callstest.RateLimited("")), 2, calls.DeliveryAccepted, 1, nil},
	{faultsOf(callstest.RateLimited("0")), 2, calls.DeliveryAccepted, 1, nil},
	{faultsOf(callstest.RateLimited("-1")), 2, calls.DeliveryAccepted, 1, nil},
	{faultsOf(callstest.RateLimited("nonsense")), 2, calls.DeliveryAccepted, 1, nil},
	{times(4, callstest.RefuseConnection), 0, calls.DeliveryNotSent, 0, io.EOF}, // any error
	// Not retried, although no call was made: the client cannot know.
	{faultsOf(callstest.HangUpBeforeRead), 0, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.HangUpAfterRead), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Reset), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.NotHTTP), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Stall), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(500)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(501)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(502)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(503)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(504)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(204)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(408)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(460)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Status(499)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.Redirect(303, "/apps/api/v1/calls")), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	// Not retried: the platform would have carried it out twice.
	{faultsOf(callstest.HangUpAfterCreate), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.ResetAfterCreate), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.StallAfterCreate), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.StatusAfterCreate(408)), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.StatusAfterCreate(500)), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.StatusAfterCreate(502)), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.CutStatusLine), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.CutHeaders), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	// The first attempt was refused, and the outcome of the last is unknown.
	{faultsOf(callstest.RateLimited(""), callstest.HangUpAfterCreate), 2, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	// Carried out, although the response may be unusable.
	{faultsOf(callstest.CutBody), 1, calls.DeliveryAccepted, 1, nil},
	{faultsOf(callstest.StallBody), 1, calls.DeliveryAccepted, 1, nil},
	{faultsOf(callstest.HugeBody), 1, calls.DeliveryAccepted, 1, calls.ErrUndecodable},
	{faultsOf(callstest.DripBody), 1, calls.DeliveryAccepted, 1, nil},
	{faultsOf(callstest.CloseIdle), 1, calls.DeliveryAccepted, 1, nil},
	{faultsOf(callstest.Pass), 1, calls.DeliveryAccepted, 1, nil},
	// Refused.
	{faultsOf(callstest.RateLimited("3600")), 1, calls.DeliveryRejected, 0, calls.ErrRateLimited},
	{faultsOf(callstest.Status(400)), 1, calls.DeliveryRejected, 0, calls.ErrInvalidRequest},
	{faultsOf(callstest.Status(401)), 1, calls.DeliveryRejected, 0, calls.ErrUnauthorized},
	{faultsOf(callstest.Status(403)), 1, calls.DeliveryRejected, 0, calls.ErrForbidden},
	{faultsOf(callstest.Status(404)), 1, calls.DeliveryRejected, 0, calls.ErrNotFound},
	{faultsOf(callstest.Status(405)), 1, calls.DeliveryRejected, 0, calls.ErrRejected},
	{faultsOf(callstest.Status(409)), 1, calls.DeliveryRejected, 0, calls.ErrRejected},
	{faultsOf(callstest.Status(422)), 1, calls.DeliveryRejected, 0, calls.ErrInvalidRequest},
	{faultsOf(callstest.Redirect(301, "/elsewhere")), 1, calls.DeliveryRejected, 0, calls.ErrRedirected},
	{faultsOf(callstest.Redirect(302, "/apps/api/v1/calls")), 1, calls.DeliveryRejected, 0, calls.ErrRedirected},
	{faultsOf(callstest.Redirect(307, "/apps/api/v1/calls")), 1, calls.DeliveryRejected, 0, calls.ErrRedirected},
	{faultsOf(callstest.Redirect(308, "https://other.example.com/")), 1, calls.DeliveryRejected, 0, calls.ErrRedirected},
}

// http2Faults has the faults of HTTP/2 only. After each of them net/http retries a
// request whose body it can read again, and gateways send them for requests that they
// have forwarded.
var http2Faults = []postFault{
	{faultsOf(callstest.RefuseStream), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.RefuseStreamAfterCreate), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.ResetStream(http2.ErrCodeProtocol)), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.ResetStreamAfterCreate(http2.ErrCodeProtocol)), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.ResetStreamAfterCreate(http2.ErrCodeInternal)), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.ResetStreamAfterCreate(http2.ErrCodeNo)), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.ResetStreamAfterCreate(http2.ErrCodeHTTP11Required)), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.GoAway), 1, calls.DeliveryUnknown, 0, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.GoAwayAfterCreate), 1, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
	{faultsOf(callstest.RateLimited(""), callstest.GoAwayAfterCreate), 2, calls.DeliveryUnknown, 1, calls.ErrOutcomeUnknown},
}

// tlsFaults has the faults of connections with TLS only.
var tlsFaults = []postFault{
	{faultsOf(callstest.BreakHandshake), 1, calls.DeliveryAccepted, 1, nil},
	{times(4, callstest.BreakHandshake), 0, calls.DeliveryNotSent, 0, io.EOF}, // any error
}

func faultsOf(faults ...callstest.Fault) []callstest.Fault { return faults }

func times(n int, fault callstest.Fault) []callstest.Fault {
	faults := make([]callstest.Fault, n)
	for i := range faults {
		faults[i] = fault
	}
	return faults
}

// TestEveryFaultOfEveryPOST checks what this package promises: how often a request is
// sent, what the caller learns, and how often a person is called.
func TestEveryFaultOfEveryPOST(t *testing.T) {
	for protocol, opts := range protocols {
		for operation := range posts {
			t.Run(protocol+"/"+operation, func(t *testing.T) {
				t.Parallel()
				tests := postFaults
				if protocol != "HTTP/1" {
					tests = append(tests[:len(tests):len(tests)], http2Faults...)
				}
				if protocol != "HTTP/2 without TLS" {
					tests = append(tests[:len(tests):len(tests)], tlsFaults...)
				}
				testAtOnce(t, tests, func(t *testing.T, tt postFault) { tt.test(t, operation, opts, false) })
			})
		}
	}
}

// TestEveryFaultOfEveryLaterPOST has a client that has sent a request before, on the same
// connection. Over HTTP/1 it then writes head and body at once.
func TestEveryFaultOfEveryLaterPOST(t *testing.T) {
	for operation := range posts {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			testAtOnce(t, postFaults, func(t *testing.T, tt postFault) { tt.test(t, operation, protocols["HTTP/1"], true) })
		})
	}
}

func testAtOnce(t *testing.T, tests []postFault, test func(t *testing.T, tt postFault)) {
	var running sync.WaitGroup
	for _, tt := range tests {
		running.Go(func() {
			t.Run(tt.name(), func(t *testing.T) { test(t, tt) })
		})
	}
	running.Wait()
}

func (tt postFault) name() string {
	name := ""
	for _, fault := range tt.faults {
		name += " " + fault.String()
	}
	return name[1:]
}

func (tt postFault) test(t *testing.T, operation string, opts []callstest.Option, isLater bool) {
	post := posts[operation]
	server := callstest.NewServer(t, opts...)
	callID := server.AddCall(callstest.Call{AgentEmail: "agent@example.com", Status: "connected"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := socketClient(t, server, calls.WithMiddleware(cancelOnStall(tt.faults[0], server, cancel)))
	if isLater {
		if err := client.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
	earlier := len(server.Requests())
	server.Fail(tt.faults...)
	err := post.send(ctx, client, callID)

	want := tt
	switch {
	case post.isRefused && tt.delivery == calls.DeliveryAccepted:
		want.delivery, want.err = calls.DeliveryRejected, calls.ErrInvalidRequest
	case post.needsAll && slices.Contains([]string{"CutBody", "StallBody", "HugeBody"}, tt.name()):
		want.delivery, want.err = calls.DeliveryUnknown, calls.ErrOutcomeUnknown
	case !post.isCreate && errors.Is(tt.err, calls.ErrUndecodable):
		want.err = nil
	case !post.isCreate && !post.needsAll && tt.name() == callstest.Status(204).String():
		want.delivery, want.err = calls.DeliveryAccepted, nil
	}
	if post.isRefused {
		want.made = 0
	}
	if (err == nil) != (want.err == nil) || want.err != io.EOF && !errors.Is(err, want.err) {
		t.Errorf("error %v, want %v", err, want.err)
	}
	if got := calls.DeliveryOf(err); got != want.delivery {
		t.Errorf("delivery %v, want %v: %v", got, want.delivery, err)
	}
	if ctx.Err() != nil && errors.Is(err, calls.ErrOutcomeUnknown) && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v does not say that the caller gave up", err)
	}
	if _, canRetry := calls.RetryAfter(err); canRetry && want.delivery.MayExist() {
		t.Errorf("RetryAfter allows a retry that can call a person twice: %v", err)
	}
	if got := len(server.Requests()) - earlier; got != want.requests {
		t.Errorf("%d requests, want %d: %v", got, want.requests, err)
	}
	if got := post.made(server, callID); got != want.made {
		t.Errorf("carried out %d times, want %d", got, want.made)
	}
}

// cancelOnStall returns a middleware that calls giveUp as soon as the fault stalls, so
// that no test depends on the speed of the machine.
func cancelOnStall(fault callstest.Fault, server *callstest.Server, giveUp func()) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			switch {
			case r.Method == http.MethodGet: // the Ping before
			case fault == callstest.Stall, fault == callstest.StallAfterCreate:
				earlier := len(server.Requests())
				go func() {
					for arrived := false; !arrived && r.Context().Err() == nil; time.Sleep(time.Millisecond) {
						arrived = len(server.Requests()) > earlier
					}
					giveUp()
				}()
			case fault == callstest.StallBody:
				response, err := next.RoundTrip(r)
				if err == nil {
					response.Body = &stalling{ReadCloser: response.Body, giveUp: giveUp}
				}
				return response, err
			}
			return next.RoundTrip(r)
		})
	}
}

// stalling is a body whose second Read blocks.
type stalling struct {
	io.ReadCloser
	giveUp func()
	read   bool
}

func (b *stalling) Read(p []byte) (int, error) {
	if b.read {
		b.giveUp()
	}
	b.read = true
	return b.ReadCloser.Read(p)
}
