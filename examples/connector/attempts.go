package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/ledger"
	"github.com/ccaip-go/calls/ledger/sqlledger"
)

// attempt is a call that a person asked for by submitting a form.
type attempt struct {
	ID       string // that of the form's nonce, and of the entry in the ledger
	Subject  string // whom it calls, hashed once it is recorded; no two open attempts have the same
	TicketID string // "" if it is for no ticket
	Title    string
	Started  time.Time
	Form     map[string]string // what was typed, to be fixed after a refusal
	// Version is that of the entry in the ledger. A person's decision has to name
	// the version that the person saw.
	Version int64

	shown    time.Time // when its form was given out
	topic    string    // what pages show the latest attempt of, hashed
	revision int64     // of all attempts, when this one changed last
	outcome
}

// key is what pages show the latest attempt of: the ticket, or the subject of a
// call for no ticket.
func (a attempt) key() string {
	if a.TicketID != "" {
		return ticketKey(a.TicketID)
	}
	return a.Subject
}

func ticketKey(ticketID string) string { return "ticket " + ticketID }

// attempts records the calls that were asked for, and decides which form may make a
// call. It is a ledger, and a table beside it with what pages show. All instances of
// this service that share the database behave as one. It is safe for concurrent use.
type attempts struct {
	limits limits
	now    func() time.Time
	db     *database
	store  *sqlledger.Store
	keeper *ledger.Keeper

	begins sync.Mutex // one begin at a time: the same form can be submitted twice at once

	mu    sync.Mutex
	asked map[string]chan struct{} // of the creates of this instance that are at the platform
}

// limits bounds the work of the service.
type limits struct {
	underWay int           // creates of this instance at the platform or waiting for their turn
	open     int           // attempts of all instances that are under way or unsettled
	form     time.Duration // how long a form can be submitted
	kept     time.Duration // how long closed attempts are kept: longer than a form is good for
}

var defaultLimits = limits{underWay: 20, open: 200, form: 8 * time.Hour, kept: 48 * time.Hour}

// openAttempts uses the keeper's Client, Tenant, Skew and Lag.
func openAttempts(ctx context.Context, db *database, keeper *ledger.Keeper) (*attempts, error) {
	store, err := sqlledger.Open(ctx, db.DB, db.dialect)
	if err != nil {
		return nil, err
	}
	key, err := db.key(ctx, "key of subjects")
	if err != nil {
		return nil, err
	}
	keeper.Store, keeper.SubjectKey, keeper.Responded = store, key, noteResponse
	return &attempts{limits: defaultLimits, now: time.Now, db: db, store: store, keeper: keeper, asked: map[string]chan struct{}{}}, nil
}

// verdict is the result of submitting a form.
type verdict int

const (
	begun     verdict = iota // the call may be asked for, once
	repeated                 // the form was submitted before
	busy                     // another attempt to call the same person is open
	overtaken                // an attempt for the ticket changed after the form was shown
	expired                  // the form is too old to tell whether it was submitted
	full                     // too many attempts are open
)

// begin records a new attempt whose form was shown as of revision seen. It records
// nothing unless the verdict is begun; for repeated, busy and overtaken it returns the
// attempt that is the reason. The caller must call end for an attempt that was begun.
func (l *attempts) begin(ctx context.Context, a attempt, seen int64, request calls.CreateRequest) (attempt, verdict, error) {
	entry, invalid := l.keeper.Prepare(a.Subject, request)
	if invalid != nil {
		entry = ledger.Entry{Tenant: l.keeper.Tenant, State: ledger.StateRejected, How: "not valid", Until: l.now()}
		a.outcome = refusal(invalid)
	}
	entry.ID = a.ID
	a.topic, a.Subject = l.hash(a.key()), l.hash(a.Subject)
	l.begins.Lock()
	defer l.begins.Unlock()
	hasRoom := l.reserve(a.ID)
	existing, became := a, begun
	err := l.db.inTx(ctx, func(tx *sql.Tx) error {
		revision, err := l.advanceRevision(ctx, tx)
		if err != nil {
			return err
		}
		existing, became, err = l.verdictOn(ctx, tx, a, seen)
		switch {
		case err != nil || became != begun:
			return err
		case !hasRoom:
			became = full
			return nil
		}
		return l.insert(ctx, tx, a, entry, revision)
	})
	if hasRoom && (err != nil || became != begun) {
		l.end(a.ID)
	}
	if err != nil || became != begun {
		return existing, became, err
	}
	a, _, err = l.find(ctx, a.ID)
	return a, begun, err
}

// verdictOn runs in the transaction of begin, of which there is one at a time.
func (l *attempts) verdictOn(ctx context.Context, tx *sql.Tx, a attempt, seen int64) (attempt, verdict, error) {
	earlier, err := l.query(ctx, tx, `a.id = $2`, a.ID)
	if err != nil || len(earlier) > 0 {
		return first(earlier, a), repeated, err
	}
	if a.shown.Before(l.now().Add(-l.limits.form)) {
		return a, expired, nil
	}
	open, err := l.query(ctx, tx, isOpen)
	if err != nil {
		return a, full, err
	}
	latest, err := l.query(ctx, tx, `a.topic = $2 ORDER BY a.begun DESC LIMIT 1`, a.topic)
	if err != nil {
		return a, full, err
	}
	if i := slices.IndexFunc(open, func(o attempt) bool { return o.Subject == a.Subject }); i >= 0 {
		return open[i], busy, nil
	}
	switch {
	case len(latest) > 0 && latest[0].State.IsOpen():
		return latest[0], busy, nil
	case len(latest) > 0 && latest[0].revision > seen:
		return latest[0], overtaken, nil
	case len(open) >= l.limits.open:
		return a, full, nil
	}
	return a, begun, nil
}

func first(found []attempt, otherwise attempt) attempt {
	if len(found) > 0 {
		return found[0]
	}
	return otherwise
}

// insert records the attempt in the ledger, and the rest of it in the table beside.
func (l *attempts) insert(ctx context.Context, tx *sql.Tx, a attempt, entry ledger.Entry, revision int64) error {
	if err := l.store.PutTx(ctx, tx, entry); err != nil {
		return err
	}
	form, err := jsonOf(a.Form, len(a.Form) > 0)
	if err != nil {
		return err
	}
	found, err := jsonOf(finding{Problem: a.Problem, Problems: a.Problems}, a.Problem != "")
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO connector_attempts (id, topic, subject, ticket_id, title, form, started, begun, revision, version, finding)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)`,
		a.ID, a.topic, a.Subject, a.TicketID, a.Title, form, a.Started.UnixMilli(), revision, revision, found)
	return err
}

// reserve makes room for a create of this instance. It reports false if there is
// none, or if the create is under way already.
func (l *attempts) reserve(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked[id] != nil || len(l.asked) >= l.limits.underWay {
		return false
	}
	l.asked[id] = make(chan struct{})
	return true
}

// end notes that the platform was asked for an attempt that was begun.
func (l *attempts) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.asked[id])
	delete(l.asked, id)
}

// wasAsked returns a channel that is closed once this instance has asked the
// platform for an attempt.
func (l *attempts) wasAsked(id string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if asked := l.asked[id]; asked != nil {
		return asked
	}
	asked := make(chan struct{})
	close(asked)
	return asked
}

// hash hides whom an attempt calls, which can be a telephone number.
func (l *attempts) hash(key string) string {
	mac := hmac.New(sha256.New, l.keeper.SubjectKey)
	mac.Write([]byte(l.keeper.Tenant + "\x00" + key))
	return hex.EncodeToString(mac.Sum(nil))
}

// changedEntries are the rows whose entry in the ledger has changed since.
const changedEntries = `version <> (SELECT l.version FROM calls_ledger l WHERE l.id = connector_attempts.id)`

// advanceRevision takes the next revision, and gives it to the attempts that have
// changed in the ledger since the last one. It must be the first statement of its
// transaction: it locks out all other instances until the end.
func (l *attempts) advanceRevision(ctx context.Context, tx *sql.Tx) (revision int64, err error) {
	if _, err := tx.ExecContext(ctx, `UPDATE connector_revision SET value = value + 1`); err != nil {
		return 0, err
	}
	if err := tx.QueryRowContext(ctx, `SELECT value FROM connector_revision`).Scan(&revision); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE connector_attempts SET revision = $1,
		version = (SELECT l.version FROM calls_ledger l WHERE l.id = connector_attempts.id),
		form = CASE WHEN (SELECT l.state FROM calls_ledger l WHERE l.id = connector_attempts.id) IN ('created', 'awaits agent', 'not made') THEN NULL ELSE form END
		WHERE `+changedEntries, revision)
	return revision, err
}

// asOf returns the revision of all attempts. What changes later has a later one.
func (l *attempts) asOf(ctx context.Context) (revision int64, err error) {
	var hasChanged bool
	err = l.db.QueryRowContext(ctx, `SELECT value, EXISTS (SELECT 1 FROM connector_attempts WHERE `+changedEntries+`) FROM connector_revision`).Scan(&revision, &hasChanged)
	if err != nil || !hasChanged {
		return revision, err
	}
	err = l.db.inTx(ctx, func(tx *sql.Tx) error {
		revision, err = l.advanceRevision(ctx, tx)
		return err
	})
	return revision, err
}

// find reports false if there is no such attempt.
func (l *attempts) find(ctx context.Context, id string) (attempt, bool, error) {
	found, err := l.query(ctx, l.db, `a.id = $2`, id)
	return first(found, attempt{}), len(found) > 0, err
}

// unsettled lists the open attempts, the latest first.
func (l *attempts) unsettled(ctx context.Context) ([]attempt, error) {
	return l.query(ctx, l.db, isOpen+` ORDER BY a.begun DESC`)
}

// board is what the list of tickets shows: the latest attempt of each ticket, and
// the open ones.
type board struct {
	attempts  *attempts
	unsettled []attempt
	latest    map[string]attempt // by topic
	open      map[string]attempt // the unsettled ones by subject
}

func (l *attempts) board(ctx context.Context) (*board, error) {
	latest, err := l.query(ctx, l.db, `a.begun = (SELECT MAX(b.begun) FROM connector_attempts b WHERE b.topic = a.topic)`)
	if err != nil {
		return nil, err
	}
	open, err := l.unsettled(ctx)
	if err != nil {
		return nil, err
	}
	b := &board{attempts: l, unsettled: open, latest: map[string]attempt{}, open: map[string]attempt{}}
	for _, a := range latest {
		b.latest[a.topic] = a
	}
	for _, a := range open {
		b.open[a.Subject] = a
	}
	return b, nil
}

// latestOf returns the latest attempt for a ticket.
func (b *board) latestOf(ticketID string) (attempt, bool) {
	a, ok := b.latest[b.attempts.hash(ticketKey(ticketID))]
	return a, ok
}

// blocker returns the open attempt that keeps the ticket from being called.
func (b *board) blocker(subject, ticketID string) (attempt, bool) {
	if a, ok := b.open[b.attempts.hash(subject)]; ok {
		return a, true
	}
	a, ok := b.latestOf(ticketID)
	return a, ok && a.State.IsOpen()
}

// decide records the word of a person who saw this version: that there is a call,
// and which one if that is known, or that there is none.
func (l *attempts) decide(ctx context.Context, id string, version int64, isMade bool, found call) error {
	if _, err := l.keeper.Decide(ctx, id, version, isMade, found.ID); err != nil || found.ID == 0 {
		return err
	}
	return l.saw(ctx, map[int64]call{found.ID: found})
}

// saw records how a listing, or the response to the create, shows calls. It is no
// change of an attempt: forms that were shown before stay valid.
func (l *attempts) saw(ctx context.Context, listed map[int64]call) error {
	for id, seen := range listed {
		found, err := l.query(ctx, l.db, `l.call_id = $2`, id)
		if err != nil {
			return err
		}
		for _, a := range found {
			if a.Call.First != "" {
				seen.First = a.Call.First
			}
			text, err := jsonOf(seen, true)
			if err != nil {
				return err
			}
			if _, err := l.db.ExecContext(ctx, `UPDATE connector_attempts SET call = $1 WHERE id = $2`, text, a.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// running lists the created calls that have not ended. It ignores attempts that
// began before since.
func (l *attempts) running(ctx context.Context, since time.Time) ([]attempt, error) {
	found, err := l.query(ctx, l.db, `l.call_id IS NOT NULL AND a.started >= $2 ORDER BY a.started`, since.UnixMilli())
	return slices.DeleteFunc(found, func(a attempt) bool { return a.Call.Status.IsTerminal() }), err
}

// prune removes the closed attempts that are older than limits.kept.
func (l *attempts) prune(ctx context.Context) error {
	if _, err := l.asOf(ctx); err != nil { // erases the forms that are not needed any more
		return err
	}
	if _, err := l.keeper.Prune(ctx, l.limits.kept); err != nil {
		return err
	}
	_, err := l.db.ExecContext(ctx, `DELETE FROM connector_attempts WHERE NOT EXISTS (SELECT 1 FROM calls_ledger l WHERE l.id = connector_attempts.id)`)
	return err
}

// finding is what is known of an attempt beyond its entry in the ledger.
type finding struct {
	Version    int64             `json:"version,omitempty"` // of the entry that a person has to decide
	Candidates []call            `json:"candidates,omitempty"`
	Problem    string            `json:"problem,omitempty"`  // in words
	Problems   map[string]string `json:"problems,omitempty"` // by field
	WasLost    bool              `json:"was_lost,omitempty"`
}

// note records what was found out about an attempt.
func (l *attempts) note(ctx context.Context, id string, f finding) error {
	text, err := jsonOf(f, true)
	if err == nil {
		_, err = l.db.ExecContext(ctx, `UPDATE connector_attempts SET finding = $1 WHERE id = $2`, text, id)
	}
	return err
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

const isOpen = `l.state IN ('prepared', 'sending', 'in doubt', 'for a person')`

// query reads attempts with their entries. The condition's parameters begin with $2.
func (l *attempts) query(ctx context.Context, db querier, condition string, args ...any) ([]attempt, error) {
	rows, err := db.QueryContext(ctx, `SELECT a.id, a.topic, a.ticket_id, a.title, a.form, a.started, a.revision, a.call, a.finding,
		a.subject, l.state, l.version, l.call_id FROM connector_attempts a JOIN calls_ledger l ON l.id = a.id
		WHERE l.tenant = $1 AND `+condition, append([]any{l.keeper.Tenant}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []attempt
	for rows.Next() {
		a, err := scanAttempt(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	return found, rows.Err()
}

func scanAttempt(rows *sql.Rows) (a attempt, err error) {
	var started int64
	var form, seen, found sql.NullString
	var entry ledger.Entry
	var callID sql.NullInt64
	err = rows.Scan(&a.ID, &a.topic, &a.TicketID, &a.Title, &form, &started, &a.revision, &seen, &found, &a.Subject, &entry.State, &entry.Version, &callID)
	if err != nil {
		return a, err
	}
	var c call
	var f finding
	err = errors.Join(unmarshal(form, &a.Form), unmarshal(seen, &c), unmarshal(found, &f))
	entry.CallID = callID.Int64
	a.Started, a.Version, a.outcome = time.UnixMilli(started), entry.Version, outcomeOf(entry, c, f)
	return a, err
}

// jsonOf returns NULL for what is not there.
func jsonOf(value any, isThere bool) (sql.NullString, error) {
	if !isThere {
		return sql.NullString{}, nil
	}
	text, err := json.Marshal(value)
	return sql.NullString{String: string(text), Valid: true}, err
}

func unmarshal(text sql.NullString, into any) error {
	if !text.Valid {
		return nil
	}
	return json.Unmarshal([]byte(text.String), into)
}
