package ledger

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory returns a Store that lives as long as the process, for tests and for
// programs that need no more. It is a Pruner.
func Memory() Store {
	return &memory{entries: map[string]Entry{}, open: map[key]string{}, claims: map[claim]string{}}
}

type memory struct {
	mu      sync.RWMutex
	entries map[string]Entry
	open    map[key]string   // the id of the open entry of a subject
	claims  map[claim]string // the id of the entry of a call
}

type key struct{ tenant, subject string }

type claim struct {
	tenant string
	callID int64
}

func (m *memory) Put(ctx context.Context, e Entry) error {
	if err := check(ctx, e); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.entries[e.ID]; ok {
		return ErrExists
	}
	e.Version = 1
	return m.set(e)
}

func (m *memory) Get(ctx context.Context, id string) (Entry, error) {
	if err := ctx.Err(); err != nil {
		return Entry{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	e, ok := m.entries[id]
	if !ok {
		return Entry{}, ErrNotFound
	}
	return e.clone(), nil
}

func (m *memory) Replace(ctx context.Context, e Entry) error {
	if err := check(ctx, e); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, ok := m.entries[e.ID]
	switch {
	case !ok:
		return ErrNotFound
	case stored.Version != e.Version:
		return ErrStale
	}
	e.Tenant, e.Subject = stored.Tenant, stored.Subject
	e.Version++
	return m.set(e)
}

func check(ctx context.Context, e Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.Validate()
}

// set stores e unless that breaks a unique index.
func (m *memory) set(e Entry) error {
	subject := key{e.Tenant, e.Subject}
	call := claim{e.Tenant, e.CallID}
	if owner, ok := m.open[subject]; ok && owner != e.ID && e.State.IsOpen() {
		return ErrBusy
	}
	if owner, ok := m.claims[call]; ok && owner != e.ID {
		return ErrClaimed
	}
	m.release(m.entries[e.ID])
	m.entries[e.ID] = e.clone()
	if e.State.IsOpen() && e.Subject != "" {
		m.open[subject] = e.ID
	}
	if e.CallID != 0 {
		m.claims[call] = e.ID
	}
	return nil
}

// release takes a stored entry out of the indexes.
func (m *memory) release(e Entry) {
	if subject := (key{e.Tenant, e.Subject}); m.open[subject] == e.ID {
		delete(m.open, subject)
	}
	if call := (claim{e.Tenant, e.CallID}); m.claims[call] == e.ID {
		delete(m.claims, call)
	}
}

func (m *memory) Claimed(ctx context.Context, tenant string, callIDs []int64) (map[int64]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	owners := map[int64]string{}
	for _, id := range callIDs {
		if owner, ok := m.claims[claim{tenant, id}]; ok {
			owners[id] = owner
		}
	}
	return owners, nil
}

func (m *memory) Open(ctx context.Context, tenant string, until time.Time) ([]Entry, error) {
	return m.find(ctx, func(e Entry) bool {
		return e.Tenant == tenant && e.State.IsOpen() && (until.IsZero() || e.Until.Before(until))
	})
}

func (m *memory) Doubts(ctx context.Context, tenant string, since time.Time) ([]Entry, error) {
	return m.find(ctx, func(e Entry) bool {
		return e.Tenant == tenant && e.IsRival() && (e.State.IsOpen() || !e.Until.Before(since))
	})
}

// find returns the entries that are wanted, in the order of their Until.
func (m *memory) find(ctx context.Context, isWanted func(Entry) bool) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	var found []Entry
	for _, e := range m.entries {
		if isWanted(e) {
			found = append(found, e.clone())
		}
	}
	slices.SortFunc(found, func(a, b Entry) int {
		if order := a.Until.Compare(b.Until); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return found, nil
}

func (m *memory) Prune(ctx context.Context, tenant string, before time.Time) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var pruned int64
	for id, e := range m.entries {
		if e.Tenant == tenant && e.State.IsClosed() && e.Until.Before(before) {
			m.release(e)
			delete(m.entries, id)
			pruned++
		}
	}
	return pruned, nil
}
