package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/ccaip-go/calls"
)

// Claims returns what the ledger knows of calls and creates, for a create that was sent
// without it:
//
//	call, err := client.Settle(ctx, intent, calls.SettleOptions{Claims: keeper.Claims()})
//
// Settle then takes no call that an entry of any process has or can have made, and its
// own claim is recorded as a closed entry with the ID of the Intent, so that no entry is
// given that call. Before that the ledger does not know the create, so that an entry in
// doubt can take its call. Put creates into the ledger wherever there is one.
//
// Do not settle the Intent of an entry: Settle fails unless the entry already has the
// call. Use Advance.
//
// Claims is safe for concurrent use. Its errors are those of the Store.
func (k *Keeper) Claims() calls.Claims { return claims{k} }

type claims struct{ keeper *Keeper }

// Doubts returns the intents of all rivals that can matter to a create which a Client
// still remembers.
func (c claims) Doubts(ctx context.Context) ([]calls.Intent, error) {
	if err := c.keeper.check(); err != nil {
		return nil, err
	}
	skew, _ := c.keeper.clocks()
	rivals, err := c.keeper.Store.Doubts(ctx, c.keeper.Tenant, now().Add(-2*rivalAge-2*skew))
	intents := make([]calls.Intent, len(rivals))
	for i, e := range rivals {
		intents[i] = e.Intent
	}
	return intents, err
}

func (c claims) Owner(ctx context.Context, callID int64) (string, error) {
	if err := c.keeper.check(); err != nil {
		return "", err
	}
	owners, err := c.keeper.Store.Claimed(ctx, c.keeper.Tenant, []int64{callID})
	return owners[callID], err
}

// Claim puts a closed entry. The unique index on call ids has one create win.
func (c claims) Claim(ctx context.Context, callID int64, intentID string) (string, error) {
	if err := c.keeper.check(); err != nil {
		return "", err
	}
	err := c.keeper.Store.Put(ctx, Entry{
		ID: intentID, Tenant: c.keeper.Tenant, State: StateCreated, CallID: callID, Until: now(),
		How: "found in a listing without the ledger",
	})
	if err == nil {
		return intentID, nil
	}
	owner, ownerErr := c.Owner(ctx, callID)
	switch {
	case ownerErr != nil:
		return "", errors.Join(err, ownerErr)
	case owner != "":
		return owner, nil
	case errors.Is(err, ErrExists):
		return "", fmt.Errorf("ledger: entry %q is settled by Advance: %w", intentID, err)
	}
	return "", err
}
