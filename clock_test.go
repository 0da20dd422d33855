package calls

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSkewIsMeasuredByCreatedCalls(t *testing.T) {
	const ahead = 20 * time.Second // the platform's clock
	synctest.Test(t, func(t *testing.T) {
		c := newClock(time.Now)
		if c.skew() != 0 {
			t.Error("known before a measurement")
		}
		measure := func(took time.Duration) {
			after := time.Now()
			time.Sleep(took / 2)
			created := time.Now().Add(ahead)
			time.Sleep(took / 2)
			c.measure(created, after)
		}
		measure(10 * time.Second)
		if got, want := c.skew(), ahead+5*time.Second+offsetMargin; got != want {
			t.Errorf("after a slow create: %v, want %v", got, want)
		}
		measure(time.Second)
		measure(10 * time.Second)
		if got, want := c.skew(), ahead+500*time.Millisecond+offsetMargin; got != want {
			t.Errorf("after a fast one: %v, want %v", got, want)
		}
		time.Sleep(maxOffsetAge)
		if got := c.skew(); got != 0 {
			t.Errorf("after an hour: %v", got)
		}
	})
}
