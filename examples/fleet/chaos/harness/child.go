//go:build linux

package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"os"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/examples/fleet/queue"
	"github.com/ccaip-go/calls/ledger"
)

// childVariable has the order of a worker process, as JSON.
const childVariable = "FLEET_CHILD"

// order is what a worker process has to do.
type order struct {
	Database   string
	URL        string // of the double
	Subdomain  string
	Domain     string
	Token      string
	WithLedger bool
	Trap       trap
}

// message is what a worker process says to the harness, as a line of JSON.
type message struct {
	Mark  *calls.Intent `json:"mark,omitempty"`  // it is about to store this mark
	Harm  harm          `json:"harm,omitempty"`  // it is about to come to this harm
	Point string        `json:"point,omitempty"` // at this point
	About string        `json:"about,omitempty"` // an entry or an agent, for which
	Did   string        `json:"did,omitempty"`   // it has done this
	Error string        `json:"error,omitempty"`
}

// IsChild reports whether this process was started by Run as a worker. It has to call
// RunChild then, and to return.
func IsChild() bool { return os.Getenv(childVariable) != "" }

// RunChild works until its standard input ends, which is when the harness does.
func RunChild() {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var o order
	err := json.Unmarshal([]byte(os.Getenv(childVariable)), &o)
	if err == nil {
		err = o.work(ctx)
	}
	if err != nil && ctx.Err() == nil {
		say(message{Error: err.Error()})
	}
}

// say writes a line in one system call, so that it is whole or not there.
func say(m message) {
	line, err := json.Marshal(m)
	if err != nil {
		line = []byte(`{"error":"a message that is not JSON"}`)
	}
	fmt.Printf("%s\n", line)
}

func (o order) work(ctx context.Context) error {
	database, err := queue.OpenDatabase(ctx, o.Database)
	if err != nil {
		return err
	}
	defer func() { _ = database.Close() }()
	armed := &armedTrap{trap: o.Trap}
	client, err := o.client(armed)
	if err != nil {
		return err
	}
	if !o.WithLedger {
		return workWithoutLedger(ctx, database, client)
	}
	store := &trappedStore{Store: database.Ledger, trap: armed}
	q := &queue.Queue{Database: database, Keeper: newKeeper(client, store)}
	return q.Work(ctx, queue.WorkOptions{
		Workers: 4, Poll: 100 * time.Millisecond, Sweep: 2 * time.Second,
		JobTimeout: jobTimeout, RescueAfter: rescueAfter, Logger: slog.New(slog.DiscardHandler),
	})
}

func newKeeper(client *calls.Client, store ledger.Store) *ledger.Keeper {
	return &ledger.Keeper{Client: client, Store: store, Tenant: tenant, Skew: skew, Lag: lag}
}

func (o order) client(armed *armedTrap) (*calls.Client, error) {
	return calls.NewClient(o.Subdomain, o.Domain, o.Token,
		calls.WithBaseURL(o.URL), calls.WithRateLimiter(nil), calls.WithAttemptTimeout(attemptTimeout),
		calls.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return trappedTransport{next: next, trap: armed}
		}))
}

// trappedStore has points before and after the writes of a Store, and tells the
// harness of each mark.
type trappedStore struct {
	ledger.Store
	trap *armedTrap
}

// Replace is that of the Store, unless the trap is at one of its points.
func (s *trappedStore) Replace(ctx context.Context, e ledger.Entry) error {
	before, after := beforeOutcome, afterOutcome
	switch e.State {
	case ledger.StateSending:
		before, after = beforeMark, afterMark
		say(message{Mark: &e.Intent})
	case ledger.StatePrepared:
		before, after = beforeUnmark, afterUnmark
	case ledger.StateInDoubt, ledger.StateForPerson:
		before, after = beforeDoubt, afterDoubt
	}
	if err := s.trap.at(before); err != nil {
		return err
	}
	err := s.Store.Replace(ctx, e)
	say(message{About: e.ID, Did: fmt.Sprintf("replaced version %d by %s (%s), attempt %s: %v", e.Version, e.State, e.How, e.Intent.Attempt, err)})
	if err != nil {
		return err
	}
	return s.trap.at(after)
}

// trappedTransport has points on the way of a create.
type trappedTransport struct {
	next http.RoundTripper
	trap *armedTrap
}

// RoundTrip is that of the next transport, unless the trap is at one of its points.
func (t trappedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost {
		_ = t.trap.at(beforeListing)
		response, err := t.next.RoundTrip(r)
		_ = t.trap.at(afterListing)
		return response, err
	}
	agent := agentOf(r)
	say(message{About: agent, Did: sends})
	_ = t.trap.at(beforeFirstByte)
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { _ = t.trap.at(onConnection) },
		WroteHeaders: func() { _ = t.trap.at(beforeBody) }, // into a buffer: no byte has left
		WroteRequest: func(httptrace.WroteRequestInfo) { _ = t.trap.at(afterRequest) },
	}))
	response, err := t.next.RoundTrip(r)
	if err != nil {
		say(message{About: agent, Did: "has no response: " + err.Error()})
	} else {
		say(message{About: agent, Did: "has a response: " + response.Status})
	}
	_ = t.trap.at(afterResponse)
	return response, err
}

// sends is what a worker does before the first byte of a create.
const sends = "sends a create"

func agentOf(r *http.Request) string {
	var request calls.OutboundRequest
	if body, err := r.GetBody(); err == nil {
		_ = json.NewDecoder(body).Decode(&request)
	}
	return request.AgentEmail
}
