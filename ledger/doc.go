// Package ledger creates calls that survive a crash, a deploy and a fleet: each of
// them once, and none of them lost silently.
//
// The platform has no idempotency key. If a process is killed, or a response is lost,
// after a create was sent, only a record that was made before can tell that the call
// may exist. A ledger is that record. An [Entry] is one create:
//
//	prepared → sending → created | awaits agent | rejected
//	                   → in doubt → created
//	                              → for a person → created | not made
//
// A [Store] keeps the entries: [Memory], or a table of PostgreSQL or SQLite with
// package sqlledger. A [Keeper] moves them on:
//
//	keeper := &ledger.Keeper{Client: client, Store: store, Tenant: "customer"}
//
//	entry, err := keeper.Prepare("ticket 71450", request) // sends nothing
//	…
//	entry.ID = "task 8812"                                // optional: a name of your own
//	err = store.Put(ctx, entry)                           // ErrExists, ErrBusy: it is there
//	…
//	entry, err = keeper.Advance(ctx, entry.ID)            // as far as it goes now
//	var underWay *ledger.ErrUnderWay
//	if errors.As(err, &underWay) {
//		// Advance it again after underWay.Wait, from any process.
//	}
//
// Advance never sends what may have been carried out. It marks the entry before the
// first byte leaves, and no byte leaves after the time that the mark names, however
// long the process was stopped in between. If the response is lost, it waits until a
// listing has to show a call that exists, and then looks for a call that can only be
// that of this create. What that does not settle is left to a person: [Keeper.Decide]
// records what became of it, and [Keeper.LookAgain] looks at the listing once more.
//
// An entry has no owner. A job queue can advance it more than once, two jobs can
// advance it at the same time, and a process can be killed at any point: whatever is
// left behind is taken up by the next Advance, or by [Keeper.Recover], which every
// program calls at its start and then every half minute or so.
//
// # What stays open
//
// A listing cannot prove that there is no call: a create that was marked and never
// carried out is left to a person.
//
// A listing shows neither the agent nor the end user of a call. A create without a
// ticket, a time or an outbound number of its own can have made every later call of its
// kind. While it is in doubt, and for a day if it awaits its agent or a person decided
// that it was not made, every other lost create of that kind is left to a person, too.
//
// A call that a person makes by hand can look like that of a create. A listing can lag
// for longer than Lag, and a proxy can hold a request for longer than Skew: then a
// person is asked about a call that turns up later. So let hours pass, not minutes,
// before a person decides.
//
// # The rules
//
// The order of all steps follows thirteen rules that were checked with a model checker
// in the directory model, where its README explains them.
package ledger
