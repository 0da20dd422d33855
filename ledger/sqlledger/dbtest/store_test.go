package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
	"github.com/ccaip-go/calls/ledger/sqlledger"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	code := m.Run()
	stopCluster()
	os.Exit(code)
}

// eachKind runs test with an empty database of each kind.
func eachKind(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	for name, newDatabase := range kinds {
		t.Run(name, func(t *testing.T) { test(t, newDatabase(t)) })
	}
}

func TestStoreKeepsThePromisesOfALedger(t *testing.T) {
	for name, newDatabase := range kinds {
		t.Run(name, func(t *testing.T) {
			databases := map[string]database{} // by the name of the test that it belongs to
			callstest.TestLedgerStore(t, func(t *testing.T) ledger.Store {
				d, ok := databases[t.Name()]
				if !ok {
					d = newDatabase(t)
					databases[t.Name()] = d
				}
				return d.store(t)
			})
		})
	}
}

func entry(id string) ledger.Entry {
	return ledger.Entry{ID: id, Tenant: "customer", Subject: "subject of " + id, State: ledger.StatePrepared, Version: 1}
}

func TestPutTxCommitsWithTheCallersOwnChange(t *testing.T) {
	eachKind(t, func(t *testing.T, d database) {
		store, db := d.store(t), d.open(t)
		mustExec(t, db, `CREATE TABLE tasks (id TEXT)`)
		add := func(id string) *sql.Tx {
			t.Helper()
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO tasks VALUES ('`+id+`')`); err != nil {
				t.Fatal(err)
			}
			if err := store.PutTx(t.Context(), tx, entry(id)); err != nil {
				t.Fatal(err)
			}
			return tx
		}
		if err := add("rolled back").Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := add("committed").Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Get(t.Context(), "rolled back"); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("error is %v, want ErrNotFound", err)
		}
		if e, err := store.Get(t.Context(), "committed"); err != nil || e.Version != 1 {
			t.Errorf("%v, %v, want version 1", e, err)
		}
		var n int
		if err := db.QueryRow(`SELECT COUNT(*) FROM tasks`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d tasks, %v, want 1", n, err)
		}
	})
}

func TestATransactionGoesOnAfterAConflict(t *testing.T) {
	eachKind(t, func(t *testing.T, d database) {
		store, db := d.store(t), d.open(t)
		made := entry("made")
		made.State, made.CallID = ledger.StateCreated, 397
		for _, e := range []ledger.Entry{entry("first"), made} {
			if err := store.Put(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		busy, claimed := entry("busy"), entry("claimed")
		busy.Subject = entry("first").Subject
		claimed.CallID = 397
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			e    ledger.Entry
			want error
		}{{entry("first"), ledger.ErrExists}, {busy, ledger.ErrBusy}, {claimed, ledger.ErrClaimed}, {entry("second"), nil}} {
			if err := store.PutTx(t.Context(), tx, test.e); !errors.Is(err, test.want) {
				t.Errorf("%s: error is %v, want %v", test.e.ID, err, test.want)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Get(t.Context(), "second"); err != nil {
			t.Error(err)
		}
	})
}

// TestTransactionsOfOneSubject has two transactions. The second waits until the first has
// ended.
func TestTransactionsOfOneSubject(t *testing.T) {
	d := newPostgreSQL(t)
	store, db := d.store(t), d.open(t)
	for _, commits := range []bool{true, false} {
		first, second := entry("first"), entry("second")
		if commits {
			first, second = entry("1st"), entry("2nd")
			second.Subject = first.Subject
		} else {
			second.Subject = first.Subject
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.PutTx(t.Context(), tx, first); err != nil {
			t.Fatal(err)
		}
		put := make(chan error)
		go func() { put <- store.Put(t.Context(), second) }()
		select {
		case err := <-put:
			t.Fatalf("the second transaction did not wait: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		end, want := tx.Rollback, error(nil)
		if commits {
			end, want = tx.Commit, ledger.ErrBusy
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := <-put; !errors.Is(err, want) {
			t.Errorf("commits %v: error is %v, want %v", commits, err, want)
		}
	}
}

func TestOpenInManyProcessesAtOnce(t *testing.T) {
	eachKind(t, func(t *testing.T, d database) {
		var all sync.WaitGroup
		for range 16 {
			db := d.open(t)
			all.Go(func() {
				store, err := sqlledger.Open(t.Context(), db, d.dialect)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := store.Get(t.Context(), "a"); !errors.Is(err, ledger.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if err := d.store(t).Put(t.Context(), entry("a")); err != nil {
			t.Error(err)
		}
		if _, err := d.store(t).Get(t.Context(), "a"); err != nil {
			t.Error("entries are lost after opening it again: ", err)
		}
	})
}

func TestOpenRefusesALaterSchema(t *testing.T) {
	eachKind(t, func(t *testing.T, d database) {
		d.store(t)
		db := d.open(t)
		mustExec(t, db, `INSERT INTO calls_ledger_schema (version) VALUES (1000)`)
		if _, err := sqlledger.Open(t.Context(), db, d.dialect); err == nil {
			t.Error("a schema of version 1000 was opened")
		}
		mustExec(t, db, `DELETE FROM calls_ledger_schema WHERE version = 1000`)
		if _, err := sqlledger.Open(t.Context(), db, d.dialect); err != nil {
			t.Errorf("after a refusal: %v", err)
		}
	})
}

func TestOpenRefusesBadInput(t *testing.T) {
	db := newSQLite(t).open(t)
	closed := newSQLite(t).open(t)
	_ = closed.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, open := range map[string]func() (*sqlledger.Store, error){
		"nil database":     func() (*sqlledger.Store, error) { return sqlledger.Open(t.Context(), nil, sqlledger.SQLite) },
		"no dialect":       func() (*sqlledger.Store, error) { return sqlledger.Open(t.Context(), db, "") },
		"another dialect":  func() (*sqlledger.Store, error) { return sqlledger.Open(t.Context(), db, "MySQL") },
		"closed database":  func() (*sqlledger.Store, error) { return sqlledger.Open(t.Context(), closed, sqlledger.SQLite) },
		"canceled context": func() (*sqlledger.Store, error) { return sqlledger.Open(canceled, db, sqlledger.SQLite) },
	} {
		if store, err := open(); err == nil || store != nil {
			t.Errorf("%s: %v, %v, want an error", name, store, err)
		}
	}
	store, err := sqlledger.Open(t.Context(), db, sqlledger.SQLite)
	if err != nil {
		t.Fatalf("after a canceled context: %v", err)
	}
	if err := store.PutTx(t.Context(), nil, entry("a")); err == nil {
		t.Error("a nil transaction was accepted")
	}
}

// TestOneConnectionIsEnough checks that no method needs a second connection.
func TestOneConnectionIsEnough(t *testing.T) {
	eachKind(t, func(t *testing.T, d database) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		db := d.open(t)
		db.SetMaxOpenConns(1)
		store, err := sqlledger.Open(ctx, db, d.dialect)
		if err != nil {
			t.Fatal(err)
		}
		second := entry("b")
		second.Subject = entry("a").Subject
		claimed := entry("a")
		claimed.CallID, claimed.State = 397, ledger.StateCreated
		owner := claimed
		owner.ID = "owner"
		for _, step := range []struct {
			err, want error
		}{
			{store.Put(ctx, entry("a")), nil},
			{store.Put(ctx, second), ledger.ErrBusy},
			{store.Put(ctx, owner), nil},
			{store.Replace(ctx, claimed), ledger.ErrClaimed},
		} {
			if !errors.Is(step.err, step.want) {
				t.Errorf("error is %v, want %v", step.err, step.want)
			}
		}
	})
}

func mustExec(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}
