package queue

import (
	"context"
	"database/sql"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/ledger"
)

// Queue puts creates into the ledger and advances them.
type Queue struct {
	Database *Database
	// Keeper has the Store of the Database.
	Keeper *ledger.Keeper
	// Turn is how long the sweep leaves a new entry to its job. Set it to longer
	// than jobs wait for a worker. The default is 10 minutes.
	Turn time.Duration
}

// createArgs are the arguments of a job: which entry to advance. The request is in
// the ledger, so that no job has private data in it.
type createArgs struct {
	EntryID string `json:"entry_id"`
}

// Kind is the name of the job.
func (createArgs) Kind() string { return "create_call" }

// Enqueue stores a create, the job that advances it, and a change of the caller's own
// in one transaction: all of them, or none. The change is given the id of the entry,
// and may be nil.
//
// It returns ledger.ErrBusy while a create of the same subject is open. After an error
// of the commit it is not known whether it was stored: look for the entry of the id
// that was returned with it.
func (q *Queue) Enqueue(ctx context.Context, subject string, req calls.CreateRequest, change func(tx *sql.Tx, entryID string) error) (ledger.Entry, error) {
	e, err := q.Keeper.Prepare(subject, req)
	if err != nil {
		return ledger.Entry{}, err
	}
	e.Until = time.Now().Add(q.turn())
	tx, err := q.Database.BeginTx(ctx, nil)
	if err != nil {
		return ledger.Entry{}, err
	}
	defer func() { _ = tx.Rollback() }()
	if err := q.Database.Ledger.PutTx(ctx, tx, e); err != nil {
		return ledger.Entry{}, err
	}
	if _, err := q.Database.Jobs.InsertTx(ctx, tx, createArgs{EntryID: e.ID}, nil); err != nil {
		return ledger.Entry{}, err
	}
	if change != nil {
		if err := change(tx, e.ID); err != nil {
			return ledger.Entry{}, err
		}
	}
	return e, tx.Commit()
}

func (q *Queue) turn() time.Duration {
	if q.Turn == 0 {
		return 10 * time.Minute
	}
	return q.Turn
}
