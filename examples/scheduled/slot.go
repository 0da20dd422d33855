package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/ccaip-go/calls"
)

// slot is how to choose the time of a call: one of the first three.
type slot struct {
	at       time.Time
	in       time.Duration // from now
	next     bool          // in the next free callback period
	menuType string
	zone     string
}

func slotFlags() *slot {
	s := &slot{}
	flag.Func("at", "when to call, a `time` such as 2030-01-31T12:00:00Z", func(text string) (err error) {
		if s.at, err = time.Parse(time.RFC3339, text); err != nil {
			err = errors.New("not a time such as 2030-01-31T12:00:00Z")
		}
		return err
	})
	flag.DurationVar(&s.in, "in", 0, "how long from now to call, such as 90m (instead of -at)")
	flag.BoolVar(&s.next, "next", false, "call in the next free callback period of the queue (instead of -at)")
	flag.StringVar(&s.menuType, "menu-type", string(calls.MenuTypeMobile), "type of the queue menu, for -next")
	flag.StringVar(&s.zone, "zone", "UTC", "time zone of the queue, for -next")
	return s
}

// choose returns the zero time if there is nothing to choose by.
func (s *slot) choose(ctx context.Context, client *calls.Client, menu int64) (time.Time, error) {
	hasAt, hasIn := !s.at.IsZero(), s.in != 0
	switch {
	case hasAt && hasIn, hasAt && s.next, hasIn && s.next:
		return time.Time{}, errors.New("-at, -in and -next exclude each other: give one of them")
	case s.next:
		return s.nextFree(ctx, client, menu)
	case hasIn:
		return time.Now().Add(s.in), nil
	}
	return s.at, nil
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
		Lang: "en", MenuIDs: []int64{menu}, MenuType: calls.MenuType(s.menuType), PeriodHours: hours,
	})
	if err != nil {
		return time.Time{}, err
	}
	if len(queues) == 0 {
		return time.Time{}, fmt.Errorf("-next: the platform shows no queue menu %d of the type %s: check -menu and -menu-type", menu, s.menuType)
	}
	return firstFree(queues[0].CallbackPeriods, zone)
}

// hours is how far ahead to look for a callback period, the most that the platform
// shows.
const hours = 8

func firstFree(periods []calls.CallbackPeriod, zone *time.Location) (time.Time, error) {
	if len(periods) == 0 {
		return time.Time{}, fmt.Errorf("-next: the queue shows no callback periods for the next %d hours: it is closed, or takes no callbacks", hours)
	}
	for _, period := range periods {
		start, err := period.Start(zone)
		if err != nil {
			return time.Time{}, err
		}
		if period.Free() && time.Until(start) > time.Minute {
			return start, nil
		}
	}
	return time.Time{}, fmt.Errorf("-next: no callback period of the next %d hours is free", hours)
}
