package callstest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestStartRefusesInvalidOptions(t *testing.T) {
	tests := map[string]callstest.Option{
		"nil option":          nil,
		"no token":            callstest.WithCredentials("customer", ""),
		"colon":               callstest.WithCredentials("cust:omer", "token"),
		"agent without email": callstest.WithAgents(callstest.Agent{Email: "agent"}),
		"unknown response":    callstest.WithAgents(callstest.Agent{Email: "agent@example.com", Response: 9}),
		"menu without id":     callstest.WithMenus(callstest.Menu{Name: "Lock Star"}),
		"unknown menu type":   callstest.WithMenus(callstest.Menu{ID: 9, Types: []calls.MenuType{"ivr"}}),
		"unknown menu state":  callstest.WithMenus(callstest.Menu{ID: 9, State: 7}),
		"ticket without id":   callstest.WithTickets(callstest.Ticket{}),
		"ticket's number":     callstest.WithTickets(callstest.Ticket{ID: "1", Number: "123123"}),
		"empty language":      callstest.WithLanguages(nil, []string{""}),
		"nil clock":           callstest.WithClock(nil),
		"nil lag":             callstest.WithListingLag(nil),
		"no requests":         callstest.WithRateLimit(0),
		"no port":             callstest.WithAddress("127.0.0.1"),

		"no closed record":         callstest.WithCRMClosedRecords(),
		"closed record without id": callstest.WithCRMClosedRecords("71450", ""),
		"no scheduled record":      callstest.WithCRMScheduledRecords(),
		"422 without a message":    callstest.WithCRMScheduleRejection(""),
		"malformed third party":    callstest.WithUnreachableNumbers("+1 859-657-9625", "123123"),
	}
	for name, option := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := callstest.Start(option)
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "callstest: ") {
				t.Errorf("error %q has no prefix", err)
			}
		})
	}
}

func TestWithAddress(t *testing.T) {
	first := callstest.NewServer(t, callstest.WithAddress("localhost:0"))
	for _, host := range []string{"127.0.0.1", "", "0.0.0.0"} {
		s := callstest.NewServer(t, callstest.WithAddress(host+":0"))
		if !strings.HasPrefix(s.URL(), "http://127.0.0.1:") {
			t.Errorf("%q is reached by %s", host, s.URL())
		}
		if r := do(s, http.MethodPost, callsPath, outboundBody); r.status != http.StatusCreated {
			t.Errorf("%q: %d, %v", host, r.status, r.err)
		}
	}
	if s, err := callstest.Start(callstest.WithAddress(strings.TrimPrefix(first.URL(), "http://"))); err == nil {
		s.Close()
		t.Error("two servers have the same address")
	}
}

func TestTLS(t *testing.T) {
	s := callstest.NewServer(t, callstest.WithTLS())
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("URL %s", s.URL())
	}
	wantStatus(t, do(s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
	if r := doWith(&http.Client{}, s, http.MethodPost, callsPath, outboundBody); r.err == nil {
		t.Error("a client that does not know the certificate trusts it")
	}
}

func TestRateLimit(t *testing.T) {
	clock := newClock()
	s := callstest.NewServer(t, callstest.WithRateLimit(2), callstest.WithClock(clock.now))
	get := func(want int) {
		t.Helper()
		wantStatus(t, do(s, http.MethodGet, listingPath, ""), want)
	}
	get(http.StatusOK)
	clock.move(900 * time.Millisecond)
	get(http.StatusOK)
	get(http.StatusTooManyRequests)
	clock.move(999 * time.Millisecond)
	get(http.StatusTooManyRequests)
	clock.move(time.Second)
	get(http.StatusOK)
}

func TestWorldOptionsAddAndReplace(t *testing.T) {
	s := callstest.NewServer(t,
		callstest.WithAgents(
			callstest.Agent{Email: "busy@example.com", Available: true, Permitted: true},
			callstest.Agent{Email: "second@example.com"},
		),
		callstest.WithMenus(callstest.Menu{ID: 14, Name: "New", Types: []calls.MenuType{calls.MenuTypeMobile}}),
		callstest.WithTickets(callstest.Ticket{ID: "1", Number: "+1 859-657-9625"}),
		callstest.WithLanguages([]string{"fr"}, []string{"ko"}),
	)
	tests := []struct {
		body   string
		status int
	}{
		{outbound.with(params{}), http.StatusCreated},
		{outbound.with(params{"agent_email": `"busy@example.com"`}), http.StatusCreated},
		{outbound.with(params{"agent_email": `"second@example.com"`}), http.StatusBadRequest},
		{outbound.with(params{"ticket_id": `"1"`}), http.StatusCreated},
		{inbound.with(params{"menu_id": "14", "lang": `"fr"`}), http.StatusCreated},
		{inbound.with(params{"lang": `"ko"`}), http.StatusBadRequest},
	}
	for _, test := range tests {
		if r := do(s, http.MethodPost, callsPath, test.body); r.status != test.status {
			t.Errorf("%s: got %d %s, want %d", test.body, r.status, r.body, test.status)
		}
	}
}
