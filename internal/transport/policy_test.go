package transport

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryAfterIsObeyed(t *testing.T) {
	const none = 0
	tests := []struct {
		name       string
		retryAfter string
		waits      time.Duration
		sent       int
	}{
		{"seconds", "7", 7 * time.Second, 2},
		{"the longest allowed", "60", time.Minute, 2},
		{"a date", time.Date(2000, 1, 1, 0, 0, 9, 0, time.UTC).Format(http.TimeFormat), 9 * time.Second, 2},
		{"beyond the cap", "61", none, 1},
		{"a date beyond the cap", "Fri, 31 Dec 2066 23:59:59 GMT", none, 1},
		{"more seconds than a Duration holds", "9223372036854775807", none, 1},
		{"more seconds than an integer holds", "99999999999999999999999", none, 1},
		{"a decimal, rounded up", "2.0", 2 * time.Second, 2},
		{"another decimal, rounded up", "2.25", 3 * time.Second, 2},
		{"negative", "-5", time.Second, 2},
		{"a date in the past", "Fri, 31 Dec 1999 23:59:59 GMT", time.Second, 2},
		{"not a number", "soon", time.Second, 2},
		{"zero", "0", time.Second, 2},
		{"no header", "", time.Second, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // begins at 2000-01-01
				rt := &script{steps: []step{tooMany(tt.retryAfter), respond(201)}}
				begin := time.Now()
				result := newTestSender(t, rt, nil).Send(t.Context(), createRequest())
				waited := time.Since(begin)
				switch {
				case len(rt.sent) != tt.sent:
					t.Fatalf("sent %d times, want %d", len(rt.sent), tt.sent)
				case waited != tt.waits:
					t.Errorf("waited %v, want %v", waited, tt.waits)
				}
				if tt.sent == 1 && (result.Response.RetryAfter <= time.Minute || result.Err != nil) {
					t.Errorf("RetryAfter = %v, Err = %v", result.Response.RetryAfter, result.Err)
				}
			})
		})
	}
}

func TestBackoffIsRandomBelowABoundThatDoubles(t *testing.T) {
	bounds := []time.Duration{200, 400, 800, 1600, 3200, 6400, 10000, 10000}
	for i, bound := range bounds {
		bound *= time.Millisecond
		var longest time.Duration
		for range 2000 {
			longest = max(longest, testPolicy.backoff(i+1))
		}
		if longest >= bound || longest < bound*9/10 {
			t.Errorf("attempt %d: the longest of many waits is %v, the bound is %v", i+1, longest, bound)
		}
	}
	if wait := testPolicy.backoff(1 << 40); wait > testPolicy.MaxWait || wait < 0 {
		t.Errorf("after very many attempts: %v", wait)
	}
	if wait := (Policy{MinWait: 1, MaxWait: 1<<63 - 1}).backoff(99); wait < 0 {
		t.Errorf("with the largest bound: %v", wait)
	}
}
