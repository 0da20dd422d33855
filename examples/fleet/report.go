package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/ccaip-go/calls/ledger"
)

func report(ctx context.Context, args []string, out io.Writer) error {
	db, err := parse("report", args, out, nil)
	if err != nil {
		return err
	}
	f, err := connect(ctx, db)
	if err != nil {
		return err
	}
	defer f.close()
	r, err := f.Report(ctx)
	if err != nil {
		return err
	}
	rejected, err := f.Rejected(ctx, mostRejected)
	if err != nil {
		return err
	}
	if len(r.Counts) == 0 {
		fmt.Fprintln(out, "No creates yet.")
	}
	for _, state := range slices.Sorted(maps.Keys(r.Counts)) {
		fmt.Fprintf(out, "%6d %s\n", r.Counts[state], state)
	}
	for _, e := range r.ForPerson {
		fmt.Fprintf(out, "fleet decide -id %s -version %d: %s; sent %s\n", e.ID, e.Version, e.How, e.Intent.SentAfter.Format("2006-01-02 15:04:05 MST"))
	}
	for _, e := range rejected {
		printEntry(out, e)
	}
	return nil
}

// mostRejected is how many rejected creates a report lists, the latest ones.
const mostRejected = 20

// decide records the word of a person who has looked into the portal.
func decide(ctx context.Context, args []string, out io.Writer) error {
	var id string
	var version, callID int64
	var made, notMade, look bool
	db, err := parse("decide", args, out, func(flags *flag.FlagSet) {
		flags.StringVar(&id, "id", "", "the entry, as reported")
		flags.Int64Var(&version, "version", 0, "its version, as reported")
		flags.BoolVar(&made, "made", false, "the call was made")
		flags.Int64Var(&callID, "call", 0, "with -made: the id of the call, 0 if it is not known")
		flags.BoolVar(&notMade, "not-made", false, "the call was not made; say so hours later, never minutes")
		flags.BoolVar(&look, "look", false, "look into the listing once more")
	})
	if err != nil {
		return err
	}
	if n := countTrue(made, notMade, look); n != 1 {
		return misuse("give one of -made, -not-made and -look")
	}
	switch {
	case id == "":
		return misuse("give -id and -version, as fleet report shows them")
	case callID != 0 && !made:
		return misuse("-call goes with -made")
	}
	f, err := connect(ctx, db)
	if err != nil {
		return err
	}
	defer f.close()
	var e ledger.Entry
	if look {
		e, err = f.Keeper.LookAgain(ctx, id, version)
	} else {
		e, err = f.Keeper.Decide(ctx, id, version, made, callID)
	}
	if e.ID != "" {
		printEntry(out, e)
	}
	return err
}

func countTrue(values ...bool) (n int) {
	for _, v := range values {
		if v {
			n++
		}
	}
	return n
}
