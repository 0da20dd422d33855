package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/ledger"
)

// lines collects what a command prints, and ends it when a line contains a text.
type lines struct {
	strings.Builder
	until string
	end   func()
}

func (l *lines) Write(p []byte) (int, error) {
	n, err := l.Builder.Write(p)
	if l.until != "" && strings.Contains(l.String(), l.until) {
		l.end()
	}
	return n, err
}

func mustRun(t *testing.T, ctx context.Context, out *lines, args ...string) {
	t.Helper()
	if err := run(ctx, args, out); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

// TestMain has all commands talk to a double.
func TestMain(m *testing.M) {
	for _, name := range []string{"CCAIP_SUBDOMAIN", "CCAIP_DOMAIN", "CCAIP_HOST", "CCAIP_TOKEN", "CCAIP_USERNAME", "CCAIP_BASE_URL"} {
		_ = os.Unsetenv(name)
	}
	m.Run()
}

func TestCommands(t *testing.T) {
	db := filepath.Join(t.TempDir(), "fleet.db")
	empty, enqueued, reported := &lines{}, &lines{}, &lines{}
	mustRun(t, t.Context(), empty, "report", "-db", db)
	if empty.String() != "No creates yet.\n" {
		t.Errorf("report printed %q", empty)
	}
	mustRun(t, t.Context(), enqueued, "enqueue", "-db", db, "-ticket", "71450")
	if !regexp.MustCompile(`^\w+: prepared\n$`).MatchString(enqueued.String()) {
		t.Errorf("enqueue printed %q", enqueued)
	}
	if err := run(t.Context(), []string{"enqueue", "-db", db, "-ticket", "71450"}, &lines{}); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("a second create of the ticket: error is %v", err)
	}
	ctx, end := context.WithTimeout(t.Context(), time.Second)
	defer end()
	mustRun(t, ctx, &lines{}, "work", "-db", db, "-poll", "50ms")
	waitForReport(t, db, reported, "1 created")
}

// TestReportSaysWhyACreateWasRejected also checks the line of an entry.
func TestReportSaysWhyACreateWasRejected(t *testing.T) {
	db := filepath.Join(t.TempDir(), "fleet.db")
	mustRun(t, t.Context(), &lines{}, "enqueue", "-db", db, "-agent", "nobody@example.com", "-ticket", "71450")
	reported := &lines{}
	waitForReport(t, db, reported, "1 rejected")
	if !regexp.MustCompile(`\n\w+: rejected, tries: 1, .* Not a valid agent email\n$`).MatchString(reported.String()) {
		t.Errorf("report printed %q", reported)
	}
	var line strings.Builder
	printEntry(&line, ledger.Entry{ID: "task 1", Subject: "hash", State: ledger.StateCreated, CallID: 397, Tries: 2, How: "response 201"})
	if line.String() != "task 1: created, call 397, tries: 2, response 201\n" {
		t.Errorf("an entry is printed as %q", &line)
	}
}

func waitForReport(t *testing.T, db string, out *lines, want string) {
	t.Helper()
	for !strings.Contains(out.String(), want) {
		ctx, end := context.WithTimeout(t.Context(), time.Second)
		mustRun(t, ctx, &lines{}, "work", "-db", db, "-poll", "50ms")
		end()
		out.Reset()
		mustRun(t, t.Context(), out, "report", "-db", db)
	}
}

// TestEachProcessHasCallsOfItsOwn creates a call on the double of each of two processes.
func TestEachProcessHasCallsOfItsOwn(t *testing.T) {
	db := filepath.Join(t.TempDir(), "fleet.db")
	var ids []int64
	for range 2 {
		f, err := connect(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		result, err := f.Keeper.Client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"})
		f.close()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, result.Call.ID)
	}
	if ids[0] == ids[1] {
		t.Errorf("both processes have a call %d", ids[0])
	}
}

func TestTenantOfAnAccount(t *testing.T) {
	t.Setenv("CCAIP_HOST", "voice.example.com")
	t.Setenv("CCAIP_TOKEN", "token")
	t.Setenv("FLEET_SUBJECT_KEY", "secret")
	for subdomain, want := range map[string]string{"": "voice.example.com", "customer": "customer"} {
		t.Setenv("CCAIP_SUBDOMAIN", subdomain)
		f, err := connect(t.Context(), filepath.Join(t.TempDir(), "fleet.db"))
		if err != nil {
			t.Fatal(err)
		}
		if f.close(); f.Keeper.Tenant != want {
			t.Errorf("subdomain %q: the tenant is %q, want %q", subdomain, f.Keeper.Tenant, want)
		}
	}
}

func TestTheSubjectIsTheSameInEverySpelling(t *testing.T) {
	for _, number := range []string{"+18596579625", "+1 (859) 657-9625", "tel:+1-859-657-9625"} {
		if subject := subjectOf(calls.OutboundRequest{EndUserNumber: number}); subject != "number 18596579625" {
			t.Errorf("%s: %q", number, subject)
		}
	}
	if subject := subjectOf(calls.OutboundRequest{TicketID: "71450", EndUserNumber: "+18596579625"}); subject != "ticket 71450" {
		t.Errorf("a ticket: %q", subject)
	}
}

func TestCommandsThatAreWrong(t *testing.T) {
	const failed, misused = 1, 2
	db := filepath.Join(t.TempDir(), "fleet.db")
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, misused, "fleet: a command is missing: enqueue, work, report or decide"},
		{[]string{"dial"}, misused, `fleet: unknown command "dial"`},
		{[]string{"-x"}, misused, `fleet: unknown command "-x"`},
		{[]string{"report", "-db", db, "now"}, misused, `fleet: unexpected argument "now"; fleet report -h shows the flags`},
		{[]string{"enqueue", "-db", db, "-tickets", "1"}, misused, "flag provided but not defined: -tickets; fleet enqueue -h"},
		{[]string{"work", "-db", db, "-poll", "soon"}, misused, "invalid value"},
		{[]string{"work", "-db", db, "-sweep", "-1s"}, misused, "-workers, -poll and -sweep cannot be negative"},
		{[]string{"work", "-db", db, "-workers", "-1"}, misused, "-workers, -poll and -sweep cannot be negative"},
		{[]string{"decide", "-db", db, "-id", "a"}, misused, "give one of -made, -not-made and -look"},
		{[]string{"decide", "-db", db, "-made"}, misused, "give -id and -version"},
		{[]string{"decide", "-db", db, "-id", "a", "-not-made", "-call", "397"}, misused, "-call goes with -made"},
		{[]string{"decide", "-db", db, "-id", "a", "-made"}, failed, "no entry with this id"},
		{[]string{"enqueue", "-db", db}, failed, "fleet: There is nobody to call. Give a ticket or a telephone number."},
		{[]string{"enqueue", "-db", db, "-number", "123123"}, failed, "The number to call has no country code."},
	} {
		var printed, complaint strings.Builder
		status := statusOf(run(t.Context(), test.args, &printed), &complaint)
		if status != test.status || !strings.Contains(complaint.String(), test.want) || strings.Count(complaint.String(), "\n") != 1 {
			t.Errorf("%q: exit status %d, want %d; complaint %q, want %q", test.args, status, test.status, &complaint, test.want)
		}
	}
}

func TestHelp(t *testing.T) {
	for command, want := range map[string]string{
		"-h": "fleet decide", "--help": "fleet decide", "help": "fleet decide",
		"enqueue -h": "-ticket", "work -h": "-workers", "report -help": "-db", "decide --help": "-not-made",
	} {
		var printed, complaint strings.Builder
		status := statusOf(run(t.Context(), strings.Fields(command), &printed), &complaint)
		if status != 0 || !strings.Contains(printed.String(), want) || complaint.Len() != 0 {
			t.Errorf("%s: exit status %d, printed %q and %q, want %q", command, status, &printed, &complaint, want)
		}
	}
}
