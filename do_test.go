package calls_test

import (
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ccaip-go/calls"
)

// recorded is a platform that gives one answer and keeps the last request.
type recorded struct {
	status       int
	answer       string
	method, path string
	query, body  string
	requests     int
}

func (p *recorded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.method, p.path, p.query, p.body = r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body)
	p.requests++
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.answer)
}

func clientOf(t *testing.T, platform http.Handler) *calls.Client {
	t.Helper()
	server := httptest.NewServer(platform)
	t.Cleanup(server.Close)
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token", calls.WithBaseURL(server.URL),
		calls.WithHTTPClient(server.Client()), calls.WithRateLimiter(nil), calls.WithRetry(calls.RetryPolicy{MinWait: 1, MaxWait: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestDoSendsAndDecodes(t *testing.T) {
	platform := &recorded{status: 200, answer: `{"verified_customer":true}`}
	client := clientOf(t, platform)
	in := map[string]string{"a": "1"}
	var out struct {
		Verified bool `json:"verified_customer"`
	}
	if err := client.Do(t.Context(), http.MethodPatch, "/calls/397/customer flag é", in, &out); err != nil {
		t.Fatal(err)
	}
	if platform.method != "PATCH" || platform.path != "/apps/api/v1/calls/397/customer%20flag%20%C3%A9" || platform.body != `{"a":"1"}` || !out.Verified {
		t.Errorf("%s %s %s, decoded %v", platform.method, platform.path, platform.body, out)
	}
	if err := client.Do(t.Context(), http.MethodGet, "calls/397", nil, nil); err != nil || platform.body != "" || platform.path != "/apps/api/v1/calls/397" {
		t.Errorf("%s %q: %v", platform.path, platform.body, err)
	}
}

func TestDoKeepsBelowTheAppsAPI(t *testing.T) {
	platform := &recorded{status: 200}
	client := clientOf(t, platform)
	for _, path := range []string{
		"", "/", "//evil.example.com/x", "calls//1", "calls/", "..", "calls/../../manager", "calls/.", "./calls",
		"calls?page=2", "calls#x", `calls\..\x`, "calls/\r\nHost: x", "calls/\x00",
	} {
		err := client.Do(t.Context(), http.MethodGet, path, nil, nil)
		var invalid *calls.ValidationError
		if !errors.As(err, &invalid) || invalid.Field != "path" || calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%q: %v", path, err)
		}
	}
	if platform.requests != 0 {
		t.Fatalf("%d requests were sent", platform.requests)
	}
	for path, want := range map[string]string{
		"calls/%2e%2e/x":        "/apps/api/v1/calls/%252e%252e/x",
		"https:/x":              "/apps/api/v1/https:/x",
		"calls/a%2Fb":           "/apps/api/v1/calls/a%252Fb",
		"calls/…/@evil.example": "/apps/api/v1/calls/%E2%80%A6/@evil.example",
	} {
		if err := client.Do(t.Context(), http.MethodGet, path, nil, nil); err != nil || platform.path != want {
			t.Errorf("%q went to %q, want %q: %v", path, platform.path, want, err)
		}
	}
}

func TestDoRefusesWhatItCannotSend(t *testing.T) {
	client := clientOf(t, &recorded{status: 200})
	tests := map[string]struct {
		method string
		in     any
		field  string
	}{
		"a body on a GET":      {http.MethodGet, 1, "in"},
		"an unknown method":    {"TRACE", nil, "method"},
		"a method in lower":    {"get", nil, "method"},
		"what JSON cannot say": {http.MethodPost, math.NaN(), "in"},
	}
	for name, tt := range tests {
		err := client.Do(t.Context(), tt.method, "calls", tt.in, nil)
		var invalid *calls.ValidationError
		if !errors.As(err, &invalid) || invalid.Field != tt.field || calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDoFailsLikeTheOthers(t *testing.T) {
	var out struct{ ID int }
	tests := []struct {
		name     string
		method   string
		status   int
		answer   string
		err      error
		delivery calls.Delivery
		requests int
	}{
		{"a POST with the care of a create", http.MethodPost, 502, "", calls.ErrOutcomeUnknown, calls.DeliveryUnknown, 1},
		{"a PUT again after 5xx", http.MethodPut, 502, "", calls.ErrServer, calls.DeliveryUnknown, 4},
		{"a DELETE again after 5xx", http.MethodDelete, 503, "", calls.ErrServer, calls.DeliveryUnknown, 4},
		{"refused", http.MethodPost, 400, `{"message":"param is missing or the value is empty: key"}`, calls.ErrParameterMissing, calls.DeliveryRejected, 1},
		{"not found", http.MethodGet, 404, `{"message":"Not Found"}`, calls.ErrNotFound, calls.DeliveryRejected, 1},
		{"no JSON", http.MethodPost, 200, "<html>", calls.ErrUndecodable, calls.DeliveryAccepted, 1},
		{"other JSON", http.MethodPost, 201, `{"id":"x"}`, calls.ErrUndecodable, calls.DeliveryAccepted, 1},
		{"no body", http.MethodPost, 204, "", nil, calls.DeliveryAccepted, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			platform := &recorded{status: tt.status, answer: tt.answer}
			err := clientOf(t, platform).Do(t.Context(), tt.method, "calls", nil, &out)
			if !errors.Is(err, tt.err) || calls.DeliveryOf(err) != tt.delivery || platform.requests != tt.requests {
				t.Errorf("%v, %v, %d requests", err, calls.DeliveryOf(err), platform.requests)
			}
		})
	}
}
