package events_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls/events"
)

const (
	user     = "ccaip"
	password = "p:ä ss"
)

// inbox records the events that it receives.
type inbox struct {
	mu     sync.Mutex
	events []events.Event
}

func (i *inbox) receive(_ context.Context, e events.Event) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.events = append(i.events, e)
	return nil
}

func (i *inbox) received() []events.Event {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.events)
}

func (i *inbox) callIDs() []int64 {
	var ids []int64
	for _, e := range i.received() {
		ids = append(ids, e.CallID)
	}
	return ids
}

var quiet = events.WithLogger(nil)

func newServer(t testing.TB, receive func(context.Context, events.Event) error, opts ...events.Option) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(events.Handler(user, password, receive, append([]events.Option{quiet}, opts...)...))
	t.Cleanup(server.Close)
	return server
}

func newRequest(t testing.TB, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(user, password)
	return r
}

// post returns a response whose body was read into memory.
func post(t testing.TB, server *httptest.Server, body string) *http.Response {
	t.Helper()
	return send(t, server, newRequest(t, server.URL, body))
}

func send(t testing.TB, server *httptest.Server, r *http.Request) *http.Response {
	t.Helper()
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response
}

func wantStatus(t testing.TB, response *http.Response, status int) {
	t.Helper()
	if response.StatusCode != status {
		text, _ := io.ReadAll(response.Body)
		t.Errorf("got %s %q, want %d", response.Status, text, status)
	}
}

const oneEvent = `{"count":1,"events":[{"event_id":"a","call_id":397}]}`

func TestOtherRequestsAreRefused(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	auth := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	method := func(name string) func(*http.Request) { return func(r *http.Request) { r.Method = name } }
	as := func(*http.Request) {}
	tests := []struct {
		name   string
		change func(*http.Request)
		body   string
		status int
	}{
		{"no credentials", func(r *http.Request) { r.Header.Del("Authorization") }, oneEvent, 401},
		{"another password", auth(user, password+"x"), oneEvent, 401},
		{"half a password", auth(user, password[:3]), oneEvent, 401},
		{"no password", auth(user, ""), oneEvent, 401},
		{"another user", auth("x", password), oneEvent, 401},
		{"the user with another case", auth("CCAIP", password), oneEvent, 401},
		{"user and password swapped", auth(password, user), oneEvent, 401},
		{"a token", header("Authorization", "Bearer "+password), oneEvent, 401},
		{"credentials that are not base64", header("Authorization", "Basic ccaip:p"), oneEvent, 401},
		{"GET", method("GET"), "", 405},
		{"PUT", method("PUT"), oneEvent, 405},
		{"HEAD", method("HEAD"), "", 405},
		{"no content type", func(r *http.Request) { r.Header.Del("Content-Type") }, oneEvent, 415},
		{"a form", header("Content-Type", "application/x-www-form-urlencoded"), oneEvent, 415},
		{"text", header("Content-Type", "text/plain; charset=utf-8"), oneEvent, 415},
		{"an invalid content type", header("Content-Type", "/"), oneEvent, 415},
		{"too large", as, `{"events":[],"x":"` + strings.Repeat("x", events.MaxBody) + `"}`, 413},
		{"too large by white space", as, oneEvent + strings.Repeat(" ", events.MaxBody), 413},
		{"nothing", as, "", 400},
		{"not JSON", as, "event_id=a", 400},
		{"half of it", as, oneEvent[:20], 400},
		{"two documents", as, oneEvent + oneEvent, 400},
		{"null", as, "null", 400},
		{"an array", as, `[{"event_id":"a"}]`, 400},
		{"an event alone", as, `{"event_id":"a","call_id":397}`, 400},
		{"events that are null", as, `{"count":0,"events":null}`, 400},
		{"events that are an object", as, `{"events":{"event_id":"a","call_id":1}}`, 400},
		{"entries that are not events", as, `{"events":[null,1,"x",[],{},{"message":"hello"}]}`, 400},
	}
	var inbox inbox
	server := newServer(t, inbox.receive)
	for _, test := range tests {
		r := newRequest(t, server.URL, test.body)
		test.change(r)
		response := send(t, server, r)
		if response.StatusCode != test.status {
			t.Errorf("%s: %s, want %d", test.name, response.Status, test.status)
		}
		if challenge := response.Header.Get("WWW-Authenticate"); (test.status == 401) != strings.HasPrefix(challenge, "Basic realm=") {
			t.Errorf("%s: WWW-Authenticate is %q", test.name, challenge)
		}
		if allow := response.Header.Get("Allow"); test.status == 405 && allow != "POST" {
			t.Errorf("%s: Allow is %q", test.name, allow)
		}
	}
	if got := inbox.received(); len(got) != 0 {
		t.Errorf("received %v", got)
	}
}

func TestABodyThatEndsEarlyIsRefused(t *testing.T) {
	t.Parallel()
	var inbox inbox
	r := newRequest(t, "/", "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(oneEvent), iotest.ErrReader(io.ErrUnexpectedEOF)))
	w := httptest.NewRecorder()
	events.Handler(user, password, inbox.receive, quiet).ServeHTTP(w, r)
	if w.Code != 400 || len(inbox.received()) != 0 {
		t.Errorf("got %d, received %v", w.Code, inbox.received())
	}
}

func TestContentTypesOfJSON(t *testing.T) {
	t.Parallel()
	server := newServer(t, new(inbox).receive)
	for _, contentType := range []string{"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8;", "application/json; charset"} {
		r := newRequest(t, server.URL, oneEvent)
		r.Header.Set("Content-Type", contentType)
		if response := send(t, server, r); response.StatusCode != 200 {
			t.Errorf("%s: %s", contentType, response.Status)
		}
	}
}

func TestAcceptedBodies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       []int64
	}{
		{"no events", `{"count":0,"events":[]}`, nil},
		{"a wrong count", `{"count":7,"events":[{"call_id":1}]}`, []int64{1}},
		{"no count", `{"events":[{"call_id":1}]}`, []int64{1}},
		{"a byte order mark", "\ufeff" + `{"events":[{"call_id":1}]}`, []int64{1}},
		{"the order of the events", `{"events":[{"call_id":3},{"call_id":1},{"call_id":2}]}`, []int64{3, 1, 2}},
		{"a duplicate in the same request", `{"events":[{"event_id":"a","call_id":1},{"event_id":"a","call_id":1},{"event_id":"b","call_id":2}]}`, []int64{1, 2}},
		{"equal events without an id", `{"events":[{"call_id":1},{"call_id":1}]}`, []int64{1, 1}},
	}
	for _, test := range tests {
		var inbox inbox
		response := post(t, newServer(t, inbox.receive), test.body)
		if got := inbox.callIDs(); response.StatusCode != 200 || !slices.Equal(got, test.want) {
			t.Errorf("%s: %s, received %v, want %v", test.name, response.Status, got, test.want)
		}
	}
}

func TestAMalformedEntryLosesNoEvent(t *testing.T) {
	t.Parallel()
	var inbox inbox
	server := newServer(t, inbox.receive)
	wantStatus(t, post(t, server, `{"events":[7,{"event_id":"a","call_id":1},{},{"event_id":"b","call_id":2}]}`), 400)
	if got := inbox.callIDs(); !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("received %v, want 1 and 2", got)
	}
}

// TestAFailedReceiveIsRetried has a receive function that fails once for call 2.
func TestAFailedReceiveIsRetried(t *testing.T) {
	t.Parallel()
	const body = `{"events":[{"event_id":"a","call_id":1},{"event_id":"b","call_id":2},{"event_id":"c","call_id":3},"not an event"]}`
	for name, fail := range map[string]func() error{
		"error":         func() error { return errors.New("the queue is full") },
		"panic":         func() error { panic("the queue is closed") },
		"panic of nil":  func() error { panic(nil) },
		"abort":         func() error { panic(http.ErrAbortHandler) },
		"runtime error": func() error { return (*inbox)(nil).receive(t.Context(), events.Event{}) },
	} {
		var inbox inbox
		failed := false
		server := newServer(t, func(ctx context.Context, e events.Event) error {
			if e.CallID == 2 && !failed {
				failed = true
				return fail()
			}
			return inbox.receive(ctx, e)
		})
		if response := post(t, server, body); response.StatusCode != 500 {
			t.Errorf("%s: %s, want 500", name, response.Status)
		}
		if response := post(t, server, body); response.StatusCode != 400 {
			t.Errorf("%s: %s for the retry, want 400 for the entry that is not an event", name, response.Status)
		}
		if got := inbox.callIDs(); !slices.Equal(got, []int64{1, 3, 2}) {
			t.Errorf("%s: received %v, want 1, 3 and, by the retry, 2", name, got)
		}
	}
}

func TestAReceiveThatEndsItsGoroutineIsRetried(t *testing.T) {
	t.Parallel()
	var inbox inbox
	first := true
	server := newServer(t, func(ctx context.Context, e events.Event) error {
		if first {
			first = false
			runtime.Goexit()
		}
		return inbox.receive(ctx, e)
	})
	if response, err := server.Client().Do(newRequest(t, server.URL, oneEvent)); err == nil {
		t.Errorf("the connection was not closed: %s", response.Status)
	}
	wantStatus(t, post(t, server, oneEvent), 200)
	if got := inbox.callIDs(); !slices.Equal(got, []int64{397}) {
		t.Errorf("received %v", got)
	}
}

func TestTheContextEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	started, ended := make(chan struct{}), make(chan error)
	server := newServer(t, func(ctx context.Context, e events.Event) error {
		if e.CallID != 1 {
			t.Errorf("received %v after the end of the request", e)
		}
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	r := newRequest(t, server.URL, `{"events":[{"call_id":1},{"call_id":2}]}`).WithContext(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = server.Client().Do(r)
	}()
	<-started
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the context ended with %v", err)
	}
	<-done
	server.Close() // waits for the handler
}

func TestAMisconfiguredHandlerReceivesNothing(t *testing.T) {
	t.Parallel()
	receive := func(context.Context, events.Event) error {
		t.Error("an event was received")
		return nil
	}
	tests := []struct {
		name, user, password string
		receive              func(context.Context, events.Event) error
		options              []events.Option
	}{
		{"no user", "", password, receive, nil},
		{"no password", user, "", receive, nil},
		{"neither", "", "", receive, nil},
		{"a user with a colon", "a:b", password, receive, nil},
		{"no receive", user, password, nil, nil},
		{"a nil option", user, password, receive, []events.Option{nil}},
	}
	for _, test := range tests {
		var log bytes.Buffer
		logger := events.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
		handler := events.Handler(test.user, test.password, test.receive, append([]events.Option{logger}, test.options...)...)
		if !strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("%s: logged %q", test.name, log.String())
		}
		for _, withAuth := range []bool{true, false} {
			r := newRequest(t, "/", oneEvent)
			r.SetBasicAuth(test.user, test.password)
			if !withAuth {
				r.Header.Del("Authorization")
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != 503 {
				t.Errorf("%s: %d, want 503", test.name, w.Code)
			}
		}
	}
}

// TestNothingPrivateIsLoggedOrSent has private data in every part of a request and in
// errors of receive.
func TestNothingPrivateIsLoggedOrSent(t *testing.T) {
	t.Parallel()
	private := []string{"8596579625", "Quentin", "lock", "agent@example.com", "vip", password}
	const event = `{"event_id":"6f1c2d3e-0000-4000-8000-000000000001","call_id":397,"state":"+18596579625","participants":[{"dn":"+18596579625","agent_name":"Quentin"}],
		"dispositions":{"code":"vip","note":"lock, agent@example.com"}}`
	var log, output bytes.Buffer
	for name, receive := range map[string]func(context.Context, events.Event) error{
		"nil":   func(context.Context, events.Event) error { return nil },
		"error": func(_ context.Context, e events.Event) error { return fmt.Errorf("cannot store %s", e.RawJSON()) },
		"panic": func(_ context.Context, e events.Event) error { panic(string(e.RawJSON())) },
		"prints": func(_ context.Context, e events.Event) error {
			fmt.Fprintf(&output, "%v %+v %#v %s %q %x %v", e, e, e, e, e.Participants, e.Dispositions, &e)
			slog.New(slog.NewJSONHandler(&output, nil)).Info("received", "event", e, "participant", e.Participants[0], "disposition", e.Dispositions[0])
			return nil
		},
	} {
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		handler := events.Handler(user, password, receive, events.WithLogger(logger))
		for _, body := range []string{`{"events":[` + event + `,` + event + `,"Quentin"]}`, event, `{"events":[` + event, `Quentin`} {
			for _, p := range []string{password, password + "x"} {
				r := newRequest(t, "/", body)
				r.SetBasicAuth(user, p)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				output.Write(w.Body.Bytes())
			}
		}
		if name != "prints" && !strings.Contains(log.String(), "call_id=397") {
			t.Errorf("%s: the call is not in the log: %s", name, log.String())
		}
	}
	for _, word := range private {
		if strings.Contains(log.String(), word) {
			t.Errorf("%q was logged: %s", word, log.String())
		}
		if strings.Contains(output.String(), word) {
			t.Errorf("%q was sent or printed: %s", word, output.String())
		}
	}
}

func TestDuplicatesAreDropped(t *testing.T) {
	t.Parallel()
	var inbox inbox
	server := newServer(t, inbox.receive)
	for range 3 {
		wantStatus(t, post(t, server, oneEvent), 200)
		wantStatus(t, post(t, server, `{"Events":[{"EventID":"a","Item":{"CallID":397}},{"event_id":"b","call_id":398},{"call_id":399}]}`), 200)
	}
	if got, want := inbox.callIDs(), []int64{397, 398, 399, 399, 399}; !slices.Equal(got, want) {
		t.Errorf("received %v, want %v", got, want)
	}
}

// TestADuplicateWaitsForTheFirst posts an event twice. The first receive takes a minute.
func TestADuplicateWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	for name, firstErr := range map[string]error{"succeeds": nil, "fails": errors.New("the queue is full")} {
		synctest.Test(t, func(t *testing.T) {
			var receives atomic.Int32
			handler := events.Handler(user, password, func(context.Context, events.Event) error {
				if receives.Add(1) == 1 {
					time.Sleep(time.Minute)
					return firstErr
				}
				return nil
			}, quiet)
			start := time.Now()
			first, second := httptest.NewRecorder(), httptest.NewRecorder()
			done := make(chan struct{})
			go func() {
				defer close(done)
				handler.ServeHTTP(first, newRequest(t, "/", oneEvent))
			}()
			synctest.Wait()
			handler.ServeHTTP(second, newRequest(t, "/", oneEvent))
			if waited := time.Since(start); waited != time.Minute {
				t.Errorf("%s: the duplicate got a response after %v", name, waited)
			}
			<-done
			wantFirst, wantReceives := 200, int32(1)
			if firstErr != nil {
				wantFirst, wantReceives = 500, 2
			}
			if first.Code != wantFirst || second.Code != 200 || receives.Load() != wantReceives {
				t.Errorf("%s: %d, %d, received %d times", name, first.Code, second.Code, receives.Load())
			}
		})
	}
}

func TestADuplicateStopsWaitingWithItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		handler := events.Handler(user, password, func(context.Context, events.Event) error {
			<-release
			return nil
		}, quiet)
		go handler.ServeHTTP(httptest.NewRecorder(), newRequest(t, "/", oneEvent))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		duplicate := httptest.NewRecorder()
		handler.ServeHTTP(duplicate, newRequest(t, "/", oneEvent).WithContext(ctx))
		if duplicate.Code < 500 {
			t.Errorf("got %d before the first was received", duplicate.Code)
		}
		close(release)
	})
}

// TestASlowReceiveDelaysNoOther has an event that is being received while others arrive.
func TestASlowReceiveDelaysNoOther(t *testing.T) {
	t.Parallel()
	release, started := make(chan struct{}), make(chan struct{})
	var inbox inbox
	server := newServer(t, func(ctx context.Context, e events.Event) error {
		if e.CallID == 397 {
			close(started)
			<-release
		}
		return inbox.receive(ctx, e)
	})
	var slow sync.WaitGroup
	slow.Go(func() { wantStatus(t, post(t, server, oneEvent), 200) })
	<-started
	wantStatus(t, post(t, server, `{"events":[{"event_id":"b","call_id":398},{"call_id":399}]}`), 200)
	close(release)
	slow.Wait()
	if got, want := inbox.callIDs(), []int64{398, 399, 397}; !slices.Equal(got, want) {
		t.Errorf("received %v, want %v", got, want)
	}
}

// TestEachEventIsReceivedOnce has senders that send the same events until they are
// accepted. receive fails at the first two tries of each event, with an error and a panic.
func TestEachEventIsReceivedOnce(t *testing.T) {
	t.Parallel()
	const senders, distinct = 8, 40
	var mu sync.Mutex
	tries, successes := map[string]int{}, map[string]int{}
	server := newServer(t, func(_ context.Context, e events.Event) error {
		mu.Lock()
		defer mu.Unlock()
		switch tries[e.EventID]++; tries[e.EventID] {
		case 1:
			return errors.New("not yet")
		case 2:
			panic("not yet")
		}
		successes[e.EventID]++
		return nil
	})
	isReceived := func(id string) bool {
		mu.Lock()
		defer mu.Unlock()
		return successes[id] > 0
	}
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for i := range distinct {
				id := fmt.Sprint("event-", (i+sender*5)%distinct)
				body := `{"events":[{"call_id":1,"event_id":"` + id + `"}]}`
				for post(t, server, body).StatusCode != 200 {
				}
				if !isReceived(id) {
					t.Errorf("%s was accepted before it was received", id)
				}
			}
		})
	}
	all.Wait()
	for i := range distinct {
		if id := fmt.Sprint("event-", i); successes[id] != 1 {
			t.Errorf("%s was received %d times", id, successes[id])
		}
	}
}
