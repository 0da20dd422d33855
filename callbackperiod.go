package calls

import (
	"errors"
	"fmt"
	"time"
)

// CallbackPeriod is a time in which a queue places scheduled calls. Its times are
// local, and the platform does not say of which time zone: see Start.
//
// Reference: "Queue status", callback_periods.
type CallbackPeriod struct {
	Date           string `json:"date"`       // of the start, as YYYYMMDD
	StartTime      string `json:"start_time"` // HH:MM
	EndTime        string `json:"end_time"`   // HH:MM
	ScheduledCalls *int64 `json:"scheduled_calls"`
	MaxSlots       *int64 `json:"max_slots"`
}

// Free reports whether the period can take another call: it has fewer calls than
// slots. It is false for a period that does not say both.
func (p CallbackPeriod) Free() bool {
	return p.ScheduledCalls != nil && p.MaxSlots != nil && *p.ScheduledCalls < *p.MaxSlots
}

// Start returns when the period begins in loc, the time zone of the queue or the
// company. loc must not be nil. It is the first moment at which a clock there shows
// the start or a later time: a time that the clock shows twice is the first of the
// two, and a time that it skips is the moment of the skip. The error is
// ErrUndecodable for a period whose date or time cannot be read.
func (p CallbackPeriod) Start(loc *time.Location) (time.Time, error) {
	start, _, err := p.bounds()
	if err != nil {
		return time.Time{}, err
	}
	return firstMoment(start, loc)
}

// End returns when the period ends, by the rules of Start. An end that is not after
// the start is on the next day. A period that the clock skips has no length.
func (p CallbackPeriod) End(loc *time.Location) (time.Time, error) {
	_, end, err := p.bounds()
	if err != nil {
		return time.Time{}, err
	}
	return firstMoment(end, loc)
}

// bounds returns what a clock shows at the start and at the end, in UTC.
func (p CallbackPeriod) bounds() (start, end time.Time, err error) {
	day, err := time.Parse("20060102", p.Date)
	if err != nil {
		return start, end, fmt.Errorf("%w: the date %q of a callback period is not of the form YYYYMMDD", ErrUndecodable, p.Date)
	}
	from, isStart := timeOfDay(p.StartTime)
	to, isEnd := timeOfDay(p.EndTime)
	if !isStart || !isEnd {
		return start, end, fmt.Errorf("%w: the times %q and %q of a callback period are not of the form HH:MM",
			ErrUndecodable, p.StartTime, p.EndTime)
	}
	if to <= from {
		to += 24 * time.Hour
	}
	return day.Add(from), day.Add(to), nil
}

// timeOfDay reads HH:MM, up to the 24:00 that ends a day.
func timeOfDay(text string) (time.Duration, bool) {
	if text == "24:00" {
		return 24 * time.Hour, true
	}
	t, err := time.Parse("15:04", text)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil
}

// firstMoment returns the first moment at which a clock in loc shows shown, a time
// in UTC, or a later time.
func firstMoment(shown time.Time, loc *time.Location) (time.Time, error) {
	if loc == nil {
		return time.Time{}, errors.New("calls: the location of a callback period is nil")
	}
	at := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), 0, 0, loc)
	begin, end := at.ZoneBounds()
	switch off := wallClock(at).Sub(shown); {
	case off > 0: // skipped, and taken for a time after the skip
		return begin, nil
	case off < 0: // skipped, and taken for a time before the skip
		return end, nil
	}
	if begin.IsZero() {
		return at, nil
	}
	_, before := begin.Add(-time.Second).Zone()
	if earlier := shown.Add(-time.Duration(before) * time.Second).In(loc); earlier.Before(begin) && wallClock(earlier).Equal(shown) {
		return earlier, nil
	}
	return at, nil
}

// wallClock returns what a clock shows at t, in UTC.
func wallClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}
