package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

var workers = []string{"worker-1", "worker-2"}

// workerVariable is set in the environment of a worker, to its name.
const workerVariable = "SHAREDLIMIT_WORKER"

// startWorker runs this program again, as a worker that takes the double for
// the platform.
func (s settings) startWorker(ctx context.Context, server *callstest.Server, name string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	worker := exec.CommandContext(ctx, self,
		"-redis", s.redis, "-redis-down", s.redisDown, "-calls", strconv.Itoa(s.calls))
	worker.Env = append(os.Environ(), workerVariable+"="+name,
		"CCAIP_SUBDOMAIN="+server.Subdomain(), "CCAIP_DOMAIN="+server.Domain(),
		"CCAIP_TOKEN="+server.Token(), "CCAIP_BASE_URL="+server.URL())
	worker.Stderr = os.Stderr
	if err := worker.Run(); err != nil {
		return fmt.Errorf("%s failed: %w", name, err)
	}
	return nil
}

// work is what each process of a real program does: it makes one client, with
// the limiter that it shares with the others.
func (s settings) work(ctx context.Context, name string) error {
	rdb := connect(s.redis)
	defer func() { _ = rdb.Close() }()
	limiter := NewLimiter(rdb, "calls:"+os.Getenv("CCAIP_SUBDOMAIN"), s.onDown())
	client, err := calls.NewClientFromEnv(calls.WithRateLimiter(limiter), calls.WithUserAgent(name))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if failed := createAll(ctx, client, s.calls); len(failed) > 0 {
		return fmt.Errorf("%s: %d of %d creates failed, the first (%v) because: %w",
			name, len(failed), s.calls, calls.DeliveryOf(failed[0]), failed[0])
	}
	return nil
}

// connect makes Redis fail fast: a call cannot wait for it as long as other
// work can.
func connect(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr:                  addr,
		DialTimeout:           patience,
		DialerRetries:         1,
		MaxRetries:            1, // for a connection that was idle too long
		ContextTimeoutEnabled: true,
	})
}

// onDown is the choice that nobody can make for you: no calls, or the risk of
// a 429 where the shares do not add up.
func (s settings) onDown() OnDown {
	if s.redisDown == "refuse" {
		return Refuse
	}
	// Evenly spaced, four a second: with the way to the platform at most five
	// arrive in any second, of each of the two processes.
	return FallBackTo(rate.NewLimiter(4, 1))
}

// createAll starts so many creates at once, since it is up to the limiter when
// each is sent, and returns the errors of those that failed.
func createAll(ctx context.Context, client *calls.Client, n int) (failed []error) {
	results := make(chan error)
	for range n {
		go func() {
			_, err := client.CreateOutbound(ctx, calls.OutboundRequest{
				AgentEmail:    "agent@example.com",
				EndUserNumber: "+1 859-657-9625",
			})
			results <- err
		}()
	}
	for range n {
		if err := <-results; err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}
