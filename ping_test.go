package calls_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestPing(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t)
	if err := socketClient(t, server).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	requests := server.Requests()
	if len(requests) != 1 || requests[0].Method != "GET" || requests[0].Path != "/manager/api/v1/settings/organization" {
		t.Errorf("%d requests, the first %v", len(requests), requests)
	}
}

func TestErrorsOfPingSayWhatToCheck(t *testing.T) {
	t.Parallel()
	const host, credentials, access = "check the host", "check the credentials", "check the access to the Manager API"
	html := responding(http.StatusOK, "<html>Welcome")
	tests := map[string]struct {
		platform roundTripper
		hint     string // "" for no hint
		is       error
	}{
		"the token is wrong":   {responding(401, `{"message":"Not Authorized"}`), credentials, calls.ErrUnauthorized},
		"no access":            {responding(403, ""), access, calls.ErrForbidden},
		"an unknown subdomain": {responding(404, `{"message":"Not Found"}`), host, calls.ErrNotFound},
		"a redirect":           {responding(302, ""), host, calls.ErrRedirected},
		"a gateway's page":     {html, host, calls.ErrUndecodable},
		"no connection":        {roundTripper(broken), host, nil},
		"a server error":       {responding(503, ""), "", calls.ErrServer},
		"too many requests":    {responding(429, ""), "", calls.ErrRateLimited},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := newClient(t, tt.platform).Ping(t.Context())
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Fatalf("error %v, want %v", err, tt.is)
			}
			for _, text := range []string{host, credentials, access} {
				if strings.Contains(err.Error(), text) != (text == tt.hint) {
					t.Errorf("%q in %q, want %q", text, err, tt.hint)
				}
			}
		})
	}
	for name, body := range map[string]string{"an object": "{}", "a list": " [] ", "no body": ""} {
		if err := newClient(t, responding(http.StatusOK, body)).Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPingThatWasNotSent has errors of the caller, which have no hint.
func TestPingThatWasNotSent(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	limiter := limiterFunc(func(context.Context) error { return errors.New("no turn") })
	var none *calls.Client
	var noContext context.Context
	for name, err := range map[string]error{
		"a context that ended": newClient(t, roundTripper(broken)).Ping(ctx),
		"a limiter's error":    newClient(t, untouched(t), calls.WithRateLimiter(limiter)).Ping(t.Context()),
		"no context":           newClient(t, untouched(t)).Ping(noContext),
		"no client":            none.Ping(t.Context()),
	} {
		if err == nil || strings.Contains(err.Error(), "check the") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again := none.Ping(t.Context()); strings.Contains(again.Error(), "check") {
		t.Errorf("a shared error was changed: %v", again)
	}
}
