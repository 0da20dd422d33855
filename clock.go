package calls

import "time"

const (
	// maxOffsetAge is how long a measured offset of the platform's clock is trusted.
	maxOffsetAge = time.Hour
	// offsetMargin covers what measuring leaves open: timestamps that are exact to the
	// second, and machines of the platform whose clocks differ.
	offsetMargin = 2 * time.Second
	// maxClockDrift is by how much the wall clock may depart from the monotonic clock
	// before it counts as set anew.
	maxClockDrift = time.Second
)

// clock knows by how much the platform's clock differs from this machine's, as each
// created call tells. It is not safe for concurrent use.
type clock struct {
	now   func() time.Time // the wall clock
	start time.Time        // with a monotonic reading
	wall  time.Time        // at start, by now
	epoch int              // how often the wall clock was set anew

	isKnown  bool
	lowest   time.Duration // the platform's time less ours
	highest  time.Duration
	measured time.Time // first, with a monotonic reading
}

func newClock(now func() time.Time) clock {
	return clock{now: now, start: time.Now(), wall: now().Round(0)}
}

// seconds returns the time since the clock was made.
func (c *clock) seconds() int64 { return int64(time.Since(c.start) / time.Second) }

// check forgets what was measured if the wall clock was set anew since.
func (c *clock) check() {
	elapsed := time.Since(c.start)
	if drift := c.now().Round(0).Sub(c.wall) - elapsed; drift.Abs() <= maxClockDrift {
		return
	}
	c.wall = c.now().Round(0).Add(-elapsed)
	c.epoch++
	c.isKnown = false
}

// measure takes note of a call that the platform created, by its own clock, between
// after and now, by this machine's.
func (c *clock) measure(created, after time.Time) {
	c.check()
	lowest, highest := created.Sub(c.now()), created.Sub(after)
	isOld := !c.isKnown || time.Since(c.measured) >= maxOffsetAge
	if isOld || lowest > c.highest || highest < c.lowest {
		c.isKnown, c.lowest, c.highest, c.measured = true, lowest, highest, time.Now()
		return
	}
	c.lowest, c.highest = max(c.lowest, lowest), min(c.highest, highest)
}

// skew returns by how much the two clocks can differ, 0 if it is not known.
func (c *clock) skew() time.Duration {
	if !c.isKnown || time.Since(c.measured) >= maxOffsetAge {
		return 0
	}
	return max(c.lowest.Abs(), c.highest.Abs()) + offsetMargin
}
