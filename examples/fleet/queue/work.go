package queue

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/ccaip-go/calls/ledger"
)

// WorkOptions sets how a process works.
type WorkOptions struct {
	Workers     int           // jobs at a time, default 10
	Poll        time.Duration // between two looks for jobs, default a second
	Sweep       time.Duration // between two sweeps, default 30 seconds
	JobTimeout  time.Duration // of one Advance, default a minute
	RescueAfter time.Duration // when River starts the job of a dead process again, default 5 minutes
	Logger      *slog.Logger  // default slog.Default()
}

func (o WorkOptions) withDefaults() WorkOptions {
	if o.Workers == 0 {
		o.Workers = 10
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{{&o.Poll, time.Second}, {&o.Sweep, 30 * time.Second}, {&o.JobTimeout, time.Minute}, {&o.RescueAfter, 5 * time.Minute}} {
		if *d.value == 0 {
			*d.value = d.fallback
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Work works off jobs and sweeps until ctx ends, and returns when the creates that
// are under way then have ended. Any number of processes can do it at a time, and
// each of them can be killed at any time.
func (q *Queue) Work(ctx context.Context, opts WorkOptions) error {
	opts = opts.withDefaults()
	workers := river.NewWorkers()
	river.AddWorker(workers, &creator{keeper: q.Keeper, logger: opts.Logger})
	client, err := river.NewClient(q.Database.River, &river.Config{
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: opts.Workers}},
		Workers: workers, Logger: opts.Logger,
		FetchPollInterval: opts.Poll, FetchCooldown: min(opts.Poll, river.FetchCooldownDefault),
		JobTimeout: opts.JobTimeout, RescueStuckJobsAfter: opts.RescueAfter,
	})
	if err != nil {
		return err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	q.sweep(ctx, opts)
	return client.Stop(context.WithoutCancel(ctx))
}

// creator works a job. It has no state: the ledger records how far a create has come,
// so that a job can run twice, also at the same time.
type creator struct {
	river.WorkerDefaults[createArgs]
	keeper *ledger.Keeper
	logger *slog.Logger
}

// Work advances the entry of a job. After an error other than ErrUnderWay the job is
// tried again, as River does.
func (c *creator) Work(ctx context.Context, job *river.Job[createArgs]) error {
	e, err := c.keeper.Advance(ctx, job.Args.EntryID)
	if e.ID != "" {
		c.logger.InfoContext(ctx, "create", attrsOf(e)...)
	}
	var underWay *ledger.ErrUnderWay
	switch {
	case errors.As(err, &underWay):
		return river.JobSnooze(underWay.Wait)
	case errors.Is(err, ledger.ErrNotFound): // closed and pruned
		return river.JobCancel(err)
	}
	return err
}

// sweep advances entries that were left behind: those of a process that was killed,
// and those whose job River has given up.
func (q *Queue) sweep(ctx context.Context, opts WorkOptions) {
	ticker := time.NewTicker(opts.Sweep)
	defer ticker.Stop()
	for {
		for e, err := range q.Keeper.Recover(ctx) {
			if err != nil && !errors.Is(err, &ledger.ErrUnderWay{}) {
				opts.Logger.WarnContext(ctx, "sweep", "entry", e.ID, "error", err)
			} else {
				opts.Logger.InfoContext(ctx, "sweep", attrsOf(e)...)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// attrsOf returns what to log of an entry: neither whom it calls, nor their hash.
func attrsOf(e ledger.Entry) []any {
	return []any{"entry", e.ID, "state", e.State, "call", e.CallID, "tries", e.Tries, "how", e.How}
}
