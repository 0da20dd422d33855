// Package sqlledger keeps a ledger in a table of PostgreSQL or SQLite, through
// database/sql. The driver is yours; github.com/jackc/pgx/v5/stdlib and
// modernc.org/sqlite are tested.
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
//	…
//	store, err := sqlledger.Open(ctx, db, sqlledger.PostgreSQL)
//	…
//	keeper := &ledger.Keeper{Client: client, Store: store, Tenant: "customer"}
//
// A mark has to be durable before the first byte of its create leaves. So do not turn
// off synchronous_commit in PostgreSQL, and do not set synchronous below FULL in
// SQLite; both are on by default. In SQLite set journal_mode to WAL, so that readers
// and writers do not wait for each other.
package sqlledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ccaip-go/calls/ledger"
)

// Dialect is a kind of database.
type Dialect string

// The dialects.
const (
	PostgreSQL Dialect = "PostgreSQL" // 12 or later
	SQLite     Dialect = "SQLite"     // 3.24 or later
)

// Store is a ledger.Store and a ledger.Pruner in the table calls_ledger. It is safe
// for concurrent use, by any number of processes.
type Store struct {
	db      *sql.DB
	dialect Dialect
}

var (
	_ ledger.Store  = (*Store)(nil)
	_ ledger.Pruner = (*Store)(nil)
)

// Open creates the table in db, or brings it up to date, and returns a Store that
// uses it. Any number of processes can call it at the same time. It returns an error
// if the table is of a later version of this package. The Store never closes db.
func Open(ctx context.Context, db *sql.DB, dialect Dialect) (*Store, error) {
	if db == nil {
		return nil, errors.New("sqlledger: the database is nil")
	}
	if dialect != PostgreSQL && dialect != SQLite {
		return nil, fmt.Errorf("sqlledger: the dialect %q is neither PostgreSQL nor SQLite", string(dialect))
	}
	s := &Store{db: db, dialect: dialect}
	if err := s.migrate(ctx); err != nil {
		return nil, fmt.Errorf("sqlledger: the schema: %w", err)
	}
	return s, nil
}

// Put stores a new entry. See ledger.Store.
func (s *Store) Put(ctx context.Context, e ledger.Entry) error {
	return s.with(ctx, func(c conn) error { return c.put(ctx, e) })
}

// PutTx is Put within a transaction of yours on the same database: the entry, a job
// that advances it and your own change commit together, or not at all. The
// transaction can go on after ErrExists, ErrBusy and ErrClaimed.
//
// It waits for other transactions that have put an entry of the same id, subject or
// call, until they end. In PostgreSQL the isolation has to be read committed, which is
// the default: a stricter one can end the transaction with a serialization error.
func (s *Store) PutTx(ctx context.Context, tx *sql.Tx, e ledger.Entry) error {
	if tx == nil {
		return errors.New("sqlledger: the transaction is nil")
	}
	return conn{tx, s.dialect}.put(ctx, e)
}

// Get returns an entry. See ledger.Store.
func (s *Store) Get(ctx context.Context, id string) (ledger.Entry, error) {
	found, err := s.find(ctx, `WHERE id = ?`, id)
	switch {
	case err != nil:
		return ledger.Entry{}, fmt.Errorf("sqlledger: Get: %w", err)
	case len(found) == 0:
		return ledger.Entry{}, ledger.ErrNotFound
	}
	return found[0], nil
}

// Replace replaces the version of an entry that was read. See ledger.Store.
func (s *Store) Replace(ctx context.Context, e ledger.Entry) error {
	return s.with(ctx, func(c conn) error { return c.replace(ctx, e) })
}

// Claimed returns the owners of calls. See ledger.Store.
func (s *Store) Claimed(ctx context.Context, tenant string, callIDs []int64) (map[int64]string, error) {
	owners := map[int64]string{}
	err := s.with(ctx, func(c conn) error {
		for len(callIDs) > 0 {
			n := min(len(callIDs), maxParameters)
			if err := c.claimed(ctx, tenant, callIDs[:n], owners); err != nil {
				return err
			}
			callIDs = callIDs[n:]
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("sqlledger: Claimed: %w", err)
	}
	return owners, nil
}

// Open returns the open entries. See ledger.Store.
func (s *Store) Open(ctx context.Context, tenant string, until time.Time) ([]ledger.Entry, error) {
	where, args := `WHERE tenant = ? AND `+isOpen, []any{tenant}
	if !until.IsZero() {
		where, args = where+` AND until < ?`, append(args, nanoseconds(until))
	}
	found, err := s.find(ctx, where+` ORDER BY until, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("sqlledger: Open: %w", err)
	}
	return found, nil
}

// Doubts returns the rivals. See ledger.Store.
func (s *Store) Doubts(ctx context.Context, tenant string, since time.Time) ([]ledger.Entry, error) {
	found, err := s.find(ctx, `WHERE tenant = ? AND call_id IS NULL AND (state IN ('sending', 'in doubt', 'for a person')
		OR state IN ('created', 'awaits agent', 'not made') AND until >= ?) ORDER BY until, id`, tenant, nanoseconds(since))
	if err != nil {
		return nil, fmt.Errorf("sqlledger: Doubts: %w", err)
	}
	return found, nil
}

// Prune removes old closed entries. See ledger.Pruner, and use Keeper.Prune.
func (s *Store) Prune(ctx context.Context, tenant string, before time.Time) (n int64, err error) {
	err = s.with(ctx, func(c conn) error {
		result, err := c.exec(ctx, `DELETE FROM calls_ledger WHERE tenant = ? AND until < ? AND NOT `+isOpen,
			tenant, nanoseconds(before))
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlledger: Prune: %w", err)
	}
	return n, nil
}

func (s *Store) find(ctx context.Context, where string, args ...any) (found []ledger.Entry, err error) {
	err = s.with(ctx, func(c conn) error {
		found, err = c.find(ctx, where, args...)
		return err
	})
	return found, err
}

// with runs do on a connection.
func (s *Store) with(ctx context.Context, do func(conn) error) error {
	if s.dialect == PostgreSQL {
		return do(conn{s.db, s.dialect})
	}
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := waitForLocks(ctx, c); err != nil {
		return err
	}
	return do(conn{c, s.dialect})
}

// waitForLocks has a connection of SQLite wait while others write. Without it every
// statement can fail at once.
func waitForLocks(ctx context.Context, c *sql.Conn) error {
	var milliseconds int
	if err := c.QueryRowContext(ctx, `PRAGMA busy_timeout`).Scan(&milliseconds); err != nil || milliseconds > 0 {
		return err
	}
	_, err := c.ExecContext(ctx, `PRAGMA busy_timeout = 10000`)
	return err
}

// nanoseconds is how a time is stored. The zero time is 0.
func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}

// rebind numbers the parameters of a query for PostgreSQL. No query has a question
// mark of another meaning.
func rebind(query string) string {
	var b strings.Builder
	for i, part := range strings.Split(query, "?") {
		if i > 0 {
			fmt.Fprintf(&b, "$%d", i)
		}
		b.WriteString(part)
	}
	return b.String()
}

func unmarshalIntent(text string, e *ledger.Entry) error {
	if err := json.Unmarshal([]byte(text), &e.Intent); err != nil {
		return fmt.Errorf("the intent of entry %q cannot be read: %w", e.ID, err)
	}
	return nil
}
