package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ccaip-go/calls"
)

// State is how far a create has come.
type State string

// The open states.
const (
	// StatePrepared means that no attempt is under way, and that no earlier one was
	// carried out. The create can be sent.
	StatePrepared State = "prepared"
	// StateSending means that an attempt has begun, and that its outcome is not
	// recorded yet.
	StateSending State = "sending"
	// StateInDoubt means that the response was lost, so that the call may exist.
	StateInDoubt State = "in doubt"
	// StateForPerson means that the listing did not settle the doubt, so that a
	// person has to decide.
	StateForPerson State = "for a person"
)

// The closed states. Only a response of the platform moves an entry out of one.
const (
	// StateCreated means that the call was created. The Entry has no CallID if a
	// person decided so without knowing it.
	StateCreated State = "created"
	// StateAwaitsAgent means that the platform accepted the create, and that an
	// agent has to place the call by hand.
	StateAwaitsAgent State = "awaits agent"
	// StateRejected means that the platform refused the create.
	StateRejected State = "rejected"
	// StateNotMade means that a person decided that there is no call.
	StateNotMade State = "not made"
)

// IsOpen reports whether the outcome of the create is still open. A subject has
// at most one entry that is.
func (s State) IsOpen() bool { return s == StatePrepared || s.IsDoubt() }

// IsDoubt reports whether the call may exist and nothing is known about it:
// sending, in doubt, for a person.
func (s State) IsDoubt() bool {
	return s == StateSending || s == StateInDoubt || s == StateForPerson
}

// IsClosed reports whether the outcome of the create is known.
func (s State) IsClosed() bool {
	return s == StateCreated || s == StateAwaitsAgent || s == StateRejected || s == StateNotMade
}

// Entry is one create in a ledger. It marshals to JSON with all of its data;
// printed, it shows neither its request nor its subject.
type Entry struct {
	// ID is unique in the whole Store, whatever the tenant. Prepare makes a random
	// one; set it to a name of your own, such as "task 8812", before Put to have
	// that task create a call once. At most 255 bytes.
	ID string `json:"id"`
	// Tenant is the platform's customer that the call belongs to, as in Keeper.
	Tenant string `json:"tenant"`
	// Subject is a keyed hash of what the create is about. Two open entries of a
	// tenant never have the same. An empty Subject is equal to no other.
	Subject string `json:"subject,omitempty"`
	State   State  `json:"state"`
	// Version is 1 after Put, and one more after each Replace.
	Version int64 `json:"version"`
	// Request is the body to send. It has private data in it, and is erased when
	// the entry closes.
	Request json.RawMessage `json:"request,omitempty"`
	// Intent is what the call can be recognized by, and its Attempt the latest one
	// that was marked. It has no Attempt and no times while the State is
	// StatePrepared.
	Intent calls.Intent `json:"intent"`
	// Until is the time until which the entry is left to the process that has it.
	// After a mark it is when the attempt's permit ends, or when the attempt ended.
	// Prepare sets it to a minute from now: after that and the Skew Recover may send
	// the entry. Set it to a later time before Put for an entry that waits in a queue
	// for longer.
	Until time.Time `json:"until,omitzero"`
	// CallID is the call of the create, 0 as long as it is not known.
	CallID int64 `json:"call_id,omitempty"`
	// How says in words how the entry came into its state. It has no private data
	// in it.
	How string `json:"how,omitempty"`
	// Tries is the number of attempts that were marked.
	Tries int `json:"tries,omitempty"`
}

// maxUntil is the latest time that a Store can keep as nanoseconds.
var maxUntil = time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC)

const (
	maxText = 255 // bytes of an id, a tenant, a subject
	maxHow  = 500 // bytes
)

// Validate returns an error for what a Store refuses: a blank id or tenant, an id,
// tenant or subject that is longer than 255 bytes or not plain text, an unknown state, a
// negative number, and an Until that is before 1970 or after 2261.
func (e Entry) Validate() error {
	switch {
	case !isPlain(e.ID) || strings.TrimSpace(e.ID) == "":
		return errors.New("ledger: the id is blank, longer than 255 bytes, or not plain text")
	case !isPlain(e.Tenant) || strings.TrimSpace(e.Tenant) == "":
		return errors.New("ledger: the tenant is blank, longer than 255 bytes, or not plain text")
	case !isPlain(e.Subject):
		return errors.New("ledger: the subject is longer than 255 bytes, or not plain text")
	case !e.State.IsOpen() && !e.State.IsClosed():
		return errors.New("ledger: the state is not known")
	case e.CallID < 0 || e.Tries < 0:
		return errors.New("ledger: the call id or the number of tries is negative")
	case !e.Until.IsZero() && (e.Until.Unix() <= 0 || e.Until.After(maxUntil)):
		return errors.New("ledger: Until is before 1970 or after 2261")
	}
	return nil
}

func isPlain(text string) bool {
	return len(text) <= maxText && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// IsRival reports whether the entry can be the owner of a call that no entry
// claims: its call may exist and is not known. A Store's Doubts returns these.
func (e Entry) IsRival() bool {
	return e.State.IsDoubt() || e.State == StateNotMade ||
		(e.State == StateCreated || e.State == StateAwaitsAgent) && e.CallID == 0
}

// in returns the entry in another state. A closed one has no request.
func (e Entry) in(state State, how string) Entry {
	e.State, e.How = state, plainText(how)
	if state.IsClosed() {
		e.Request = nil
	}
	return e
}

// plainText returns text as every database takes it.
func plainText(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), maxHow)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// prepared returns the create to send.
func (e Entry) prepared() (*calls.Prepared, error) {
	intent := e.Intent
	intent.ID, intent.Attempt, intent.SentAfter, intent.SentBefore = e.ID, "", time.Time{}, time.Time{}
	data, err := json.Marshal(preparedJSON{intent, e.Request})
	if err != nil {
		return nil, fmt.Errorf("ledger: the request of entry %q is not JSON", e.ID)
	}
	p := &calls.Prepared{}
	if err := p.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("ledger: the request of entry %q is not one: %w", e.ID, err)
	}
	return p, nil
}

// preparedJSON is a calls.Prepared in its two parts.
type preparedJSON struct {
	Intent  calls.Intent    `json:"intent"`
	Request json.RawMessage `json:"request"`
}

// String shows the entry without its request and its subject.
func (e Entry) String() string {
	text := fmt.Sprintf("ledger.Entry{id=%s tenant=%s state=%q version=%d", e.ID, e.Tenant, e.State, e.Version)
	if e.CallID != 0 {
		text += fmt.Sprintf(" call_id=%d", e.CallID)
	}
	if e.Tries != 0 {
		text += fmt.Sprintf(" tries=%d", e.Tries)
	}
	if e.How != "" {
		text += fmt.Sprintf(" how=%q", e.How)
	}
	return text + "}"
}

// Format prints what String returns.
func (e Entry) Format(state fmt.State, verb rune) {
	fmt.Fprintf(state, fmt.FormatString(state, verb), e.String())
}

// LogValue logs what String returns.
func (e Entry) LogValue() slog.Value { return slog.StringValue(e.String()) }

// clone returns a copy that shares no memory with e.
func (e Entry) clone() Entry {
	e.Request = slices.Clone(e.Request)
	return e
}
