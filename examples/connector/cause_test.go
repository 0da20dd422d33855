package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestCauseOfAFailure(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	for want, err := range map[string]error{
		"": nil,
		"status 401 from customer.example: check the credentials":     &calls.APIError{StatusCode: 401, Host: "customer.example", Message: "call +18596579625"},
		"status 404 from customer.example: check the subdomain":       &calls.APIError{StatusCode: 404, Host: "customer.example"},
		"status 400 from customer.example: the ticket has no contact": &calls.APIError{StatusCode: 400, Host: "customer.example", Message: "Contact not found"},
		"status 400 from customer.example: the request is not valid":  &calls.APIError{StatusCode: 400, Host: "customer.example", Message: "ask agent@example.com"},
		"status 502 from customer.example":                            &calls.APIError{StatusCode: 502, Host: "customer.example"},
		"not valid: menu_id, lang":                                    calls.ValidationErrors{{Field: "menu_id"}, {Field: "lang"}},
		"2 calls match":                                               &calls.AmbiguousError{Candidates: make([]*calls.Call, 2)},
		"no listing shows the call":                                   calls.ErrCallNotFound,
		"the host customer.example cannot be resolved":                &net.OpError{Op: "dial", Err: &net.DNSError{Name: "customer.example"}},
		"the host 192.0.2.1:443 cannot be reached":                    &net.OpError{Op: "dial", Addr: addr, Err: errors.New("refused")},
		"the host's certificate is not valid":                         &tls.CertificateVerificationError{Err: errors.New("expired")},
		"timeout":                                                     fmt.Errorf("read: %w", context.DeadlineExceeded),
		"canceled":                                                    context.Canceled,
		"the response could not be decoded":                           calls.ErrUndecodable,
		"the connection broke before the response":                    &net.OpError{Op: "read", Err: errors.New("reset")},
	} {
		if got := causeOf(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}

func TestLogNamesTheCause(t *testing.T) {
	for want, faults := range map[string][]callstest.Fault{
		`level=WARN msg=attempt ticket=71450 state=refused after=`: {callstest.Status(http.StatusUnauthorized)},
		`cause="status 401 from 127.0.0.1`:                         {callstest.Status(http.StatusUnauthorized)},
		`cause="the host 127.0.0.1:`:                               {callstest.RefuseConnection},
		`state=settling`:                                           {callstest.HangUpAfterRead},
		`cause="no listing shows the call`:                         {callstest.HangUpAfterRead},
	} {
		s := newSite(t)
		s.double.Fail(faults...)
		s.settled(s.call("71450"))
		s.service.background.Wait()
		if !strings.Contains(s.logs.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, s.logs)
		}
	}
}
