package bench

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// create sends one create request and returns the id in the decoded response. It
// builds the request anew each time, as an application would.
type create func(ctx context.Context) (id string, err error)

// peers are the clients compared. newCreate gets the server's base URL and the
// HTTP client to send through, which dials the loopback server whatever the URL.
var peers = []struct {
	name      string
	newCreate func(baseURL string, hc *http.Client) (create, error)
	wantID    string
}{
	{"floor", newFloor, "48210377"},
	{"floor-timeout", newFloorTimeout, "48210377"},
	{"go-retryablehttp", newRetryable, "48210377"},
	{"twilio-go", newTwilio, "CA00000000000000000000000000000001"},
	{"stripe-go", newStripe, "pi_bench0000000000000001"},
	{"go-github", newGitHub, "1347"},
	{"godo", newGodo, "48210377"},
	{"calls", newCalls, "48210377"},
	{"calls-number", newCallsNumber, "48210377"},
}

// newHTTPClient returns the HTTP client that every peer gets: one connection
// pool of its own, no proxy, no timeout. dials counts its connections.
func newHTTPClient(dials *atomic.Int64) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		dials.Add(1)
		var d net.Dialer
		return d.DialContext(ctx, "tcp", server.Host)
	}
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.Proxy = nil
	tr.DialContext = dial
	tr.DialTLSContext = dial // plain HTTP for https URLs too: twilio-go's host is fixed
	tr.MaxIdleConnsPerHost = tr.MaxIdleConns
	return &http.Client{Transport: tr}
}

func BenchmarkCreate(b *testing.B) {
	warmUp(b)
	for _, p := range peers {
		b.Run(p.name, func(b *testing.B) {
			hc := newHTTPClient(new(atomic.Int64))
			defer hc.CloseIdleConnections()
			do, err := p.newCreate(server.String(), hc)
			if err != nil {
				b.Fatal(err)
			}
			ctx := b.Context()
			if _, err := do(ctx); err != nil { // connects
				b.Fatal(err)
			}
			b.Run("serial", func(b *testing.B) {
				b.ReportAllocs()
				cpu := cpuTime()
				for b.Loop() {
					if _, err := do(ctx); err != nil {
						b.Fatal(err)
					}
				}
				reportCPU(b, cpu)
			})
			b.Run("parallel", func(b *testing.B) {
				b.ReportAllocs()
				b.SetParallelism(4)
				cpu := cpuTime()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := do(ctx); err != nil {
							b.Error(err)
							return
						}
					}
				})
				reportCPU(b, cpu)
			})
		})
	}
}

// warmUp sends what is not measured, so that the first client of a process does
// not pay for fresh memory, here and in the server.
func warmUp(b *testing.B) {
	b.Helper()
	hc := newHTTPClient(new(atomic.Int64))
	defer hc.CloseIdleConnections()
	do, err := newFloor(server.String(), hc)
	if err != nil {
		b.Fatal(err)
	}
	for range 2000 {
		if _, err := do(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// cpuTime is the CPU time, user and system, that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func reportCPU(b *testing.B, start time.Duration) {
	b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
}

// TestPeers checks what the comparison rests on: each peer decodes its response,
// and reuses its connection.
func TestPeers(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			var dials atomic.Int64
			hc := newHTTPClient(&dials)
			defer hc.CloseIdleConnections()
			do, err := p.newCreate(server.String(), hc)
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				id, err := do(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if id != p.wantID {
					t.Fatalf("id = %q, want %q", id, p.wantID)
				}
			}
			if n := dials.Load(); n != 1 {
				t.Errorf("20 requests made %d connections, want 1", n)
			}
		})
	}
}
