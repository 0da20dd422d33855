package calls_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// goodNumber is a documented number that can be dialed.
const goodNumber = "+1 859-657-9625"

// documentedNow is before every time in the documented examples.
var documentedNow = time.Date(2019, 9, 1, 0, 0, 0, 0, time.UTC)

// A valid request of each type.
var (
	anOutbound = calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: goodNumber}
	anInbound  = calls.InboundRequest{MenuID: 9, EndUserNumber: goodNumber}
	aScheduled = calls.ScheduledRequest{MenuID: 9, EndUserNumber: goodNumber, ScheduledAt: documentedNow.Add(time.Hour)}
)

// with returns a changed copy of a request.
func with[R calls.CreateRequest](request R, change func(*R)) R {
	change(&request)
	return request
}

// newClient returns a client that sends through transport, or over the network if
// transport is nil. It has no rate limiter, makes one attempt, and its clock stands
// at documentedNow.
func newClient(t testing.TB, transport http.RoundTripper, opts ...calls.Option) *calls.Client {
	t.Helper()
	return newClientWithToken(t, "token", transport, opts...)
}

func newClientWithToken(t testing.TB, token string, transport http.RoundTripper, opts ...calls.Option) *calls.Client {
	t.Helper()
	if transport == nil {
		// Not http.DefaultTransport: closing a test server breaks its connections.
		own := http.DefaultTransport.(*http.Transport).Clone()
		t.Cleanup(own.CloseIdleConnections)
		transport = own
	}
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", token, append([]calls.Option{
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

// roundTripper is a function as a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// responding returns a transport that gives every request the same response.
func responding(status int, body string) roundTripper {
	return func(*http.Request) (*http.Response, error) { return newResponse(status, body), nil }
}

// untouched returns a transport that fails the test if a request reaches it.
func untouched(t testing.TB) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s %s was sent, want no request", r.Method, r.URL.Path)
		return nil, errors.New("no request expected")
	}
}

// broken is a transport that loses the connection.
func broken(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// silent is a transport that never responds.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func newResponse(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// recorder is a platform that gives every request the same response and records
// the last request.
type recorder struct {
	status       int
	response     string
	method, path string
	query, body  string
	requests     int
}

func (p *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.method, p.path, p.query, p.body = r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body)
	p.requests++
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.response)
}

// handlerClient returns a client of a platform that is a handler. It has no rate
// limiter and retries without waiting.
func handlerClient(t *testing.T, platform http.Handler) *calls.Client {
	t.Helper()
	server := httptest.NewServer(platform)
	t.Cleanup(server.Close)
	return newClient(t, nil, calls.WithBaseURL(server.URL), calls.WithRetry(calls.RetryPolicy{MinWait: 1, MaxWait: 1}), calls.WithClock(time.Now))
}

// socketClient returns a client of a double over real sockets. It has no rate
// limiter, retries without waiting, and has an attempt timeout that no machine is too
// slow for.
func socketClient(t *testing.T, server *callstest.Server, opts ...calls.Option) *calls.Client {
	t.Helper()
	client, err := server.NewClient(append([]calls.Option{
		calls.WithRateLimiter(nil),
		calls.WithRetry(calls.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond}),
		calls.WithAttemptTimeout(time.Minute),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// shortTimeout is for attempts that stall until they time out.
var shortTimeout = calls.WithAttemptTimeout(500 * time.Millisecond)

// newServer returns a double whose clock follows virtual time.
func newServer(t *testing.T, opts ...callstest.Option) *callstest.Server {
	t.Helper()
	return callstest.NewServer(t, append([]callstest.Option{callstest.WithClock(time.Now)}, opts...)...)
}

// inProcessClient returns a client of a double without a network and without pacing,
// which can be used on virtual time.
func inProcessClient(t *testing.T, server *callstest.Server, opts ...calls.Option) *calls.Client {
	t.Helper()
	return pacedClient(t, server, append([]calls.Option{calls.WithRateLimiter(nil)}, opts...)...)
}

// pacedClient returns an inProcessClient with the default pace.
func pacedClient(t *testing.T, server *callstest.Server, opts ...calls.Option) *calls.Client {
	t.Helper()
	client, err := server.NewClient(append([]calls.Option{
		calls.WithHTTPClient(&http.Client{Transport: server.InProcess()}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// onVirtualTime runs test in a synctest bubble. It starts the double outside of the
// bubble, whose time would stand still while a connection is waited for.
func onVirtualTime(t *testing.T, opts []callstest.Option, test func(t *testing.T, server *callstest.Server, client *calls.Client)) {
	t.Helper()
	server := newServer(t, opts...)
	synctest.Test(t, func(t *testing.T) { test(t, server, inProcessClient(t, server)) })
}

// creates has the three create methods, each with a request that the double accepts.
var creates = map[string]func(context.Context, *calls.Client) (*calls.CreateResult, error){
	"CreateOutbound": func(ctx context.Context, c *calls.Client) (*calls.CreateResult, error) {
		return c.CreateOutbound(ctx, calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625"})
	},
	"CreateInbound": func(ctx context.Context, c *calls.Client) (*calls.CreateResult, error) {
		return c.CreateInbound(ctx, calls.InboundRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345"})
	},
	"CreateScheduled": func(ctx context.Context, c *calls.Client) (*calls.CreateResult, error) {
		return c.CreateScheduled(ctx, calls.ScheduledRequest{MenuID: 9, EndUserNumber: "+82-10-6861-2345", ScheduledAt: time.Now().Add(time.Hour)})
	},
}

// createError returns the error of a create that is sent through transport.
func createError(t *testing.T, transport roundTripper, opts ...calls.Option) error {
	t.Helper()
	return createErrorOf(newClient(t, transport, opts...))
}

func createErrorOf(client *calls.Client) error {
	_, err := client.CreateOutbound(context.Background(), anOutbound)
	return err
}

// lostCreate sends a create whose response is lost, and returns its error. The
// platform creates the call if acts is true.
func lostCreate(t *testing.T, server *callstest.Server, client *calls.Client, acts bool, request calls.CreateRequest) error {
	t.Helper()
	fault := callstest.HangUpAfterRead
	if acts {
		fault = callstest.HangUpAfterCreate
	}
	server.Fail(fault)
	_, err := client.Create(t.Context(), request)
	if !errors.Is(err, calls.ErrOutcomeUnknown) {
		t.Fatalf("%v: %v", fault, err)
	}
	return err
}

// created returns the call of a create that gets a 201 with this body.
func created(t *testing.T, body []byte) *calls.Call {
	t.Helper()
	result, err := newClient(t, responding(http.StatusCreated, string(body))).CreateOutbound(t.Context(), anOutbound)
	if err != nil {
		t.Fatalf("%v for %s", err, body)
	}
	if !bytes.Equal(result.Call.RawJSON(), body) {
		t.Errorf("RawJSON is %s, want %s", result.Call.RawJSON(), body)
	}
	return result.Call
}

func apiErrorOf(t *testing.T, err error) *calls.APIError {
	t.Helper()
	var apiErr *calls.APIError
	if !errors.As(err, &apiErr) {
		t.Fatalf("error %v, want a *APIError", err)
	}
	return apiErr
}

func intentOf(err error) calls.Intent {
	intent, _ := calls.IntentOf(err)
	return intent
}

// limiterFunc is a function as a RateLimiter.
type limiterFunc func(context.Context) error

func (wait limiterFunc) Wait(ctx context.Context) error { return wait(ctx) }

// checkKeepsAll checks that the fields of call have every value of body.
func checkKeepsAll(t *testing.T, body []byte, call *calls.Call) {
	t.Helper()
	type fields calls.Call // without MarshalJSON, which returns the JSON that was decoded
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

// checkContains checks that got has every value of want.
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

// sameTime compares times, since ".000" is dropped when a time is encoded.
func sameTime(want string, got any) bool {
	text, _ := got.(string)
	w, err1 := time.Parse(time.RFC3339, want)
	g, err2 := time.Parse(time.RFC3339, text)
	return err1 == nil && err2 == nil && w.Equal(g)
}

func encode(t *testing.T, document any) []byte {
	t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func mustUnmarshal(t testing.TB, data []byte, dst any) {
	t.Helper()
	if err := json.Unmarshal(data, dst); err != nil {
		t.Errorf("%v in %s", err, data)
	}
}

// textOf reads a body, which may be nil.
func textOf(body io.Reader) string {
	if body == nil {
		return ""
	}
	text, _ := io.ReadAll(body)
	return string(text)
}

func ptr[T any](value T) *T { return &value }
