package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/internal/double"
	"github.com/ccaip-go/calls/ledger"
)

func enqueue(ctx context.Context, args []string, out io.Writer) error {
	var req calls.OutboundRequest
	sample := "agent@example.com"
	if double.HasAccount() { // nobody is called because a flag was left out
		sample = ""
	}
	db, err := parse("enqueue", args, out, func(flags *flag.FlagSet) {
		flags.StringVar(&req.AgentEmail, "agent", sample, "e-mail address of the agent")
		flags.StringVar(&req.TicketID, "ticket", "", "CRM ticket to call for")
		flags.StringVar(&req.EndUserNumber, "number", "", "number to dial, where there is no ticket")
	})
	if err != nil {
		return err
	}
	f, err := connect(ctx, db)
	if err != nil {
		return err
	}
	defer f.close()
	e, err := f.Enqueue(ctx, subjectOf(req), req, func(tx *sql.Tx, entryID string) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO crm_calls (entry_id, ticket_id, agent) VALUES ($1, $2, $3)`, entryID, req.TicketID, req.AgentEmail)
		return err
	})
	if errors.Is(err, ledger.ErrBusy) {
		return fmt.Errorf("a create for the same ticket or number has not ended: %w", err)
	}
	if err != nil {
		return err
	}
	printEntry(out, e)
	return nil
}
