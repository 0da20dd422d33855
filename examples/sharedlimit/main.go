// Sharedlimit has two processes create calls under one rate limit, which they
// keep in Redis. They talk to a double of the platform, whatever the environment
// says: nobody is called.
//
//	redis-server --save "" &
//	go run .
//	go run . -redis 10.0.0.7:6379 -calls 40
//	REDIS_PASSWORD=… go run . -redis rediss://user@redis.example.com:6380/0
//	go run . -redis-down share
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/ccaip-go/calls/callstest"
)

// settings are the same for all processes.
type settings struct {
	redis     string // address: host:port or a URL
	redisDown string // refuse or share
	calls     int    // of each worker
}

func main() {
	var s settings
	flag.StringVar(&s.redis, "redis", "127.0.0.1:6379", "address of the Redis, host:port or a redis:// or rediss:// URL; its password is read from "+passwordVariable)
	flag.StringVar(&s.redisDown, "redis-down", "refuse", `what to do without Redis: "refuse" to call, or keep to a "share" of the limit`)
	flag.IntVar(&s.calls, "calls", 20, "how many calls each process creates, 1 to 100")
	if flag.Parse(); flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	redis.SetLogger(&logging.VoidLogger{}) // what fails comes back as an error

	if err := s.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (s settings) run(ctx context.Context) error {
	switch {
	case s.calls < 1 || s.calls > 100:
		return fmt.Errorf("-calls %d is not between 1 and 100", s.calls)
	case s.redisDown != "refuse" && s.redisDown != "share":
		return fmt.Errorf("-redis-down %q is neither refuse nor share", s.redisDown)
	}
	if _, err := options(s.redis); err != nil {
		return err
	}
	if name := os.Getenv(workerVariable); name != "" {
		return s.work(ctx, name)
	}
	if err := s.findRedis(ctx); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "Talking to a double of the platform in this process, whatever the CCAIP_… variables say: nobody is called.")
	requests, err := s.demonstrate(ctx)
	report(requests)
	return err
}

// findRedis returns an error that says how to start a Redis if one is needed and none
// responds.
func (s settings) findRedis(ctx context.Context) error {
	if s.redisDown == "share" {
		return nil
	}
	rdb, err := connect(s.redis)
	if err != nil {
		return err
	}
	defer func() { _ = rdb.Close() }()
	if err := rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis does not respond: %w\nStart one with  redis-server --save \"\" &  or name yours with -redis. Try -redis-down share to go on without", err)
	}
	return nil
}

// demonstrate starts a double of the platform and two workers, and returns what
// arrived.
func (s settings) demonstrate(ctx context.Context) ([]callstest.Request, error) {
	server, err := callstest.Start()
	if err != nil {
		return nil, err
	}
	defer server.Close()

	ended := make(chan error)
	for _, name := range workers {
		go func() { ended <- s.startWorker(ctx, server, name) }()
	}
	var errs []error
	for range workers {
		errs = append(errs, <-ended)
	}
	return server.Requests(), errors.Join(errs...)
}

func report(requests []callstest.Request) {
	for _, name := range workers {
		fmt.Printf("%s: %d requests\n", name, countOf(requests, name))
	}
	fmt.Printf("At most %d of all %d requests arrived within a second.\n", inBusiestSecond(requests), len(requests))
}

func countOf(requests []callstest.Request, worker string) (n int) {
	for _, r := range requests {
		if strings.HasPrefix(r.Header.Get("User-Agent"), worker) {
			n++
		}
	}
	return n
}

// inBusiestSecond counts the requests of any second: the busiest begins with a
// request.
func inBusiestSecond(requests []callstest.Request) (most int) {
	for first := range requests {
		n := 0
		for _, r := range requests[first:] {
			if r.At.Sub(requests[first].At) < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
