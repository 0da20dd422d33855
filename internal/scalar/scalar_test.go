package scalar_test

import (
	"testing"
	"time"

	"github.com/ccaip-go/calls/internal/scalar"
)

func TestInt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"397": 397, " 397 ": 397, "+397": 397, "-397": -397, "397.0": 397, "4e2": 400, "4E+2": 400, "1.3e1": 13, "0": 0, "-0": 0,
		"9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63, "9007199254740992.0": 1 << 53,
	} {
		if got, ok := scalar.Int(text); !ok || got != want {
			t.Errorf("%q: %d, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "x", "1x", "1.5", "0x10", "0x1p4", "1_000", "Inf", "NaN", "true", "1e400", "9223372036854775808", "9007199254740994.0", "٣"} {
		if got, ok := scalar.Int(text); ok || got != 0 {
			t.Errorf("%q: %d, %t", text, got, ok)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	second := time.Date(2019, 9, 10, 12, 19, 14, 0, time.UTC)
	milli := second.Add(421 * time.Millisecond)
	nano := second.Add(421123456)
	for text, want := range map[string]time.Time{
		"2019-09-10T12:19:14Z":           second,
		"2019-09-10T12:19:14.421Z":       milli,
		"2019-09-10T12:19:14,421Z":       milli,
		"2019-09-10T12:19:14.421123456Z": nano,
		"2019-09-10t12:19:14z":           second,
		"2019-09-10t12:19:14.421z":       milli,
		"2019-09-10T21:19:14+09:00":      second,
		"2019-09-10T21:19:14.421+0900":   milli,
		"2019-09-10T21:19:14+09":         second,
		"2019-09-10T07:49:14-04:30":      second,
		"2019-09-10T07:49:14-0430":       second,
		"2019-09-10 12:19:14Z":           second,
		"2019-09-10 12:19:14 UTC":        second,
		"2019-09-10 12:19:14 utc":        second,
		"2019-09-10 21:19:14 +0900":      second,
		"2019-09-10 21:19:14.421 +09:00": milli,
		"2019-09-10T21:19:14 +09:00":     second,
		"  2019-09-10T12:19:14Z\n":       second,
		"1568117954":                     second,
		"1568117954.421":                 milli,
		"1568117954421":                  milli,
		"1.568117954e9":                  second,
		" 1568117954 ":                   second,
		"1000000000":                     time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC),
		"9999999999999":                  time.Date(2286, 11, 20, 17, 46, 39, 999e6, time.UTC),
	} {
		if got, ok := scalar.Time(text); !ok || !got.Equal(want) {
			t.Errorf("%q: %s, %t; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "soon", "0", "1", "-1568117954", "20190910", "201909101219", "20190910121914", "999999999", "10000000000", "1568117954421000",
		"2019-09-10", "2019-09-10T12:19:14", "2019-09-10 12:19:14", "2019-13-10T12:19:14Z", "2019-09-10T12:19:14Zx", "Z", " Z", "true",
	} {
		if got, ok := scalar.Time(text); ok || !got.IsZero() {
			t.Errorf("%q: %s, %t", text, got, ok)
		}
	}
}
