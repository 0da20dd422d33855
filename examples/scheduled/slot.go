package main

import (
	"context"
	"errors"
	"flag"
	"time"

	"github.com/ccaip-go/calls"
)

// slot is how to choose the time of a call that is not given one.
type slot struct {
	in       time.Duration // from now
	next     bool          // in the next free callback period instead
	menuType string
	zone     string
}

func slotFlags() *slot {
	s := &slot{}
	flag.DurationVar(&s.in, "in", 0, "how long from now to call, such as 90m (instead of -at)")
	flag.BoolVar(&s.next, "next", false, "call in the next free callback period of the queue (instead of -at)")
	flag.StringVar(&s.menuType, "menu-type", string(calls.MenuTypeMobile), "type of the queue menu, for -next")
	flag.StringVar(&s.zone, "zone", "UTC", "time zone of the queue, for -next")
	return s
}

// choose returns the zero time if there is nothing to choose by.
func (s *slot) choose(ctx context.Context, client *calls.Client, menu int64) (time.Time, error) {
	switch {
	case s.next:
		return s.nextFree(ctx, client, menu)
	case s.in == 0:
		return time.Time{}, nil
	}
	return time.Now().Add(s.in), nil
}

// nextFree returns when the next free callback period of a queue begins. Between this
// question and the create another client can take its place: then the platform
// refuses, or the call rings later.
func (s *slot) nextFree(ctx context.Context, client *calls.Client, menu int64) (time.Time, error) {
	zone, err := time.LoadLocation(s.zone)
	if err != nil {
		return time.Time{}, err
	}
	queues, err := client.QueueStatus(ctx, calls.QueueStatusRequest{
		Lang: "en", MenuIDs: []int64{menu}, MenuType: calls.MenuType(s.menuType), PeriodHours: 8,
	})
	if err != nil {
		return time.Time{}, err
	}
	for _, status := range queues {
		for _, period := range status.CallbackPeriods {
			start, err := period.Start(zone)
			if err != nil {
				return time.Time{}, err
			}
			if period.Free() && time.Until(start) > time.Minute {
				return start, nil
			}
		}
	}
	return time.Time{}, errors.New("the queue has no callback period that is free in the next hours")
}
