package main

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
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

func TestCommands(t *testing.T) {
	for _, name := range []string{"CCAIP_SUBDOMAIN", "CCAIP_DOMAIN", "CCAIP_TOKEN", "CCAIP_BASE_URL"} {
		t.Setenv(name, "")
	}
	db := filepath.Join(t.TempDir(), "fleet.db")
	enqueued, reported := &lines{}, &lines{}
	mustRun(t, t.Context(), enqueued, "enqueue", "-db", db, "-ticket", "71450")
	if !strings.Contains(enqueued.String(), `state="prepared"`) {
		t.Errorf("enqueue printed %q", enqueued)
	}
	if err := run(t.Context(), []string{"enqueue", "-db", db, "-ticket", "71450"}, &lines{}); err == nil {
		t.Error("a second create of the ticket was enqueued")
	}
	ctx, end := context.WithTimeout(t.Context(), time.Second)
	defer end()
	mustRun(t, ctx, &lines{}, "work", "-db", db, "-poll", "50ms")
	waitForReport(t, db, reported, "1 created")
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

func TestCommandsThatAreWrong(t *testing.T) {
	db := filepath.Join(t.TempDir(), "fleet.db")
	for want, args := range map[string][]string{
		"usage":                  {},
		"unknown command":        {"dial"},
		"unexpected argument":    {"report", "-db", db, "now"},
		"give one of":            {"decide", "-db", db, "-id", "a"},
		"no entry with this id":  {"decide", "-db", db, "-id", "a", "-made"},
		"flag provided but not":  {"enqueue", "-db", db, "-tickets", "1"},
		"ticket_id|TicketID|end": {"enqueue", "-db", db},
	} {
		err := run(t.Context(), args, &lines{})
		if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("%q: error is %v, want %q", args, err, want)
		}
	}
}
