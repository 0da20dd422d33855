package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

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
	worker.Env = append(append(os.Environ(), server.Environ()...), workerVariable+"="+name)
	worker.Stderr = os.Stderr
	if err := worker.Run(); err != nil {
		return fmt.Errorf("%s failed: %w", name, err)
	}
	return nil
}

// work is what each process of a real program does: it makes one client, with
// the limiter that it shares with the others.
func (s settings) work(ctx context.Context, name string) error {
	rdb, err := connect(s.redis)
	if err != nil {
		return err
	}
	defer func() { _ = rdb.Close() }()
	onDown, err := s.onDown()
	if err != nil {
		return err
	}
	limiter := NewLimiter(rdb, "calls:"+os.Getenv("CCAIP_SUBDOMAIN"), onDown)
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

// onDown is a choice that depends on the program: no calls, or the risk of a 429 if
// only some processes have lost Redis.
func (s settings) onDown() (OnDown, error) {
	if s.redisDown == "refuse" {
		return Refuse, nil
	}
	share, err := shareOf(len(workers))
	return FallBackTo(share), err
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
