package calls_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
)

// documentedPages is the number of example bodies on the platform's other pages.
const documentedPages = 16

// TestExamplesOfOtherPages is TestDocumentedExamples for the pages other than "Call
// endpoints". Package events tests the examples of events.
func TestExamplesOfOtherPages(t *testing.T) {
	t.Parallel()
	checks := map[string]func(*testing.T, example){
		"cancel/one":              checkCancelExample,
		"cancel/many":             checkCancelManyExample,
		"schedule/short_time":     checkShortTimeExample,
		"dial/started":            checkDialExample,
		"dial/missing":            refusesDial(http.StatusBadRequest, calls.ErrParameterMissing),
		"dial/agent":              refusesDial(http.StatusBadRequest, calls.ErrAgentEmailInvalid),
		"dial/unauthorized":       refusesDial(http.StatusUnauthorized, calls.ErrUnauthorized),
		"dial/not_found":          refusesDial(http.StatusNotFound, calls.ErrNotFound),
		"dial/agent_not_on_call":  refusesDial(http.StatusUnprocessableEntity, calls.ErrAgentNotOnCall),
		"dial/failed":             refusesDial(http.StatusUnprocessableEntity, calls.ErrDialFailed),
		"queues/status":           checkQueueStatusExample,
		"queues/operation_status": checkQueueOperationExample,
		"queues/wait_times":       checkWaitTimesExample,
		"queues/wait_times_older": checkWaitTimesExample,
		"events/sibling_call":     nil,
		"events/sibling_chat":     nil,
	}
	data, err := os.ReadFile("testdata/more.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples []example
	mustUnmarshal(t, data, &examples)
	if len(examples) != documentedPages || len(checks) != documentedPages {
		t.Errorf("%d examples and %d checks, want %d", len(examples), len(checks), documentedPages)
	}
	for _, e := range examples {
		check, ok := checks[e.ID]
		if !ok {
			t.Errorf("%s is not checked", e.ID)
		}
		if check != nil {
			t.Run(e.ID, func(t *testing.T) {
				t.Parallel()
				check(t, e)
			})
		}
	}
}

// responding returns a client that checks the request of an example, which may have no
// documented status, and gets a response to it.
func (e example) responding(t *testing.T, status int, body string) *calls.Client {
	t.Helper()
	if e.Status != 0 && e.Status != status {
		t.Errorf("the documented status is %d", e.Status)
	}
	path, query, _ := strings.Cut(strings.Replace(e.Path, "CALL_ID", "397", 1), "?")
	return newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		if e.Path != "" && (r.Method != e.Method || r.URL.Path != "/apps/api/v1"+path) {
			t.Errorf("sent %s %s, want %s %s", r.Method, r.URL.Path, e.Method, path)
		}
		for _, pair := range strings.Split(query, "&") {
			if name, value, ok := strings.Cut(pair, "="); ok && r.URL.Query().Get(name) != value {
				t.Errorf("sent the query %s, want %s", r.URL.RawQuery, query)
			}
		}
		var sent map[string]any
		if text := textOf(r.Body); text != "" {
			mustUnmarshal(t, []byte(text), &sent)
		}
		if diff := cmp.Diff(e.Request, sent); e.Path != "" && diff != "" {
			t.Errorf("body (-documented +sent):\n%s", diff)
		}
		response := newResponse(status, body)
		response.Header.Set("Location", "/apps/api/v1/jobs/1")
		return response, nil
	}), calls.WithClock(func() time.Time { return time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC) }))
}

func checkCancelExample(t *testing.T, e example) {
	for _, status := range []calls.CallStatus{calls.CallStatusCancelled, calls.CallStatusCompleted} {
		body := `{"id":515,"status":"` + string(status) + `"}`
		result, err := e.responding(t, http.StatusOK, body).CancelScheduled(t.Context(), 515)
		if err != nil || result.AlreadyCanceled || result.Call.ID != 515 || result.Call.Status != status || string(result.Call.RawJSON()) != body {
			t.Errorf("%v, %v", result, err)
		}
	}
}

func checkCancelManyExample(t *testing.T, e example) {
	for _, status := range []int{http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent} {
		cancellation, err := e.responding(t, status, "").CancelScheduledMany(t.Context(), []int64{123, 456, 789})
		if err != nil || cancellation.Location != "/apps/api/v1/jobs/1" || cancellation.StatusCode != status {
			t.Errorf("%+v, %v", cancellation, err)
		}
	}
}

// checkShortTimeExample sends an example with the deprecated call type, which is never
// sent, and a number that is not in service.
func checkShortTimeExample(t *testing.T, e example) {
	read, err := calls.UnmarshalRequest(encode(t, e.Request))
	if err != nil {
		t.Fatal(err)
	}
	request := read.(calls.ScheduledRequest)
	if request.MenuID != 12345 || request.EndUserNumber != "+18005550100" || !request.ScheduledAt.Equal(time.Date(2025, 9, 2, 14, 30, 0, 0, time.UTC)) {
		t.Errorf("read %v", request)
	}
	e.Request["call_type"] = "Voice Scheduled (API)"
	e.Request["scheduled_at"] = "2025-09-02T14:30:00.000Z"
	result, err := e.responding(t, http.StatusCreated, `{"id":515}`).CreateScheduled(t.Context(), request)
	if err != nil || result.Call.ID != 515 {
		t.Errorf("%v, %v", result, err)
	}
}

func checkDialExample(t *testing.T, e example) {
	for _, status := range []int{http.StatusOK, http.StatusCreated, http.StatusAccepted} {
		participant, err := dialAs(t, e, status)
		want := &calls.Participant{ID: ptr[int64](54321), Type: calls.ParticipantTypeThirdParty, Status: calls.ParticipantStatusConnecting}
		if diff := cmp.Diff(want, participant); diff != "" || err != nil {
			t.Errorf("status %d: %v (-want +got):\n%s", status, err, diff)
		}
	}
}

func refusesDial(status int, want error) func(*testing.T, example) {
	return func(t *testing.T, e example) {
		_, err := dialAs(t, e, status)
		refused := apiErrorOf(t, err)
		if !errors.Is(err, want) || refused.Message != messageOf(e.Response) || calls.DeliveryOf(err) != calls.DeliveryRejected {
			t.Errorf("%v, want %v with the message %q", err, want, messageOf(e.Response))
		}
	}
}

func dialAs(t *testing.T, e example, status int) (*calls.Participant, error) {
	t.Helper()
	return e.responding(t, status, string(e.Response)).DialThirdParty(t.Context(), 397, calls.ThirdPartyRequest{
		AgentEmail: "agent@example.com", PhoneNumber: "+18005550100",
	})
}

func checkQueueStatusExample(t *testing.T, e example) {
	queues, err := e.responding(t, http.StatusOK, string(e.Response)).QueueStatus(t.Context(), calls.QueueStatusRequest{
		Lang: "en", MenuIDs: []int64{2}, MenuType: calls.MenuTypeIVR,
	})
	if err != nil {
		t.Fatal(err)
	}
	checkResponse(t, e.Response, map[string]any{"queues": queues})
	for _, period := range queues[0].CallbackPeriods {
		if start, err := period.Start(time.UTC); !period.Free() || err != nil || start.Day() != 25 {
			t.Errorf("%+v is free: %v, starts at %v, %v", period, period.Free(), start, err)
		}
	}
}

func checkQueueOperationExample(t *testing.T, e example) {
	operation, err := e.responding(t, http.StatusOK, string(e.Response)).QueueOperation(t.Context(), calls.QueueOperationRequest{Lang: "en", MenuID: 1})
	if err != nil {
		t.Fatal(err)
	}
	checkResponse(t, e.Response, operation)
}

func checkWaitTimesExample(t *testing.T, e example) {
	waits, err := e.responding(t, http.StatusOK, string(e.Response)).WaitTimes(t.Context(), calls.WaitTimesRequest{Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	checkResponse(t, e.Response, waits)
}

// checkResponse checks that got has every documented value.
func checkResponse(t *testing.T, documented json.RawMessage, got any) {
	t.Helper()
	var want, have any
	mustUnmarshal(t, documented, &want)
	mustUnmarshal(t, encode(t, got), &have)
	checkContains(t, "response", want, have)
}
