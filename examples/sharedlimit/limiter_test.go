package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestKeyHasNoCase(t *testing.T) {
	t.Parallel()
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	for _, key := range []string{"calls:customer", "calls:Customer", "CALLS:CUSTOMER"} {
		fillLine(t, NewLimiter(rdb, key, Refuse).line, 1)
	}
	keys, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil || !slices.Equal(keys, []string{"rate:calls:customer"}) {
		t.Errorf("Redis has the keys %q, %v", keys, err)
	}
}

// A key with a value of another type is a failure of Redis, and not a crowd.
func TestPoisonedValueIsAFailure(t *testing.T) {
	t.Parallel()
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	poison := map[string]func(ctx context.Context, key string) error{
		"a list":       func(ctx context.Context, key string) error { return rdb.RPush(ctx, key, 1).Err() },
		"another hash": func(ctx context.Context, key string) error { return rdb.HSet(ctx, key, "a", "b").Err() },
	}
	for _, value := range []string{"9e15", "inf", "-inf", "nan", "-1", "", "text", "1e400", "0x7fffffffffffff"} {
		poison["string "+value] = func(ctx context.Context, key string) error { return rdb.Set(ctx, key, value, 0).Err() }
		for _, field := range []string{"next", "held", "seen"} {
			poison[field+" "+value] = func(ctx context.Context, key string) error {
				fillLine(t, line{rdb, key}, 1)
				return rdb.HSet(ctx, key, field, value).Err()
			}
		}
	}
	for name, do := range poison {
		t.Run(name, func(t *testing.T) {
			var cause *DownError
			l := NewLimiter(rdb, t.Name(), func(_ context.Context, err error) error {
				errors.As(err, &cause)
				return err
			})
			l.logger = slog.New(slog.DiscardHandler)
			if err := do(t.Context(), l.line.key); err != nil {
				t.Fatal(err)
			}
			err := l.Wait(t.Context())
			if err == nil || errors.Is(err, errCrowded) || cause == nil || !strings.Contains(err.Error(), l.line.key) {
				t.Errorf("Wait returned %v, want a failure of Redis with the key in it", err)
			}
			l.HoldBack(time.Millisecond) // must not hide it
			if _, err := l.line.run(t.Context(), 0); err == nil {
				t.Error("after a hold there is a line")
			}
		})
	}
}

func TestClockOfRedisGoesBack(t *testing.T) {
	t.Parallel()
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	l := NewLimiter(rdb, t.Name(), Refuse)
	logged := &logs{}
	l.logger = slog.New(slog.NewTextHandler(logged, nil))
	fillLine(t, l.line, 3)
	forward(t, l.line, 30*time.Second)

	before, err := l.line.run(t.Context(), 0)
	if err != nil || before.back < 29*time.Second || before.wait > 2*time.Second {
		t.Errorf("after the clock went back: %+v, %v", before, err)
	}
	forward(t, l.line, 30*time.Second)
	begin := time.Now()
	if err := l.Wait(t.Context()); err != nil || time.Since(begin) > 10*time.Second {
		t.Errorf("a turn came after %v: %v", time.Since(begin), err)
	}
	if text := logged.String(); !strings.Contains(text, "clock of Redis went back") || !strings.Contains(text, l.line.key) {
		t.Errorf("logged is %q", text)
	}
	fillLine(t, l.line, 2)
	after, err := l.line.run(t.Context(), 0)
	if err != nil || after.back != 0 || after.wait < 2*spacing-100*time.Millisecond {
		t.Errorf("the line does not go on: %+v, %v", after, err)
	}
}

// forward makes all times of a line later: to the line, the clock went back.
func forward(t *testing.T, l line, by time.Duration) {
	t.Helper()
	for _, field := range []string{"next", "held", "seen"} {
		if err := l.rdb.HIncrBy(t.Context(), l.key, field, by.Microseconds()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// What was used in the second before Redis forgot it is not known any more.
func TestNewLineBeginsASecondLater(t *testing.T) {
	t.Parallel()
	l := NewLimiter(redisAt(t, startRedis(t, freeAddress(t))), t.Name(), Refuse)
	if first, err := l.line.run(t.Context(), 0); err != nil || first.wait != time.Second {
		t.Errorf("the first turn comes in %v: %v", first.wait, err)
	}
}

// A Redis that was restarted has no key. Processes that still have a turn must
// not use it next to the new ones.
func TestForgottenLine(t *testing.T) {
	t.Parallel()
	const processes, turns = 14, 4
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	used := make(chan time.Time, processes*turns)
	var group sync.WaitGroup
	for range processes {
		l := NewLimiter(rdb, t.Name(), Refuse)
		group.Go(func() {
			for range turns {
				if err := l.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				used <- time.Now()
			}
		})
	}
	for range turnsASecond / 2 { // some turns are used, and all processes have one
		<-used
	}
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	close(used)
	var times []time.Time
	for at := range used {
		times = append(times, at)
	}
	slices.SortFunc(times, time.Time.Compare)
	for i, at := range times {
		n := 0
		for _, other := range times[i:] {
			if other.Sub(at) < time.Second {
				n++
			}
		}
		if n > 10 {
			t.Fatalf("%d turns were used within a second", n)
		}
	}
}

func TestHoldBackHoldsAllProcesses(t *testing.T) {
	t.Parallel()
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	one, other := NewLimiter(rdb, t.Name(), Refuse), NewLimiter(rdb, t.Name(), Refuse)
	if err := one.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	fillLine(t, one.line, 3)
	result := make(chan time.Time)
	go func() {
		if err := other.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		result <- time.Now()
	}()
	for begin := time.Now(); other.inLine.Load() == 0 && time.Since(begin) < 5*time.Second; {
		time.Sleep(time.Millisecond)
	}
	const hold = 1500 * time.Millisecond
	begin := time.Now()
	one.HoldBack(hold)
	one.HoldBack(hold / 3) // a shorter one changes nothing
	one.HoldBack(-hold)
	if after := (<-result).Sub(begin); after < hold {
		t.Errorf("another process got a turn %v after the hold began, which was for %v", after, hold)
	}
}

func TestHoldDoesNotFitTheDeadline(t *testing.T) {
	t.Parallel()
	rdb := redisAt(t, startRedis(t, freeAddress(t)))
	NewLimiter(rdb, t.Name(), Refuse).HoldBack(100 * time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := NewLimiter(rdb, t.Name(), Refuse).Wait(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("Wait returned %v", err)
	}
}

// logs are safe to read while something is logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var _ interface{ HoldBack(wait time.Duration) } = (*Limiter)(nil)
