// Package queue creates calls from a job queue, each once: a create is an entry of a
// ledger, and a job of River advances the entry. Copy it into your program.
package queue

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite"

	"github.com/ccaip-go/calls/ledger/sqlledger"
)

// Database is where the ledger, the jobs and the CRM's own rows are. They have to be
// in one database to commit together.
type Database struct {
	*sql.DB
	Ledger *sqlledger.Store
	River  riverdriver.Driver[*sql.Tx]
	Jobs   *river.Client[*sql.Tx] // inserts only
}

// OpenDatabase opens a PostgreSQL by its URL (postgres://…), or a SQLite by the name
// of its file, and brings the tables up to date. Have one process do that first: two
// that migrate River at the same time can fail.
func OpenDatabase(ctx context.Context, url string) (*Database, error) {
	d, dialect, err := connect(url)
	if err != nil {
		return nil, err
	}
	if err := d.migrate(ctx, dialect); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

func connect(url string) (*Database, sqlledger.Dialect, error) {
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		db, err := sql.Open("pgx", url)
		if err != nil {
			return nil, "", err
		}
		return &Database{DB: db, River: riverdatabasesql.New(db)}, sqlledger.PostgreSQL, nil
	}
	// A transaction takes its lock when it begins: one that has read first cannot
	// always get it later.
	db, err := sql.Open("sqlite", "file:"+url+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		return nil, "", err
	}
	db.SetMaxOpenConns(1) // as River asks for with SQLite
	return &Database{DB: db, River: riversqlite.New(db)}, sqlledger.SQLite, nil
}

func (d *Database) migrate(ctx context.Context, dialect sqlledger.Dialect) error {
	migrator, err := rivermigrate.New(d.River, nil)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("the tables of River: %w", err)
	}
	if d.Jobs, err = river.NewClient(d.River, &river.Config{}); err != nil {
		return err
	}
	d.Ledger, err = sqlledger.Open(ctx, d.DB, dialect)
	return err
}
