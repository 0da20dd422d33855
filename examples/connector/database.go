package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/ccaip-go/calls/ledger/sqlledger"
)

// database is shared by all instances of this service, and outlives them.
type database struct {
	*sql.DB
	dialect sqlledger.Dialect
}

// openDatabase opens the file of an SQLite database, which it creates if need be,
// or a PostgreSQL database if name begins with "postgres:".
func openDatabase(ctx context.Context, name string) (*database, error) {
	driver, source, dialect := "pgx", name, sqlledger.PostgreSQL
	if !strings.HasPrefix(name, "postgres:") && !strings.HasPrefix(name, "postgresql:") {
		if err := createFile(name); err != nil {
			return nil, err
		}
		driver, source, dialect = "sqlite", sourceOfFile(name), sqlledger.SQLite
	}
	pool, err := sql.Open(driver, source)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(16)
	db := &database{pool, dialect}
	if err := db.createTables(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// createFile creates a file that only its owner can read: it contains telephone
// numbers.
func createFile(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func sourceOfFile(name string) string {
	source := url.URL{Scheme: "file", Opaque: url.PathEscape(name)}
	source.RawQuery = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	return source.String()
}

// schema is what this service keeps beside the ledger. The two are written in one
// transaction.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS connector_attempts (
		id        TEXT   NOT NULL PRIMARY KEY, -- of the form, and of the ledger's entry
		topic     TEXT   NOT NULL, -- a keyed hash of what pages show the latest attempt of
		subject   TEXT   NOT NULL, -- a keyed hash of whom it calls
		ticket_id TEXT   NOT NULL,
		title     TEXT   NOT NULL,
		form      TEXT,            -- JSON of what was typed, NULL once it is of no use
		started   BIGINT NOT NULL, -- milliseconds since 1970
		begun     BIGINT NOT NULL, -- the revision that it began as
		revision  BIGINT NOT NULL, -- the revision of its latest change
		version   BIGINT NOT NULL, -- of the ledger's entry as of that revision
		call      TEXT,            -- JSON of how a listing shows the call
		finding   TEXT             -- JSON of what the ledger does not keep
	)`,
	`CREATE INDEX IF NOT EXISTS connector_attempts_topic ON connector_attempts (topic, begun)`,
	`CREATE TABLE IF NOT EXISTS connector_values (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS connector_revision (id BIGINT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)`,
	`INSERT INTO connector_revision (id, value) VALUES (1, 0) ON CONFLICT DO NOTHING`,
}

// schemaLock is the key of PostgreSQL's lock under which the tables are created.
const schemaLock = 0x636f6e6e

func (db *database) createTables(ctx context.Context) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		if db.dialect == sqlledger.PostgreSQL {
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, schemaLock); err != nil {
				return err
			}
		}
		for _, statement := range schema {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("the tables: %w", err)
			}
		}
		return nil
	})
}

// inTx commits what do has done, or nothing if it returns an error.
func (db *database) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

const keySize = 32 // bytes

func newKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key)
	return key
}

// key returns the secret of this name, which is the same in all instances and after a
// restart.
func (db *database) key(ctx context.Context, name string) ([]byte, error) {
	_, err := db.ExecContext(ctx, `INSERT INTO connector_values (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, hex.EncodeToString(newKey()))
	if err != nil {
		return nil, err
	}
	var text string
	if err := db.QueryRowContext(ctx, `SELECT value FROM connector_values WHERE name = $1`, name).Scan(&text); err != nil {
		return nil, err
	}
	return hex.DecodeString(text)
}
