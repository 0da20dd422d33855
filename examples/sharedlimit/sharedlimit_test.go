package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestMain runs the test binary as a worker if a test has started it as one.
func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		main()
		return
	}
	redis.SetLogger(&logging.VoidLogger{})
	os.Exit(m.Run())
}

func TestTwoProcessesKeepToOneLimit(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := settings{redis: startRedis(t, freeAddress(t)), redisDown: "refuse", calls: 15}
	requests, err := s.demonstrate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if n := inBusiestSecond(requests); n > 10 {
		t.Errorf("%d requests arrived within a second, the platform takes 10", n)
	}
	for _, name := range workers {
		if n := countOf(requests, name); n != s.calls {
			t.Errorf("%d requests of %s, want %d", n, name, s.calls)
		}
		if countOf(requests[:len(requests)/2], name) == 0 {
			t.Errorf("%s got no turn before the other was done", name)
		}
	}
}

func TestWithoutRedisTheErrorSaysHowToStartOne(t *testing.T) {
	t.Parallel()
	s := settings{redis: freeAddress(t), redisDown: "refuse", calls: 1}
	err := s.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), `redis-server --save ""`) || !strings.Contains(err.Error(), "-redis-down share") {
		t.Errorf("error is %v", err)
	}
	s.redisDown = "share"
	if err := s.findRedis(t.Context()); err != nil {
		t.Errorf("with a share: %v", err)
	}
}

// TestWorkersTalkToTheDoubleWhateverTheEnvironmentSays has an account in the environment.
func TestWorkersTalkToTheDoubleWhateverTheEnvironmentSays(t *testing.T) {
	for _, name := range []string{"CCAIP_HOST", "CCAIP_USERNAME", "CCAIP_TOKEN", "CCAIP_SUBDOMAIN"} {
		t.Setenv(name, "another.example.com")
	}
	s := settings{redis: freeAddress(t), redisDown: "share", calls: 1}
	requests, err := s.demonstrate(t.Context())
	if err != nil || len(requests) != len(workers) {
		t.Errorf("%d requests, want %d: %v", len(requests), len(workers), err)
	}
}

func TestLimiterKeepsTheContract(t *testing.T) {
	t.Parallel()
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	callstest.TestRateLimiter(t, func(t *testing.T) calls.RateLimiter {
		return NewLimiter(rdb, t.Name(), Refuse)
	})
}

func TestDeadlineThatCannotBeMetFailsAtOnce(t *testing.T) {
	t.Parallel()
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	const turns = 5 * turnsASecond // more than fit the deadline
	for name, fill := range map[string]func(*testing.T, *Limiter){
		"callers of this process": func(t *testing.T, l *Limiter) {
			for range turns {
				go func() { _ = l.Wait(t.Context()) }()
			}
			for l.inLine.Load() < turns/2 { // not all: some may have had their turns
				time.Sleep(time.Millisecond)
			}
		},
		"other processes": func(t *testing.T, l *Limiter) { fillLine(t, l.line, turns) },
	} {
		t.Run(name, func(t *testing.T) {
			l := NewLimiter(rdb, t.Name(), Refuse)
			fill(t, l)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
				t.Errorf("Wait returned %v, the context's error was %v by then", err, ctx.Err())
			}
		})
	}
}

func TestLineIsBounded(t *testing.T) {
	t.Parallel()
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	l := NewLimiter(rdb, t.Name(), FallBackTo(share(t)))
	fillLine(t, l.line, longestLine-turnsASecond+1) // the line of a new key begins a second later
	if err := l.Wait(t.Context()); !errors.Is(err, errCrowded) {
		t.Errorf("Wait returned %v, want %v", err, errCrowded)
	}
}

func TestWhoGivesUpLeavesItsTurn(t *testing.T) {
	t.Parallel()
	l := NewLimiter(redisAt(t, startRedis(t, freeAddress(t))), t.Name(), Refuse)
	begin := time.Now()
	const quitters = 40
	for range quitters {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_ = l.Wait(ctx) // one may be fast enough
		cancel()
	}
	if err := l.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > quitters*spacing/2 {
		t.Errorf("a turn came after %v: those who gave up have used theirs", took)
	}
}

func TestChoiceWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	request := calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625"}
	for _, test := range []struct {
		name     string
		onDown   OnDown
		delivery calls.Delivery
		requests int
	}{
		{"refuse", Refuse, calls.DeliveryNotSent, 0},
		{"fall back", FallBackTo(share(t)), calls.DeliveryAccepted, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := callstest.NewServer(t)
			limiter := NewLimiter(redisAt(t, freeAddress(t)), t.Name(), test.onDown)
			client, err := server.NewClient(calls.WithRateLimiter(limiter))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.CreateOutbound(t.Context(), request)
			if d := calls.DeliveryOf(err); d != test.delivery {
				t.Errorf("the create is %v, want %v: %v", d, test.delivery, err)
			}
			if n := len(server.Requests()); n != test.requests {
				t.Errorf("%d requests arrived, want %d", n, test.requests)
			}
		})
	}
}

func TestRedisComesBack(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	l := NewLimiter(redisAt(t, addr), t.Name(), Refuse)
	if err := l.Wait(t.Context()); err == nil {
		t.Fatal("Wait gave a turn without Redis")
	}
	startRedis(t, addr)
	for begin := time.Now(); l.Wait(t.Context()) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			t.Fatal("Wait gives no turn though Redis is back")
		}
	}
}

// TestRedisHangs has a Redis that accepts connections and never responds. Wait must end with
// its context.
func TestRedisHangs(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	asked := make(chan error, 1)
	l := NewLimiter(redisAt(t, silent.Addr().String()), t.Name(), func(_ context.Context, cause error) error {
		asked <- cause
		return cause
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience/10)
	defer cancel()
	if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || len(asked) > 0 {
		t.Errorf("Wait returned %v, want the context's error before that of Redis", err)
	}
	if err := l.Wait(t.Context()); err == nil || len(asked) != 1 {
		t.Errorf("Wait returned %v, want the error of Redis", err)
	}
}
