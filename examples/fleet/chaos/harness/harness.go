//go:build linux

// Package harness runs a fleet of worker processes, has them killed and stopped, and
// compares what their ledger says with what a double of the platform has done.
package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/examples/fleet/queue"
	"github.com/ccaip-go/calls/ledger"
)

// The times are short, so that a run is. The skew has room for a machine that is busy
// with other things: it includes how long a request is on its way.
const (
	attemptTimeout = 2 * time.Second
	skew           = time.Second
	lag            = 1500 * time.Millisecond
	listingLag     = 800 * time.Millisecond // at most
	jobTimeout     = 8 * time.Second
	rescueAfter    = 10 * time.Second
	turn           = 8 * time.Second
	// longPause is longer than any permit and the skew together.
	longPause = attemptTimeout + skew + 1500*time.Millisecond

	tenant     = "customer"
	workers    = 4
	backlog    = 30 // creates that wait or are being sent
	standstill = 5 * time.Minute
)

// Options says what to do to a fleet.
type Options struct {
	Database string // as of queue.OpenDatabase, empty
	// ConnectorDatabase is another one, for the connector, which takes part if it is
	// named.
	ConnectorDatabase string
	// KillDatabase kills the database and starts it again. It is called once,
	// half-way; nil for not at all.
	KillDatabase func() error
	Creates      int
	Kills        int // about: in traps, and at random where those are not enough
	// WithoutLedger has jobs create the calls by themselves.
	WithoutLedger bool
	Seed          uint64
}

// run is a run of the harness.
type run struct {
	Options
	double   *callstest.Server
	database *queue.Database
	queue    *queue.Queue
	desk     *desk // nil: the connector takes no part

	followers sync.WaitGroup
	creates   []create          // used by one goroutine at a time
	ids       map[string]string // of their entries, by agents; for check

	mu           sync.Mutex
	random       *rand.Rand
	fleet        [workers]*worker
	isCalm       bool // no more harm
	isDismissed  bool // no worker is replaced
	isDeskClosed bool // nor is an instance of the connector
	figures      Figures
	marks        marks
	trail        map[string][]string // what workers did, by entries and agents
	failed       error
}

// Run enqueues creates, and has people call for tickets with the connector. It does harm
// to the fleet that works the creates off, and to the connector, until all are enqueued.
// Then it waits until each is as far as it can come, and compares. Its time is not
// limited: it gives up when nothing changes for five minutes.
func Run(ctx context.Context, o Options) (*Figures, error) {
	r := &run{Options: o, random: rand.New(rand.NewPCG(o.Seed, 0)), marks: marks{}, trail: map[string][]string{}}
	defer r.close()
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	begin := time.Now()
	r.startFleet()
	chaos, desk := make(chan error), make(chan error)
	go func() { chaos <- r.doHarm(ctx) }()
	go func() { desk <- r.workDesk(ctx) }()
	err := errors.Join(r.enqueueAll(ctx), <-chaos)
	r.calm()
	if err == nil {
		err = r.drain(ctx)
	}
	if err != nil {
		r.fail(err) // ends the clerks, too
	}
	err = errors.Join(err, <-desk)
	r.figures.Took = time.Since(begin).Round(time.Second)
	if err = errors.Join(err, r.failure()); err != nil {
		return &r.figures, err
	}
	return &r.figures, r.check(ctx)
}

func (r *run) open(ctx context.Context) (err error) {
	if r.database, err = queue.OpenDatabase(ctx, r.Database); err != nil {
		return err
	}
	r.creates = newCreates(r.Creates)
	if r.double, err = startPlatform(r.creates, r.random); err != nil {
		return err
	}
	if r.ConnectorDatabase != "" {
		if err := r.openDesk(ctx); err != nil {
			return err
		}
	}
	client, err := r.order(trap{}).client(&armedTrap{})
	r.queue = &queue.Queue{Database: r.database, Keeper: newKeeper(client, r.database.Ledger), Turn: turn}
	return err
}

// close also closes what open has left when it failed.
func (r *run) close() {
	r.killFleet()
	r.closeDesk()
	if r.double != nil {
		r.double.Close()
	}
	if r.database != nil {
		_ = r.database.Close()
	}
}

func (r *run) order(t trap) order {
	return order{
		Database: r.Database, URL: r.double.URL(), Subdomain: r.double.Subdomain(), Domain: r.double.Domain(),
		Token: r.double.Token(), WithLedger: !r.WithoutLedger, Trap: t,
	}
}

// enqueueAll keeps so many creates waiting that every harm finds work under way.
func (r *run) enqueueAll(ctx context.Context) error {
	for i := range r.creates {
		if err := r.waitForRoom(ctx); err != nil {
			return err
		}
		if err := r.enqueue(ctx, &r.creates[i]); err != nil {
			return err
		}
		r.mu.Lock()
		r.figures.Fleet.Creates++
		r.mu.Unlock()
	}
	return nil
}

// waitForRoom waits for the fleet, also where it has not come to enough harm.
func (r *run) waitForRoom(ctx context.Context) error {
	for {
		p := r.progress(ctx)
		r.mu.Lock()
		room := backlog
		if r.killsDue() > workers {
			room = workers
		}
		r.mu.Unlock()
		if p.isKnown && p.waiting < room {
			return nil
		}
		if err := r.pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// enqueue enqueues a create once, also while the database is away.
func (r *run) enqueue(ctx context.Context, c *create) error {
	for {
		if r.WithoutLedger {
			if err := enqueueWithoutLedger(ctx, r.database, c.request); err == nil {
				return nil
			}
		} else {
			e, err := r.queue.Enqueue(ctx, "", c.request, nil)
			if e.ID != "" && (err == nil || r.isStored(ctx, e.ID)) {
				c.id = e.ID
				return nil
			}
		}
		if err := r.pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// isStored finds out what became of a commit that failed.
func (r *run) isStored(ctx context.Context, id string) bool {
	for {
		_, err := r.database.Ledger.Get(ctx, id)
		if err == nil || errors.Is(err, ledger.ErrNotFound) || r.pause(ctx, 200*time.Millisecond) != nil {
			return err == nil
		}
	}
}

// calm ends the harm.
func (r *run) calm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isCalm = true
}

// drain waits until the fleet has nothing more to do. A worker that was stopped for
// long can find out that its attempt was not sent, and open an entry again.
func (r *run) drain(ctx context.Context) error {
	last, since := progress{}, time.Now()
	for {
		p := r.progress(ctx)
		if p != last {
			last, since = p, time.Now()
		}
		if p.isKnown && p.open == 0 && r.stopped() == 0 {
			r.stopFleet()
			if p := r.progress(ctx); p.isKnown && p.open == 0 {
				return nil
			}
			r.startFleet()
		}
		if time.Since(since) > standstill {
			return fmt.Errorf("nothing has changed for %v: %+v", standstill, p)
		}
		if err := r.pause(ctx, 250*time.Millisecond); err != nil {
			return err
		}
	}
}

// progress is how many creates are on their way. It is not known while the database
// is away.
type progress struct {
	isKnown       bool
	waiting, open int
}

func (r *run) progress(ctx context.Context) progress {
	if r.WithoutLedger {
		return r.jobs(ctx)
	}
	report, err := r.queue.Report(ctx)
	waiting := report.Counts[ledger.StatePrepared] + report.Counts[ledger.StateSending]
	return progress{err == nil, waiting, waiting + report.Counts[ledger.StateInDoubt]}
}

// jobs is the progress without a ledger. Those that a killed worker left running are
// waited for only as long as nobody was rung twice: River takes a minute to rescue them.
func (r *run) jobs(ctx context.Context) progress {
	ended := []string{"completed", "cancelled", "discarded"}
	if isTwice := slices.ContainsFunc(slices.Collect(maps.Values(callsOf(r.double))), func(all []callstest.Call) bool { return len(all) > 1 }); isTwice {
		ended = append(ended, "running")
	}
	var n int
	err := r.database.QueryRowContext(ctx, `SELECT COUNT(*) FROM river_job WHERE state NOT IN ('`+strings.Join(ended, "', '")+`')`).Scan(&n)
	return progress{err == nil, n, n}
}

// pause waits, and returns an error if the run is over.
func (r *run) pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return r.failure()
	}
}

func (r *run) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = errors.Join(r.failed, err)
}
