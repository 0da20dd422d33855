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
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/ccaip-go/calls"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(statusOf(err, os.Stderr))
}

// statusOf returns the exit status of the program, and prints what is wrong.
func statusOf(err error, out io.Writer) int {
	var wrong misuse
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(out, "fleet:", err)
		return 2
	}
	fmt.Fprintln(out, "fleet:", calls.Explain(err))
	return 1
}

// misuse is what is wrong with a command line.
type misuse string

func (m misuse) Error() string { return string(m) }

const usage = `Usage:
  fleet enqueue   put a create into the ledger and the queue
  fleet work      create calls until it is interrupted
  fleet report    show how far the creates have come
  fleet decide    record what a person has found out

Each has -h for its flags.
`

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return misuse("a command is missing: enqueue, work, report or decide")
	}
	commands := map[string]func(context.Context, []string, io.Writer) error{
		"enqueue": enqueue, "work": work, "report": report, "decide": decide,
	}
	command, ok := commands[args[0]]
	switch {
	case ok:
		return command(ctx, args[1:], out)
	case args[0] == "-h", args[0] == "-help", args[0] == "--help", args[0] == "help":
		fmt.Fprintf(out, "%s", usage)
		return flag.ErrHelp
	}
	return misuse(fmt.Sprintf("unknown command %q: it is enqueue, work, report or decide", args[0]))
}
