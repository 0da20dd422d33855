package ledger

import (
	"context"
	"errors"
	"time"
)

// Store keeps entries. When a method that writes returns nil, the entry is
// durable; when it returns an error of this package, nothing was written; after any
// other error it is not known whether it was. What was written is seen by every
// reader that begins later. All methods are safe for concurrent use, by any number
// of processes that share the Store.
//
// callstest.TestLedgerStore checks that a Store keeps these promises.
type Store interface {
	// Put stores a new entry as version 1, whatever e.Version is. It returns
	// ErrExists if there is an entry with its ID, or else ErrBusy if e is open and
	// there is an open entry of its tenant and Subject, or else ErrClaimed if
	// another entry of its tenant has its CallID.
	Put(ctx context.Context, e Entry) error
	// Get returns an entry, or ErrNotFound.
	Get(ctx context.Context, id string) (Entry, error)
	// Replace replaces the entry of e's ID if the stored Version is e.Version, and
	// stores it with the next Version. It returns ErrStale if the stored Version is
	// another, ErrNotFound if there is no such entry, and ErrBusy and ErrClaimed as
	// Put does. ID, Tenant and Subject of an entry do not change.
	Replace(ctx context.Context, e Entry) error
	// Claimed returns the ids of the entries of the tenant that have one of the calls
	// as their CallID, by that CallID.
	Claimed(ctx context.Context, tenant string, callIDs []int64) (map[int64]string, error)
	// Open returns the open entries of the tenant whose Until is before until, or
	// all of them if until is zero, in the order of their Until.
	Open(ctx context.Context, tenant string, until time.Time) ([]Entry, error)
	// Doubts returns the entries of the tenant that are a rival (Entry.IsRival); of
	// the closed ones, only those whose Until is not before since. All are as they
	// were at one point in time: read them in one statement.
	Doubts(ctx context.Context, tenant string, since time.Time) ([]Entry, error)
}

// Pruner is a Store that can remove old entries.
type Pruner interface {
	// Prune removes the closed entries of the tenant whose Until is earlier than
	// before, and returns how many they were. Use Keeper.Prune, which keeps those that
	// still matter.
	Prune(ctx context.Context, tenant string, before time.Time) (int64, error)
}

// The errors of a Store.
var (
	// ErrExists means that the Store has an entry with this id.
	ErrExists = errors.New("ledger: there is an entry with this id")
	// ErrBusy means that there is an open entry of the same subject.
	ErrBusy = errors.New("ledger: there is an open entry of this subject")
	// ErrNotFound means that the Store has no entry with this id.
	ErrNotFound = errors.New("ledger: there is no entry with this id")
	// ErrStale means that the entry has changed since it was read. Read it again.
	ErrStale = errors.New("ledger: the entry has changed since it was read")
	// ErrClaimed means that another entry has this call.
	ErrClaimed = errors.New("ledger: another entry has this call")
)
