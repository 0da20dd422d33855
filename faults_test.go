package calls_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"golang.org/x/net/http2"
)

// hasty keeps the waits of tests on real sockets short, and gives up on a
// stalled answer soon.
func hasty() []calls.Option {
	return []calls.Option{
		calls.WithRateLimiter(nil),
		calls.WithRetry(calls.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond}),
		calls.WithAttemptTimeout(500 * time.Millisecond),
	}
}

// patience is how long an attempt under a fault may take: short where the fault
// lets it wait in vain, and else out of the way of a slow machine.
func patience(fault callstest.Fault) calls.Option {
	switch fault {
	case callstest.Stall, callstest.StallAfterCreate, callstest.StallBody:
		return calls.WithAttemptTimeout(500 * time.Millisecond)
	}
	return calls.WithAttemptTimeout(time.Minute)
}

func hastyClient(t *testing.T, server *callstest.Server, opts ...calls.Option) *calls.Client {
	t.Helper()
	client, err := server.NewClient(append(hasty(), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// creates is the three creates, each with a request that the double takes.
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

// TestEveryFaultOfACreate is the promise of this package: what is delivered how
// often, what the caller learns, and who is rung.
func TestEveryFaultOfACreate(t *testing.T) {
	const rejected, accepted, unknown = calls.DeliveryRejected, calls.DeliveryAccepted, calls.DeliveryUnknown
	tests := []struct {
		fault      callstest.Fault
		deliveries int
		err        error // nil: created in the end
		delivery   calls.Delivery
		made       int
	}{
		// Sent again: nothing of it was written, or the platform refused it.
		{callstest.RefuseConnection, 1, nil, accepted, 1},
		{callstest.BreakHandshake, 1, nil, accepted, 1},
		{callstest.RateLimited(""), 2, nil, accepted, 1},
		{callstest.RateLimited("0"), 2, nil, accepted, 1},
		{callstest.RateLimited("-1"), 2, nil, accepted, 1},
		{callstest.RateLimited("nonsense"), 2, nil, accepted, 1},
		// Not sent again, though nothing was made: nobody can know.
		{callstest.HangUpBeforeRead, 0, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.HangUpAfterRead, 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Reset, 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.NotHTTP, 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Stall, 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(500), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(501), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(502), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(503), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(504), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(204), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(408), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(460), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Status(499), 1, calls.ErrOutcomeUnknown, unknown, 0},
		{callstest.Redirect(303, "/apps/api/v1/calls"), 1, calls.ErrOutcomeUnknown, unknown, 0},
		// Not sent again, and it would have rung twice.
		{callstest.HangUpAfterCreate, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.ResetAfterCreate, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.StallAfterCreate, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.StatusAfterCreate(500), 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.StatusAfterCreate(502), 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.StatusAfterCreate(408), 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.CutStatusLine, 1, calls.ErrOutcomeUnknown, unknown, 1},
		{callstest.CutHeaders, 1, calls.ErrOutcomeUnknown, unknown, 1},
		// The status line said 201: made, whatever became of the rest.
		{callstest.CutBody, 1, nil, accepted, 1}, // the half that came has the id
		{callstest.StallBody, 1, nil, accepted, 1},
		{callstest.HugeBody, 1, calls.ErrUndecodable, accepted, 1},
		{callstest.DripBody, 1, nil, accepted, 1},
		{callstest.CloseIdle, 1, nil, accepted, 1},
		{callstest.Pass, 1, nil, accepted, 1},
		// Refused: final.
		{callstest.RateLimited("3600"), 1, calls.ErrRateLimited, rejected, 0},
		{callstest.Status(400), 1, calls.ErrInvalidRequest, rejected, 0},
		{callstest.Status(401), 1, calls.ErrUnauthorized, rejected, 0},
		{callstest.Status(403), 1, calls.ErrForbidden, rejected, 0},
		{callstest.Status(404), 1, calls.ErrNotFound, rejected, 0},
		{callstest.Status(422), 1, calls.ErrInvalidRequest, rejected, 0},
		{callstest.Status(409), 1, calls.ErrRejected, rejected, 0},
		{callstest.Redirect(301, "/elsewhere"), 1, calls.ErrRedirected, rejected, 0},
		{callstest.Redirect(302, "/apps/api/v1/calls"), 1, calls.ErrRedirected, rejected, 0},
		{callstest.Redirect(307, "/apps/api/v1/calls"), 1, calls.ErrRedirected, rejected, 0},
		{callstest.Redirect(308, "https://other.example.com/"), 1, calls.ErrRedirected, rejected, 0},
	}
	for name, create := range creates {
		for _, tt := range tests {
			t.Run(name+"/"+tt.fault.String(), func(t *testing.T) {
				t.Parallel()
				server := callstest.NewServer(t, callstest.WithTLS())
				server.Fail(tt.fault)
				result, err := create(t.Context(), hastyClient(t, server, patience(tt.fault)))
				if tt.delivery == accepted && tt.err == nil {
					if err != nil || result.Call == nil {
						t.Fatalf("%v, %v", result, err)
					}
				} else if !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if got := calls.DeliveryOf(err); got != tt.delivery {
					t.Errorf("delivery %v, want %v", got, tt.delivery)
				}
				if got := len(server.Requests()); got != tt.deliveries {
					t.Errorf("%d deliveries, want %d", got, tt.deliveries)
				}
				if got := len(server.Calls()); got != tt.made {
					t.Errorf("%d calls made, want %d", got, tt.made)
				}
			})
		}
	}
}

func TestTheCauseOfAnUnknownOutcomeStaysReachable(t *testing.T) {
	server := callstest.NewServer(t)
	client := hastyClient(t, server)
	create := creates["CreateOutbound"]

	server.Fail(callstest.StatusAfterCreate(502))
	_, err := create(t.Context(), client)
	var said *calls.APIError
	if !errors.As(err, &said) || said.StatusCode != 502 || said.Attempts != 1 || !errors.Is(err, calls.ErrServer) {
		t.Errorf("a 5xx: %v", err)
	}
	server.Fail(callstest.Stall)
	if _, err = create(t.Context(), client); !errors.Is(err, context.DeadlineExceeded) {
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

func TestAttemptsAreCounted(t *testing.T) {
	server := callstest.NewServer(t)
	client := hastyClient(t, server)
	server.Fail(callstest.RateLimited(""), callstest.RefuseConnection, callstest.Status(403))
	_, err := creates["CreateInbound"](t.Context(), client)
	var said *calls.APIError
	if !errors.As(err, &said) || said.Attempts != 3 || said.StatusCode != 403 {
		t.Errorf("%v", err)
	}
	server.Fail(callstest.RefuseConnection, callstest.RefuseConnection, callstest.RefuseConnection, callstest.RefuseConnection)
	_, err = creates["CreateInbound"](t.Context(), client)
	if calls.DeliveryOf(err) != calls.DeliveryNotSent || !strings.Contains(err.Error(), "after 4 attempts") {
		t.Errorf("%v", err)
	}
}

// TestEveryFaultOfAReadOrAnUpdate has the positive rows: what is sent again
// because doing it twice does no harm.
func TestEveryFaultOfAReadOrAnUpdate(t *testing.T) {
	tests := []struct {
		fault                callstest.Fault
		readings, updates    int
		readError, updateErr error
	}{
		{callstest.Pass, 1, 1, nil, nil},
		{callstest.RefuseConnection, 1, 1, nil, nil},
		{callstest.BreakHandshake, 1, 1, nil, nil},
		{callstest.HangUpBeforeRead, 1, 1, nil, nil}, // what it kept away is not counted
		{callstest.HangUpAfterRead, 2, 2, nil, nil},
		{callstest.HangUpAfterCreate, 2, 2, nil, nil},
		{callstest.Reset, 2, 2, nil, nil},
		{callstest.ResetAfterCreate, 2, 2, nil, nil},
		{callstest.Stall, 2, 2, nil, nil},
		{callstest.StallAfterCreate, 2, 2, nil, nil},
		{callstest.NotHTTP, 2, 2, nil, nil},
		{callstest.CutStatusLine, 2, 2, nil, nil},
		{callstest.CutHeaders, 2, 2, nil, nil},
		{callstest.CutBody, 2, 1, nil, nil}, // the status of an update says all
		{callstest.StallBody, 2, 1, nil, nil},
		{callstest.HugeBody, 1, 1, calls.ErrUndecodable, nil},
		{callstest.DripBody, 1, 1, nil, nil},
		{callstest.CloseIdle, 1, 1, nil, nil},
		{callstest.Status(500), 2, 2, nil, nil},
		{callstest.StatusAfterCreate(502), 2, 2, nil, nil},
		{callstest.Status(503), 2, 2, nil, nil},
		{callstest.RateLimited(""), 2, 2, nil, nil},
		{callstest.RateLimited("3600"), 1, 1, calls.ErrRateLimited, calls.ErrRateLimited},
		{callstest.Status(501), 1, 1, calls.ErrServer, calls.ErrServer},
		{callstest.Status(400), 1, 1, calls.ErrInvalidRequest, calls.ErrInvalidRequest},
		{callstest.Status(401), 1, 1, calls.ErrUnauthorized, calls.ErrUnauthorized},
		{callstest.Status(404), 1, 1, calls.ErrNotFound, calls.ErrNotFound},
		{callstest.Redirect(302, "/"), 1, 1, calls.ErrRedirected, calls.ErrRedirected},
		{callstest.Redirect(307, "/"), 1, 1, calls.ErrRedirected, calls.ErrRedirected},
	}
	yes := true
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			t.Parallel()
			server := callstest.NewServer(t, callstest.WithTLS())
			client := hastyClient(t, server, patience(tt.fault))
			id := server.AddCall(callstest.Call{})

			server.Fail(tt.fault)
			_, err := client.GetCustomerFlag(t.Context(), id)
			readings := len(server.Requests())
			if !errors.Is(err, tt.readError) || readings != tt.readings {
				t.Errorf("reading: %d deliveries, %v", readings, err)
			}

			server.Fail(tt.fault)
			client = hastyClient(t, server, patience(tt.fault)) // free of the hold that a 429 brought
			err = client.UpdateCustomerFlag(t.Context(), id, calls.CustomerFlagUpdate{BadActor: &yes})
			updates := len(server.Requests()) - readings
			if !errors.Is(err, tt.updateErr) || updates != tt.updates {
				t.Errorf("update: %d deliveries, %v", updates, err)
			}
			if err == nil && (server.Flag(id).BadActor == nil || !*server.Flag(id).BadActor) {
				t.Errorf("the update succeeded and changed nothing")
			}
		})
	}
}

// anyFault draws a fault for the soak. The large body is rare, for it is slow.
func anyFault(random *rand.Rand, way string) callstest.Fault {
	faults := []callstest.Fault{
		callstest.Pass, callstest.Pass, callstest.Pass, callstest.RefuseConnection, callstest.BreakHandshake,
		callstest.HangUpBeforeRead, callstest.HangUpAfterRead, callstest.HangUpAfterCreate, callstest.Reset,
		callstest.ResetAfterCreate, callstest.CutStatusLine, callstest.CutHeaders, callstest.CutBody, callstest.DripBody,
		callstest.NotHTTP, callstest.CloseIdle, callstest.Status(500), callstest.StatusAfterCreate(502), callstest.Status(503),
		callstest.RateLimited(""), callstest.RateLimited("0"), callstest.RateLimited("3600"), callstest.Redirect(302, "/"),
		callstest.Status(400), callstest.Status(404),
	}
	if way != "HTTP/1" {
		faults = append(faults, callstest.RefuseStream, callstest.RefuseStreamAfterCreate, callstest.ResetStream(http2.ErrCodeProtocol),
			callstest.ResetStreamAfterCreate(http2.ErrCodeProtocol), callstest.GoAway, callstest.GoAwayAfterCreate)
	}
	if way == "HTTP/2 without TLS" {
		faults = slices.DeleteFunc(faults, func(f callstest.Fault) bool { return f == callstest.BreakHandshake })
	}
	switch n := random.IntN(400); {
	case n < 2:
		return callstest.HugeBody
	case n < 12:
		return []callstest.Fault{callstest.Stall, callstest.StallAfterCreate, callstest.StallBody}[n%3]
	}
	return faults[random.IntN(len(faults))]
}

// TestSoak has many goroutines create calls under random faults, each call with
// a number of its own, and then counts who was rung how often.
func TestSoak(t *testing.T) {
	for way, opts := range ways {
		t.Run(way, func(t *testing.T) { soak(t, way, opts) })
	}
}

func soak(t *testing.T, way string, opts []callstest.Option) {
	const workers, each = 12, 60
	random := rand.New(rand.NewPCG(20190910, 51226))
	server := callstest.NewServer(t, opts...)
	for range workers * each {
		server.Fail(anyFault(random, way))
	}
	agents := []string{"agent@example.com", "agent@example.com", "agent@example.com", "chooser@example.com", "prompted@example.com"}

	type end struct {
		number string
		err    error
	}
	var mu sync.Mutex
	var ends []end
	create := func(worker, i int) {
		// A client of its own for each few creates, for a 429 holds back all of a client.
		client := hastyClient(t, server, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1 + i%4, MinWait: 1, MaxWait: 1}))
		number := fmt.Sprintf("+1 859-65%d-%04d", worker%10, i*workers+worker)
		result, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: agents[i%len(agents)], EndUserNumber: number})
		if err == nil && (result.Call == nil) != result.AwaitsAgent {
			t.Errorf("neither a call nor an agent to wait for: %v", result)
		}
		mu.Lock()
		defer mu.Unlock()
		ends = append(ends, end{number, err})
	}
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range each {
				create(worker, i)
			}
		})
	}
	wg.Wait()
	for i := each; len(server.UnusedFaults()) > 0; i++ {
		create(0, i)
	}

	made := map[string]int{}
	for _, call := range server.Calls() {
		made[call.EndUserNumber]++
	}
	count := map[string]int{}
	for _, e := range ends {
		n := made[e.number]
		delivery := calls.DeliveryOf(e.err)
		what := delivery.String()
		if e.err == nil {
			what = "success"
		}
		count[fmt.Sprintf("%s, %d made", what, n)]++
		isWrong := n > 1 ||
			delivery == calls.DeliveryNotSent && n != 0 ||
			delivery == calls.DeliveryRejected && n != 0 ||
			delivery == calls.DeliveryAccepted && n != 1
		if isWrong {
			t.Errorf("%s: %s, and rung %d times: %v", e.number, what, n, e.err)
		}
	}
	t.Logf("%d creates, %d deliveries, %d calls: %v", len(ends), len(server.Requests()), len(server.Calls()), count)
	if len(ends) < workers*each {
		t.Errorf("only %d creates ended", len(ends))
	}
}

// TestNothingPrivateLeaksUnderAnyFault searches every log line and every form
// of every result for the token, the address and the numbers.
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
			client := hastyClient(t, server, calls.WithLogger(logger))
			request := calls.OutboundRequest{AgentEmail: email, EndUserNumber: to, OutboundNumber: from}
			result, err := client.CreateOutbound(t.Context(), request)
			logger.Info("a caller's own line", "client", client, "request", request, "result", result, "error", err)
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

// TestNoGoroutineOutlivesItsCall counts them before and after calls that ended
// in every way. What is left in the pool of connections is closed first.
func TestNoGoroutineOutlivesItsCall(t *testing.T) {
	before := runtime.NumGoroutine()
	server := callstest.NewServer(t)
	client := hastyClient(t, server)
	for _, fault := range []callstest.Fault{
		callstest.Pass, callstest.RefuseConnection, callstest.HangUpAfterRead, callstest.Stall, callstest.StallBody,
		callstest.CutBody, callstest.HugeBody, callstest.RateLimited(""), callstest.Redirect(302, "/"),
	} {
		server.Fail(fault)
		_, _ = creates["CreateOutbound"](t.Context(), client)
	}
	server.Close()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, now\n%s", before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
