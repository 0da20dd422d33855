package main

import (
	"errors"
	"flag"
	"time"

	"github.com/ccaip-go/calls"
)

// settleFlags returns what -window and -skew set, at first the defaults of
// calls.SettleOptions.
func settleFlags() *calls.SettleOptions {
	opts := &calls.SettleOptions{Window: 15 * time.Second, ClockSkew: time.Minute}
	flag.Func("window", "how long a listing can lag; this `duration` is waited out (default 15s)", positive(&opts.Window))
	flag.Func("skew", "by how much clocks can differ; this `duration` is waited out as well (default 1m)", positive(&opts.ClockSkew))
	return opts
}

// positive parses a duration into target. It refuses what Settle would refuse after the
// create, and zero, which would mean the default.
func positive(target *time.Duration) func(text string) error {
	return func(text string) (err error) {
		*target, err = time.ParseDuration(text)
		if err == nil && *target <= 0 {
			err = errors.New("it has to be more than zero, such as 15s")
		}
		return err
	}
}
