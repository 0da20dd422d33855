//go:build linux

package harness

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"time"
)

// The points at which an instance of the connector can come to harm. They are seen
// from outside: by those who press its buttons, and on its way to the platform.
const (
	onSubmit    = "after a form was submitted"
	onDial      = "on a connection to the platform"
	onCreate    = "after a create was written"
	onCreated   = "before the response to a create"
	onListing   = "after a listing was asked for"
	afterListed = "before a listing is read"
)

var deskPoints = []string{onSubmit, onDial, onCreate, onCreated, onListing, afterListed}

const (
	maxPassed    = 4                      // how often at most a point is passed before the harm
	maxUnharmed  = 10 * time.Second       // how long an instance lives without harm
	maxPressed   = 20 * time.Millisecond  // between a submit and the harm
	startedAgain = 500 * time.Millisecond // after the end of an instance
)

// instance is a process of the connector.
type instance struct {
	process
	trap    trap
	times   int64  // that it was at the point of its trap; guarded by run.mu
	address string // of its pages, "" before it listens; guarded by run.mu
	log     tail
}

// tail keeps the end of a log.
type tail struct{ text []byte }

const maxTail = 4096 // bytes

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-maxTail):]
	return len(p), nil
}

// newDeskTrap sets a trap: one in four stops the instance, and the others kill it.
func newDeskTrap(random *rand.Rand) trap {
	t := trap{Harm: kill, Point: deskPoints[random.IntN(len(deskPoints))], After: 1 + random.Int64N(maxPassed)}
	if random.IntN(4) == 0 {
		t.Harm = stop
	}
	return t
}

func (r *run) startInstance(place int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isDeskClosed {
		return
	}
	d := r.desk
	i := &instance{process: newProcess(d.program(), "-addr", "127.0.0.1:0", "-tickets", d.file(), "-db", r.ConnectorDatabase,
		"-skew", skew.String(), "-settle", lag.String(), "-attempt", attemptTimeout.String())}
	i.cmd.Env = append(append(os.Environ(), d.double.Environ()...), "CCAIP_BASE_URL=http://"+d.line[place].Addr().String())
	i.cmd.Stderr = &i.log
	stdout, err := i.cmd.StdoutPipe()
	if err == nil {
		err = i.cmd.Start()
	}
	if err != nil {
		r.failed = errors.Join(r.failed, err)
		return
	}
	i.trap = newDeskTrap(r.random)
	d.instances[place] = i
	d.followers.Go(func() { r.followInstance(place, i, bufio.NewScanner(stdout)) })
}

// followInstance puts another instance in the place of one that has ended.
func (r *run) followInstance(place int, i *instance, lines *bufio.Scanner) {
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "Open "); ok {
			r.mu.Lock()
			i.address = address
			time.AfterFunc(time.Duration(r.random.Int64N(int64(maxUnharmed))), func() { r.overtake(i) })
			r.mu.Unlock()
		}
	}
	wasKilled, err := i.wait()
	r.mu.Lock()
	switch {
	case wasKilled, r.isDeskClosed && (err == nil || i.address == ""):
	case i.address == "" && strings.Contains(string(i.log.text), "the database"): // it was away
		r.figures.Restarts++
	default:
		r.failed = errors.Join(r.failed, fmt.Errorf("the connector failed: %w\n%s", err, i.log.text))
	}
	r.mu.Unlock()
	time.Sleep(startedAgain)
	r.startInstance(place)
}

// reach does the harm to an instance, if it is at the point of its trap for the time
// that the trap names.
func (r *run) reach(i *instance, point string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i == nil || point != i.trap.Point {
		return
	}
	if i.times++; i.times == i.trap.After {
		r.harm(i, point)
	}
}

// overtake does the harm to an instance whose trap was not reached.
func (r *run) overtake(i *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i.times < i.trap.After {
		i.times = i.trap.After
		r.harm(i, atRandom)
	}
}

// harm is called with r.mu held.
func (r *run) harm(i *instance, point string) {
	if r.isCalm {
		return
	}
	signal := syscall.SIGKILL
	if i.trap.Harm == stop {
		signal = syscall.SIGSTOP
	}
	if i.cmd.Process.Signal(signal) != nil {
		return
	}
	r.figures.Connector.add(i.trap.Harm, point)
	if i.trap.Harm == stop {
		i.stops++
		go r.resume(&i.process, longPause)
		i.trap, i.times = trap{Harm: kill, Point: onCreated, After: 1}, 0 // the next one
	}
}

func (r *run) instanceAt(place int) *instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.desk.instances[place]
}

// addressOf returns where the pages of an instance are, "" while it does not listen.
func (r *run) addressOf(i *instance) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i == nil || !i.isRunning() {
		return ""
	}
	return i.address
}

// endInstances sends a signal to the instances, and waits for their end.
func (r *run) endInstances(signal syscall.Signal) {
	r.mu.Lock()
	r.isDeskClosed = true
	for _, i := range r.desk.instances {
		if i != nil {
			_ = i.cmd.Process.Signal(signal)
		}
	}
	r.mu.Unlock()
	r.desk.followers.Wait()
}
