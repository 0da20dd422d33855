package callstest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestCredentials(t *testing.T) {
	s := callstest.NewServer(t, callstest.WithCredentials("name-7xd3onk.ue1", "secret"))
	if s.Subdomain() != "name-7xd3onk.ue1" || s.Token() != "secret" || s.Domain() != "uc1.ccaiplatform.com" {
		t.Errorf("got %s, %s, %s", s.Subdomain(), s.Token(), s.Domain())
	}
	wantStatus(t, do(s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)

	for _, user := range []string{"name-7xd3onk.ue1", "customer"} {
		r, _ := http.NewRequest(http.MethodPost, s.URL()+callsPath, strings.NewReader(outboundBody))
		r.SetBasicAuth(user, "callstest-token")
		response, err := s.HTTPClient().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("got %d, want 401", response.StatusCode)
		}
	}
	if n := len(s.Calls()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func TestNotFound(t *testing.T) {
	s := callstest.NewServer(t)
	id := s.AddCall(callstest.Call{})
	if id != 397 {
		t.Errorf("first id %d, want 397", id)
	}
	for _, target := range []string{
		"GET /", "GET " + callsPath, "PUT " + callsPath, "POST " + callsPath + "/", "POST " + listingPath,
		"GET " + callsPath + "/397", "GET " + callsPath + "/397/customer_flags", "GET " + callsPath + "/x/customer_flag",
		"GET " + callsPath + "/1/customer_flag", "PATCH " + callsPath + "/1/customer_flag", "POST " + callsPath + "/1/end_user",
		"PUT " + callsPath + "/397/customer_flag", "GET " + callsPath + "/397/end_user",
	} {
		method, path, _ := strings.Cut(target, " ")
		r := do(s, method, path, "{}")
		wantStatus(t, r, http.StatusNotFound)
		if got := r.message(t); got != "Not Found" {
			t.Errorf("%s: %q", target, got)
		}
	}
}

func TestCustomerFlag(t *testing.T) {
	s := callstest.NewServer(t)
	path := fmt.Sprintf("%s/%d/customer_flag", callsPath, s.AddCall(callstest.Call{}))
	steps := []struct {
		method, body, want string
	}{
		{http.MethodGet, "", `{"verified_customer":null,"bad_actor":null,"repeat_customer":null}`},
		{http.MethodPatch, `{"verified_customer":true}`, `{"verified_customer":true,"bad_actor":null,"repeat_customer":null}`},
		{http.MethodPatch, `{"bad_actor":false,"repeat_customers":true}`, `{"verified_customer":true,"bad_actor":false,"repeat_customer":true}`},
		{http.MethodPatch, `{"repeat_customer":false}`, `{"verified_customer":true,"bad_actor":false,"repeat_customer":false}`},
		{http.MethodPatch, `{}`, `{"verified_customer":true,"bad_actor":false,"repeat_customer":false}`},
		{http.MethodGet, "", `{"verified_customer":true,"bad_actor":false,"repeat_customer":false}`},
	}
	for _, step := range steps {
		r := do(s, step.method, path, step.body)
		wantStatus(t, r, http.StatusOK)
		if r.body != step.want {
			t.Errorf("%s %s: got %s, want %s", step.method, step.body, r.body, step.want)
		}
	}
	wantStatus(t, do(s, http.MethodPatch, path, `{"bad_actor":"boolean"}`), http.StatusBadRequest)
}

func TestSetFlag(t *testing.T) {
	s := callstest.NewServer(t)
	yes := true
	s.SetFlag(514, calls.CustomerFlag{BadActor: &yes})
	yes = false
	if f := s.Flag(514); f.BadActor == nil || !*f.BadActor || f.VerifiedCustomer != nil {
		t.Errorf("got %+v", f)
	}
	s.AddCall(callstest.Call{ID: 514})
	if r := do(s, http.MethodGet, callsPath+"/514/customer_flag", ""); r.body != `{"verified_customer":null,"bad_actor":true,"repeat_customer":null}` {
		t.Errorf("got %s", r.body)
	}
}

func TestEndUser(t *testing.T) {
	s := callstest.NewServer(t)
	id, ended := s.AddCall(callstest.Call{}), s.AddCall(callstest.Call{Status: "finished"})
	tests := []struct {
		id      int64
		body    string
		status  int
		message string
	}{
		{id, `{"name":"Example"}`, http.StatusBadRequest, "param is missing or the value is empty: identifier"},
		{id, `{"identifier":"u1","email":"user@example.com"}`, http.StatusAccepted, "accepted"},
		{id, `{"identifier":"u1","email":"user@example.com"}`, http.StatusBadRequest, "Duplicate request: Please wait for the interval to expire"},
		{id, `{"identifier":"u1"}`, http.StatusAccepted, "accepted"},
		{ended, `{"identifier":"u1"}`, http.StatusBadRequest, "Call is already ended"},
		{1, `{"identifier":"u1"}`, http.StatusNotFound, "Not Found"},
		{id, `[]`, http.StatusBadRequest, "the body is not a well-formed JSON object"},
	}
	for _, test := range tests {
		r := do(s, http.MethodPost, fmt.Sprintf("%s/%d/end_user", callsPath, test.id), test.body)
		wantStatus(t, r, test.status)
		if got := r.message(t); got != test.message {
			t.Errorf("%d %s: got %q, want %q", test.id, test.body, got, test.message)
		}
	}
	users := s.EndUsers(id)
	if len(users) != 2 || users[0] != (calls.EndUserAuth{Identifier: "u1", Email: "user@example.com"}) {
		t.Errorf("got %+v", users)
	}
}

func TestEndUserWithoutCRM(t *testing.T) {
	s := callstest.NewServer(t, callstest.WithoutCRM())
	id := s.AddCall(callstest.Call{})
	r := do(s, http.MethodPost, fmt.Sprintf("%s/%d/end_user", callsPath, id), `{"identifier":"u1"}`)
	wantStatus(t, r, http.StatusBadRequest)
	if got := r.message(t); got != "Unsupported CRM request" {
		t.Errorf("got %q", got)
	}
}

// The documentation is silent about these cancellations.
func TestCancellationsOfOtherCalls(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t)
	at := time.Now().Add(time.Hour)
	now := server.AddCall(callstest.Call{})
	scheduled := server.AddCall(callstest.Call{ScheduledAt: &at})
	wantStatus(t, do(server, http.MethodPatch, callsPath+"/scheduled/397/cancel", ""), http.StatusNotFound)
	if call, _ := server.Call(now); call.Status != "queued" {
		t.Errorf("a call that was not scheduled is %s", call.Status)
	}
	for _, path := range []string{"/scheduled/4711/cancel", "/scheduled/x/cancel", "/scheduled/398/other", "/398/cancel"} {
		wantStatus(t, do(server, http.MethodPatch, callsPath+path, ""), http.StatusNotFound)
	}
	for body, want := range map[string]string{"{}": "param is missing or the value is empty: call_ids", "5": "", `{"call_ids":["x"]}`: ""} {
		r := do(server, http.MethodPatch, callsPath+"/scheduled/cancel", body)
		wantStatus(t, r, http.StatusBadRequest)
		if got := r.message(t); want != "" && got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
	r := do(server, http.MethodPatch, callsPath+"/scheduled/cancel", `{"call_ids":[398,397]}`)
	wantStatus(t, r, http.StatusAccepted)
	location := r.header.Get("Location")
	if !strings.HasPrefix(location, server.URL()+callsPath+"/scheduled/") {
		t.Fatalf("the location is %q", location)
	}
	var shown struct{ Canceled, Failed []int64 }
	do(server, http.MethodGet, strings.TrimPrefix(location, server.URL()), "").decode(t, &shown)
	if !slices.Equal(shown.Canceled, []int64{scheduled}) || !slices.Equal(shown.Failed, []int64{now}) {
		t.Errorf("shown %+v", shown)
	}
	wantStatus(t, do(server, http.MethodGet, callsPath+"/scheduled/cancellations/2", ""), http.StatusNotFound)
	wantStatus(t, do(server, http.MethodGet, callsPath+"/scheduled/cancellations/x", ""), http.StatusNotFound)
}
