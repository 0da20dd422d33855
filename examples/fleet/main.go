// Fleet creates calls from a job queue that any number of processes work off. Each
// create is an entry of a ledger, so that it rings once, whatever is killed.
//
//	go run . enqueue -agent agent@example.com -ticket 71450
//	go run . work
//	go run . report
//	go run . decide -id … -version 4 -made -call 397
//
// Without CCAIP_SUBDOMAIN, CCAIP_DOMAIN and CCAIP_TOKEN it talks to a double of the
// platform in its own process: nobody is called.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const usage = "usage: fleet enqueue | work | report | decide, each with -h for its flags"

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	commands := map[string]func(context.Context, []string, io.Writer) error{
		"enqueue": enqueue, "work": work, "report": report, "decide": decide,
	}
	command, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("unknown command %q\n%s", args[0], usage)
	}
	return command(ctx, args[1:], out)
}
