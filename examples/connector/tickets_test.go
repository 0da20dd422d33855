package main

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/callstest"
)

// hostileIDs are ids that can be mistaken for other addresses.
var hostileIDs = []string{
	"INC/1", "7145%30", "71450", "71450/call?", "71450/call#", "../calls/1/flags?", "..%2f71450", "a b", "a+b", "ä", "71450/../76517",
	`"><b>`, "71450;x", "%2e%2e", "\\..\\1", "%", "?", "#", "//", "./x", "x/..", "71450\u202e", "javascript:alert(1)",
}

var callForm = regexp.MustCompile(`<form method="post" action="([^"]*)">\s*<input type="hidden" name="nonce" value="([^"]*)">\s*<button data-focus`)

func TestEachButtonCallsItsOwnTicket(t *testing.T) {
	var list tickets
	for i, id := range hostileIDs {
		list = append(list, ticket{ID: id, Subject: "s", Contact: "+1 859-657-96" + string(rune('0'+i/10)) + string(rune('0'+i%10)), Agent: "agent@example.com"})
	}
	s := newSiteOf(t, list)
	base, _ := url.Parse(s.url)
	for i, form := range callForm.FindAllStringSubmatch(s.get("/").body, -1) {
		// As a browser resolves it.
		action, err := base.Parse(html.UnescapeString(form[1]))
		if err != nil {
			t.Fatal(err)
		}
		s.wants(s.post(action.RequestURI(), url.Values{"nonce": {form[2]}}), http.StatusOK, "The call is created")
		all := s.double.Calls()
		if len(all) != i+1 || all[i].TicketID != list[i].ID {
			t.Fatalf("the button of ticket %q has called %q", list[i].ID, all[len(all)-1].TicketID)
		}
	}
	s.wantsCalls(len(list))
}

func TestTicketsThatNoAddressCanNameAreNotCallable(t *testing.T) {
	long := strings.Repeat("1", maxTicketID+1)
	s := newSiteOf(t, tickets{{ID: ".", Agent: "agent@example.com"}, {ID: "/", Agent: "agent@example.com"}, {ID: "..", Agent: "agent@example.com"}, {ID: long, Agent: "agent@example.com"}})
	p := s.get("/")
	if n := strings.Count(p.body, "A ticket with this id cannot be called from here."); n != 4 || strings.Count(p.main(), " disabled") != 4 {
		t.Errorf("%d tickets say why they cannot be called", n)
	}
	for _, id := range []string{"%2e", "%2E%2E", "%2F", long} {
		nonce := s.service.nonces.issue(actionCall, id, 0)
		if p := s.post("/tickets/"+id+"/call", url.Values{"nonce": {nonce}}); p.status < 400 {
			t.Errorf("%s: status %d", id, p.status)
		}
	}
	s.wantsCalls(0)
}

func TestNonceOfAnotherTicketDoesNotCall(t *testing.T) {
	s := newSite(t)
	for _, nonce := range []string{s.nonceOf("/", "/tickets/76517/call"), s.nonceOf("/schedule", "/schedule")} {
		s.wants(s.post("/tickets/71450/call", url.Values{"nonce": {nonce}}), http.StatusBadRequest, "out of date")
	}
	s.wants(s.post("/schedule", s.scheduleForm(s.nonceOf("/", "/tickets/71450/call"), valid())), http.StatusBadRequest, "out of date")
	s.wantsCalls(0)
}

func TestDisabledCallSaysWhyAndLinksToIt(t *testing.T) {
	s := newSite(t)
	asked := s.gate.hold(http.MethodPost)
	s.service.patience = 0
	p := s.call("71450")
	<-asked
	list := s.get("/")
	s.wants(list, http.StatusOK, "A call is under way. Details", "Ticket 71450 has the same number. A call is under way. Details")
	if strings.Count(list.body, `href="`+p.path+`" data-focus="check"`) != 2 {
		t.Errorf("the list has no link to the call:\n%s", list.main())
	}
	s.wants(s.get("/open"), http.StatusOK, "Nothing has to be checked. These calls are not known yet.", "Call for ticket 71450 : calling…")
	s.gate.open()
	s.service.background.Wait()
	if strings.Contains(s.get("/").main(), "disabled") {
		t.Error("a Call button is still disabled")
	}
}

// TestListAndCallsToCheckAgree checks that the list offers a check for what the other
// page lists.
func TestListAndCallsToCheckAgree(t *testing.T) {
	s := newSite(t)
	s.wants(s.get("/open"), http.StatusOK, "Nothing has to be checked.")
	s.double.Fail(callstest.HangUpAfterRead)
	s.gate.hold(http.MethodGet)
	p := s.call("71450")
	s.wants(s.get("/"), http.StatusOK, "not known yet", "It is not known yet whether the customer was called. Details")
	s.wants(s.get("/open"), http.StatusOK, "Nothing has to be checked. These calls are not known yet.", "Call for ticket 71450 : not known yet")
	s.gate.open()
	s.settled(p)
	s.wants(s.get("/"), http.StatusOK, "has to be checked", "Someone has to check whether the customer was called. Check")
	list := s.get("/open")
	s.wants(list, http.StatusOK, "Call for ticket 71450 : the call was not found")
	if strings.Contains(list.main(), "not known yet") || strings.Contains(list.main(), "Nothing has to be checked") {
		t.Errorf("the call is listed twice:\n%s", list.main())
	}
}

func TestCalleeIsTheSameForAllSpellings(t *testing.T) {
	want := "number 18596579625"
	for _, contact := range []string{"+1 859-657-9625", "+18596579625", "(+1) 859.657.9625", "+１ ８５９ ６５７ ９６２５", "+1 859-657-9625 ext. 5", "+18596579625;ext=5", "\u202a+1 859 657 9625"} {
		if got := (ticket{ID: "1", Contact: contact}).callee(); got != want {
			t.Errorf("%q: got %q", contact, got)
		}
	}
	if got := (ticket{ID: "1"}).callee(); got != "ticket 1" {
		t.Errorf("without a contact: %q", got)
	}
}

func TestTicketFilesAreChecked(t *testing.T) {
	for content, want := range map[string]string{
		`[`:  "not a JSON array of tickets",
		`[]`: "no ticket in it",
		`[{"id": "1", "agent": "agent@example.com", "nickname": ""}]`: `unknown field "nickname"`,
		`[{"id": "1"}]`: "ticket number 1 has no id or no agent",
		`[{"id": "1", "agent": "agent@example.com"}, {"id": "1", "agent": "agent@example.com"}]`: `ticket "1" is in it twice`,
	} {
		file := filepath.Join(t.TempDir(), "tickets.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadTickets(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", content, err, want)
		}
	}
}
