//go:build linux

package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// worker is a process of the fleet.
type worker struct {
	process
	stdin  io.Closer
	stdout io.Reader
	sends  int // how many creates it has sent; guarded by run.mu
}

func (r *run) startFleet() {
	r.mu.Lock()
	r.isDismissed = false
	r.mu.Unlock()
	for place := range r.fleet {
		r.startWorker(place)
	}
}

func (r *run) startWorker(place int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isDismissed {
		return
	}
	var t trap
	if !r.isCalm {
		t = newTrap(r.random)
	}
	w, err := r.newWorker(t)
	if err != nil {
		r.failed = errors.Join(r.failed, err)
		return
	}
	r.fleet[place] = w
	r.followers.Go(func() { r.follow(place, w) })
}

// newWorker starts this program again.
func (r *run) newWorker(t trap) (w *worker, err error) {
	order, err := json.Marshal(r.order(t))
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w = &worker{process: newProcess(self)}
	w.cmd.Env = append(os.Environ(), childVariable+"="+string(order))
	w.cmd.Stderr = os.Stderr
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if w.stdout, err = w.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return w, w.cmd.Start()
}

// follow reads the messages of a worker until it ends, and puts another one in its
// place.
func (r *run) follow(place int, w *worker) {
	lines := bufio.NewScanner(w.stdout)
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			r.fail(fmt.Errorf("a worker wrote %q", lines.Text()))
			continue
		}
		r.note(w, m)
	}
	switch wasKilled, err := w.wait(); {
	case wasKilled:
	case err != nil:
		r.fail(fmt.Errorf("a worker failed: %w", err))
		return
	default:
		time.Sleep(time.Second) // the database was away when it began
	}
	r.startWorker(place)
}

// note takes in a message of a worker. An error is one of its start, while the database
// was away.
func (r *run) note(w *worker, m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case m.Mark != nil:
		r.marks.add(*m.Mark)
	case m.Harm != "":
		r.figures.Fleet.add(m.Harm, m.Point)
		if m.Harm == stop {
			w.stops++
			go r.resume(&w.process, longPause)
		}
	case m.About != "":
		if m.Did == sends {
			w.sends++
		}
		r.trail[m.About] = append(r.trail[m.About], fmt.Sprintf("%s worker %d %s", time.Now().Format("15:04:05.000"), w.cmd.Process.Pid, m.Did))
	case m.Error != "":
		r.figures.Restarts++
	}
}

// stopped returns how many processes stand.
func (r *run) stopped() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.fleet {
		if w.isRunning() {
			n += min(w.stops, 1)
		}
	}
	if r.desk != nil {
		for _, i := range r.desk.instances {
			if i != nil && i.isRunning() {
				n += min(i.stops, 1)
			}
		}
	}
	return n
}

// doHarm kills and stops workers at random while creates are enqueued, where traps have
// not done enough, and the database once.
func (r *run) doHarm(ctx context.Context) error {
	wasKilled := r.KillDatabase == nil
	for {
		if err := r.pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		done := r.harmAtRandom()
		if done >= r.Creates {
			return nil
		}
		if !wasKilled && done > r.Creates/2 {
			wasKilled = true
			if err := r.KillDatabase(); err != nil {
				return err
			}
			r.mu.Lock()
			r.figures.DatabaseKills++
			r.mu.Unlock()
		}
	}
}

// harmAtRandom kills a worker if kills are behind creates, and stops another one every
// third time. It returns how many creates are enqueued.
func (r *run) harmAtRandom() (done int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if victim := r.victim(); r.killsDue() > 0 && victim != nil && victim.cmd.Process.Kill() == nil {
		victim.sends = 0
		r.figures.Fleet.add(kill, atRandom)
		if other := r.victim(); r.figures.Fleet.Harms[string(kill)+" "+atRandom]%3 == 0 && other != nil && other.cmd.Process.Signal(syscall.SIGSTOP) == nil {
			other.sends = 0
			other.stops++
			r.figures.Fleet.add(stop, atRandom)
			go r.resume(&other.process, time.Duration(r.random.Int64N(int64(longPause))))
		}
	}
	return r.figures.Fleet.Creates
}

// killsDue returns how many kills are behind the creates. r.mu has to be held.
func (r *run) killsDue() int {
	return r.figures.Fleet.Creates*r.Kills/r.Creates - r.figures.Fleet.Kills()
}

// victim returns a worker that has work, and no trap before it. r.mu has to be held.
func (r *run) victim() *worker {
	first := r.random.IntN(workers)
	for i := range workers {
		if w := r.fleet[(first+i)%workers]; w != nil && w.sends > maxTrap {
			return w
		}
	}
	return nil
}

// stopFleet has every worker end by itself.
func (r *run) stopFleet() {
	r.dismiss(func(w *worker) { _ = w.stdin.Close() })
}

func (r *run) killFleet() {
	r.dismiss(func(w *worker) { _ = w.cmd.Process.Kill() })
}

func (r *run) dismiss(end func(*worker)) {
	r.mu.Lock()
	r.isDismissed = true
	for _, w := range r.fleet {
		if w != nil {
			end(w)
		}
	}
	r.mu.Unlock()
	r.followers.Wait()
}
