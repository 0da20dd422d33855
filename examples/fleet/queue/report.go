package queue

import (
	"context"
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
