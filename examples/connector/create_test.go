package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestEndsOfACall(t *testing.T) {
	tests := []struct {
		ticket string
		says   string
		label  string // in the list of tickets
		calls  int
	}{
		{"71450", "The call is created Call 397 Status assigned", "call created", 1},
		{"80233", "Waiting for the agent", "waiting for the agent", 1},
		{"80455", "Nobody was called The agent cannot take a call now.", "not called", 0},
		{"1", "Nobody was called The ticket has no contact to call.", "not called", 0},
	}
	for _, test := range tests {
		t.Run(test.says, func(t *testing.T) {
			s := newSite(t)
			p := s.call(test.ticket)
			s.wants(p, http.StatusOK, "Call for ticket "+test.ticket, test.says)
			s.wants(s.get(p.path), http.StatusOK, test.says) // a reload
			s.wants(s.get("/"), http.StatusOK, test.label)
			s.wantsCalls(test.calls)
			if !strings.Contains(p.main(), `role="status"`) {
				t.Error("the outcome is not announced")
			}
			s.call(test.ticket)
			s.wantsCalls(2 * test.calls) // another call is permitted
		})
	}
}

func TestPlatformThatIsNotReachedCallsNobody(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.RefuseConnection)
	s.wants(s.call("71450"), http.StatusOK, "Nobody was called", "could not be reached, and nothing was sent")
	s.wants(s.call("71450"), http.StatusOK, "The call is created")
	s.wantsCalls(1)
}

func TestLostAnswerSettlesItself(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.HangUpAfterCreate)
	looking := s.gate.hold(http.MethodGet)
	p := s.call("71450")
	<-looking
	nonce := s.nonceOf("/", "/tickets/71450/call") // of another tab
	s.wants(p, http.StatusOK, "We do not know yet")
	if strings.Contains(p.main(), "<form") || strings.Contains(p.main(), "<button") {
		t.Errorf("a second ring is offered:\n%s", p.main())
	}
	if !strings.Contains(s.get("/").body, `aria-label="Call for ticket 71450" disabled`) {
		t.Error("the Call button is not disabled")
	}
	s.wants(s.post("/tickets/71450/call", url.Values{"nonce": {nonce}}), http.StatusConflict, "Nobody was called just now", "not known yet")
	s.wants(s.post(p.path+"/decision", url.Values{"finding": {"not made"}}), http.StatusBadRequest, "out of date")
	s.wants(s.post(p.path+"/look", nil), http.StatusBadRequest, "out of date")
	s.wants(s.call("76517"), http.StatusConflict, "Nobody was called just now") // the same number
	s.wants(s.call("80233"), http.StatusOK, "Waiting for the agent")            // others go on

	s.gate.open()
	s.wants(s.settled(p), http.StatusOK, "The call is created", "the call was found", "Call 397")
	s.wantsCalls(2)
	s.wants(s.call("71450"), http.StatusOK, "Call 398")
}

func TestCallThatIsNotFoundNeedsAPerson(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.HangUpAfterRead)
	p := s.settled(s.call("71450"))
	s.wants(p, http.StatusOK, "The call was not found", "A person has to check", "has yet to place it")
	nonce := s.nonceOf("/", "/tickets/71450/call")
	s.wants(s.post("/tickets/71450/call", url.Values{"nonce": {nonce}}), http.StatusConflict, "has to be checked")
	s.wants(s.find(p, ""), http.StatusUnprocessableEntity, "Choose what you have found out.")
	s.wants(s.find(p, "397"), http.StatusUnprocessableEntity)
	s.wantsCalls(0)

	s.wants(s.find(p, "not made"), http.StatusOK, "Checked: no call was made")
	s.wantsCalls(0) // not yet: the button has to be pressed, too
	s.wants(s.post("/tickets/71450/call", url.Values{"nonce": {nonce}}), http.StatusConflict, "Checked: no call was made")
	s.wants(s.call("71450"), http.StatusOK, "The call is created")
	s.wantsCalls(1)
	s.wants(s.find(p, "made"), http.StatusOK, "Checked: no call was made") // too late
}

func TestWordAboutAnotherVersionIsNotTaken(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.HangUpAfterRead)
	seen := s.settled(s.call("71450"))
	again := s.settled(s.lookAgain(seen))
	s.wants(again, http.StatusOK, "The call was not found")
	s.wants(s.find(seen, "not made"), http.StatusOK, "The call was not found")
	s.wants(s.call("71450"), http.StatusConflict)
	s.wants(s.find(again, "not made"), http.StatusOK, "Checked: no call was made")
}

func TestCallThatShowsUpLateIsFoundByLookingAgain(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.HangUpAfterRead)
	p := s.settled(s.call("71450"))
	s.wants(p, http.StatusOK, "The call was not found")
	created := s.entry(p).Intent.SentAfter
	s.double.AddCall(callstest.Call{Type: calls.CallTypeOutbound, TicketID: "71450", CreatedAt: created})
	s.wants(s.settled(s.lookAgain(p)), http.StatusOK, "The call is created", "Call 397")
}

func TestSeveralCallsAreForAPersonToTellApart(t *testing.T) {
	s := newSite(t)
	s.wants(s.post("/demo", url.Values{"trick": {"two"}}), http.StatusOK, "while a colleague calls")
	p := s.settled(s.call("71450"))
	s.wants(p, http.StatusOK, "Several calls match", "It is call 397, assigned, created", "It is call 398, assigned, created", "agent")
	s.wants(s.call("80233"), http.StatusOK, "Waiting for the agent")
	s.wants(s.find(p, "399"), http.StatusUnprocessableEntity)
	s.wants(s.find(p, "398"), http.StatusOK, "The call is created", "Call 398")
}

func TestEarlierCallIsNotTakenForALostOne(t *testing.T) {
	for fault, want := range map[callstest.Fault]string{
		callstest.HangUpAfterRead:   "The call was not found",
		callstest.HangUpAfterCreate: "Call 399",
	} {
		t.Run(fault.String(), func(t *testing.T) {
			s := newSite(t)
			s.call("71450")
			s.call("71450")
			s.double.Fail(fault)
			s.wants(s.settled(s.call("71450")), http.StatusOK, want)
		})
	}
}

func TestListingThatCannotBeReadNeedsAPerson(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.HangUpAfterCreate, callstest.Status(http.StatusForbidden))
	p := s.settled(s.call("71450"))
	s.wants(p, http.StatusOK, "We could not look", "does not permit this", "A person has to check")
	s.wants(s.find(p, "made"), http.StatusOK, "Checked: the call was made")
	s.wantsCalls(1)
}

func TestFormSubmittedTwiceMakesOneCall(t *testing.T) {
	s := newSite(t)
	form := url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}}
	s.wants(s.post("/tickets/71450/call", form), http.StatusOK, "Call 397")
	s.wants(s.post("/tickets/71450/call", form), http.StatusOK, "Call 397", "This form had been sent before.")
	s.wantsCalls(1)
}

func TestFormSubmittedAtOnceMakesOneCall(t *testing.T) {
	s := newSite(t)
	form := url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { s.wants(s.post("/tickets/71450/call", form), http.StatusOK, "Call 397") })
	}
	all.Wait()
	s.wantsCalls(1)
}

func TestTabsAtOnceMakeOneCall(t *testing.T) {
	s := newSite(t)
	asked := s.gate.hold(http.MethodPost)
	s.service.patience = 0
	s.wants(s.call("71450"), http.StatusOK, "Calling…")
	<-asked
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			form := url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}}
			s.wants(s.post("/tickets/71450/call", form), http.StatusConflict, "calling…")
		})
	}
	all.Wait()
	s.gate.open()
	s.service.background.Wait()
	s.wantsCalls(1)
}

func TestTabThatWasOvertakenMakesNoCall(t *testing.T) {
	s := newSite(t)
	tab := url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}}
	p := s.call("71450")
	again := s.post("/tickets/71450/call", tab)
	s.wants(again, http.StatusConflict, "Nobody was called just now.", "The call is created Call 397")
	if !strings.Contains(again.body, `data-live="`+p.path+`?overtaken=1"`) {
		t.Error("the page does not update itself")
	}
	s.wantsCalls(1)
	s.wants(s.call("71450"), http.StatusOK, "Call 398") // from a page that shows the first
}

func TestTabsOfTicketsWithOneNumberDoNotRingAtOnce(t *testing.T) {
	s := newSite(t)
	form := url.Values{"nonce": {s.nonceOf("/", "/tickets/76517/call")}}
	asked := s.gate.hold(http.MethodPost)
	s.service.patience = 0
	s.call("71450")
	<-asked
	s.wants(s.post("/tickets/76517/call", form), http.StatusConflict, "Call for ticket 71450 ” is not settled")
	s.wants(s.schedule(valid()), http.StatusConflict, "Call for ticket 71450 ” is not settled")
	s.gate.open()
	s.service.background.Wait()
	s.service.patience = time.Minute
	s.wants(s.post("/tickets/76517/call", form), http.StatusOK, "Call 398") // afterwards it does
}

func TestFloodOfFormsIsBounded(t *testing.T) {
	var list tickets
	for i := range 200 {
		list = append(list, ticket{ID: strconv.Itoa(i), Contact: fmt.Sprintf("+1 205-123-4%03d", i), Agent: "agent@example.com"})
	}
	s := newSiteOf(t, list)
	asked := s.gate.hold(http.MethodPost)
	s.service.patience = 0
	before := runtime.NumGoroutine()
	accepted := 0
	for i := range list {
		id := strconv.Itoa(i)
		form := url.Values{"nonce": {s.service.nonces.issue(actionCall, id, s.asOf())}}
		p := s.post("/tickets/"+id+"/call", form)
		if p.status == http.StatusOK {
			accepted++
			continue
		}
		s.wants(p, http.StatusServiceUnavailable, "This service is busy", "Nobody was called")
		if p.header.Get("Retry-After") == "" {
			t.Error("it does not say when to try again")
		}
	}
	<-asked
	if accepted != defaultLimits.underWay {
		t.Errorf("%d creates are under way, want %d", accepted, defaultLimits.underWay)
	}
	if now := runtime.NumGoroutine(); now > before+10*defaultLimits.underWay {
		t.Errorf("%d goroutines, %d before", now, before)
	}
	s.gate.open()
	s.service.background.Wait()
	s.service.patience = time.Minute
	s.wants(s.call("199"), http.StatusOK, "The call is created") // a person's Call goes on
	s.wantsCalls(accepted + 1)
}

func TestCallIsMadeThoughTheBrowserGoesAway(t *testing.T) {
	s := newSite(t)
	asked := s.gate.hold(http.MethodPost)
	ctx, leave := context.WithCancel(t.Context())
	request := s.newPost("/tickets/71450/call", url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}})
	gone := make(chan error)
	go func() {
		response, err := http.DefaultClient.Do(request.WithContext(ctx))
		if err == nil {
			response.Body.Close()
		}
		gone <- err
	}()
	<-asked
	leave()
	if err := <-gone; err == nil {
		t.Fatal("the browser has received its response")
	}
	s.gate.open()
	s.service.background.Wait()
	s.wantsCalls(1)
	s.wants(s.get("/"), http.StatusOK, "call created")
}
