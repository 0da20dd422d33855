package callstest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
)

type listed struct {
	ID        int64
	Status    string
	UpdatedAt time.Time `json:"updated_at"`
}

func list(t *testing.T, s *callstest.Server, query string) (calls []listed, header http.Header) {
	t.Helper()
	r := do(s, http.MethodGet, listingPath+"?"+query, "")
	wantStatus(t, r, http.StatusOK)
	r.decode(t, &calls)
	return calls, r.header
}

func ids(calls []listed) []int64 {
	found := []int64{}
	for _, c := range calls {
		found = append(found, c.ID)
	}
	return found
}

func TestListingPages(t *testing.T) {
	s := callstest.NewServer(t)
	for id := range int64(5) {
		s.AddCall(callstest.Call{ID: id + 1})
	}
	tests := []struct {
		query string
		ids   []int64
	}{
		{"", []int64{1, 2, 3, 4, 5}},
		{"per=2", []int64{1, 2}},
		{"per=2&page=2", []int64{3, 4}},
		{"per=2&page=3", []int64{5}},
		{"per=2&page=4", []int64{}},
		{"per=5&page=2", []int64{}},
		{"per=100&page=9223372036854775807", []int64{}},
		{"per=2&sort_column=id&sort_direction=DESC", []int64{5, 4}},
		{"per=2&page=3&sort_direction=DESC", []int64{1}},
	}
	for _, test := range tests {
		calls, header := list(t, s, test.query)
		if got := ids(calls); !slices.Equal(got, test.ids) {
			t.Errorf("%s: got %v, want %v", test.query, got, test.ids)
		}
		if header.Get("total") != "5" {
			t.Errorf("%s: total %q", test.query, header.Get("total"))
		}
	}
}

func TestListingLinks(t *testing.T) {
	s := callstest.NewServer(t)
	for range 5 {
		s.AddCall(callstest.Call{})
	}
	var pages []int
	next := s.URL() + listingPath + "?per=2&updated_at%5Bfrom%5D=2019-09-10T00%3A00%3A00Z"
	for next != "" {
		target, _ := url.Parse(next)
		calls, header := list(t, s, target.RawQuery)
		pages = append(pages, len(calls))
		if header.Get("per-page") != "2" || !strings.Contains(header.Get("link"), `page=3&per=2`) {
			t.Errorf("per-page %q, link %q", header.Get("per-page"), header.Get("link"))
		}
		next = relation(header.Get("link"), "next")
		if next != "" && !strings.HasPrefix(next, s.URL()+listingPath+"?") {
			t.Errorf("next is %q", next)
		}
	}
	if !slices.Equal(pages, []int{2, 2, 1}) {
		t.Errorf("pages of %v calls", pages)
	}
}

// relation returns the target of a link, or "".
func relation(header, name string) string {
	for link := range strings.SplitSeq(header, ", ") {
		if target, ok := strings.CutSuffix(link, fmt.Sprintf(">; rel=%q", name)); ok {
			return strings.TrimPrefix(target, "<")
		}
	}
	return ""
}

func TestListingWithoutLinks(t *testing.T) {
	s := callstest.NewServer(t, callstest.WithoutLinkHeader())
	s.AddCall(callstest.Call{})
	s.AddCall(callstest.Call{})
	if _, header := list(t, s, "per=1"); header["Link"] != nil || header.Get("total") != "2" {
		t.Errorf("header %v", header)
	}
}

func TestListingSortsAndFilters(t *testing.T) {
	clock := newClock()
	s := callstest.NewServer(t, callstest.WithClock(clock.now))
	at := func(minutes time.Duration) time.Time { return clock.now().Add(minutes * time.Minute) }
	s.AddCall(callstest.Call{ID: 1, CreatedAt: at(1), UpdatedAt: at(9)})
	s.AddCall(callstest.Call{ID: 3, CreatedAt: at(2), UpdatedAt: at(2)})
	s.AddCall(callstest.Call{ID: 2, CreatedAt: at(3), UpdatedAt: at(8)})
	s.AddCall(callstest.Call{ID: 4, CreatedAt: at(3), UpdatedAt: at(8)})
	from := "&updated_at%5Bfrom%5D=" + url.QueryEscape(at(8).Format(time.RFC3339))
	tests := []struct {
		query string
		ids   []int64
	}{
		{"sort_column=id", []int64{1, 2, 3, 4}},
		{"sort_column=created_at", []int64{1, 3, 2, 4}},
		{"sort_column=updated_at", []int64{3, 2, 4, 1}},
		{"sort_column=updated_at&sort_direction=DESC", []int64{1, 4, 2, 3}},
		{"sort_column=id" + from, []int64{1, 2, 4}},
		{"sort_column=updated_at" + from, []int64{2, 4, 1}},
		{"sort_column=updated_at&sort_direction=DESC&per=1&page=2" + from, []int64{4}},
	}
	for _, test := range tests {
		calls, _ := list(t, s, test.query)
		if got := ids(calls); !slices.Equal(got, test.ids) {
			t.Errorf("%s: got %v, want %v", test.query, got, test.ids)
		}
	}
	clock.move(time.Hour)
	s.AddCall(callstest.Call{ID: 3, Status: "finished"})
	if calls, _ := list(t, s, "sort_column=updated_at"); !slices.Equal(ids(calls), []int64{2, 4, 1, 3}) || calls[3].Status != "finished" {
		t.Errorf("after a call was replaced: %+v", calls)
	}
	if n := len(s.Calls()); n != 4 {
		t.Errorf("%d calls after one was replaced, want 4", n)
	}
}

func TestListingRefusesInvalidParameters(t *testing.T) {
	s := callstest.NewServer(t)
	for _, query := range []string{
		"page=0", "page=x", "per=0", "per=101", "sort_column=lang", "sort_direction=asc", "updated_at%5Bfrom%5D=today",
	} {
		wantStatus(t, do(s, http.MethodGet, listingPath+"?"+query, ""), http.StatusBadRequest)
	}
}

func TestListingLag(t *testing.T) {
	clock := newClock()
	s := callstest.NewServer(t, callstest.WithClock(clock.now), callstest.WithListingLag(func(callID int64) time.Duration {
		return time.Duration(callID-397) * time.Minute
	}))
	for range 3 {
		wantStatus(t, do(s, http.MethodPost, callsPath, inboundBody), http.StatusCreated)
	}
	for shown := int64(1); shown <= 3; shown++ {
		calls, header := list(t, s, "")
		if int64(len(calls)) != shown || header.Get("total") != fmt.Sprint(shown) {
			t.Errorf("%d calls, total %s, want %d", len(calls), header.Get("total"), shown)
		}
		clock.move(time.Minute)
	}
}

func TestListingOfManyCalls(t *testing.T) {
	const many = 100_000
	s := callstest.NewServer(t)
	for range many {
		s.AddCall(callstest.Call{})
	}
	for _, page := range []string{"1", "500", "1000"} {
		calls, header := list(t, s, "per=100&page="+page)
		if len(calls) != 100 || header.Get("total") != fmt.Sprint(many) {
			t.Errorf("page %s: %d calls of %s", page, len(calls), header.Get("total"))
		}
	}
}
