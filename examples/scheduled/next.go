package main

import (
	"context"
	"errors"
	"time"

	"github.com/ccaip-go/calls"
)

// queue is what has to be known of a queue to find its next free period.
type queue struct {
	next     bool
	menuType string
	zone     string
}

// errNoPeriod means that nothing was scheduled, since no time for it was found.
var errNoPeriod = errors.New("no callback period was found")

// nextFree returns when the next free callback period of a queue begins. Between this
// question and the create another client can take its place: then the platform
// refuses, or the call rings later.
func (q queue) nextFree(ctx context.Context, client *calls.Client, menu int64) (time.Time, error) {
	zone, err := time.LoadLocation(q.zone)
	if err != nil {
		return time.Time{}, err
	}
	queues, err := client.QueueStatus(ctx, calls.QueueStatusRequest{
		Lang: "en", MenuIDs: []int64{menu}, MenuType: calls.MenuType(q.menuType), PeriodHours: 8,
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
	return time.Time{}, errors.New("the queue has none that is free in the next hours")
}
