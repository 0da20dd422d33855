package sqlledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// isOpen is the condition of an open entry.
const isOpen = `state IN ('prepared', 'sending', 'in doubt', 'for a person')`

// migrations are the steps from each version of the schema to the next one. A step
// that was published is never changed.
var migrations = [][]string{
	{
		`CREATE TABLE calls_ledger (
			id      TEXT   NOT NULL PRIMARY KEY,
			tenant  TEXT   NOT NULL,
			subject TEXT   NOT NULL, -- a keyed hash, '' for none
			state   TEXT   NOT NULL,
			version BIGINT NOT NULL,
			request TEXT,            -- JSON with private data, NULL once the entry is closed
			intent  TEXT   NOT NULL, -- JSON
			until   BIGINT NOT NULL, -- nanoseconds since 1970, 0 for none
			call_id BIGINT,          -- NULL as long as it is not known
			how     TEXT   NOT NULL,
			tries   BIGINT NOT NULL
		)`,
		`CREATE UNIQUE INDEX calls_ledger_subject ON calls_ledger (tenant, subject) WHERE subject <> '' AND ` + isOpen,
		`CREATE UNIQUE INDEX calls_ledger_call ON calls_ledger (tenant, call_id) WHERE call_id IS NOT NULL`,
		`CREATE INDEX calls_ledger_doubts ON calls_ledger (tenant, state, until) WHERE call_id IS NULL`,
		`CREATE INDEX calls_ledger_open ON calls_ledger (tenant, until) WHERE ` + isOpen,
	},
}

// advisoryLock is the key of the lock under which the schema is changed.
const advisoryLock = 0x63616c6c73 // "calls"

// migrate brings the schema up to date. One process at a time does it; where there is
// nothing to do it needs no right but to read.
func (s *Store) migrate(ctx context.Context) error {
	version, err := s.version(ctx)
	if err == nil && version == len(migrations) {
		return nil
	}
	c, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	begin := `BEGIN`
	if s.dialect == SQLite {
		if err := waitForLocks(ctx, c); err != nil {
			return err
		}
		begin = `BEGIN IMMEDIATE` // takes the lock now, so that what is read next is the latest
	}
	if _, err := c.ExecContext(ctx, begin); err != nil {
		return err
	}
	if err := migrateIn(ctx, conn{c, s.dialect}); err != nil {
		if _, rollbackErr := c.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`); rollbackErr != nil {
			_ = c.Raw(func(any) error { return driver.ErrBadConn }) // not back into the pool
		}
		return err
	}
	_, err = c.ExecContext(ctx, `COMMIT`)
	return err
}

func migrateIn(ctx context.Context, c conn) error {
	if c.dialect == PostgreSQL {
		if _, err := c.exec(ctx, fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, advisoryLock)); err != nil {
			return err
		}
	}
	if _, err := c.exec(ctx, `CREATE TABLE IF NOT EXISTS calls_ledger_schema (version BIGINT NOT NULL)`); err != nil {
		return err
	}
	version, err := c.version(ctx)
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("its version is %d, and this package knows no later one than %d", version, len(migrations))
	}
	for ; version < len(migrations); version++ {
		for _, statement := range migrations[version] {
			if _, err := c.exec(ctx, statement); err != nil {
				return fmt.Errorf("to version %d: %w", version+1, err)
			}
		}
		if _, err := c.exec(ctx, `INSERT INTO calls_ledger_schema (version) VALUES (?)`, version+1); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) version(ctx context.Context) (version int, err error) {
	err = s.with(ctx, func(c conn) error {
		version, err = c.version(ctx)
		return err
	})
	return version, err
}

// version returns the version of the schema, 0 for none.
func (c conn) version(ctx context.Context) (version int, err error) {
	err = c.query(ctx, func(rows *sql.Rows) error { return rows.Scan(&version) },
		`SELECT COALESCE(MAX(version), 0) FROM calls_ledger_schema`)
	return version, err
}
