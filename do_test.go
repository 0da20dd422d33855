package calls_test

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"testing"

	"github.com/ccaip-go/calls"
)

func TestDoSendsAndDecodes(t *testing.T) {
	platform := &recorder{status: 200, response: `{"verified_customer":true}`}
	client := handlerClient(t, platform)
	in := map[string]string{"a": "1"}
	var out struct {
		Verified bool `json:"verified_customer"`
	}
	if _, err := client.Do(t.Context(), http.MethodPatch, "/calls/397/customer flag é", nil, in, &out); err != nil {
		t.Fatal(err)
	}
	if platform.method != "PATCH" || platform.path != "/apps/api/v1/calls/397/customer%20flag%20%C3%A9" || platform.body != `{"a":"1"}` || !out.Verified {
		t.Errorf("%s %s %s, decoded %v", platform.method, platform.path, platform.body, out)
	}
	if _, err := client.Do(t.Context(), http.MethodGet, "calls/397", nil, nil, nil); err != nil || platform.body != "" || platform.path != "/apps/api/v1/calls/397" {
		t.Errorf("%s %q: %v", platform.path, platform.body, err)
	}
}

func TestDoKeepsBelowTheAppsAPI(t *testing.T) {
	platform := &recorder{status: 200}
	client := handlerClient(t, platform)
	for _, path := range []string{
		"", "/", "//evil.example.com/x", "calls//1", "calls/", "..", "calls/../../manager", "calls/.", "./calls",
		"calls?page=2", "calls#x", `calls\..\x`, "calls/\r\nHost: x", "calls/\x00",
	} {
		_, err := client.Do(t.Context(), http.MethodGet, path, nil, nil, nil)
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
		if _, err := client.Do(t.Context(), http.MethodGet, path, nil, nil, nil); err != nil || platform.path != want {
			t.Errorf("%q is sent to %q, want %q: %v", path, platform.path, want, err)
		}
	}
}

func TestDoValidatesItsArguments(t *testing.T) {
	client := handlerClient(t, &recorder{status: 200})
	tests := map[string]struct {
		method string
		in     any
		field  string
	}{
		"a body on a GET":      {http.MethodGet, 1, "in"},
		"an unknown method":    {"TRACE", nil, "method"},
		"a method in lower":    {"get", nil, "method"},
		"a value without JSON": {http.MethodPost, math.NaN(), "in"},
	}
	for name, tt := range tests {
		_, err := client.Do(t.Context(), tt.method, "calls", nil, tt.in, nil)
		var invalid *calls.ValidationError
		if !errors.As(err, &invalid) || invalid.Field != tt.field || calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsOfDo(t *testing.T) {
	var out struct{ ID int }
	tests := []struct {
		name     string
		method   string
		status   int
		response string
		err      error
		delivery calls.Delivery
		requests int
	}{
		{"a POST after 502 is not retried", http.MethodPost, 502, "", calls.ErrOutcomeUnknown, calls.DeliveryUnknown, 1},
		{"a PUT is retried after 502", http.MethodPut, 502, "", calls.ErrServer, calls.DeliveryUnknown, 4},
		{"a DELETE is retried after 503", http.MethodDelete, 503, "", calls.ErrServer, calls.DeliveryUnknown, 4},
		{"refused", http.MethodPost, 400, `{"message":"param is missing or the value is empty: key"}`, calls.ErrParameterMissing, calls.DeliveryRejected, 1},
		{"not found", http.MethodGet, 404, `{"message":"Not Found"}`, calls.ErrNotFound, calls.DeliveryRejected, 1},
		{"not JSON", http.MethodPost, 200, "<html>", calls.ErrUndecodable, calls.DeliveryAccepted, 1},
		{"other JSON", http.MethodPost, 201, `{"id":"x"}`, calls.ErrUndecodable, calls.DeliveryAccepted, 1},
		{"no body", http.MethodPost, 204, "", nil, calls.DeliveryAccepted, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			platform := &recorder{status: tt.status, response: tt.response}
			_, err := handlerClient(t, platform).Do(t.Context(), tt.method, "calls", nil, nil, &out)
			if !errors.Is(err, tt.err) || calls.DeliveryOf(err) != tt.delivery || platform.requests != tt.requests {
				t.Errorf("%v, %v, %d requests", err, calls.DeliveryOf(err), platform.requests)
			}
		})
	}
}

func TestDoReachesBothAPIs(t *testing.T) {
	platform := &recorder{status: 200}
	client := handlerClient(t, platform)
	for path, want := range map[string]string{
		"calls":                                  "/apps/api/v1/calls",
		"/calls":                                 "/apps/api/v1/calls",
		"/apps/api/v1/calls":                     "/apps/api/v1/calls",
		"apps/api/v1/calls":                      "/apps/api/v1/calls",
		"/manager/api/v1/settings/organization":  "/manager/api/v1/settings/organization",
		"manager/api/v1/calls":                   "/manager/api/v1/calls",
		"managers/api/v1":                        "/apps/api/v1/managers/api/v1",
		"calls/api/v1":                           "/apps/api/v1/calls/api/v1",
		"/apps/api/v1/manager/api/v1/x":          "/apps/api/v1/manager/api/v1/x",
		"/manager/api/v1/apps":                   "/manager/api/v1/apps",
		"/manager/api/v1/%2e%2e/apps":            "/manager/api/v1/%252e%252e/apps",
		"/apps/api/v1/calls/397/customer_flag":   "/apps/api/v1/calls/397/customer_flag",
		"/manager/api/v1/agents/agent@a.example": "/manager/api/v1/agents/agent@a.example",
	} {
		if _, err := client.Do(t.Context(), http.MethodGet, path, nil, nil, nil); err != nil || platform.path != want {
			t.Errorf("%q is sent to %q, want %q: %v", path, platform.path, want, err)
		}
	}
	sent := platform.requests
	for _, path := range []string{
		"/manager", "/manager/", "/manager/api/v2/calls", "/manager/api/v1", "/manager/api/v1/", "/apps/api/v2/calls", "/apps", "apps/x",
		"/manager/api/v1/../../../apps/api/v1/calls", "/manager/api/v1//calls", "/manager/api/v1/calls?page=2",
	} {
		_, err := client.Do(t.Context(), http.MethodGet, path, nil, nil, nil)
		var invalid *calls.ValidationError
		if !errors.As(err, &invalid) || invalid.Field != "path" {
			t.Errorf("%q: %v", path, err)
		}
	}
	if platform.requests != sent {
		t.Errorf("%d bad paths were sent", platform.requests-sent)
	}
}

func TestDoSendsAQueryAndReturnsTheResponse(t *testing.T) {
	platform := &recorder{status: 206, response: `{"id":"397","rating":{},"zebra":1}`}
	client := handlerClient(t, platform)
	query := url.Values{"updated_at[from]": {"2019-09-01T00:00:00+02:00"}, "id": {"1", "2"}, "a&b": {"é ?"}}
	var call calls.Call
	response, err := client.Do(t.Context(), http.MethodGet, "/manager/api/v1/calls", query, nil, &call)
	if err != nil || response.StatusCode != 206 || response.Header.Get("Content-Length") != "34" {
		t.Fatalf("%+v, %v", response, err)
	}
	if got, _ := url.ParseQuery(platform.query); !reflect.DeepEqual(got, query) {
		t.Errorf("sent the query %q", platform.query)
	}
	if call.ID != 397 || call.Rating != nil || string(call.RawJSON()) != platform.response {
		t.Errorf("decoded %v of %s", &call, call.RawJSON())
	}
	platform.status, platform.response = 404, "{}"
	response, err = client.Do(t.Context(), http.MethodGet, "calls", nil, nil, nil)
	if !errors.Is(err, calls.ErrNotFound) || response == nil || response.StatusCode != 404 {
		t.Errorf("a refusal: %+v, %v", response, err)
	}
	platform.status, platform.response = 200, "<html>"
	response, err = client.Do(t.Context(), http.MethodGet, "calls", nil, nil, &call)
	if !errors.Is(err, calls.ErrUndecodable) || response == nil || response.StatusCode != 200 {
		t.Errorf("a gateway's page: %+v, %v", response, err)
	}
	response, err = newClient(t, roundTripper(broken)).Do(t.Context(), http.MethodGet, "calls", nil, nil, nil)
	if err == nil || response != nil {
		t.Errorf("no response: %+v, %v", response, err)
	}
}
