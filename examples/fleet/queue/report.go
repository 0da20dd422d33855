package queue

import (
	"context"
	"errors"
	"time"

	"github.com/ccaip-go/calls/ledger"
)

// Report is how far the creates of a tenant have come.
type Report struct {
	Counts    map[ledger.State]int
	ForPerson []ledger.Entry // what a person has to decide, the oldest first
}

// Report counts the entries by their states.
func (q *Queue) Report(ctx context.Context) (Report, error) {
	r := Report{Counts: map[ledger.State]int{}}
	rows, err := q.Database.QueryContext(ctx, `SELECT state, COUNT(*) FROM calls_ledger WHERE tenant = $1 GROUP BY state`, q.Keeper.Tenant)
	if err != nil {
		return r, err
	}
	defer rows.Close()
	for rows.Next() {
		var state ledger.State
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return r, err
		}
		r.Counts[state] = n
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	_ = rows.Close() // the next statement may need the connection
	open, err := q.Database.Ledger.Open(ctx, q.Keeper.Tenant, time.Time{})
	for _, e := range open {
		if e.State == ledger.StateForPerson {
			r.ForPerson = append(r.ForPerson, e)
		}
	}
	return r, err
}

// Rejected returns the creates that the platform rejected, the latest first and at most
// so many. How says why.
func (q *Queue) Rejected(ctx context.Context, most int) ([]ledger.Entry, error) {
	ids, err := q.rejectedIDs(ctx, most)
	if err != nil {
		return nil, err
	}
	var entries []ledger.Entry
	for _, id := range ids {
		e, err := q.Database.Ledger.Get(ctx, id)
		switch {
		case errors.Is(err, ledger.ErrNotFound): // pruned meanwhile
			continue
		case err != nil:
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (q *Queue) rejectedIDs(ctx context.Context, most int) (ids []string, err error) {
	rows, err := q.Database.QueryContext(ctx, `SELECT id FROM calls_ledger WHERE tenant = $1 AND state = 'rejected' AND call_id IS NULL ORDER BY until DESC LIMIT $2`, q.Keeper.Tenant, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
