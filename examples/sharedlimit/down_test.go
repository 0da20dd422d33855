package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestSharesFit(t *testing.T) {
	t.Parallel()
	for processes := 1; processes <= 9; processes++ {
		share, err := shareOf(processes)
		if err != nil {
			t.Fatal(err)
		}
		if all := float64(processes) * (float64(share.Limit()) + float64(share.Burst())); all > perSecond+1e-9 || all < perSecond-1e-9 {
			t.Errorf("the shares of %d processes let %v through in a second", processes, all)
		}
	}
	for _, processes := range []int{-1, 0, 10, 11} {
		if share, err := shareOf(processes); err == nil {
			t.Errorf("the share of %d processes is %v a second", processes, share.Limit())
		}
	}
}

func TestFallBackBeginsASecondLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		fallBack := FallBackTo(share(t))
		cause := &DownError{Since: begin, Err: errors.New("refused")}
		if err := fallBack(t.Context(), cause); err != nil || time.Since(begin) != time.Second {
			t.Errorf("the first share came after %v: %v", time.Since(begin), err)
		}
		if err := fallBack(t.Context(), cause); err != nil || time.Since(begin) != 1250*time.Millisecond {
			t.Errorf("the second share came after %v: %v", time.Since(begin), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		late := &DownError{Since: time.Now(), Err: errors.New("refused")}
		if err := fallBack(ctx, late); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			t.Errorf("a wait that does not fit ended with %v", err)
		}
	})
}

// TestSwitchesWaitASecond checks that the share of a process and turns of Redis are not used
// in the same second.
func TestSwitchesWaitASecond(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	l := NewLimiter(redisAt(t, addr), t.Name(), FallBackTo(share(t)))
	begin := time.Now()
	if err := l.Wait(t.Context()); err != nil || time.Since(begin) < time.Second {
		t.Errorf("the first share came after %v: %v", time.Since(begin), err)
	}
	startRedis(t, addr)
	rdb := redisAt(t, addr)
	fillLine(t, line{rdb, l.line.key}, 1)
	if err := rdb.HSet(t.Context(), l.line.key, "next", 0).Err(); err != nil { // a turn could come at once
		t.Fatal(err)
	}

	lastShare := time.Now()
	for begin := time.Now(); ; {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("no turn of Redis came")
		}
		if err := l.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l.down.IsZero() && l.fellBack.IsZero() {
			break
		}
		lastShare = time.Now()
	}
	if after := time.Since(lastShare); after < time.Second {
		t.Errorf("a turn of Redis came %v after the last share", after)
	}
}

func TestHoldBackWithoutRedisHoldsThisProcess(t *testing.T) {
	t.Parallel()
	l := NewLimiter(redisAt(t, freeAddress(t)), t.Name(), FallBackTo(share(t)))
	l.logger = slog.New(slog.DiscardHandler)
	begin := time.Now()
	const hold = 1500 * time.Millisecond
	l.HoldBack(hold)
	if err := l.Wait(t.Context()); err != nil || time.Since(begin) < hold {
		t.Errorf("a share came after %v: %v", time.Since(begin), err)
	}
}
