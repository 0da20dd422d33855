package callstest

import (
	"bytes"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A Request is one delivery: a request whose head and body the double has read,
// whatever it did then.
type Request struct {
	Method string
	Path   string
	Query  string // as it was sent, without the question mark
	Header http.Header
	Body   []byte    // at most 1 MiB; what arrived of it
	At     time.Time // by the double's clock
}

// journal keeps the requests in the order of their arrival. It is safe for
// concurrent use.
type journal struct {
	limit int // requests a second; 0: unlimited

	mu       sync.Mutex
	requests []Request
}

// note reports whether r goes over the rate limit.
func (j *journal) note(r Request) (tooMany bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.requests) - j.limit; j.limit > 0 && n >= 0 {
		tooMany = r.At.Sub(j.requests[n].At) < time.Second
	}
	j.requests = append(j.requests, r)
	return tooMany
}

func (j *journal) all() []Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	requests := slices.Clone(j.requests)
	for i := range requests {
		requests[i].Header = requests[i].Header.Clone()
		requests[i].Body = bytes.Clone(requests[i].Body)
	}
	return requests
}
