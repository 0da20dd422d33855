package callstest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
)

const (
	callsPath   = "/apps/api/v1/calls"
	listingPath = "/manager/api/v1/calls"

	outboundBody = `{"call_type":"Voice Outbound (API)","agent_email":"agent@example.com","end_user_number":"+1 859-657-9625","lang":"en"}`
	inboundBody  = `{"call_type":"Voice Inbound (API)","menu_id":9,"end_user_number":"+82-10-6861-2345","lang":"en"}`
)

// reply is a response whose body was read as far as it arrived.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of the request, or of reading the body
}

func do(s *callstest.Server, method, target, body string) reply {
	return doWith(s.HTTPClient(), s, method, target, body)
}

func doWith(client *http.Client, s *callstest.Server, method, target, body string) reply {
	r, err := http.NewRequest(method, s.URL()+target, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	r.SetBasicAuth(s.Subdomain(), s.Token())
	response, err := client.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: string(read), err: err}
}

func (r reply) message(t *testing.T) string {
	t.Helper()
	var m struct{ Message string }
	r.decode(t, &m)
	return m.Message
}

func (r reply) decode(t *testing.T, into any) {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
}

func wantStatus(t *testing.T, r reply, status int) {
	t.Helper()
	if r.err != nil || r.status != status {
		t.Fatalf("got %d %s, %v; want %d", r.status, r.body, r.err, status)
	}
}

// clock is a clock that stands still until a test moves it.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock {
	return &clock{t: time.Date(2019, 9, 10, 0, 19, 14, 0, time.UTC)} // before the documented scheduled_at
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type example struct {
	ID       string
	Status   int
	Response map[string]any
}

func documented(t *testing.T) []example {
	t.Helper()
	raw, err := os.ReadFile("../testdata/examples.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []example
	if err := json.Unmarshal(raw, &examples); err != nil {
		t.Fatal(err)
	}
	return examples
}

// eventually waits until a condition that another goroutine changes is true.
func eventually(t *testing.T, isTrue func() bool) {
	t.Helper()
	for !isTrue() {
		if t.Context().Err() != nil {
			t.Fatal("the test ended before the condition was true")
		}
		runtime.Gosched()
	}
}

// contextUntil returns a context that is canceled when a condition is true.
func contextUntil(t *testing.T, isTrue func() bool) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !isTrue() && ctx.Err() == nil {
			runtime.Gosched()
		}
		cancel()
	}()
	return ctx, cancel
}
