package calls_test

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/ccaip-go/calls"
)

func TestTimesOfACallbackPeriod(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, zone       string
		date, start, end string
		wantStart        string
		wantEnd          string
	}{
		{"the documented one, in UTC", "UTC", "20260225", "17:30", "17:45", "2026-02-25T17:30:00Z", "2026-02-25T17:45:00Z"},
		{"in winter", "America/New_York", "20260225", "17:30", "17:45", "2026-02-25T22:30:00Z", "2026-02-25T22:45:00Z"},
		{"in summer", "Europe/Berlin", "20260725", "17:30", "17:45", "2026-07-25T15:30:00Z", "2026-07-25T15:45:00Z"},
		{"half an hour off", "Asia/Kolkata", "20260225", "17:30", "17:45", "2026-02-25T12:00:00Z", "2026-02-25T12:15:00Z"},

		{"until midnight", "UTC", "20260225", "23:45", "00:00", "2026-02-25T23:45:00Z", "2026-02-26T00:00:00Z"},
		{"until midnight, as 24:00", "UTC", "20260225", "23:45", "24:00", "2026-02-25T23:45:00Z", "2026-02-26T00:00:00Z"},
		{"over midnight", "Europe/Berlin", "20261231", "23:50", "00:05", "2026-12-31T22:50:00Z", "2026-12-31T23:05:00Z"},
		{"a whole day", "UTC", "20240228", "09:00", "09:00", "2024-02-28T09:00:00Z", "2024-02-29T09:00:00Z"},
		{"over midnight into a skip", "America/New_York", "20260307", "23:00", "02:30", "2026-03-08T04:00:00Z", "2026-03-08T07:00:00Z"},

		// On March 8 the clocks of New York jump from 2:00 to 3:00, at 7:00 UTC.
		{"before a skip", "America/New_York", "20260308", "01:45", "02:00", "2026-03-08T06:45:00Z", "2026-03-08T07:00:00Z"},
		{"into a skip", "America/New_York", "20260308", "01:45", "02:15", "2026-03-08T06:45:00Z", "2026-03-08T07:00:00Z"},
		{"skipped", "America/New_York", "20260308", "02:00", "02:15", "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"},
		{"skipped, the last", "America/New_York", "20260308", "02:45", "03:00", "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"},
		{"after a skip", "America/New_York", "20260308", "03:00", "03:15", "2026-03-08T07:00:00Z", "2026-03-08T07:15:00Z"},
		{"skipped in Berlin", "Europe/Berlin", "20260329", "02:30", "03:15", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"},

		// On November 1 they go back from 2:00 to 1:00, at 6:00 UTC.
		{"before a repetition", "America/New_York", "20261101", "00:45", "01:00", "2026-11-01T04:45:00Z", "2026-11-01T05:00:00Z"},
		{"repeated", "America/New_York", "20261101", "01:00", "01:15", "2026-11-01T05:00:00Z", "2026-11-01T05:15:00Z"},
		{"repeated, the last", "America/New_York", "20261101", "01:45", "02:00", "2026-11-01T05:45:00Z", "2026-11-01T07:00:00Z"},
		{"after a repetition", "America/New_York", "20261101", "02:00", "02:15", "2026-11-01T07:00:00Z", "2026-11-01T07:15:00Z"},
		{"repeated in Berlin", "Europe/Berlin", "20261025", "02:00", "02:30", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"},
		{"after it in Berlin", "Europe/Berlin", "20261025", "03:00", "03:15", "2026-10-25T02:00:00Z", "2026-10-25T02:15:00Z"},

		{"half an hour skipped", "Australia/Lord_Howe", "20261004", "02:15", "02:45", "2026-10-03T15:30:00Z", "2026-10-03T15:45:00Z"},
		{"a day skipped", "Pacific/Apia", "20111230", "12:00", "13:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			loc, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			period := calls.CallbackPeriod{Date: tt.date, StartTime: tt.start, EndTime: tt.end}
			start, startErr := period.Start(loc)
			end, endErr := period.End(loc)
			if startErr != nil || endErr != nil {
				t.Fatal(startErr, endErr)
			}
			if got := start.UTC().Format(time.RFC3339); got != tt.wantStart || start.Location() != loc {
				t.Errorf("starts at %s (%v), want %s", got, start, tt.wantStart)
			}
			if got := end.UTC().Format(time.RFC3339); got != tt.wantEnd || end.Location() != loc {
				t.Errorf("ends at %s (%v), want %s", got, end, tt.wantEnd)
			}
		})
	}
}

// TestPeriodsOfADayAreContiguous has days with a change of the clocks. Periods of a
// quarter of an hour have no gap and no overlap.
func TestPeriodsOfADayAreContiguous(t *testing.T) {
	t.Parallel()
	for _, day := range []struct{ zone, date string }{
		{"America/New_York", "20260308"}, {"America/New_York", "20261101"}, {"Europe/Berlin", "20260329"}, {"Europe/Berlin", "20261025"},
		{"UTC", "20260225"}, {"Australia/Lord_Howe", "20260405"}, {"America/Sao_Paulo", "20181104"},
	} {
		loc, err := time.LoadLocation(day.zone)
		if err != nil {
			t.Fatal(err)
		}
		var last time.Time
		for minute := 0; minute < 24*60; minute += 15 {
			clock := func(m int) string {
				return time.Date(2000, 1, 1, 0, m, 0, 0, time.UTC).Format("15:04")
			}
			period := calls.CallbackPeriod{Date: day.date, StartTime: clock(minute), EndTime: clock(minute + 15)}
			start, err1 := period.Start(loc)
			end, err2 := period.End(loc)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if end.Before(start) || !last.IsZero() && !start.Equal(last) {
				t.Errorf("%s %s %s: from %v to %v, after %v", day.zone, day.date, period.StartTime, start, end, last)
			}
			last = end
		}
	}
}

func TestMalformedCallbackPeriods(t *testing.T) {
	t.Parallel()
	good := calls.CallbackPeriod{Date: "20260225", StartTime: "17:30", EndTime: "17:45"}
	for name, change := range map[string]func(*calls.CallbackPeriod){
		"no date":         func(p *calls.CallbackPeriod) { p.Date = "" },
		"another format":  func(p *calls.CallbackPeriod) { p.Date = "25.02.2026" },
		"February 30":     func(p *calls.CallbackPeriod) { p.Date = "20260230" },
		"no start":        func(p *calls.CallbackPeriod) { p.StartTime = "" },
		"no end":          func(p *calls.CallbackPeriod) { p.EndTime = "" },
		"the hour 25":     func(p *calls.CallbackPeriod) { p.StartTime = "25:00" },
		"the minute 60":   func(p *calls.CallbackPeriod) { p.EndTime = "17:60" },
		"after 24:00":     func(p *calls.CallbackPeriod) { p.EndTime = "24:15" },
		"a time and more": func(p *calls.CallbackPeriod) { p.EndTime = "17:45Z" },
	} {
		period := good
		change(&period)
		_, startErr := period.Start(time.UTC)
		_, endErr := period.End(time.UTC)
		if !errors.Is(startErr, calls.ErrUndecodable) || !errors.Is(endErr, calls.ErrUndecodable) {
			t.Errorf("%s: %v, %v", name, startErr, endErr)
		}
	}
	_, startErr := good.Start(nil)
	_, endErr := good.End(nil)
	if startErr == nil || endErr == nil {
		t.Errorf("without a location: %v, %v", startErr, endErr)
	}
}

func TestFreePeriods(t *testing.T) {
	t.Parallel()
	tests := []struct {
		scheduled, slots *int64
		free             bool
	}{
		{ptr[int64](0), ptr[int64](1), true},
		{ptr[int64](1), ptr[int64](2), true},
		{ptr[int64](1), ptr[int64](1), false},
		{ptr[int64](2), ptr[int64](1), false},
		{ptr[int64](0), ptr[int64](0), false},
		{nil, ptr[int64](1), false},
		{ptr[int64](0), nil, false},
		{nil, nil, false},
	}
	for _, tt := range tests {
		if p := (calls.CallbackPeriod{ScheduledCalls: tt.scheduled, MaxSlots: tt.slots}); p.Free() != tt.free {
			t.Errorf("%+v: Free returns %v", p, p.Free())
		}
	}
}
