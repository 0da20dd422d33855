package transport

import (
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Policy bounds the attempts at one request.
type Policy struct {
	MaxAttempts   int
	MinWait       time.Duration
	MaxWait       time.Duration
	MaxRetryAfter time.Duration
}

// backoff is exponential with full jitter: any wait between nothing and the
// bound that doubles with each attempt, so that clients that failed together do
// not come back together.
func (p Policy) backoff(attempts int) time.Duration {
	bound := p.MaxWait
	if doublings := attempts - 1; doublings < 62 && p.MinWait <= p.MaxWait>>doublings {
		bound = p.MinWait << doublings
	}
	return rand.N(max(bound, 1))
}

// retryAfter reads the Retry-After header: seconds, of which a fraction counts as
// a whole one, or a date. Unparsable and negative values are ignored.
func retryAfter(header http.Header, now func() time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil || isDigits(value) {
		if err != nil || seconds > uint64(math.MaxInt64/time.Second) {
			return math.MaxInt64
		}
		return time.Duration(seconds) * time.Second
	}
	if whole, fraction, isDecimal := strings.Cut(value, "."); isDecimal && isDigits(whole+fraction) {
		seconds, _ := strconv.ParseFloat(value, 64)
		return time.Duration(min(math.Ceil(seconds), math.MaxInt64/float64(2*time.Second))) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, date.Sub(now()))
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
