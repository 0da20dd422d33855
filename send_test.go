package calls_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestAClientPacesItselfByDefault(t *testing.T) {
	server := newServer(t, callstest.WithRateLimit(10))
	synctest.Test(t, func(t *testing.T) {
		client := pacedClient(t, server)
		begin := time.Now()
		var wg sync.WaitGroup
		for range 25 {
			wg.Go(func() {
				if _, err := creates["CreateInbound"](t.Context(), client); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took != 2*time.Second || len(server.Requests()) != 25 {
			t.Errorf("25 creates took %v and %d requests", took, len(server.Requests()))
		}
	})
}

func TestA429HoldsBackEveryOperationOfTheClient(t *testing.T) {
	server := newServer(t)
	id := server.AddCall(callstest.Call{})
	synctest.Test(t, func(t *testing.T) {
		client := inProcessClient(t, server, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}))
		server.Fail(callstest.RateLimited("7"))
		begin := time.Now()
		_, err := creates["CreateInbound"](t.Context(), client)
		if !errors.Is(err, calls.ErrRateLimited) || apiErrorOf(t, err).RetryAfter != 7*time.Second {
			t.Errorf("%v", err)
		}
		if _, err := client.GetCustomerFlag(t.Context(), id); err != nil || time.Since(begin) != 7*time.Second {
			t.Errorf("the next operation ended after %v: %v", time.Since(begin), err)
		}
	})
}

// TestDeliveryCoversEarlierAttempts has a first attempt that may have been carried out,
// or not, before attempts that were not sent.
func TestDeliveryCoversEarlierAttempts(t *testing.T) {
	refusals := []callstest.Fault{callstest.RefuseConnection, callstest.RefuseConnection, callstest.RefuseConnection}
	for first, want := range map[callstest.Fault]calls.Delivery{
		callstest.ResetAfterCreate:       calls.DeliveryUnknown,
		callstest.StatusAfterCreate(503): calls.DeliveryUnknown,
		callstest.RateLimited(""):        calls.DeliveryNotSent,
		callstest.RefuseConnection:       calls.DeliveryNotSent,
	} {
		server := callstest.NewServer(t)
		id := server.AddCall(callstest.Call{})
		server.Fail(first)
		server.Fail(refusals...)
		err := socketClient(t, server).UpdateCustomerFlag(t.Context(), id, calls.CustomerFlagUpdate{BadActor: ptr(true)})
		if got := calls.DeliveryOf(err); got != want || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v, then refused: %v, %v", first, got, err)
		}
	}
}

// TestRedirectsAreNotFollowed keeps net/http from turning a 302 into a GET, whose
// response could look like a call.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					t.Error("the redirect was followed")
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
			defer server.Close()
			_, err := newClient(t, nil, calls.WithBaseURL(server.URL)).CreateOutbound(t.Context(), anOutbound)
			want := calls.DeliveryRejected
			if status == http.StatusSeeOther { // in HTTP, the response to a POST that was carried out
				want = calls.DeliveryUnknown
			}
			if !errors.Is(err, calls.ErrRedirected) || calls.DeliveryOf(err) != want {
				t.Errorf("error %v, delivery %v", err, calls.DeliveryOf(err))
			}
			if got := apiErrorOf(t, err).Header.Get("Location"); got != "/elsewhere" {
				t.Errorf("Location %q", got)
			}
		})
	}
}

func TestAttemptsAreCounted(t *testing.T) {
	server := callstest.NewServer(t)
	client := socketClient(t, server)
	server.Fail(callstest.RateLimited(""), callstest.RefuseConnection, callstest.Status(403))
	_, err := creates["CreateInbound"](t.Context(), client)
	if apiErr := apiErrorOf(t, err); apiErr.Attempts != 3 || apiErr.StatusCode != 403 {
		t.Errorf("%d attempts, status %d: %v", apiErr.Attempts, apiErr.StatusCode, err)
	}
	server.Fail(callstest.RefuseConnection, callstest.RefuseConnection, callstest.RefuseConnection, callstest.RefuseConnection)
	_, err = creates["CreateInbound"](t.Context(), client)
	if calls.DeliveryOf(err) != calls.DeliveryNotSent || !strings.Contains(err.Error(), "after 4 attempts") {
		t.Errorf("%v", err)
	}
}

// TestRateLimitedCreateIsRetried retries a create, since the platform did not carry out
// a request that got a 429. The error has the last response.
func TestRateLimitedCreateIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		err := createError(t, responding(http.StatusTooManyRequests, ""), calls.WithRetry(calls.RetryPolicy{MaxAttempts: 3}))
		if apiErr := apiErrorOf(t, err); apiErr.Attempts != 3 || !errors.Is(err, calls.ErrRateLimited) || errors.Is(err, calls.ErrOutcomeUnknown) {
			t.Errorf("%d attempts: %v", apiErr.Attempts, err)
		}
		if want := "calls: CreateOutbound: POST /apps/api/v1/calls at customer.uc1.ccaiplatform.com: 429 Too Many Requests (after 3 attempts)"; err.Error() != want {
			t.Errorf("text %q, want %q", err, want)
		}
	})
}

// TestRetryAfterDateFollowsTheClock measures a date in Retry-After by the Client's clock.
func TestRetryAfterDateFollowsTheClock(t *testing.T) {
	t.Parallel()
	err := createError(t, func(*http.Request) (*http.Response, error) {
		limited := newResponse(http.StatusTooManyRequests, "")
		limited.Header.Set("Retry-After", documentedNow.Add(90*time.Second).Format(http.TimeFormat))
		return limited, nil
	})
	if got := apiErrorOf(t, err).RetryAfter; got != 90*time.Second {
		t.Errorf("RetryAfter %v", got)
	}
}

// TestLastResponseIsKeptWhenTheDeadlineIsTooClose has a wait that does not fit the
// context's deadline. The error has both the response and the deadline.
func TestLastResponseIsKeptWhenTheDeadlineIsTooClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		client := newClient(t, roundTripper(func(*http.Request) (*http.Response, error) {
			limited := newResponse(http.StatusTooManyRequests, "")
			limited.Header.Set("Retry-After", "30")
			return limited, nil
		}), calls.WithRetry(calls.RetryPolicy{}))
		start := time.Now()
		_, err := client.CreateOutbound(ctx, anOutbound)
		if took := time.Since(start); took != 0 {
			t.Errorf("waited %v", took)
		}
		if !errors.Is(err, calls.ErrRateLimited) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, calls.ErrOutcomeUnknown) {
			t.Errorf("error %v", err)
		}
		if got := apiErrorOf(t, err).RetryAfter; got != 30*time.Second {
			t.Errorf("RetryAfter %v", got)
		}
		if got := calls.DeliveryOf(err); got != calls.DeliveryRejected {
			t.Errorf("DeliveryOf is %v", got)
		}
	})
}

func TestLinesOfTheLog(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		transport roundTripper
		want      []string
	}{
		"a create": {responding(http.StatusAccepted, ""), []string{"DEBUG calls: attempt"}},
		"a documented message": {
			responding(http.StatusBadRequest, `{"message":"Contact not found"}`), []string{"DEBUG calls: attempt"},
		},
		"an unknown message": {
			responding(http.StatusBadRequest, `{"message":"?"}`), []string{"DEBUG calls: attempt", "WARN calls: unknown message"},
		},
		"an unknown outcome": {broken, []string{"DEBUG calls: attempt", "WARN calls: outcome unknown"}},
		"a gateway's page": {
			responding(http.StatusOK, "<html>"), []string{"DEBUG calls: attempt", "WARN calls: outcome unknown"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			client := newClient(t, test.transport, calls.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			_, _ = client.CreateOutbound(t.Context(), anOutbound)
			var got []string
			for lines := json.NewDecoder(&log); ; {
				var line struct{ Level, Msg string }
				err := lines.Decode(&line)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, line.Level+" "+line.Msg)
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("logged %q, want %q", got, test.want)
			}
		})
	}
}

func TestEachAttemptIsALineOfTheLog(t *testing.T) {
	server := newServer(t)
	id := server.AddCall(callstest.Call{})
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	synctest.Test(t, func(t *testing.T) {
		client := inProcessClient(t, server, calls.WithLogger(logger))
		server.Fail(callstest.Status(503), callstest.HangUpAfterRead)
		if _, err := client.GetCustomerFlag(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	})
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines for 3 attempts:\n%s", len(lines), log.String())
	}
	for i, line := range lines {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if got["level"] != "DEBUG" || got["operation"] != "GetCustomerFlag" || got["method"] != "GET" ||
			got["path"] != "/apps/api/v1/calls/:id/customer_flag" || got["attempt"] != float64(i+1) {
			t.Errorf("line %d: %s", i, line)
		}
		_, hasDuration := got["duration"]
		_, hasWait := got["wait"]
		_, hasError := got["error"]
		if !hasDuration || hasWait != (i < 2) || hasError != (i == 1) {
			t.Errorf("line %d: %s", i, line)
		}
		if status := got["status"]; i == 0 && status != 503.0 || i == 1 && status != nil || i == 2 && status != 200.0 {
			t.Errorf("line %d: status %v", i, status)
		}
	}
}

// TestUnknownMessageIsLogged checks that the error has the whole message, and the log
// the message without private data.
func TestUnknownMessageIsLogged(t *testing.T) {
	t.Parallel()
	const message = "Agent agent@example.com cannot reach +1 859-657-9625 today"
	var log bytes.Buffer
	client := newClient(t, responding(http.StatusBadRequest, `{"message":"`+message+`"}`), calls.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	_, err := client.CreateOutbound(t.Context(), anOutbound)
	if apiErr := apiErrorOf(t, err); apiErr.Message != message || !errors.Is(err, calls.ErrInvalidRequest) {
		t.Errorf("message %q in %v", apiErr.Message, err)
	}
	var line struct{ Level, Msg, Operation, Message string }
	mustUnmarshal(t, log.Bytes(), &line)
	if line.Level != "WARN" || line.Operation != "CreateOutbound" || line.Message != "Agent [redacted] cannot reach [redacted] today" {
		t.Errorf("logged %s", log.Bytes())
	}
}

func TestKnownMessageIsNotLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	client := newClient(t, responding(http.StatusBadRequest, `{"message":"Contact not found"}`), calls.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	if _, err := client.CreateOutbound(t.Context(), anOutbound); !errors.Is(err, calls.ErrContactNotFound) {
		t.Error(err)
	}
	if log.Len() != 0 {
		t.Errorf("logged %s", &log)
	}
}

// TestOutcomeUnknownIsLoggedWithoutPrivateData has messages that name a person. The
// error may have them, the log must not.
func TestOutcomeUnknownIsLoggedWithoutPrivateData(t *testing.T) {
	t.Parallel()
	tests := map[string]roundTripper{
		"the platform's message": responding(http.StatusBadGateway, `{"message":"cannot dial +1 859-657-9625 for agent@example.com"}`),
		"the transport's error": func(*http.Request) (*http.Response, error) {
			return nil, errors.New("reset by +1 859-657-9625 for agent@example.com")
		},
	}
	for name, transport := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			client := newClient(t, transport, calls.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			if _, err := client.CreateOutbound(t.Context(), anOutbound); !errors.Is(err, calls.ErrOutcomeUnknown) {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "outcome unknown") {
				t.Errorf("no warning in %q", &log)
			}
			if strings.Contains(log.String(), "859-657-9625") || strings.Contains(log.String(), "agent@example.com") {
				t.Errorf("private data in %q", &log)
			}
		})
	}
}

func TestAClientIsSilentByDefault(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	server := newServer(t)
	for _, opt := range []calls.Option{calls.WithLogger(nil), calls.WithAttemptTimeout(time.Minute)} {
		server.Fail(callstest.HangUpAfterCreate)
		_, _ = creates["CreateInbound"](t.Context(), inProcessClient(t, server, opt))
	}
	if log.Len() > 0 {
		t.Errorf("logged\n%s", log.String())
	}
}

// TestNoGoroutineOutlivesItsOperation counts the goroutines before and after operations
// that ended in different ways. It closes the pooled connections first.
func TestNoGoroutineOutlivesItsOperation(t *testing.T) {
	before := runtime.NumGoroutine()
	server := callstest.NewServer(t)
	client := socketClient(t, server, shortTimeout)
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
