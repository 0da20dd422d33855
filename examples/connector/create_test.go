package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

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
		{"1", "Nobody was called The ticket has nobody to call.", "not called", 0},
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
			s.wantsCalls(2 * test.calls) // nothing stands against another call
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
	nonce := s.nonceOf("/", "/tickets/71450/call") // of another tab
	p := s.call("71450")
	<-looking
	s.wants(p, http.StatusOK, "We do not know yet")
	if strings.Contains(p.main(), "<form") || strings.Contains(p.main(), "<button") {
		t.Errorf("a second ring is offered:\n%s", p.main())
	}
	if !strings.Contains(s.get("/").body, `aria-label="Call for ticket 71450" disabled`) {
		t.Error("the Call button is not disabled")
	}
	s.wants(s.post("/tickets/71450/call", url.Values{"nonce": {nonce}}), http.StatusConflict, "Nobody was called just now", "not known yet")
	s.wants(s.post(p.path+"/decision", url.Values{"finding": {"not made"}}), http.StatusOK, "We do not know yet")
	s.wants(s.post(p.path+"/look", nil), http.StatusOK, "We do not know yet")
	s.wants(s.call("76517"), http.StatusOK, "The call is created Call 398") // other tickets go on

	s.gate.open()
	s.wants(s.settled(p), http.StatusOK, "The call is created", "the call was found", "Call 397")
	s.wantsCalls(2)
	s.wants(s.call("71450"), http.StatusOK, "Call 399")
}

func TestCallThatIsNotFoundNeedsAPerson(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.HangUpAfterRead)
	nonce := s.nonceOf("/", "/tickets/71450/call")
	p := s.settled(s.call("71450"))
	s.wants(p, http.StatusOK, "The call was not found", "A person has to check", "has yet to place it")
	s.wants(s.post("/tickets/71450/call", url.Values{"nonce": {nonce}}), http.StatusConflict, "has to be checked")
	s.wants(s.post(p.path+"/decision", url.Values{}), http.StatusUnprocessableEntity, "Choose what you have found out.")
	s.wants(s.post(p.path+"/decision", url.Values{"finding": {"397"}}), http.StatusUnprocessableEntity)
	s.wantsCalls(0)

	s.wants(s.post(p.path+"/decision", url.Values{"finding": {"not made"}}), http.StatusOK, "Checked: no call was made")
	s.wantsCalls(0) // not yet: the button has to be pressed, too
	s.wants(s.post("/tickets/71450/call", url.Values{"nonce": {nonce}}), http.StatusOK, "The call is created")
	s.wantsCalls(1)
	s.wants(s.post(p.path+"/decision", url.Values{"finding": {"made"}}), http.StatusOK, "Checked: no call was made") // too late
}

func TestCallThatShowsUpLateIsFoundByLookingAgain(t *testing.T) {
	s := newSite(t)
	s.double.Fail(callstest.HangUpAfterRead)
	p := s.settled(s.call("71450"))
	s.wants(p, http.StatusOK, "The call was not found")
	s.double.AddCall(callstest.Call{Type: string(calls.CallTypeOutbound), TicketID: "71450"})
	s.wants(s.settled(s.post(p.path+"/look", nil)), http.StatusOK, "The call is created", "Call 397")
}

func TestSeveralCallsAreForAPersonToTellApart(t *testing.T) {
	s := newSite(t)
	s.wants(s.post("/demo", url.Values{"trick": {"two"}}), http.StatusOK, "while a colleague calls")
	p := s.settled(s.call("71450"))
	s.wants(p, http.StatusOK, "Several calls can be the one", "It is call 397, assigned, created", "It is call 398, assigned, created")
	s.wants(s.call("76517"), http.StatusOK, "The call is created Call 399")
	s.wants(s.post(p.path+"/decision", url.Values{"finding": {"399"}}), http.StatusUnprocessableEntity)
	s.wants(s.post(p.path+"/decision", url.Values{"finding": {"398"}}), http.StatusOK, "The call is created", "Call 398")
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
	s.wants(p, http.StatusOK, "We could not look", "does not let this service do that", "A person has to check")
	s.wants(s.post(p.path+"/decision", url.Values{"finding": {"made"}}), http.StatusOK, "Checked: the call was made")
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
		t.Fatal("the browser has had its answer")
	}
	s.gate.open()
	s.service.background.Wait()
	s.wantsCalls(1)
	s.wants(s.get("/"), http.StatusOK, "call created")
}
