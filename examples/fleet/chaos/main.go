//go:build linux

// Chaos kills and stops four workers of the fleet and two instances of the connector
// while they create calls against doubles of the platform, and prints what came of it.
// Nobody is called.
//
//	go run ./chaos -kills 300
//	go run ./chaos -sqlite -kills 50
//	go run ./chaos -without-ledger
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ccaip-go/calls/examples/fleet/chaos/harness"
	"github.com/ccaip-go/calls/examples/fleet/internal/postgres"
)

func main() {
	if harness.IsChild() {
		harness.RunChild()
		return
	}
	o := harness.Options{}
	flag.IntVar(&o.Kills, "kills", 40, "about how many workers to kill")
	flag.IntVar(&o.Creates, "creates", 0, "how many creates, 0 for twelve for each kill")
	flag.Uint64Var(&o.Seed, "seed", rand.Uint64(), "of the random choices")
	flag.BoolVar(&o.WithoutLedger, "without-ledger", false, "have jobs create calls by themselves")
	sqlite := flag.Bool("sqlite", false, "SQLite instead of PostgreSQL")
	if flag.Parse(); flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if o.Creates == 0 {
		o.Creates = 12 * o.Kills
	}
	if min(o.Kills, o.Creates) < 1 {
		fmt.Fprintln(os.Stderr, "-kills and -creates have to be at least 1")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, *sqlite)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o harness.Options, sqlite bool) error {
	if sqlite {
		dir, err := os.MkdirTemp("", "fleet")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.Database, o.ConnectorDatabase = filepath.Join(dir, "fleet.db"), filepath.Join(dir, "connector.db")
	} else {
		server, err := postgres.Start()
		if err != nil {
			return err
		}
		defer server.Stop()
		if o.Database, err = server.NewDatabase(); err != nil {
			return err
		}
		if o.ConnectorDatabase, err = server.NewDatabase(); err != nil {
			return err
		}
		o.KillDatabase = server.Restart
	}
	fmt.Printf("seed %d, %d creates, about %d kills\n", o.Seed, o.Creates, o.Kills)
	figures, err := harness.Run(ctx, o)
	if figures != nil {
		fmt.Println(figures)
	}
	if err != nil {
		return err
	}
	if len(figures.Found) > 0 && !o.WithoutLedger {
		return errors.New(strings.Join(figures.Found, "\n"))
	}
	return nil
}
