package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ccaip-go/calls"
)

// Keeper creates the calls of a ledger's entries, each once, and finds out what
// became of those whose response was lost. Any number of Keepers in any number of
// processes can work on one Store: an entry needs no owner.
//
// A Keeper is safe for concurrent use as long as its fields are not changed.
type Keeper struct {
	// Client and Store are required.
	Client *calls.Client
	Store  Store
	// Tenant is the platform's customer that the Client belongs to. Required: call
	// ids are unique within a customer only. A Keeper does not see the entries of
	// another tenant.
	Tenant string
	// SubjectKey is the secret that subjects are hashed with, the same in every
	// Keeper of the Tenant, for as long as it has open entries. A subject can be a
	// telephone number; without a secret, trying all numbers reveals it. Nil means
	// that only the Tenant is part of the hash.
	SubjectKey []byte
	// Skew is by how much the clocks of the platform and of all processes can
	// differ, together with the longest time that a request is on its way. The
	// default is a minute.
	Skew time.Duration
	// Lag is how long after its creation a call can be missing from a listing. The
	// default is 15 seconds.
	Lag time.Duration
	// Responded, if not nil, is called with what Client.Send has returned for an entry,
	// right before that is recorded: the call with all that the platform shows of it,
	// or why it was not created. The Entry keeps only the id of the call, or the reason
	// in words. The context is that of Advance or Recover. Responded is called
	// concurrently, and should be fast.
	Responded func(ctx context.Context, id string, result *calls.CreateResult, err error)
}

const (
	defaultSkew = time.Minute
	defaultLag  = 15 * time.Second
	// firstTurn is how long Recover leaves a prepared entry alone.
	firstTurn = time.Minute
	// comeBack is the wait where it is not known when there is more to do.
	comeBack = time.Second
	// rivalAge is how long a closed entry whose call is not known remains a rival.
	rivalAge = 24 * time.Hour
)

// ErrUnderWay means that an entry is open and that there is nothing to do for it
// now. It is used as a pointer only; errors.Is matches any other *ErrUnderWay.
type ErrUnderWay struct {
	// Wait is how long to wait before Advance is called again. It is positive.
	Wait time.Duration

	cause error // why the attempt was not sent, nil for none
}

// Error returns the wait and the cause.
func (e *ErrUnderWay) Error() string {
	text := fmt.Sprintf("ledger: under way, come back in %v", e.Wait)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns why the last attempt was not sent, nil if that is not the reason.
func (e *ErrUnderWay) Unwrap() error { return e.cause }

// Is reports whether target is an *ErrUnderWay.
func (e *ErrUnderWay) Is(target error) bool {
	_, ok := target.(*ErrUnderWay)
	return ok
}

// Prepare validates and encodes a create, and returns its entry. It stores and
// sends nothing: pass the entry to the Put of a Store, or to PutTx of a
// sqlledger.Store within a transaction, and its ID to Advance.
//
// The subject is what the create is about, such as a ticket or a telephone number in
// one spelling: while an entry of it is open, Put returns ErrBusy for another. It is
// hashed. An empty subject is equal to no other.
//
// Its error is that of Client.Prepare, or says what the Keeper lacks.
func (k *Keeper) Prepare(subject string, req calls.CreateRequest) (Entry, error) {
	if err := k.check(); err != nil {
		return Entry{}, err
	}
	id := rand.Text()
	p, err := k.Client.Prepare(req, calls.WithKey(id))
	if err != nil {
		return Entry{}, err
	}
	data, err := p.MarshalJSON()
	if err != nil {
		return Entry{}, err
	}
	var parts preparedJSON
	if err := json.Unmarshal(data, &parts); err != nil {
		return Entry{}, err
	}
	return Entry{
		ID: id, Tenant: k.Tenant, Subject: k.hash(subject), State: StatePrepared, Version: 1,
		Request: parts.Request, Intent: parts.Intent, Until: now().Add(firstTurn),
	}, nil
}

func (k *Keeper) hash(subject string) string {
	if subject == "" {
		return ""
	}
	mac := hmac.New(sha256.New, k.SubjectKey)
	mac.Write([]byte(k.Tenant + "\x00" + subject))
	return hex.EncodeToString(mac.Sum(nil))
}

// Advance takes an entry as far as it can go now, and returns it. It sends a
// prepared create; it never sends one that may have been carried out, but
// looks for its call in the listing, when that can show it.
//
// Its error is nil if the entry is closed or for a person: there is no more for a
// machine to do. It is an *ErrUnderWay if the entry has to be advanced again, later;
// it can be advanced at any time and from any process. Other errors are of the
// Store, of the listing, or of the context, and ErrNotFound: what they leave undone
// is done by the next Advance, or by Recover.
//
// A context that ends while the create is being sent does not lose the outcome: it
// is recorded all the same, which takes about ten seconds longer if the Store fails.
func (k *Keeper) Advance(ctx context.Context, id string) (Entry, error) {
	if err := k.check(); err != nil {
		return Entry{}, err
	}
	e, err := k.get(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	return k.advance(ctx, e)
}

func (k *Keeper) advance(ctx context.Context, e Entry) (Entry, error) {
	if e.State == StatePrepared {
		return k.send(ctx, e)
	}
	if e.State == StateSending && k.wait(e) <= 0 {
		var err error
		if e, err = k.doubt(ctx, e); err != nil {
			return e, err
		}
	}
	if e.State == StateInDoubt && k.wait(e) <= 0 {
		return k.settle(ctx, e)
	}
	return k.report(e, nil)
}

// wait returns how long nothing can be done for an entry, 0 or less for none.
func (k *Keeper) wait(e Entry) time.Duration {
	skew, lag := k.clocks()
	switch e.State {
	case StateSending:
		return time.Until(e.Until.Add(skew))
	case StateInDoubt:
		return time.Until(e.Until.Add(skew + lag))
	}
	return 0
}

// doubt takes a sending entry for dead whose permit is over (rule 4). Its error is nil
// if there is more to do for the entry now.
func (k *Keeper) doubt(ctx context.Context, e Entry) (Entry, error) {
	next := e.in(StateInDoubt, "the attempt ended without a record of its outcome")
	if err := k.Store.Replace(ctx, next); err != nil {
		return k.current(ctx, e, err)
	}
	next.Version++
	if k.wait(next) > 0 {
		return k.report(next, nil)
	}
	return next, nil
}

// current returns the entry as it is stored after a Replace of e failed with err.
// That another process was faster is no error.
func (k *Keeper) current(ctx context.Context, e Entry, err error) (Entry, error) {
	if !errors.Is(err, ErrStale) && !errors.Is(err, ErrClaimed) {
		return e, err
	}
	stored, err := k.get(ctx, e.ID)
	if err != nil {
		return e, err
	}
	return k.report(stored, nil)
}

// report returns an entry with the error that tells when to come back.
func (k *Keeper) report(e Entry, cause error) (Entry, error) {
	if e.State.IsClosed() || e.State == StateForPerson {
		return e, nil
	}
	wait := k.wait(e)
	if wait <= 0 {
		wait = comeBack
	}
	return e, &ErrUnderWay{Wait: wait, cause: cause}
}

// LookAgain looks once more for the call of an entry that is for a person. The
// version is the one that the person saw: ErrStale comes with the entry as it is now,
// to show instead. The result and other errors are those of Advance.
func (k *Keeper) LookAgain(ctx context.Context, id string, version int64) (Entry, error) {
	e, err := k.seen(ctx, id, version)
	if err != nil {
		return e, err
	}
	e, err = k.replaceSeen(ctx, e.in(StateInDoubt, "a person had the listing looked at again"))
	if err != nil {
		return e, err
	}
	return k.advance(ctx, e)
}

// Decide closes an entry that is for a person by what the person found out: the call
// was made, and callID is its id, or 0 if that is not known; or it was not made. The
// version is the one that the person saw: ErrStale comes with the entry as it is now,
// to show instead. ErrClaimed means that another entry has that call.
//
// A request can be delivered late, by a proxy for example. Have a person decide that
// a call was not made hours later, never minutes.
func (k *Keeper) Decide(ctx context.Context, id string, version int64, made bool, callID int64) (Entry, error) {
	if callID < 0 || !made && callID != 0 {
		return Entry{}, errors.New("ledger: the call id is negative, or that of a call that was not made")
	}
	e, err := k.seen(ctx, id, version)
	if err != nil {
		return e, err
	}
	next := e.in(StateNotMade, "a person decided")
	if made {
		next = e.in(StateCreated, "a person decided")
	}
	next.CallID = callID
	return k.replaceSeen(ctx, next)
}

// seen returns an entry that is for a person, if it is as the person saw it.
func (k *Keeper) seen(ctx context.Context, id string, version int64) (Entry, error) {
	if err := k.check(); err != nil {
		return Entry{}, err
	}
	e, err := k.get(ctx, id)
	switch {
	case err != nil:
		return Entry{}, err
	case e.Version != version:
		return e, ErrStale
	case e.State != StateForPerson:
		return e, fmt.Errorf("ledger: entry %q is %s, not for a person", id, e.State)
	}
	return e, nil
}

// replaceSeen replaces an entry that a person saw.
func (k *Keeper) replaceSeen(ctx context.Context, next Entry) (Entry, error) {
	err := k.Store.Replace(ctx, next)
	if err == nil {
		next.Version++
		return next, nil
	}
	stored, getErr := k.get(ctx, next.ID)
	return stored, errors.Join(err, getErr)
}

// Prune removes the closed entries that are older than age, a day at least, and
// matter to no open entry, and returns how many they were. The id of an entry that
// was removed can be used again. The error is errors.ErrUnsupported if the Store is
// not a Pruner.
func (k *Keeper) Prune(ctx context.Context, age time.Duration) (int64, error) {
	if err := k.check(); err != nil {
		return 0, err
	}
	pruner, ok := k.Store.(Pruner)
	if !ok {
		return 0, fmt.Errorf("ledger: the Store cannot prune: %w", errors.ErrUnsupported)
	}
	open, err := k.Store.Open(ctx, k.Tenant, time.Time{})
	if err != nil {
		return 0, err
	}
	skew, _ := k.clocks()
	before := now().Add(-max(age, rivalAge+2*skew))
	for _, e := range open {
		// The claims and the doubts about a call that this entry can be looking for.
		if needed := e.Intent.SentAfter.Add(-rivalAge - 2*skew); e.State.IsDoubt() && needed.Before(before) {
			before = needed
		}
	}
	return pruner.Prune(ctx, k.Tenant, before)
}

func (k *Keeper) check() error {
	switch {
	case k == nil || k.Client == nil || k.Store == nil:
		return errors.New("ledger: the Keeper has no Client or no Store")
	case k.Tenant == "":
		return errors.New("ledger: the Keeper has no Tenant")
	case k.Skew < 0 || k.Lag < 0:
		return errors.New("ledger: the Keeper has a negative Skew or Lag")
	}
	return nil
}

func (k *Keeper) clocks() (skew, lag time.Duration) {
	skew, lag = k.Skew, k.Lag
	if skew == 0 {
		skew = defaultSkew
	}
	if lag == 0 {
		lag = defaultLag
	}
	return skew, lag
}

func (k *Keeper) get(ctx context.Context, id string) (Entry, error) {
	e, err := k.Store.Get(ctx, id)
	if err == nil && e.Tenant != k.Tenant {
		return Entry{}, ErrNotFound
	}
	return e, err
}

// now is the wall clock: the monotonic one stands still while a machine sleeps.
func now() time.Time { return time.Now().Round(0) }
