package calls_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// list returns the ids and the error of a listing. It runs meanwhile, if it is not nil,
// after each call.
func list(ctx context.Context, client *calls.Client, opts calls.ListOptions, meanwhile func()) (ids []int64, err error) {
	for call, err := range client.ListCalls(ctx, opts) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, call.ID)
		if meanwhile != nil {
			meanwhile()
		}
	}
	return ids, nil
}

func TestQueriesOfListCalls(t *testing.T) {
	since := time.Date(2019, 9, 10, 7, 12, 26, 0, time.FixedZone("CEST", 7200))
	tests := map[string]struct {
		opts calls.ListOptions
		want url.Values
	}{
		"no options": {calls.ListOptions{}, url.Values{"page": {"1"}, "per": {"100"}}},
		"all options": {
			calls.ListOptions{UpdatedSince: since, SortBy: "created_at", Descending: true, PerPage: 7},
			url.Values{"page": {"1"}, "per": {"7"}, "sort_column": {"created_at"}, "sort_direction": {"DESC"}, "updated_at[from]": {"2019-09-10T05:12:26Z"}},
		},
		"ascending": {calls.ListOptions{SortBy: "id"}, url.Values{"page": {"1"}, "per": {"100"}, "sort_column": {"id"}, "sort_direction": {"ASC"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			platform := &recorder{status: 200, response: "[]"}
			if _, err := list(t.Context(), handlerClient(t, platform), tt.opts, nil); err != nil {
				t.Fatal(err)
			}
			got, err := url.ParseQuery(platform.query)
			if err != nil || got.Encode() != tt.want.Encode() || platform.path != "/manager/api/v1/calls" || platform.method != "GET" {
				t.Errorf("%s %s?%s, want %s", platform.method, platform.path, platform.query, tt.want.Encode())
			}
		})
	}
}

func TestListCallsValidatesItsOptions(t *testing.T) {
	platform := &recorder{status: 200, response: "[]"}
	client := handlerClient(t, platform)
	for _, perPage := range []int{-1, 101} {
		ids, err := list(t.Context(), client, calls.ListOptions{PerPage: perPage}, nil)
		if !errors.Is(err, calls.ErrInvalidRequest) || len(ids) != 0 || platform.requests != 0 {
			t.Errorf("%d a page: %v", perPage, err)
		}
	}
}

// TestAListingIsCompleteWhileCallsChange lists calls while others are created and
// changed. No call may be yielded twice, and no call that did not change may be missing.
func TestAListingIsCompleteWhileCallsChange(t *testing.T) {
	t.Parallel()
	orders := []calls.ListOptions{
		{}, {SortBy: "id"}, {SortBy: "id", Descending: true}, {SortBy: "created_at"}, {SortBy: "created_at", Descending: true},
		{SortBy: "updated_at", Descending: true},
	}
	random := rand.New(rand.NewPCG(2019, 9))
	listed := 0
	for round := range 300 {
		opts := orders[round%len(orders)]
		opts.PerPage = 1 + random.IntN(12)
		var doubleOpts []callstest.Option
		if random.IntN(2) == 0 {
			doubleOpts = append(doubleOpts, callstest.WithoutLinkHeader())
		}
		before := random.IntN(60)
		changes := random.IntN(3)
		name := fmt.Sprintf("round %d: %d calls, %+v, %d changes a call", round, before, opts, changes)
		now := time.Date(2019, 9, 10, 0, 0, 0, 0, time.UTC)
		server := callstest.NewServer(t, append(doubleOpts, callstest.WithClock(func() time.Time { return now }))...)
		client := inProcessClient(t, server)
		for range before {
			now = now.Add(time.Millisecond)
			server.AddCall(callstest.Call{})
		}
		changed := map[int64]bool{}
		ids, err := list(t.Context(), client, opts, func() {
			// The number of changes is limited, since a listing does not end while
			// calls change faster than it reads.
			for range changes {
				if len(changed) > 20 {
					return
				}
				now = now.Add(time.Millisecond)
				if random.IntN(3) == 0 {
					changed[server.AddCall(callstest.Call{})] = true
					continue
				}
				id := 397 + random.Int64N(int64(before))
				changed[id] = true
				if err := server.Advance(id, calls.CallStatusConnected); err != nil {
					t.Fatal(err)
				}
			}
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		listed += len(ids)
		seen := map[int64]bool{}
		for _, id := range ids {
			if seen[id] {
				t.Errorf("%s: call %d was yielded twice", name, id)
			}
			seen[id] = true
		}
		for _, call := range server.Calls() {
			if !seen[call.ID] && !changed[call.ID] {
				t.Errorf("%s: call %d is missing", name, call.ID)
			}
		}
	}
	t.Logf("%d calls listed", listed)
}

// TestListCallsUsesOnlyTheQueryOfALink has links to other hosts and paths, which must not
// get the credentials.
func TestListCallsUsesOnlyTheQueryOfALink(t *testing.T) {
	tests := map[string]struct {
		link string // of the first page; HOST is replaced
		ids  int
		err  string
	}{
		"absolute":              {`<HOST/manager/api/v1/calls?page=2>; rel="next"`, 2, ""},
		"relative":              {`</manager/api/v1/calls?page=2>; rel="next"`, 2, ""},
		"a query alone":         {`<?page=2>; rel="next"`, 2, ""},
		"after a quoted comma":  {`<?page=9>; title="a, b"; rel="last", <?page=2>; title="a, b"; rel="next"`, 2, ""},
		"no next":               {`<HOST/manager/api/v1/calls?page=1>; rel="last"`, 1, ""},
		"a gateway's own link":  {`</help>; rel="help"`, 1, ""},
		"behind a gateway":      {`<http://platform.internal:8080/v1/calls?page=2>; rel="next"`, 2, ""},
		"another port":          {`<http://127.0.0.1:1/manager/api/v1/calls?page=2>; rel="next"`, 2, ""},
		"without a scheme":      {`<//evil.example.com/calls?page=2>; rel="next"`, 2, ""},
		"another scheme":        {`<ftp:/x?page=2>; rel="next"`, 2, ""},
		"another path, ignored": {`</elsewhere?page=2>; rel="next"`, 2, ""},
		"a space in the query":  {`<?page=2&q=a b>; rel="next"`, 2, ""},
		"a malformed query":     {`<?page=%zz>; rel="next"`, 1, "query"},
		"no query":              {`<http://[::1>; rel="next"`, 1, "no query"},
		"no link":               {`page 2 comes next`, 1, "malformed"},
		"the same page again":   {`<?page=1&per=100>; rel="next"`, 1, "same page"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/manager/api/v1/calls" {
					t.Errorf("requested %s", r.URL)
				}
				if r.URL.Query().Get("page") == "2" {
					w.Header().Set("Link", `<?page=1>; rel="first"`)
					fmt.Fprint(w, `[{"id":2}]`)
					return
				}
				w.Header().Set("Link", strings.ReplaceAll(tt.link, "HOST", server.URL))
				fmt.Fprint(w, `[{"id":1}]`)
			}))
			defer server.Close()
			ids, err := list(t.Context(), newClient(t, nil, calls.WithBaseURL(server.URL)), calls.ListOptions{}, nil)
			if len(ids) != tt.ids {
				t.Errorf("calls %v, want %d", ids, tt.ids)
			}
			if (err == nil) != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || !errors.Is(err, calls.ErrUndecodable)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

// TestExtremeIDs checks that the smallest and largest ids do not look like repeated pages.
func TestExtremeIDs(t *testing.T) {
	platform := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "1" {
			w.Header().Set("Link", `<?page=2>; rel="next"`)
		}
		fmt.Fprint(w, `[{"id":-9223372036854775808},{"id":9223372036854775807},{"id":-1},{"id":9223372036854775806}]`)
	})
	if ids, err := list(t.Context(), handlerClient(t, platform), calls.ListOptions{}, nil); err != nil || len(ids) != 4 {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestCallsWithoutAnIDDoNotMakeAListingEndless(t *testing.T) {
	n := 0
	platform := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("Link", fmt.Sprintf(`<?page=%d>; rel="next"`, n+1))
		fmt.Fprint(w, `[{"status":"queued"}]`)
	})
	if _, err := list(t.Context(), handlerClient(t, platform), calls.ListOptions{}, nil); err == nil || n > 20 {
		t.Errorf("%d pages, %v", n, err)
	}
}

func TestAPageThatIsNotAnArrayIsAnError(t *testing.T) {
	for _, body := range []string{`null`, `{}`, `{"message":"no"}`, ``, `[{"id":1`, `"calls"`} {
		platform := &recorder{status: 200, response: body}
		if ids, err := list(t.Context(), handlerClient(t, platform), calls.ListOptions{}, nil); !errors.Is(err, calls.ErrUndecodable) || len(ids) > 0 {
			t.Errorf("%s: %v, %v", body, ids, err)
		}
	}
}

func TestAMalformedPageYieldsTheCallsBeforeTheFault(t *testing.T) {
	for _, body := range []string{`[{"id":1}`, `[{"id":1},{"id":@},{"id":3}]`} {
		platform := &recorder{status: 200, response: body}
		ids, err := list(t.Context(), handlerClient(t, platform), calls.ListOptions{}, nil)
		if !errors.Is(err, calls.ErrUndecodable) || !slices.Equal(ids, []int64{1}) {
			t.Errorf("%s: %v, %v", body, ids, err)
		}
	}
}

// TestAListingOfManyDescendingIDs lists 200,000 ids with gaps, the highest first.
func TestAListingOfManyDescendingIDs(t *testing.T) {
	const pages = 2000
	platform := roundTripper(func(r *http.Request) (*http.Response, error) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		var body strings.Builder
		for i := range 100 {
			fmt.Fprintf(&body, `,{"id":%d}`, 10*(pages*100-(page-1)*100-i))
		}
		header := http.Header{"Link": {fmt.Sprintf(`<?page=%d>; rel="last"`, pages)}}
		if page < pages {
			header.Add("Link", fmt.Sprintf(`<?page=%d>; rel="next"`, page+1))
		}
		response := newResponse(http.StatusOK, "["+body.String()[1:]+"]")
		response.Header = header
		return response, nil
	})
	if ids, err := list(t.Context(), newClient(t, platform), calls.ListOptions{}, nil); err != nil || len(ids) != pages*100 {
		t.Errorf("%d calls, %v", len(ids), err)
	}
}

func TestRepeatedPagesEndWithAnError(t *testing.T) {
	n := 0
	platform := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("Link", fmt.Sprintf(`<?page=%d>; rel="next"`, n+1))
		fmt.Fprint(w, `[{"id":1},{"id":2}]`)
	})
	ids, err := list(t.Context(), handlerClient(t, platform), calls.ListOptions{}, nil)
	if len(ids) != 2 || err == nil || !strings.Contains(err.Error(), "circles") || n > 20 {
		t.Errorf("%v after %d pages: %v", ids, n, err)
	}
}

// TestAShortPageIsTheLast has a platform with a smaller page size than requested.
func TestAShortPageIsTheLast(t *testing.T) {
	platform := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Per-Page", "2") // less than requested
		switch r.URL.Query().Get("page") {
		case "1":
			fmt.Fprint(w, `[{"id":1},{"id":2}]`)
		case "2":
			fmt.Fprint(w, `[{"id":3}]`)
		default:
			t.Errorf("requested %s", r.URL)
		}
	})
	if ids, err := list(t.Context(), handlerClient(t, platform), calls.ListOptions{}, nil); err != nil || len(ids) != 3 {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestAMalformedCallDoesNotLoseThePage(t *testing.T) {
	platform := &recorder{status: 200, response: `[{"id":1,"rating":{}}, null, 7, "x", {"id":"2","created_at":"yesterday"}, {"status":"queued"}, {"id":3,"participants":5,"new":[]}]`}
	var raw []string
	for call, err := range handlerClient(t, platform).ListCalls(t.Context(), calls.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, string(call.RawJSON()))
	}
	want := []string{`{"id":1,"rating":{}}`, `{"id":"2","created_at":"yesterday"}`, `{"status":"queued"}`, `{"id":3,"participants":5,"new":[]}`}
	if !slices.Equal(raw, want) {
		t.Errorf("got %q", raw)
	}
}

func TestAnErrorIsYieldedOnceAfterTheCallsBeforeIt(t *testing.T) {
	server := newServer(t)
	for range 5 {
		server.AddCall(callstest.Call{})
	}
	client := inProcessClient(t, server, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}))
	server.Fail(callstest.Pass, callstest.Status(503))
	var got, failures int
	for call, err := range client.ListCalls(t.Context(), calls.ListOptions{PerPage: 2}) {
		switch {
		case errors.Is(err, calls.ErrServer) && call == nil:
			failures++
		case err == nil:
			got++
		}
	}
	if got != 2 || failures != 1 {
		t.Errorf("%d calls, %d errors", got, failures)
	}
}

func TestBreakingOutOfAListingStopsAtOnce(t *testing.T) {
	server := newServer(t)
	for range 50 {
		server.AddCall(callstest.Call{})
	}
	for range inProcessClient(t, server).ListCalls(t.Context(), calls.ListOptions{PerPage: 10}) {
		break
	}
	if n := len(server.Requests()); n != 1 {
		t.Errorf("%d pages were requested", n)
	}
}

func TestPagesAreRetried(t *testing.T) {
	server := newServer(t)
	server.AddCall(callstest.Call{})
	server.Fail(callstest.Status(502), callstest.HangUpAfterRead, callstest.RateLimited("3"))
	synctest.Test(t, func(t *testing.T) {
		if ids, err := list(t.Context(), inProcessClient(t, server), calls.ListOptions{}, nil); err != nil || len(ids) != 1 {
			t.Errorf("%v, %v", ids, err)
		}
	})
}

func TestFindCall(t *testing.T) {
	now := time.Date(2019, 9, 10, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	server := callstest.NewServer(t, callstest.WithClock(clock))
	client := inProcessClient(t, server, calls.WithClock(clock))
	var ids []int64
	for range 30 {
		ids = append(ids, server.AddCall(callstest.Call{}))
		now = now.Add(time.Hour)
	}
	tests := map[string]struct {
		id   int64
		opts calls.FindOptions
		err  error
	}{
		"today":              {ids[6], calls.FindOptions{}, nil},
		"the day before":     {ids[5], calls.FindOptions{}, calls.ErrCallNotFound},
		"since long ago":     {ids[0], calls.FindOptions{Since: now.AddDate(0, 0, -2)}, nil},
		"since its creation": {ids[27], calls.FindOptions{Since: now.Add(-3 * time.Hour)}, nil},
		"since later":        {ids[27], calls.FindOptions{Since: now.Add(-2 * time.Hour)}, calls.ErrCallNotFound},
		"unknown":            {4711, calls.FindOptions{}, calls.ErrNotFound},
		"impossible":         {0, calls.FindOptions{}, calls.ErrCallIDInvalid},
	}
	for name, tt := range tests {
		call, err := client.FindCall(t.Context(), tt.id, tt.opts)
		if !errors.Is(err, tt.err) || (call == nil) != (err != nil) || call != nil && call.ID != tt.id {
			t.Errorf("%s: %v, %v", name, call, err)
		}
	}
}
