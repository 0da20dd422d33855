package callstest

import (
	"context"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/ccaip-go/calls"
)

func TestRateLimiterPasses(t *testing.T) {
	TestRateLimiter(t, func(*testing.T) calls.RateLimiter { return rate.NewLimiter(20, 1) })
}

func TestRateLimiterFails(t *testing.T) {
	short := bounds{permit: 500 * time.Millisecond, giveUp: 200 * time.Millisecond}
	for _, test := range []struct {
		name       string
		newLimiter func() calls.RateLimiter
		fails      []string // the checks that fail; others can fail, too
	}{
		{"ignores the context", deaf,
			[]string{"refuses an ended context", "returns when the context is canceled", "keeps the deadline"}},
		{"checks the context only when the permit comes", late,
			[]string{"refuses an ended context", "returns when the context is canceled", "keeps the deadline"}},
		{"issues permits to ended contexts", hasty, []string{"refuses an ended context"}},
		{"issues no permit", silent, []string{"returns when the context is canceled", "serves every caller", "leaks no permit"}},
		{"keeps the place of a caller that gave up", leaking, []string{"leaks no permit"}},
		{"serves the last caller first", lastFirst, []string{"serves every caller"}},
		{"forgets a caller when another one comes", forgetful, []string{"serves every caller"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, check := range limiterChecks {
				if !slices.Contains(test.fails, check.name) {
					continue
				}
				if err := check.run(test.newLimiter(), short); err == nil {
					t.Errorf("passes %q", check.name)
				}
			}
		})
	}
}

// The race detector fails the whole process, so the test runs itself in another process.
func TestRateLimiterFindsRaces(t *testing.T) {
	const child = "CALLSTEST_RACY_LIMITER"
	if os.Getenv(child) != "" {
		TestRateLimiter(t, func(*testing.T) calls.RateLimiter { return racy() })
		return
	}
	if !hasRaceDetector() {
		t.Skip("needs -race")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	again := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
	again.Env = append(os.Environ(), child+"=1")
	out, err := again.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "DATA RACE") {
		t.Errorf("passes: %v\n%s", err, out)
	}
}

func hasRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func deaf() calls.RateLimiter {
	l := rate.NewLimiter(50, 1)
	return limiterFunc(func(context.Context) error { return l.Wait(context.Background()) })
}

func late() calls.RateLimiter {
	l := rate.NewLimiter(50, 1)
	return limiterFunc(func(ctx context.Context) error {
		if err := l.Wait(context.Background()); err != nil {
			return err
		}
		return ctx.Err()
	})
}

func hasty() calls.RateLimiter {
	l := rate.NewLimiter(50, 1)
	return limiterFunc(func(ctx context.Context) error {
		if l.Allow() {
			return nil
		}
		return l.Wait(ctx)
	})
}

func silent() calls.RateLimiter {
	return limiterFunc(func(context.Context) error { select {} })
}

func leaking() calls.RateLimiter {
	place := make(chan struct{}, 1)
	return limiterFunc(func(ctx context.Context) error {
		select {
		case place <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
		if ctx.Err() == nil {
			<-place // only here
		}
		return ctx.Err()
	})
}

// lastFirst issues one permit for each caller, to the one that came last.
func lastFirst() calls.RateLimiter {
	l := rate.NewLimiter(50, 1)
	var mu sync.Mutex
	var waiting []chan struct{}
	issue := func() {
		_ = l.Wait(context.Background())
		mu.Lock()
		defer mu.Unlock()
		last := len(waiting) - 1
		close(waiting[last])
		waiting = waiting[:last]
	}
	return limiterFunc(func(ctx context.Context) error {
		permit := make(chan struct{})
		mu.Lock()
		waiting = append(waiting, permit)
		mu.Unlock()
		go issue()
		select {
		case <-permit:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// forgetful knows only the caller that came last.
func forgetful() calls.RateLimiter {
	var mu sync.Mutex
	var waiting chan struct{}
	return limiterFunc(func(ctx context.Context) error {
		permit := make(chan struct{})
		mu.Lock()
		waiting = permit
		mu.Unlock()
		time.AfterFunc(20*time.Millisecond, func() {
			mu.Lock()
			defer mu.Unlock()
			if waiting != nil {
				close(waiting)
				waiting = nil
			}
		})
		select {
		case <-permit:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func racy() calls.RateLimiter {
	l, waiting := rate.NewLimiter(50, 1), 0
	return limiterFunc(func(ctx context.Context) error {
		waiting++
		defer func() { waiting-- }()
		return l.Wait(ctx)
	})
}
