package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/examples/fleet/queue"
	"github.com/ccaip-go/calls/examples/internal/double"
	"github.com/ccaip-go/calls/ledger"
)

// parse reads the flags of a command, which set adds to -db. It prints them to out if
// that is asked for, and returns flag.ErrHelp then.
func parse(name string, args []string, out io.Writer, set func(*flag.FlagSet)) (db string, err error) {
	flags := flag.NewFlagSet("fleet "+name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints what is wrong
	flags.StringVar(&db, "db", "fleet.db", "the database: a URL postgres://…, or the name of a file for SQLite")
	if set != nil {
		set(flags)
	}
	err = flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(out)
		flags.Usage()
		return "", err
	case err != nil:
		return "", misuse(fmt.Sprintf("%v; fleet %s -h shows the flags", err, name))
	case flags.NArg() > 0:
		return "", misuse(fmt.Sprintf("unexpected argument %q; fleet %s -h shows the flags", flags.Arg(0), name))
	}
	return db, nil
}

// printEntry prints an entry for people.
func printEntry(out io.Writer, e ledger.Entry) {
	text := fmt.Sprintf("%s: %s", e.ID, e.State)
	if e.CallID != 0 {
		text += fmt.Sprintf(", call %d", e.CallID)
	}
	if e.Tries > 0 {
		text += fmt.Sprintf(", tries: %d", e.Tries)
	}
	if e.How != "" {
		text += ", " + e.How
	}
	fmt.Fprintln(out, text)
}

// fleet is what each command works with.
type fleet struct {
	*queue.Queue
	server *callstest.Server // the double, nil with an account
}

// connect opens the database, and a client of the platform or of a double.
func connect(ctx context.Context, db string) (*fleet, error) {
	client, server, err := double.Connect(nil)
	if err != nil {
		return nil, err
	}
	keeper := &ledger.Keeper{Client: client, Tenant: "customer"}
	if server != nil {
		server.AddCall(callstest.Call{ID: rand.Int64N(1e9) + 1}) // the ledger refuses two calls with one id: each double begins elsewhere
	} else {
		keeper.Tenant = cmp.Or(os.Getenv("CCAIP_SUBDOMAIN"), os.Getenv("CCAIP_HOST"))
		keeper.SubjectKey = []byte(os.Getenv("FLEET_SUBJECT_KEY"))
		if len(keeper.SubjectKey) == 0 {
			return nil, errors.New("FLEET_SUBJECT_KEY is not set: a secret that telephone numbers are hashed with, the same in every process")
		}
	}
	database, err := queue.OpenDatabase(ctx, db)
	if err != nil {
		double.Stop(server)
		return nil, err
	}
	keeper.Store = database.Ledger
	f := &fleet{&queue.Queue{Database: database, Keeper: keeper}, server}
	if err := f.createCRM(ctx); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *fleet) close() {
	_ = f.Database.Close()
	double.Stop(f.server)
}

// createCRM creates the table that stands for the CRM's own.
func (f *fleet) createCRM(ctx context.Context) error {
	_, err := f.Database.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS crm_calls (entry_id TEXT PRIMARY KEY, ticket_id TEXT NOT NULL, agent TEXT NOT NULL)`)
	return err
}

// subjectOf returns what a create is about. A number is the same in every spelling.
func subjectOf(req calls.OutboundRequest) string {
	if req.TicketID != "" {
		return "ticket " + req.TicketID
	}
	return "number " + strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, req.EndUserNumber)
}
