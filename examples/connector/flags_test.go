package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestFlagPanel(t *testing.T) {
	s := newSite(t)
	s.call("71450")
	yes := true
	s.double.SetFlag(397, calls.CustomerFlag{RepeatCustomer: &yes})
	s.wants(s.get("/calls/397/flags"), http.StatusOK, "Verified customer: not set", "Bad actor: not set", "Repeat customer: yes")

	p := s.post("/calls/397/flags", url.Values{"verified_customer": {"yes"}, "bad_actor": {"no"}, "repeat_customer": {""}})
	s.wants(p, http.StatusOK, "The customer flag was changed.", "Verified customer: yes", "Bad actor: no", "Repeat customer: yes")

	p = s.post("/calls/397/flags", url.Values{"verified_customer": {""}})
	s.wants(p, http.StatusUnprocessableEntity, "The update sets no flag.", "Verified customer: yes")
}

func TestOnlyTheIDItselfNamesACall(t *testing.T) {
	s := newSite(t)
	s.call("71450")
	for _, id := range []string{"0397", strings.Repeat("0", 15000) + "397", "+397", "397%20", "-397", "99999999999999999999"} {
		s.wants(s.get("/calls/"+id+"/flags"), http.StatusNotFound, "There is no such call")
	}
}

func TestFlagPanelOfAPlatformThatFails(t *testing.T) {
	s := newSite(t)
	s.call("71450")
	s.double.Fail(callstest.Status(http.StatusServiceUnavailable))
	s.wants(s.get("/calls/397/flags"), http.StatusBadGateway, "could not be read", "The platform failed. Try again later.")
	s.double.Fail(callstest.HangUpAfterCreate)
	p := s.post("/calls/397/flags", url.Values{"bad_actor": {"yes"}})
	s.wants(p, http.StatusBadGateway, "It is not certain that this was changed.", "Bad actor: yes")
	s.wants(s.post("/calls/4711/flags", url.Values{"bad_actor": {"yes"}}), http.StatusNotFound, "There is no such call")
}
