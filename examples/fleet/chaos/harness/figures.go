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
	DatabaseKills int
	Restarts      int // of processes that found no database
	Took          time.Duration

	Fleet     Part
	Connector Part
	Found     []string // what is wrong, in words
}

// Part is what happened to the fleet, or to the connector, and what came of it.
type Part struct {
	Creates   int            // that were enqueued, or tickets that were to be called
	Harms     map[string]int // by kind and point
	Requests  int            // creates that arrived at the platform
	Calls     int            // that the platform has made
	States    map[ledger.State]int
	Reasons   map[string]int // why creates are for a person
	WasMade   int            // for a person, and there is a call
	Latest    time.Duration  // of an arrival after its permit, 0 for none
	RungTwice int            // people who were called more than once
	Wrong     int            // creates with a call that is not theirs
	Lost      int            // creates of which the ledger, or a page, does not tell the truth
	Late      int            // requests that arrived after the permit and the skew, or without a mark
}

func (p *Part) add(h harm, point string) {
	if p.Harms == nil {
		p.Harms = map[string]int{}
	}
	p.Harms[string(h)+" "+point]++
}

// harmed returns how often a harm was done.
func (p *Part) harmed(h harm) (n int) {
	for name, times := range p.Harms {
		if strings.HasPrefix(name, string(h)+" ") {
			n += times
		}
	}
	return n
}

// Kills returns how many processes were killed.
func (p *Part) Kills() int { return p.harmed(kill) }

// Stops returns how many processes were stopped for a while.
func (p *Part) Stops() int { return p.harmed(stop) }

// Broken returns how many promises were not kept.
func (p *Part) Broken() int { return p.RungTwice + p.Wrong + p.Lost + p.Late }

// String returns the figures in lines.
func (f *Figures) String() string {
	text := fmt.Sprintf("%v; the database was killed %d times, and %d processes started without it\nfleet: %v",
		f.Took, f.DatabaseKills, f.Restarts, &f.Fleet)
	if f.Connector.Creates > 0 {
		text += fmt.Sprintf("\nconnector: %v", &f.Connector)
	}
	return text
}

// String returns the figures in lines.
func (p *Part) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d creates; %d processes killed, %d stopped, %d writes failed\n", p.Creates, p.Kills(), p.Stops(), p.harmed(failure))
	writeCounts(&b, "", p.Harms)
	fmt.Fprintf(&b, "  %d creates arrived, %d calls were made; the latest arrived %v after its permit\n", p.Requests, p.Calls, p.Latest)
	writeCounts(&b, "", p.States)
	writeCounts(&b, "for a person: ", p.Reasons)
	fmt.Fprintf(&b, "  %d of those for a person had been made\n", p.WasMade)
	fmt.Fprintf(&b, "  %d rung twice, %d wrong attributions, %d lost silently, %d sent after the permit", p.RungTwice, p.Wrong, p.Lost, p.Late)
	return b.String()
}

func writeCounts[K ~string](b *strings.Builder, prefix string, counts map[K]int) {
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(b, "%8d %s%s\n", counts[name], prefix, name)
	}
}
