package queue

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/examples/fleet/internal/postgres"
	"github.com/ccaip-go/calls/ledger"
)

var request = calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"}

func TestMain(m *testing.M) {
	server, err := postgres.Start()
	if err == nil {
		defer server.Stop()
	}
	newPostgres = func(t *testing.T) string {
		t.Helper()
		if err != nil {
			t.Skip(err)
		}
		url, err := server.NewDatabase()
		if err != nil {
			t.Fatal(err)
		}
		return url
	}
	m.Run()
}

// newPostgres returns the URL of a new database.
var newPostgres func(t *testing.T) string

// eachDatabase runs test on PostgreSQL and on SQLite, with a double of the platform.
func eachDatabase(t *testing.T, test func(t *testing.T, q *Queue, double *callstest.Server)) {
	t.Helper()
	t.Run("PostgreSQL", func(t *testing.T) {
		testOn(t, newPostgres(t), test)
	})
	t.Run("SQLite", func(t *testing.T) {
		testOn(t, filepath.Join(t.TempDir(), "fleet.db"), test)
	})
}

func testOn(t *testing.T, url string, test func(*testing.T, *Queue, *callstest.Server)) {
	t.Helper()
	database, err := OpenDatabase(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	double := callstest.NewServer(t)
	client, err := double.NewClient(calls.WithRateLimiter(nil))
	if err != nil {
		t.Fatal(err)
	}
	keeper := &ledger.Keeper{Client: client, Store: database.Ledger, Tenant: "customer", Skew: time.Second, Lag: time.Second}
	test(t, &Queue{Database: database, Keeper: keeper}, double)
}

// work works until every entry is closed or for a person.
func work(t *testing.T, q *Queue) Report {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- q.Work(ctx, WorkOptions{Poll: 50 * time.Millisecond, Sweep: 500 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	}()
	for {
		r := mustReport(t, q)
		if r.Counts[ledger.StatePrepared]+r.Counts[ledger.StateSending]+r.Counts[ledger.StateInDoubt] == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return mustReport(t, q)
}

func mustReport(t *testing.T, q *Queue) Report {
	t.Helper()
	r, err := q.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func count(t *testing.T, q *Queue, table string) (n int) {
	t.Helper()
	if err := q.Database.QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEnqueueIsOneTransaction(t *testing.T) {
	eachDatabase(t, func(t *testing.T, q *Queue, _ *callstest.Server) {
		if _, err := q.Database.Exec(`CREATE TABLE tasks (id TEXT)`); err != nil {
			t.Fatal(err)
		}
		insert := func(tx *sql.Tx, entryID string) error {
			_, err := tx.Exec(`INSERT INTO tasks VALUES ($1)`, entryID)
			return err
		}
		refused := errors.New("refused")
		_, err := q.Enqueue(t.Context(), "ticket 71450", request, func(tx *sql.Tx, entryID string) error {
			return errors.Join(insert(tx, entryID), refused)
		})
		check := func(step string, want error, n int) {
			t.Helper()
			if !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%s: error is %v, want %v", step, err, want)
			}
			for _, table := range []string{"calls_ledger", "river_job", "tasks"} {
				if got := count(t, q, table); got != n {
					t.Errorf("%s: %d rows in %s, want %d", step, got, table, n)
				}
			}
		}
		check("the caller's change failed", refused, 0)
		_, err = q.Enqueue(t.Context(), "ticket 71450", request, insert)
		check("enqueued", nil, 1)
		_, err = q.Enqueue(t.Context(), "ticket 71450", request, insert)
		check("the subject is busy", ledger.ErrBusy, 1)
		_, err = q.Enqueue(t.Context(), "ticket 1", calls.OutboundRequest{}, insert)
		check("not valid", calls.ErrInvalidRequest, 1)
	})
}

func TestWorkCreatesEachCallOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, q *Queue, double *callstest.Server) {
		double.Fail(callstest.HangUpAfterCreate)
		for range 3 {
			if _, err := q.Enqueue(t.Context(), "", request, nil); err != nil {
				t.Fatal(err)
			}
		}
		r := work(t, q)
		if n := len(double.Calls()); n != 3 || r.Counts[ledger.StateCreated] != 3 {
			t.Errorf("%d calls, %v, want 3 created", n, r.Counts)
		}
	})
}

func TestSweepTakesUpWhatNoJobAdvances(t *testing.T) {
	eachDatabase(t, func(t *testing.T, q *Queue, double *callstest.Server) {
		e, err := q.Keeper.Prepare("", request)
		if err != nil {
			t.Fatal(err)
		}
		e.Until = time.Now()
		if err := q.Database.Ledger.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if r := work(t, q); len(double.Calls()) != 1 || r.Counts[ledger.StateCreated] != 1 {
			t.Errorf("%d calls, %v, want 1 created", len(double.Calls()), r.Counts)
		}
	})
}

func TestReportShowsWhatAPersonHasToDecide(t *testing.T) {
	eachDatabase(t, func(t *testing.T, q *Queue, double *callstest.Server) {
		double.Fail(callstest.HangUpAfterRead)
		e, err := q.Enqueue(t.Context(), "ticket 71450", request, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := work(t, q)
		if len(r.ForPerson) != 1 || r.ForPerson[0].ID != e.ID || r.Counts[ledger.StateForPerson] != 1 {
			t.Fatalf("%+v, want entry %s for a person", r, e.ID)
		}
		if _, err := q.Keeper.Decide(t.Context(), e.ID, r.ForPerson[0].Version, false, 0); err != nil {
			t.Fatal(err)
		}
		if r := mustReport(t, q); len(r.ForPerson) != 0 || r.Counts[ledger.StateNotMade] != 1 {
			t.Errorf("%+v, want 1 not made", r)
		}
	})
}

func TestRejectedCreatesSayWhy(t *testing.T) {
	eachDatabase(t, func(t *testing.T, q *Queue, _ *callstest.Server) {
		if rejected, err := q.Rejected(t.Context(), 5); err != nil || len(rejected) != 0 {
			t.Fatalf("%v, %v, want none", rejected, err)
		}
		var ids []string
		for _, agent := range []string{"nobody@example.com", "agent@example.com", "busy@example.com"} {
			e, err := q.Enqueue(t.Context(), "", calls.OutboundRequest{AgentEmail: agent, TicketID: "71450"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, e.ID)
			work(t, q)
		}
		rejected, err := q.Rejected(t.Context(), 5)
		if err != nil || len(rejected) != 2 || rejected[0].ID != ids[2] || rejected[1].ID != ids[0] || rejected[0].How == "" {
			t.Errorf("%v, %v, want the last and the first of %q", rejected, err, ids)
		}
		if rejected, err := q.Rejected(t.Context(), 1); err != nil || len(rejected) != 1 || rejected[0].ID != ids[2] {
			t.Errorf("%v, %v, want the latest", rejected, err)
		}
	})
}

func TestWorkLogsWhatBecameOfACreate(t *testing.T) {
	var logged strings.Builder
	testOn(t, filepath.Join(t.TempDir(), "fleet.db"), func(t *testing.T, q *Queue, _ *callstest.Server) {
		request := calls.OutboundRequest{AgentEmail: "nobody@example.com", TicketID: "71450"}
		e, err := q.Enqueue(t.Context(), "ticket 71450", request, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &creator{keeper: q.Keeper, logger: slog.New(slog.NewTextHandler(&logged, nil))}
		if err := c.Work(t.Context(), &river.Job[createArgs]{Args: createArgs{EntryID: e.ID}}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"entry=" + e.ID, "state=rejected", "tries=1", "Not a valid agent email"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("logged %q, want %q in it", logged.String(), want)
			}
		}
		if strings.Contains(logged.String(), e.Subject) || strings.Contains(logged.String(), "nobody@") {
			t.Errorf("logged %q", logged.String())
		}
	})
}
