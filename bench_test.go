package calls_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers/v2"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/internal/flex"
)

// The benchmarks have two floors: the cost of doing the same with net/http without
// validation ("floor"), and the lowest cost of a typed client ("lighter floor"). See
// docs/performance.md.

var (
	benchByTicket = calls.OutboundRequest{
		AgentEmail: "agent@example.com", TicketID: "71450", Lang: "en",
	}
	benchByNumber = calls.OutboundRequest{
		AgentEmail: "agent@example.com", EndUserNumber: "+1 859-657-9625", Lang: "en",
	}
	benchInbound = calls.InboundRequest{
		MenuID: 9, EndUserNumber: "+82-10-6861-2345", TicketID: "76517", Lang: "en",
		RecordingPermission: calls.RecordingPermissionGranted,
	}
	benchScheduled = calls.ScheduledRequest{
		MenuID: 9, EndUserNumber: "+82-10-6861-2345", TicketID: "76517", Lang: "fr-CA",
		ScheduledAt: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
)

// documentedResponse returns the response of a documented example.
func documentedResponse(tb testing.TB, id string) []byte {
	tb.Helper()
	for _, e := range readExamples(tb) {
		if e.ID == id {
			return e.Response
		}
	}
	tb.Fatalf("no documented example %q", id)
	return nil
}

const createdByTicket = "outbound/created_by_ticket_id"

// BenchmarkValidate measures encoding and validation, without sending.
func BenchmarkValidate(b *testing.B) {
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token")
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name    string
		request calls.CreateRequest
	}{
		{"outbound by ticket", benchByTicket},
		{"outbound by number", benchByNumber},
		{"inbound", benchInbound},
		{"scheduled", benchScheduled},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := client.Validate(bb.request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("floor: encoding by ticket", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(floorBody()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor: phonenumbers on one number", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			number, err := phonenumbers.Parse(benchByNumber.EndUserNumber, "")
			if err != nil || !phonenumbers.IsPossibleNumber(number) {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDecode measures decoding a created call.
func BenchmarkDecode(b *testing.B) {
	body := documentedResponse(b, createdByTicket)
	malformed := bytes.Replace(body, []byte(`"rating": null`), []byte(`"rating": "4"`), 1)
	if bytes.Equal(malformed, body) {
		b.Fatal("the example has no rating")
	}
	for _, bb := range []struct {
		name string
		body []byte
	}{{"as documented", body}, {"with a malformed field", malformed}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var call calls.Call
				if err := flex.Decode(bb.body, &call); err != nil || call.ID != 398 {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("floor: encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var call calls.Call
			if err := json.Unmarshal(body, &call); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkErrorMapping measures finding the sentinel of a message.
func BenchmarkErrorMapping(b *testing.B) {
	for _, message := range []string{
		"Agent email required",
		"Language 'fr' is not available",
		"Menu is in 'after hours' state, can't accept incoming calls",
		"An unknown message",
	} {
		b.Run(message, func(b *testing.B) {
			err := &calls.APIError{StatusCode: 400, Message: message}
			b.ReportAllocs()
			for b.Loop() {
				if err.Unwrap() == nil {
					b.Fatal("no sentinel")
				}
			}
		})
	}
}

// BenchmarkCreate measures a whole create over loopback, beside the floors.
func BenchmarkCreate(b *testing.B) {
	server := benchServer(b)
	client := benchClient(b, server.URL, server.Client())

	create := func(request calls.OutboundRequest) func() error {
		return func() error {
			result, err := client.CreateOutbound(context.Background(), request)
			if err == nil && result.Call.ID != 398 {
				err = fmt.Errorf("call %d", result.Call.ID)
			}
			return err
		}
	}
	for _, bb := range []struct {
		name string
		op   func() error
	}{
		{"floor", func() error { return floorCreate(server.Client(), server.URL) }},
		{"lighter floor", func() error { return lighterFloorCreate(server.Client(), server.URL) }},
		{"by ticket", create(benchByTicket)},
		{"by number", create(benchByNumber)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				if err := bb.op(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// benchServer creates every call at once.
func benchServer(b *testing.B) *httptest.Server {
	created := documentedResponse(b, createdByTicket)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(created)
	}))
	b.Cleanup(server.Close)
	return server
}

// BenchmarkTenants has 1,000 Clients, as of 1,000 customers, create calls on one
// http.Transport, each at its default pace of ten a second.
func BenchmarkTenants(b *testing.B) {
	const tenants = 1000
	server := benchServer(b)
	transport := &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}
	for b.Loop() {
		goroutines, heap := runtime.NumGoroutine(), heapInUse()
		clients := make([]*calls.Client, tenants)
		for i := range clients {
			var err error
			clients[i], err = calls.NewClient(fmt.Sprint("customer", i), "uc1.ccaiplatform.com", "token",
				calls.WithBaseURL(server.URL), calls.WithHTTPClient(&http.Client{Transport: transport}))
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(heapInUse()-heap)/tenants, "B/client")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")

		const lasts = 10 * time.Second
		var created atomic.Int64
		var wg sync.WaitGroup
		begin, cpu := time.Now(), cpuTime()
		for _, client := range clients {
			wg.Go(func() {
				for time.Since(begin) < lasts {
					if _, err := client.CreateOutbound(context.Background(), benchByTicket); err != nil {
						b.Error(err)
						return
					}
					created.Add(1)
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(created.Load())/time.Since(begin).Seconds(), "creates/s")
		b.ReportMetric((cpuTime()-cpu).Seconds()/time.Since(begin).Seconds(), "cores")
		transport.CloseIdleConnections()
		b.ReportMetric(float64(heapInUse()-heap)/tenants, "B/used-client")
		runtime.KeepAlive(clients)
	}
}

// BenchmarkListCalls lists 100,000 calls. It reports how much memory is in use after the
// first page, and how much more at the end.
func BenchmarkListCalls(b *testing.B) {
	const total, perPage = 100_000, 100
	object := string(documentedResponse(b, createdByTicket))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		objects := make([]string, perPage)
		for i := range objects {
			objects[i] = strings.Replace(object, `"id": 398`, fmt.Sprintf(`"id": %d`, (page-1)*perPage+i+1), 1)
		}
		if page < total/perPage {
			w.Header().Set("Link", fmt.Sprintf(`<?page=%d>; rel="next"`, page+1))
		} else {
			w.Header().Set("Link", `<?page=1>; rel="first"`)
		}
		fmt.Fprintf(w, "[%s]", strings.Join(objects, ","))
	}))
	defer server.Close()
	client := benchClient(b, server.URL, server.Client())
	for b.Loop() {
		n, begin := 0, uint64(0)
		for _, err := range client.ListCalls(context.Background(), calls.ListOptions{}) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == perPage+1 {
				begin = heapInUse()
			}
		}
		if n != total {
			b.Fatalf("%d calls", n)
		}
		b.ReportMetric(float64(int64(heapInUse())-int64(begin)), "B-grown")
		b.ReportMetric(float64(begin), "B-in-use")
	}
}

// heapInUse returns the bytes of the heap after a garbage collection.
func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func benchClient(b *testing.B, root string, client *http.Client) *calls.Client {
	b.Helper()
	c, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token",
		calls.WithBaseURL(root), calls.WithHTTPClient(client), calls.WithRateLimiter(nil))
	if err != nil {
		b.Fatal(err)
	}
	return c
}

type floorRequest struct {
	CallType   string `json:"call_type"`
	AgentEmail string `json:"agent_email,omitempty"`
	TicketID   string `json:"ticket_id,omitempty"`
	Lang       string `json:"lang,omitempty"`
}

func floorBody() floorRequest {
	return floorRequest{"Voice Outbound (API)", benchByTicket.AgentEmail, benchByTicket.TicketID, benchByTicket.Lang}
}

// floorCreate creates a call with net/http: the same JSON, the same type to decode into, a
// timeout.
func floorCreate(client *http.Client, root string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var call calls.Call
	return floorPost(ctx, client, root, &call)
}

// lighterFloorCreate has no timeout and decodes into plain structs.
func lighterFloorCreate(client *http.Client, root string) error {
	var call plainCall
	return floorPost(context.Background(), client, root, &call)
}

func floorPost(ctx context.Context, client *http.Client, root string, call any) error {
	body, err := json.Marshal(floorBody())
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, root+"/apps/api/v1/calls", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.SetBasicAuth("customer", "token")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "floor")
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, call)
}

// plainCall is the documented created call without a difference between null, absent and
// zero.
type plainCall struct {
	ID                  int64              `json:"id"`
	Lang                string             `json:"lang"`
	CallType            string             `json:"call_type"`
	Status              string             `json:"status"`
	CreatedAt           time.Time          `json:"created_at"`
	QueuedAt            time.Time          `json:"queued_at"`
	AssignedAt          time.Time          `json:"assigned_at"`
	ConnectedAt         time.Time          `json:"connected_at"`
	EndsAt              time.Time          `json:"ends_at"`
	ScheduledAt         time.Time          `json:"scheduled_at"`
	WaitDuration        int                `json:"wait_duration"`
	CallDuration        int                `json:"call_duration"`
	HoldDuration        int                `json:"hold_duration"`
	Rating              int                `json:"rating"`
	HasFeedback         bool               `json:"has_feedback"`
	VoIPProvider        string             `json:"voip_provider"`
	OutTicketID         string             `json:"out_ticket_id"`
	OutTicketURL        string             `json:"out_ticket_url"`
	Verified            bool               `json:"verified"`
	RecordingURL        string             `json:"recording_url"`
	RecordingPermission string             `json:"recording_permission"`
	VoicemailReason     string             `json:"voicemail_reason"`
	Deflection          string             `json:"deflection"`
	DisconnectedBy      string             `json:"disconnected_by"`
	FailReason          string             `json:"fail_reason"`
	FailDetails         string             `json:"fail_details"`
	SupportNumber       string             `json:"support_number"`
	AgentInfo           plainAgent         `json:"agent_info"`
	EndUser             plainEndUser       `json:"end_user"`
	Participants        []plainParticipant `json:"participants"`
	OfferType           string             `json:"offer_type"`
	AnswerType          string             `json:"answer_type"`
	OutboundNumber      string             `json:"outbound_number"`
}

type plainAgent struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	LastName    string `json:"last_name"`
	FirstName   string `json:"first_name"`
	AgentNumber string `json:"agent_number"`
	AvatarURL   string `json:"avatar_url"`
}

type plainEndUser struct {
	ID           int64  `json:"id"`
	Identifier   string `json:"identifier"`
	OutContactID string `json:"out_contact_id"`
}

type plainParticipant struct {
	ID           int64     `json:"id"`
	Type         string    `json:"type"`
	Status       string    `json:"status"`
	CallID       int64     `json:"call_id"`
	UserID       int64     `json:"user_id"`
	EndUserID    int64     `json:"end_user_id"`
	CallDuration int       `json:"call_duration"`
	HoldDuration int       `json:"hold_duration"`
	ConnectedAt  time.Time `json:"connected_at"`
	EndedAt      time.Time `json:"ended_at"`
	FailReason   string    `json:"fail_reason"`
}

// cpuTime returns the CPU time of this process on all cores.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
