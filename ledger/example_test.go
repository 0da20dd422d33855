package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// This example advances an entry twice. Any process can do that at any time, and the call
// is created once.
func Example() {
	server, err := callstest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client, err := server.NewClient()
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, store := context.Background(), ledger.Memory()
	keeper := &ledger.Keeper{Client: client, Store: store, Tenant: "customer"}

	entry, err := keeper.Prepare("ticket 71450", calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"})
	if err != nil {
		fmt.Println(err)
		return
	}
	entry.ID = "task 8812"
	if err := store.Put(ctx, entry); err != nil && !errors.Is(err, ledger.ErrExists) {
		fmt.Println(err)
		return
	}
	for range 2 {
		entry, err = keeper.Advance(ctx, "task 8812")
		fmt.Println(entry.State, entry.CallID, err)
	}
	fmt.Println("calls:", len(server.Calls()))
	// Output:
	// created 397 <nil>
	// created 397 <nil>
	// calls: 1
}

// This worker of a job queue advances an entry, and retries while it is under way.
func ExampleKeeper_Advance() {
	work := func(ctx context.Context, keeper *ledger.Keeper, id string) (again time.Duration, err error) {
		_, err = keeper.Advance(ctx, id)
		var underWay *ledger.ErrUnderWay
		if errors.As(err, &underWay) {
			return underWay.Wait, nil // River: return river.JobSnooze(underWay.Wait)
		}
		return 0, err
	}
	_ = work
}

// Each process recovers entries of stopped processes, at its start and periodically.
func ExampleKeeper_Recover() {
	sweep := func(ctx context.Context, keeper *ledger.Keeper) {
		for ; ctx.Err() == nil; time.Sleep(30 * time.Second) {
			for entry, err := range keeper.Recover(ctx) {
				fmt.Println(entry, err) // log it
			}
		}
	}
	_ = sweep
}
