package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// childVariable has the test binary run the connector instead of the tests, with
// the file of its database.
const childVariable = "CONNECTOR_TEST_DATABASE"

func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		err := run(context.Background(), settings{addr: "127.0.0.1:0", tickets: "tickets.json", db: file, attempt: 30 * time.Second, skew: 100 * time.Millisecond, lag: 100 * time.Millisecond})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// startChild starts the connector as a process of its own.
func (s *site) startChild() (kill func()) {
	s.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+s.file, "CCAIP_SUBDOMAIN="+s.double.Subdomain(), "CCAIP_DOMAIN="+s.double.Domain(),
		"CCAIP_TOKEN="+s.double.Token(), "CCAIP_BASE_URL="+s.double.URL())
	child.Stderr = s.Output()
	stdout, err := child.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := child.Start(); err != nil {
		s.Fatal(err)
	}
	kill = func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}
	s.Cleanup(kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "Open ")
	if err != nil || !ok {
		s.Fatalf("the connector says %q, %v", line, err)
	}
	s.url = address
	return kill
}

func TestKilledConnectorRingsOnce(t *testing.T) {
	list, err := loadTickets("")
	if err != nil {
		t.Fatal(err)
	}
	for run := range 4 {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			s := &site{T: t, double: callstest.NewServer(t, callstest.WithTickets(list.ofDouble()...)), file: filepath.Join(t.TempDir(), "connector.db")}
			kill := s.startChild()
			form := url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}}
			s.double.Fail(callstest.StallAfterCreate)
			s.wants(s.post("/tickets/71450/call", form), http.StatusOK, "Calling…") // the platform does not respond
			kill()

			s.startChild()
			s.wants(s.post("/tickets/71450/call", form), http.StatusOK, "This form had been sent before.")
			if !strings.Contains(s.get("/").body, `aria-label="Call for ticket 71450" disabled`) {
				t.Error("the ticket can be called again")
			}
			s.wants(s.call("71450"), http.StatusConflict, "Nobody was called just now")
			s.wants(s.call("76517"), http.StatusConflict, "Nobody was called just now") // the same number
			s.wantsCalls(1)
		})
	}
}

func TestRestartGoesOnWithWhatWasLeft(t *testing.T) {
	tests := map[string]struct {
		isMade bool
		says   string
	}{
		"the call was made": {true, "The call is created"},
		"it was not":        {false, "The call was not found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			p := s.leaveBehind("71450", test.isMade)
			later := s.another()
			p.path = strings.TrimPrefix(p.path, s.url)
			p = later.get(p.path)
			later.wants(later.settled(p), http.StatusOK, test.says)
			if !test.isMade {
				later.wants(later.get("/open"), http.StatusOK, "Call for ticket 71450 : the call was not found")
			}
			later.wants(later.get("/"), http.StatusOK)
		})
	}
}

// leaveBehind records what a process leaves that was killed while it was sending: a
// mark whose permit is over.
func (s *site) leaveBehind(ticketID string, isMade bool) seen {
	s.Helper()
	t, _ := s.service.tickets.find(ticketID)
	l := s.service.attempts
	a, _, err := l.begin(s.Context(), attempt{ID: "left", Subject: t.callee(), TicketID: t.ID, Title: "Call for ticket " + t.ID, Started: time.Now(), shown: time.Now()}, s.asOf(), t.request())
	if err != nil {
		s.Fatal(err)
	}
	l.end(a.ID)
	e, err := l.store.Get(s.Context(), a.ID)
	if err != nil {
		s.Fatal(err)
	}
	e.State, e.Tries = ledger.StateSending, 1
	e.Intent.Attempt, e.Intent.SentAfter, e.Intent.SentBefore = "mark", time.Now().Round(0), time.Now().Add(50*time.Millisecond).Round(0)
	e.Until = e.Intent.SentBefore
	if err := l.store.Replace(s.Context(), e); err != nil {
		s.Fatal(err)
	}
	if isMade {
		s.double.AddCall(callstest.Call{Type: "Voice Outbound (API)", Status: "assigned", TicketID: ticketID})
	}
	return s.get("/attempts/" + a.ID)
}

func TestCallThatWasNotSentInTimeIsWithdrawn(t *testing.T) {
	s := newSite(t)
	t1, _ := s.service.tickets.find("71450")
	l := s.service.attempts
	started := time.Now().Add(-2 * maxUnsent)
	a, _, err := l.begin(t.Context(), attempt{ID: "unsent", Subject: t1.callee(), TicketID: t1.ID, Title: "Call", Started: started, shown: started}, s.asOf(), t1.request())
	if err != nil {
		t.Fatal(err)
	}
	l.end(a.ID)
	s.wants(s.settled(s.get("/attempts/unsent")), http.StatusOK, "Nobody was called", "Press Call again")
	s.wantsCalls(0)
	s.wants(s.call("71450"), http.StatusOK, "The call is created")
}

func TestTwoInstancesBehaveAsOne(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { twoInstancesBehaveAsOne(newSite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		address := startPostgreSQL(t)
		list, err := loadTickets("")
		if err != nil {
			t.Fatal(err)
		}
		s := &site{T: t, double: callstest.NewServer(t, callstest.WithTickets(list.ofDouble()...)), gate: &gate{}, logs: &logs{}}
		s.start(list, address)
		twoInstancesBehaveAsOne(s)
	})
}

func twoInstancesBehaveAsOne(one *site) {
	two := one.another()
	form := url.Values{"nonce": {one.nonceOf("/", "/tickets/71450/call")}}
	tab := url.Values{"nonce": {two.nonceOf("/", "/tickets/71450/call")}}
	asked := one.gate.hold(http.MethodPost)
	one.service.patience = 0
	p := one.post("/tickets/71450/call", form)
	<-asked
	two.wants(two.post("/tickets/71450/call", form), http.StatusOK, "This form had been sent before.")
	two.wants(two.post("/tickets/71450/call", tab), http.StatusConflict, "Another call comes first")
	two.wants(two.call("76517"), http.StatusConflict, "Another call comes first") // the same number
	one.gate.open()
	one.service.background.Wait()
	two.wants(two.get(p.path), http.StatusOK, "The call is created Call 397 Status assigned")
	two.wants(two.post("/tickets/71450/call", tab), http.StatusConflict, "Nobody was called just now.", "The call is created Call 397")
	one.wantsCalls(1)
	two.wants(two.call("71450"), http.StatusOK, "Call 398") // from a page that shows the first
}

func TestWordInOneInstanceAboutWhatChangedInTheOtherIsNotTaken(t *testing.T) {
	one := newSite(t)
	two := one.another()
	one.double.Fail(callstest.HangUpAfterRead)
	p := one.settled(one.call("71450"))
	stale := two.get(p.path)
	two.wants(stale, http.StatusOK, "The call was not found")
	two.wants(two.get("/open"), http.StatusOK, "Call for ticket 71450")
	one.wants(one.settled(one.lookAgain(p)), http.StatusOK, "The call was not found")
	two.wants(two.find(stale, "not made"), http.StatusOK, "The call was not found") // shown anew
	two.wants(two.find(two.get(p.path), "not made"), http.StatusOK, "Checked: no call was made")
	one.wants(one.get("/open"), http.StatusOK, "Nothing has to be checked.")
	one.wants(one.call("71450"), http.StatusOK, "The call is created")
}

func TestDatabaseThatCannotBeUsedCallsNobody(t *testing.T) {
	s := newSite(t)
	form := url.Values{"nonce": {s.nonceOf("/", "/tickets/71450/call")}}
	if err := s.service.attempts.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []seen{s.post("/tickets/71450/call", form), s.get("/"), s.get("/open"), s.get("/schedule"), s.get("/attempts/x")} {
		s.wants(p, http.StatusServiceUnavailable, "cannot be used now")
	}
	s.wantsCalls(0)
}

func (s *site) asOf() int64 {
	s.Helper()
	revision, err := s.service.attempts.asOf(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return revision
}

// entry is what the ledger has of the attempt that a page shows.
func (s *site) entry(p seen) ledger.Entry {
	s.Helper()
	e, err := s.service.attempts.store.Get(s.Context(), strings.TrimPrefix(p.path, "/attempts/"))
	if err != nil {
		s.Fatal(err)
	}
	return e
}
