package calls_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestCancelScheduled(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t)
	client := socketClient(t, server)
	at := time.Now().Add(time.Hour)
	for status, want := range map[calls.CallStatus]calls.CallStatus{
		"queued": calls.CallStatusCancelled, "scheduled": calls.CallStatusCancelled, "connected": calls.CallStatusCompleted,
	} {
		id := server.AddCall(callstest.Call{Status: status, ScheduledAt: &at})
		result, err := client.CancelScheduled(t.Context(), id)
		if err != nil || result.AlreadyCanceled || result.Call == nil || result.Call.Status != want || result.StatusCode != 200 {
			t.Errorf("%s: %v, %v, want %s", status, result, err, want)
		}
		result, err = client.CancelScheduled(t.Context(), id)
		if err != nil || !result.AlreadyCanceled || result.Call != nil || result.StatusCode != 204 {
			t.Errorf("%s, again: %v, %v", status, result, err)
		}
	}
	_, err := client.CancelScheduled(t.Context(), 4711)
	if !errors.Is(err, calls.ErrNotFound) || calls.DeliveryOf(err) != calls.DeliveryRejected {
		t.Errorf("an unknown call: %v", err)
	}
	ended := server.AddCall(callstest.Call{Status: "finished", ScheduledAt: &at})
	if _, err := client.CancelScheduled(t.Context(), ended); !errors.Is(err, calls.ErrCallEnded) {
		t.Errorf("a call that ended: %v", err)
	}
}

func TestCancelScheduledSendsNoBody(t *testing.T) {
	t.Parallel()
	platform := &recorder{status: 200, response: `{"id":9007199254740993,"status":"cancelled","new":1}`}
	result, err := handlerClient(t, platform).CancelScheduled(t.Context(), 9007199254740993)
	if err != nil || platform.method != "PATCH" || platform.path != "/apps/api/v1/calls/scheduled/9007199254740993/cancel" || platform.body != "" {
		t.Fatalf("%s %s %q: %v", platform.method, platform.path, platform.body, err)
	}
	if string(result.Call.RawJSON()) != platform.response {
		t.Errorf("RawJSON is %s", result.Call.RawJSON())
	}
}

func TestCancelScheduledWithoutACallInTheResponse(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", "null", "<html>", `{"message":"ok"}`} {
		_, err := newClient(t, responding(http.StatusOK, body)).CancelScheduled(t.Context(), 397)
		if !errors.Is(err, calls.ErrUndecodable) || calls.DeliveryOf(err) != calls.DeliveryAccepted {
			t.Errorf("%q: %v, %v", body, err, calls.DeliveryOf(err))
		}
	}
}

func TestCancellationsOfInvalidIDsAreNotSent(t *testing.T) {
	t.Parallel()
	client := newClient(t, untouched(t))
	for _, id := range []int64{0, -1, math.MinInt64} {
		if _, err := client.CancelScheduled(t.Context(), id); !errors.Is(err, calls.ErrCallIDInvalid) {
			t.Errorf("%d: %v", id, err)
		}
	}
	for name, tt := range map[string]struct {
		ids  []int64
		want error
	}{
		"nil":            {nil, calls.ErrParameterMissing},
		"none":           {[]int64{}, calls.ErrParameterMissing},
		"zero":           {[]int64{123, 0}, calls.ErrCallIDInvalid},
		"negative":       {[]int64{-123}, calls.ErrCallIDInvalid},
		"one twice":      {[]int64{123, 456, 123}, calls.ErrCallIDInvalid},
		"the last twice": {[]int64{456, 123, 123}, calls.ErrCallIDInvalid},
	} {
		_, err := client.CancelScheduledMany(t.Context(), tt.ids)
		var invalid *calls.ValidationError
		if !errors.Is(err, tt.want) || !errors.As(err, &invalid) || invalid.Field != "call_ids" || calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCancelScheduledMany(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t)
	client := socketClient(t, server)
	at := time.Now().Add(time.Hour)
	first, second := server.AddCall(callstest.Call{ScheduledAt: &at}), server.AddCall(callstest.Call{ScheduledAt: &at})
	cancellation, err := client.CancelScheduledMany(t.Context(), []int64{second, first, 4711})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int64{first, second} {
		if call, _ := server.Call(id); call.Status != "cancelled" {
			t.Errorf("call %d is %s", id, call.Status)
		}
	}
	var shown struct{ Canceled, Failed []int64 }
	if err := cancellation.Fetch(t.Context(), &shown); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]int64{{second, first}, {4711}}, [][]int64{shown.Canceled, shown.Failed}); diff != "" {
		t.Errorf("canceled and failed (-want +got):\n%s", diff)
	}
	if err := cancellation.Fetch(t.Context(), nil); err != nil {
		t.Errorf("without out: %v", err)
	}
}

// located is a platform with a Location header, and a response at that address.
type located struct {
	location string
	requests []string
}

func (p *located) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPatch {
		if p.location != "" {
			w.Header()["Location"] = []string{p.location}
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if _, password, _ := r.BasicAuth(); password != "token" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	p.requests = append(p.requests, r.URL.RequestURI())
	_, _ = fmt.Fprint(w, `{"done":true}`)
}

// TestFetchSendsOnlyToThePlatform has addresses of other hosts and APIs, which must not get
// the credentials.
func TestFetchSendsOnlyToThePlatform(t *testing.T) {
	t.Parallel()
	const jobs = "/apps/api/v1/jobs/"
	tests := []struct {
		location string
		request  string // "" for none
	}{
		{jobs + "1", jobs + "1"},
		{jobs + "1?page=2&a=%2Fb%20c", jobs + "1?page=2&a=%2Fb%20c"},
		{jobs + "1#part", jobs + "1"},
		{jobs + "a%20b", jobs + "a%20b"},
		{"cancel/1", "/apps/api/v1/calls/scheduled/cancel/1"},
		{"https://customer.uc1.ccaiplatform.com" + jobs + "1", jobs + "1"},
		{"https://CUSTOMER.uc1.ccaiplatform.com:443" + jobs + "1", jobs + "1"},
		{"http://customer.uc1.ccaiplatform.com" + jobs + "1", jobs + "1"},
		{"//customer.uc1.ccaiplatform.com" + jobs + "1", jobs + "1"},

		{"", ""},
		{"?page=2", ""},
		{"https://evil.example.com" + jobs + "1", ""},
		{"//evil.example.com" + jobs + "1", ""},
		{"https://customer.uc1.ccaiplatform.com.evil.example.com" + jobs + "1", ""},
		{"https://evil.example.com/customer.uc1.ccaiplatform.com" + jobs + "1", ""},
		{"https://customer.uc1.ccaiplatform.com@evil.example.com" + jobs + "1", ""},
		{"https://user:pass@customer.uc1.ccaiplatform.com" + jobs + "1", ""},
		{"https://customer.uc1.ccaiplatform.com:8443" + jobs + "1", ""},
		{"https://127.0.0.1:1" + jobs + "1", ""},
		{"https:" + jobs + "1", ""},
		{"ftp://customer.uc1.ccaiplatform.com" + jobs + "1", ""},
		{"file:///etc/passwd", ""},
		{"javascript:alert(1)", ""},
		{`\\evil.example.com\x`, ""},
		{"/", ""},
		{"/apps/api/v1", ""},
		{"/apps/api/v1/", ""},
		{"/apps/api/v10/x", ""},
		{"/apps/api/v2/x", ""},
		{"/manager/api/v1/calls", ""},
		{"/evil/apps/api/v1/x", ""},
		{jobs + "../../../../manager/api/v1/calls", ""},
		{"/apps/api/v1/../v1/jobs/1", ""},
		{jobs + "%2e%2e/x", ""},
		{jobs + "%2E./x", ""},
		{jobs + "%252e%252e/x", ""},
		{jobs + "..%2f..%2fx", ""},
		{jobs + "a%5cb", ""},
		{jobs + "..;/x", ""},
		{jobs + "./1", ""},
		{jobs + "/1", ""},
		{jobs + "%0d%0aHost:x", ""},
		{jobs + "%00", ""},
		{jobs + "%3Fadmin=1", ""},
		{jobs + "1?a b", ""},
		{jobs + "1?a=é", ""},
		{jobs + "%zz", ""},
		{"../../../../manager/api/v1/calls", ""},
	}
	for _, tt := range tests {
		platform := &located{location: tt.location}
		cancellation, err := handlerClient(t, platform).CancelScheduledMany(t.Context(), []int64{123})
		if err != nil || cancellation.Location != tt.location || cancellation.StatusCode != http.StatusAccepted {
			t.Errorf("%q: %+v, %v", tt.location, cancellation, err)
			continue
		}
		var shown struct{ Done bool }
		err = cancellation.Fetch(t.Context(), &shown)
		var want []string
		if tt.request != "" {
			want = []string{tt.request}
		}
		if diff := cmp.Diff(want, platform.requests); diff != "" || shown.Done != (want != nil) {
			t.Errorf("%q: %v (-want +sent):\n%s", tt.location, err, diff)
		}
		if want == nil && calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%q: %v", tt.location, err)
		}
	}
}

func TestFetchThroughAGateway(t *testing.T) {
	t.Parallel()
	for _, location := range []string{
		"/apps/api/v1/jobs/1", "/ujet/eu/apps/api/v1/jobs/1", "https://gateway.example.com/ujet/eu/apps/api/v1/jobs/1",
		"https://gateway.example.com:8443/ujet/eu/apps/api/v1/jobs/1", "https://customer.uc1.ccaiplatform.com/apps/api/v1/jobs/1",
	} {
		var sent string
		client := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			response := newResponse(http.StatusOK, "{}")
			response.Header.Set("Location", location)
			sent = r.URL.String()
			return response, nil
		}), calls.WithBaseURL("https://gateway.example.com:8443/ujet/eu"))
		cancellation, err := client.CancelScheduledMany(t.Context(), []int64{123})
		if err != nil {
			t.Fatal(err)
		}
		if err := cancellation.Fetch(t.Context(), nil); err != nil || sent != "https://gateway.example.com:8443/ujet/eu/apps/api/v1/jobs/1" {
			t.Errorf("%s: sent to %s, %v", location, sent, err)
		}
	}
}

func TestFetchOfACancellationThatWasNotReturned(t *testing.T) {
	t.Parallel()
	var none *calls.Cancellation
	for _, cancellation := range []*calls.Cancellation{none, {Location: "/apps/api/v1/jobs/1"}} {
		if err := cancellation.Fetch(t.Context(), nil); err == nil || calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%v: %v", cancellation, err)
		}
	}
}

func TestARejectedSchedule(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t, callstest.WithCRMScheduleRejection("Scheduling is off for this account"))
	client := socketClient(t, server)
	_, err := client.CreateScheduled(t.Context(), calls.ScheduledRequest{MenuID: 9, EndUserNumber: goodNumber, ScheduledAt: time.Now().Add(time.Hour)})
	refused := apiErrorOf(t, err)
	if !errors.Is(err, calls.ErrScheduleRejected) || !errors.Is(err, calls.ErrInvalidRequest) || refused.StatusCode != 422 ||
		refused.Message != "Scheduling is off for this account" || calls.DeliveryOf(err) != calls.DeliveryRejected {
		t.Errorf("%v", err)
	}

	tests := map[string]struct {
		status  int
		message string
		request calls.CreateRequest
		want    error
		not     error
	}{
		"a 422 without a body":       {422, "", aScheduled, calls.ErrScheduleRejected, nil},
		"a 422 with a known message": {422, "menu_id 9999 is not found", aScheduled, calls.ErrMenuNotFound, calls.ErrScheduleRejected},
		"a 400":                      {400, "Scheduling is off", aScheduled, calls.ErrInvalidRequest, calls.ErrScheduleRejected},
		"a 422 of an inbound":        {422, "Scheduling is off", anInbound, calls.ErrInvalidRequest, calls.ErrScheduleRejected},
	}
	for name, tt := range tests {
		body, _ := json.Marshal(map[string]string{"message": tt.message})
		if tt.message == "" {
			body = nil
		}
		_, err := newClient(t, responding(tt.status, string(body))).Create(t.Context(), tt.request)
		if !errors.Is(err, tt.want) || tt.not != nil && errors.Is(err, tt.not) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAScheduleThatTheCRMStops has schedules that the platform accepts. Later the call is
// not in the listing, or it is canceled.
func TestAScheduleThatTheCRMStops(t *testing.T) {
	t.Parallel()
	request := calls.ScheduledRequest{MenuID: 9, EndUserNumber: goodNumber, TicketID: "71450", ScheduledAt: time.Now().Add(time.Hour)}
	tests := map[string]struct {
		option callstest.Option
		status calls.CallStatus // "" for a call that was not made
	}{
		"a closed record":                  {callstest.WithCRMClosedRecords("71450"), ""},
		"a record with an active schedule": {callstest.WithCRMScheduledRecords("1", "71450"), ""},
		"a CRM that is unreachable":        {callstest.WithCRMUnreachable(), calls.CallStatusCancelled},
		"another record is closed":         {callstest.WithCRMClosedRecords("1"), calls.CallStatusQueued},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := callstest.NewServer(t, tt.option)
			client := socketClient(t, server)
			result, err := client.CreateScheduled(t.Context(), request)
			if err != nil || result.StatusCode != http.StatusCreated || result.Call == nil {
				t.Fatalf("%v, %v", result, err)
			}
			var listed []*calls.Call
			for call, err := range client.ListCalls(t.Context(), calls.ListOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				listed = append(listed, call)
			}
			switch {
			case tt.status == "" && (len(listed) > 0 || len(server.Calls()) > 0):
				t.Errorf("listed %v, want no call", listed)
			case tt.status != "" && (len(listed) != 1 || listed[0].ID != result.Call.ID || listed[0].Status != tt.status):
				t.Errorf("listed %v, want call %d, %s", listed, result.Call.ID, tt.status)
			}
			withoutTicket := request
			withoutTicket.TicketID = ""
			other, err := client.CreateScheduled(t.Context(), withoutTicket)
			if err != nil || other.Call.ID == result.Call.ID {
				t.Fatalf("%v, %v", other, err)
			}
			if call, _ := server.Call(other.Call.ID); call.Status != "queued" {
				t.Errorf("without a ticket: status %q", call.Status)
			}
		})
	}
}
