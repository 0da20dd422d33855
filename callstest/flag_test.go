package callstest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

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
