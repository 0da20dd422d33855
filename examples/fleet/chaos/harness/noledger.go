//go:build linux

package harness

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/fleet/queue"
)

// createArgs is a job that has the create itself in it, as without a ledger.
type createArgs struct {
	Request calls.OutboundRequest `json:"request"`
}

// Kind is the name of the job.
func (createArgs) Kind() string { return "create_call_without_ledger" }

type creator struct {
	river.WorkerDefaults[createArgs]
	client *calls.Client
}

// Work creates the call, at least once.
func (c *creator) Work(ctx context.Context, job *river.Job[createArgs]) error {
	_, err := c.client.CreateOutbound(ctx, job.Args.Request)
	if calls.DeliveryOf(err) == calls.DeliveryRejected {
		return river.JobCancel(err)
	}
	return err
}

// NextRetry keeps the run short.
func (c *creator) NextRetry(*river.Job[createArgs]) time.Time { return time.Now().Add(time.Second) }

// workWithoutLedger does what a queue alone does: every create at least once.
func workWithoutLedger(ctx context.Context, database *queue.Database, client *calls.Client) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &creator{client: client})
	jobs, err := river.NewClient(database.River, &river.Config{
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}},
		Workers: workers, Logger: slog.New(slog.DiscardHandler),
		FetchPollInterval: 100 * time.Millisecond, FetchCooldown: 100 * time.Millisecond,
		JobTimeout: jobTimeout, RescueStuckJobsAfter: rescueAfter,
	})
	if err != nil {
		return err
	}
	if err := jobs.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	<-ctx.Done()
	return jobs.Stop(context.WithoutCancel(ctx))
}

func enqueueWithoutLedger(ctx context.Context, database *queue.Database, req calls.OutboundRequest) error {
	_, err := database.Jobs.Insert(ctx, createArgs{req}, nil)
	return err
}
