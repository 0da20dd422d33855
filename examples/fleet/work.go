package main

import (
	"context"
	"flag"
	"io"
	"log/slog"

	"github.com/ccaip-go/calls/examples/fleet/queue"
)

func work(ctx context.Context, args []string, out io.Writer) error {
	opts := queue.WorkOptions{Logger: slog.New(slog.NewTextHandler(out, nil))}
	db, err := parse("work", args, out, func(flags *flag.FlagSet) {
		flags.IntVar(&opts.Workers, "workers", 0, "jobs at a time, 0 for 10")
		flags.DurationVar(&opts.Poll, "poll", 0, "time between two looks for jobs, 0 for a second")
		flags.DurationVar(&opts.Sweep, "sweep", 0, "time between two sweeps, 0 for 30 seconds")
	})
	if err != nil {
		return err
	}
	if opts.Workers < 0 || min(opts.Poll, opts.Sweep) < 0 {
		return misuse("-workers, -poll and -sweep cannot be negative")
	}
	f, err := connect(ctx, db)
	if err != nil {
		return err
	}
	defer f.close()
	return f.Work(ctx, opts)
}
