//go:build linux

package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/examples/fleet/queue"
)

const (
	instances = 2 // of the connector
	clerks    = 4
)

// desk is the connector with those who press its buttons. It has a platform and a
// ledger of its own: two ledgers never share a customer.
type desk struct {
	dir      string // of the program and its tickets
	double   *callstest.Server
	database *queue.Database
	line     [instances]net.Listener // to the double
	tickets  []ticket

	instances [instances]*instance // guarded by run.mu
	decided   map[string]bool      // the pages of calls that a person decided; guarded by run.mu
	followers sync.WaitGroup
}

// ticket is one of a file of the connector, with an agent of its own.
type ticket struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Contact string `json:"contact"`
	Agent   string `json:"agent"`

	response callstest.CreateResponse
	isBusy   bool    // its agent takes no calls
	finding  reading // what the pages say in the end
	isCalled bool    // a clerk has come to the end of it
}

// newTickets returns tickets with telephone numbers of their own. A twentieth has
// agents who place the call by hand, and a twentieth agents who are busy.
func newTickets(n int) []ticket {
	tickets := make([]ticket, n)
	for i := range tickets {
		tickets[i] = ticket{
			ID: fmt.Sprint("desk-", i), Subject: "Feedback", Contact: fmt.Sprintf("+1859657%04d", i),
			Agent: fmt.Sprintf("clerk-%d@example.com", i), isBusy: i%20 == 13,
		}
		if i%20 == 7 {
			tickets[i].response = callstest.ResponseAccepted
		}
	}
	return tickets
}

func (r *run) openDesk(ctx context.Context) (err error) {
	d := &desk{tickets: newTickets(max(clerks, r.Creates/10)), decided: map[string]bool{}}
	r.desk = d
	if d.dir, err = os.MkdirTemp("", "connector"); err != nil {
		return err
	}
	if err := buildConnector(ctx, d.program()); err != nil {
		return err
	}
	data, err := json.Marshal(d.tickets)
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.file(), data, 0o600); err != nil {
		return err
	}
	var agents []callstest.Agent
	var tickets []callstest.Ticket
	for _, t := range d.tickets {
		agents = append(agents, callstest.Agent{Email: t.Agent, Available: !t.isBusy, Permitted: true, Response: t.response})
		tickets = append(tickets, callstest.Ticket{ID: t.ID, Number: t.Contact})
	}
	if d.double, err = startDouble(len(d.tickets), r.random, agents, tickets); err != nil {
		return err
	}
	if d.database, err = queue.OpenDatabase(ctx, r.ConnectorDatabase); err != nil {
		return err
	}
	if err := d.keepMarks(ctx, r.ConnectorDatabase); err != nil {
		return err
	}
	for place := range d.line {
		if d.line[place], err = r.openLine(place); err != nil {
			return err
		}
	}
	r.figures.Connector = Part{Creates: len(d.tickets), Reasons: map[string]int{}}
	return nil
}

func (d *desk) program() string { return filepath.Join(d.dir, "connector") }

func (d *desk) file() string { return filepath.Join(d.dir, "tickets.json") }

// buildConnector builds the module beside this one.
func buildConnector(ctx context.Context, program string) error {
	module, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), "..", "connector")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the connector cannot be built: %w\n%s", err, text)
	}
	return nil
}

// keepMarks has the database keep every mark, of which the ledger has the latest.
func (d *desk) keepMarks(ctx context.Context, url string) error {
	statements := []string{
		`CREATE TABLE harness_marks (intent TEXT NOT NULL)`,
		`CREATE TRIGGER harness_marks AFTER UPDATE ON calls_ledger WHEN NEW.state = 'sending' BEGIN INSERT INTO harness_marks VALUES (NEW.intent); END`,
	}
	if strings.HasPrefix(url, "postgres:") {
		statements = []string{
			statements[0],
			`CREATE FUNCTION harness_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO harness_marks VALUES (NEW.intent); RETURN NEW; END $$`,
			`CREATE TRIGGER harness_marks AFTER UPDATE ON calls_ledger FOR EACH ROW WHEN (NEW.state = 'sending') EXECUTE FUNCTION harness_mark()`,
		}
	}
	for _, statement := range statements {
		if _, err := d.database.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) closeDesk() {
	d := r.desk
	if d == nil {
		return
	}
	r.endInstances(syscall.SIGKILL)
	for _, line := range d.line {
		if line != nil {
			_ = line.Close()
		}
	}
	if d.double != nil {
		d.double.Close()
	}
	if d.database != nil {
		_ = d.database.Close()
	}
	_ = os.RemoveAll(d.dir)
}

// workDesk has clerks call for all tickets. When each is at its end it ends the
// connector.
func (r *run) workDesk(ctx context.Context) error {
	if r.desk == nil {
		return nil
	}
	for place := range r.desk.instances {
		r.startInstance(place)
	}
	ended := make(chan error)
	for first := range clerks {
		go func() {
			c := newClerk(r)
			var err error
			for i := first; i < len(r.desk.tickets) && err == nil; i += clerks {
				if err = r.waitForTurn(ctx, i); err == nil {
					err = c.callFor(ctx, &r.desk.tickets[i])
				}
			}
			ended <- err
		}()
	}
	var err error
	for range clerks {
		err = errors.Join(err, <-ended)
	}
	for err == nil && r.stopped() > 0 {
		err = r.pause(ctx, glance)
	}
	if err != nil {
		r.fail(err) // ends the rest of the run, too
		return err
	}
	r.endInstances(syscall.SIGTERM)
	return nil
}

// waitForTurn spreads the tickets over the first half of the fleet's creates, so that
// what is left behind by a process that was killed is found in time.
func (r *run) waitForTurn(ctx context.Context, i int) error {
	for {
		r.mu.Lock()
		isTurn := 2*r.figures.Fleet.Creates*len(r.desk.tickets) >= i*r.Creates
		r.mu.Unlock()
		if isTurn {
			return nil
		}
		if err := r.pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
