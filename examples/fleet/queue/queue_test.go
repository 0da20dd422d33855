package queue

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

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
