//go:build linux

package harness

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// The points at which a worker process can come to harm.
const (
	beforeMark      = "before the mark is stored"
	afterMark       = "after the mark is stored"
	beforeFirstByte = "before the first byte"
	onConnection    = "on the connection"
	beforeBody      = "between head and body"
	afterRequest    = "after the request was written"
	afterResponse   = "after the response was read"
	beforeOutcome   = "before the outcome is stored"
	afterOutcome    = "after the outcome is stored"
	beforeUnmark    = "before a mark is undone"
	afterUnmark     = "after a mark was undone"
	beforeDoubt     = "before a doubt is stored"
	afterDoubt      = "after a doubt was stored"
	beforeListing   = "before a listing"
	afterListing    = "after a listing"
)

var (
	// sendPoints are those that every create passes.
	sendPoints = []string{beforeMark, afterMark, beforeFirstByte, onConnection, beforeBody, afterRequest, afterResponse, beforeOutcome, afterOutcome}
	// restPoints are those of what went wrong before.
	restPoints = []string{beforeUnmark, afterUnmark, beforeDoubt, afterDoubt, beforeListing, afterListing}
	// storePoints are those at which it can remain unknown whether a write was stored.
	storePoints = []string{beforeMark, afterMark, beforeOutcome, afterOutcome, beforeUnmark, afterUnmark, beforeDoubt, afterDoubt}
	// permitPoints are those after which a byte can leave.
	permitPoints = []string{afterMark, beforeFirstByte, onConnection, beforeBody}
)

// harm is what comes to a process.
type harm string

const (
	kill    harm = "kill"
	stop    harm = "stop"
	failure harm = "failure" // the database says that it failed, and may have stored
)

// trap is the harm that comes to a process when it is at a point for the After-th
// time. The zero trap does none.
type trap struct {
	Point string
	Harm  harm
	After int64
}

// armedTrap is a trap in its process.
type armedTrap struct {
	trap
	times atomic.Int64
}

// maxTrap is how often at most a point is passed before the harm.
const maxTrap = 4

// newTrap sets a trap, or none for one process in ten.
func newTrap(random *rand.Rand) trap {
	t := trap{Harm: kill, After: 1 + random.Int64N(maxTrap)}
	from := sendPoints
	switch random.IntN(10) {
	case 0:
		return trap{}
	case 1, 2:
		t.Harm, from = stop, permitPoints
	case 3, 4:
		t.Harm, from = failure, storePoints
	case 5, 6:
		from = restPoints
	}
	t.Point = from[random.IntN(len(from))]
	return t
}

var errFailure = errors.New("the connection to the database was lost")

// at does the harm, if it is the time. It returns an error for a failure only.
func (t *armedTrap) at(point string) error {
	if point != t.Point || t.times.Add(1) != t.After {
		return nil
	}
	say(message{Point: point, Harm: t.Harm})
	switch t.Harm {
	case kill:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case stop:
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		time.Sleep(20 * time.Millisecond) // until this thread stands, too
	case failure:
		return errFailure
	}
	return nil
}
