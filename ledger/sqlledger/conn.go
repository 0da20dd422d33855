package sqlledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ccaip-go/calls/ledger"
)

const (
	// maxParameters is how many calls one query asks for.
	maxParameters = 500
	// maxConflicts is how often an entry is put again after what was in its way is
	// gone.
	maxConflicts = 10
)

// conn is where statements are executed: a pool, a connection, or a transaction.
type conn struct {
	querier
	dialect Dialect
}

type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (c conn) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if c.dialect == PostgreSQL {
		query = rebind(query)
	}
	return c.ExecContext(ctx, query, args...)
}

// query calls scan for each row, and closes the rows.
func (c conn) query(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	if c.dialect == PostgreSQL {
		query = rebind(query)
	}
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c conn) find(ctx context.Context, where string, args ...any) (found []ledger.Entry, err error) {
	err = c.query(ctx, func(rows *sql.Rows) error {
		e, err := scanEntry(rows)
		found = append(found, e)
		return err
	}, `SELECT id, tenant, subject, state, version, request, intent, until, call_id, how, tries FROM calls_ledger `+where, args...)
	return found, err
}

func scanEntry(rows *sql.Rows) (e ledger.Entry, err error) {
	var request sql.NullString
	var intent string
	var until int64
	var callID sql.NullInt64
	if err := rows.Scan(&e.ID, &e.Tenant, &e.Subject, &e.State, &e.Version, &request, &intent, &until, &callID, &e.How, &e.Tries); err != nil {
		return e, err
	}
	if request.Valid {
		e.Request = json.RawMessage(request.String)
	}
	e.Until, e.CallID = timeOf(until), callID.Int64
	return e, unmarshalIntent(intent, &e)
}

// put stores an entry. A conflict is no error of the database, which would end the
// transaction that it is part of.
func (c conn) put(ctx context.Context, e ledger.Entry) error {
	values, err := valuesOf(e)
	if err != nil {
		return err
	}
	for range maxConflicts {
		result, err := c.exec(ctx, `INSERT INTO calls_ledger (state, request, intent, until, call_id, how, tries, id, tenant, subject, version)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`, append(values, e.ID, e.Tenant, e.Subject)...)
		if err != nil {
			return fmt.Errorf("sqlledger: Put: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			return err
		}
		exists, err := c.exists(ctx, `id = ?`, e.ID)
		if err == nil && exists {
			return ledger.ErrExists
		}
		if err == nil {
			err = c.conflict(ctx, e)
		}
		if err != nil {
			return err
		}
	}
	return errors.New("sqlledger: Put: the entries that were in the way were gone each time")
}

func (c conn) replace(ctx context.Context, e ledger.Entry) error {
	values, err := valuesOf(e)
	if err != nil {
		return err
	}
	result, err := c.exec(ctx, `UPDATE calls_ledger
		SET state = ?, request = ?, intent = ?, until = ?, call_id = ?, how = ?, tries = ?, version = version + 1
		WHERE id = ? AND version = ?`, append(values, e.ID, e.Version)...)
	if err != nil {
		return c.whyNotReplaced(ctx, e, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	exists, err := c.exists(ctx, `id = ?`, e.ID)
	switch {
	case err != nil:
		return err
	case exists:
		return ledger.ErrStale
	}
	return ledger.ErrNotFound
}

// whyNotReplaced finds out whether an update failed because of a unique index, which
// every driver says in its own way. If another entry is in the way, the update has
// certainly not been stored, whatever its error was.
func (c conn) whyNotReplaced(ctx context.Context, e ledger.Entry, cause error) error {
	stored, err := c.find(ctx, `WHERE id = ?`, e.ID)
	if err == nil && len(stored) == 1 {
		e.Tenant, e.Subject = stored[0].Tenant, stored[0].Subject
		err = c.conflict(ctx, e)
	}
	if errors.Is(err, ledger.ErrBusy) || errors.Is(err, ledger.ErrClaimed) {
		return err
	}
	return fmt.Errorf("sqlledger: Replace: %w", cause)
}

// conflict returns ErrBusy or ErrClaimed if another entry is in the way.
func (c conn) conflict(ctx context.Context, e ledger.Entry) error {
	isBusy, err := c.exists(ctx, `tenant = ? AND subject = ? AND subject <> '' AND id <> ? AND `+isOpen, e.Tenant, e.Subject, e.ID)
	if err != nil {
		return err
	}
	if isBusy && e.State.IsOpen() {
		return ledger.ErrBusy
	}
	isClaimed, err := c.exists(ctx, `tenant = ? AND call_id = ? AND id <> ?`, e.Tenant, e.CallID, e.ID)
	if err == nil && isClaimed {
		return ledger.ErrClaimed
	}
	return err
}

func (c conn) exists(ctx context.Context, where string, args ...any) (found bool, err error) {
	err = c.query(ctx, func(*sql.Rows) error {
		found = true
		return nil
	}, `SELECT 1 FROM calls_ledger WHERE `+where+` LIMIT 1`, args...)
	if err != nil {
		return false, fmt.Errorf("sqlledger: %w", err)
	}
	return found, nil
}

func (c conn) claimed(ctx context.Context, tenant string, callIDs []int64, owners map[int64]string) error {
	args := []any{tenant}
	for _, id := range callIDs {
		args = append(args, id)
	}
	places := strings.TrimSuffix(strings.Repeat("?, ", len(callIDs)), ", ")
	return c.query(ctx, func(rows *sql.Rows) error {
		var call int64
		var owner string
		err := rows.Scan(&call, &owner)
		owners[call] = owner
		return err
	}, `SELECT call_id, id FROM calls_ledger WHERE tenant = ? AND call_id IN (`+places+`)`, args...)
}

// valuesOf returns the columns of an entry that Replace changes: state, request,
// intent, until, call_id, how, tries.
func valuesOf(e ledger.Entry) ([]any, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	intent, err := json.Marshal(e.Intent)
	if err != nil {
		return nil, fmt.Errorf("sqlledger: the intent: %w", err)
	}
	request := sql.NullString{String: string(e.Request), Valid: e.Request != nil}
	callID := sql.NullInt64{Int64: e.CallID, Valid: e.CallID != 0}
	return []any{string(e.State), request, string(intent), nanoseconds(e.Until), callID, e.How, e.Tries}, nil
}
