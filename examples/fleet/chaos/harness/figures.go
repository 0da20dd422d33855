//go:build linux

package harness

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ccaip-go/calls/ledger"
)

// atRandom is the point of a harm that is done from outside.
const atRandom = "at random"

// Figures is what happened in a run.
type Figures struct {
	Creates       int
	Harms         map[string]int // by kind and point
	DatabaseKills int
	Restarts      int // of workers that found no database
	Took          time.Duration

	Requests  int                  // creates that arrived at the platform
	Calls     int                  // that the platform has made
	States    map[ledger.State]int // before a person decides
	Reasons   map[string]int       // why entries are for a person
	WasMade   int                  // for a person, and there is a call
	Latest    time.Duration        // of an arrival after its permit, 0 for none
	RungTwice int                  // people who were called more than once
	Wrong     int                  // entries with a call that is not theirs
	Lost      int                  // creates whose entry does not say what became of them
	Late      int                  // requests that arrived after the permit and the skew, or without a mark
	Found     []string             // what is wrong, in words
}

func (f *Figures) add(h harm, point string) {
	if f.Harms == nil {
		f.Harms = map[string]int{}
	}
	f.Harms[string(h)+" "+point]++
}

// harmed returns how often a harm was done.
func (f *Figures) harmed(h harm) (n int) {
	for name, times := range f.Harms {
		if strings.HasPrefix(name, string(h)+" ") {
			n += times
		}
	}
	return n
}

// Kills returns how many workers were killed.
func (f *Figures) Kills() int { return f.harmed(kill) }

// Stops returns how many workers were stopped for a while.
func (f *Figures) Stops() int { return f.harmed(stop) }

// String returns the figures in lines.
func (f *Figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d creates in %v; %d workers killed, %d stopped, %d writes failed, the database killed %d times\n",
		f.Creates, f.Took, f.Kills(), f.Stops(), f.harmed(failure), f.DatabaseKills)
	for _, name := range slices.Sorted(maps.Keys(f.Harms)) {
		fmt.Fprintf(&b, "%6d %s\n", f.Harms[name], name)
	}
	fmt.Fprintf(&b, "%d creates arrived, %d calls were made; the latest arrived %v after its permit\n", f.Requests, f.Calls, f.Latest)
	for _, state := range slices.Sorted(maps.Keys(f.States)) {
		fmt.Fprintf(&b, "%6d %s\n", f.States[state], state)
	}
	for _, reason := range slices.Sorted(maps.Keys(f.Reasons)) {
		fmt.Fprintf(&b, "%6d for a person: %s\n", f.Reasons[reason], reason)
	}
	fmt.Fprintf(&b, "%d of those for a person had been made\n", f.WasMade)
	fmt.Fprintf(&b, "%d rung twice, %d wrong attributions, %d lost silently, %d sent after the permit", f.RungTwice, f.Wrong, f.Lost, f.Late)
	return b.String()
}
