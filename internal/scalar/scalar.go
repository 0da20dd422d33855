// Package scalar reads integers and times in every form that systems write them.
package scalar

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Int returns the whole number that text is. It can have a fraction of zero or an
// exponent, such as 397.0 or 4e2, if it is at most 2^53: above that only plain
// digits are exact.
func Int(text string) (n int64, ok bool) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	const exact = 1 << 53
	f, ok := number(text)
	if !ok || f != math.Trunc(f) || math.Abs(f) > exact {
		return 0, false
	}
	return int64(f), true
}

func number(text string) (f float64, ok bool) {
	if strings.Trim(text, "+-.0123456789Ee") != "" { // ParseFloat reads more than JSON has
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// Time returns the time that text is: a date and time with a time zone by RFC 3339
// or ISO 8601, also with a space or a lower-case t between them and the zone as
// z, UTC, +0900 or +09; or the seconds or milliseconds since 1970.
//
// A number of ten digits is seconds, one of thirteen is milliseconds. Both reach
// from September 2001 to November 2286. Other numbers, like 0 or 20190910, are
// not times.
func Time(text string) (t time.Time, ok bool) {
	text = strings.TrimSpace(text)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	if f, ok := number(text); ok {
		return epoch(f)
	}
	date, rest, _ := strings.Cut(strings.ToUpper(text), " ")
	if rest != "" && !strings.Contains(date, "T") {
		date += "T"
	}
	text = strings.Replace(date+strings.ReplaceAll(rest, " ", ""), "UTC", "Z", 1)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func epoch(f float64) (t time.Time, ok bool) {
	switch {
	case f >= 1e9 && f < 1e10:
		f *= 1e6
	case f >= 1e12 && f < 1e13:
		f *= 1e3
	default:
		return time.Time{}, false
	}
	return time.UnixMicro(int64(math.Round(f))).UTC(), true
}
