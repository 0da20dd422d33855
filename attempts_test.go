package calls_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// These tests are about what a Client does by default and passes on; the rules
// themselves are tested where they are, in internal/transport.

func TestAClientPacesItselfByDefault(t *testing.T) {
	server := newWorld(t, callstest.WithRateLimit(10))
	synctest.Test(t, func(t *testing.T) {
		client, err := server.NewClient(calls.WithHTTPClient(&http.Client{Transport: server.InProcess()}))
		if err != nil {
			t.Fatal(err)
		}
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

func TestAfterA429EveryOperationOfTheClientIsHeldBack(t *testing.T) {
	server := newWorld(t)
	id := server.AddCall(callstest.Call{})
	synctest.Test(t, func(t *testing.T) {
		client := virtualClient(t, server, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}))
		server.Fail(callstest.RateLimited("7"))
		begin := time.Now()
		_, err := creates["CreateInbound"](t.Context(), client)
		var said *calls.APIError
		if !errors.Is(err, calls.ErrRateLimited) || !errors.As(err, &said) || said.RetryAfter != 7*time.Second {
			t.Errorf("%v", err)
		}
		if _, err := client.GetCustomerFlag(t.Context(), id); err != nil || time.Since(begin) != 7*time.Second {
			t.Errorf("the next operation ended after %v: %v", time.Since(begin), err)
		}
	})
}

func TestWhatAnEarlierAttemptMayHaveDoneIsNotForgotten(t *testing.T) {
	yes := true
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
		err := hastyClient(t, server).UpdateCustomerFlag(t.Context(), id, calls.CustomerFlagUpdate{BadActor: &yes})
		if got := calls.DeliveryOf(err); got != want || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v, then refused: %v, %v", first, got, err)
		}
	}
}

func TestALimitersErrorIsNoRefusalOfThePlatform(t *testing.T) {
	server := newWorld(t)
	down := errors.New("the store is down")
	client := virtualClient(t, server, calls.WithRateLimiter(brokenLimiter{down}))
	_, err := creates["CreateInbound"](t.Context(), client)
	if !errors.Is(err, down) || errors.Is(err, calls.ErrRateLimited) || calls.DeliveryOf(err) != calls.DeliveryNotSent || len(server.Requests()) != 0 {
		t.Errorf("%v, %v", err, calls.DeliveryOf(err))
	}
}

func TestEachAttemptIsALineOfTheLog(t *testing.T) {
	server := newWorld(t)
	id := server.AddCall(callstest.Call{})
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	synctest.Test(t, func(t *testing.T) {
		client := virtualClient(t, server, calls.WithLogger(logger))
		server.Fail(callstest.Status(503), callstest.HangUpAfterRead)
		if _, err := client.GetCustomerFlag(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	})
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines of 3 attempts:\n%s", len(lines), log.String())
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

func TestAClientIsSilentByDefault(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	server := newWorld(t)
	for _, opt := range []calls.Option{calls.WithLogger(nil), calls.WithAttemptTimeout(time.Minute)} {
		server.Fail(callstest.HangUpAfterCreate)
		_, _ = creates["CreateInbound"](t.Context(), virtualClient(t, server, opt))
	}
	if log.Len() > 0 {
		t.Errorf("it says\n%s", log.String())
	}
}

// brokenLimiter is a limiter whose store is out of reach.
type brokenLimiter struct{ err error }

func (l brokenLimiter) Wait(context.Context) error { return l.err }
