package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed turn.lua
var turnScript string

// line is the line of turns, in Redis.
type line struct {
	rdb *redis.Client
	key string
}

// A place in the line is a turn that was given out.
type place struct {
	epoch string
	wait  time.Duration // until it comes
	back  time.Duration // how far the clock of Redis went back since it was asked last
}

// run gets a turn, or, for a hold that is not 0, takes back all turns and gives
// out none for that long.
func (l line) run(ctx context.Context, hold time.Duration) (place, error) {
	values, err := redis.NewScript(turnScript).Run(ctx, l.rdb, []string{l.key}, rand.Text(), hold.Microseconds(),
		spacing.Microseconds(), longestLine*spacing.Microseconds(), time.Second.Microseconds(), longestHold.Microseconds()).StringSlice()
	if err != nil {
		return place{}, fmt.Errorf("%s: %w", l.key, err)
	}
	if len(values) != 3 {
		return place{}, fmt.Errorf("%d values from Redis for a turn", len(values))
	}
	wait, err := microseconds(values[1])
	if err != nil {
		return place{}, err
	}
	back, err := microseconds(values[2])
	if err != nil {
		return place{}, err
	}
	if values[0] == "" {
		return place{back: back}, errCrowded
	}
	return place{epoch: values[0], wait: wait, back: back}, nil
}

func microseconds(text string) (time.Duration, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * time.Microsecond, err
}

// isEpoch reports whether turns of this epoch still count.
func (l line) isEpoch(ctx context.Context, epoch string) (bool, error) {
	current, err := l.rdb.HGet(ctx, l.key, "epoch").Result()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	return current == epoch, err
}
