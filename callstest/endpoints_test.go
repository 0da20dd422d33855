package callstest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls/callstest"
)

func TestOptionsOfTheCRMAndOfThirdPartiesAreChecked(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]callstest.Option{
		"no closed record":         callstest.WithCRMClosedRecords(),
		"a closed record of none":  callstest.WithCRMClosedRecords("71450", ""),
		"no scheduled record":      callstest.WithCRMScheduledRecords(),
		"a 422 without a message":  callstest.WithCRMScheduleRejection(""),
		"a number nobody can dial": callstest.WithUnreachableNumbers("+1 859-657-9625", "123123"),
	} {
		server, err := callstest.Start(option)
		if err == nil {
			server.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// What the documentation leaves open is the double's own, and stays as it is.
func TestCancellationsOfOtherCalls(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t)
	at := time.Now().Add(time.Hour)
	now := server.AddCall(callstest.Call{})
	scheduled := server.AddCall(callstest.Call{ScheduledAt: &at})
	wantStatus(t, do(server, http.MethodPatch, callsPath+"/scheduled/397/cancel", ""), http.StatusNotFound)
	if call, _ := server.Call(now); call.Status != "queued" {
		t.Errorf("a call that was not scheduled is %s", call.Status)
	}
	for _, path := range []string{"/scheduled/4711/cancel", "/scheduled/x/cancel", "/scheduled/398/other", "/398/cancel"} {
		wantStatus(t, do(server, http.MethodPatch, callsPath+path, ""), http.StatusNotFound)
	}
	for body, want := range map[string]string{"{}": "param is missing or the value is empty: call_ids", "5": "", `{"call_ids":["x"]}`: ""} {
		r := do(server, http.MethodPatch, callsPath+"/scheduled/cancel", body)
		wantStatus(t, r, http.StatusBadRequest)
		if got := r.message(t); want != "" && got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
	r := do(server, http.MethodPatch, callsPath+"/scheduled/cancel", `{"call_ids":[398,397]}`)
	wantStatus(t, r, http.StatusAccepted)
	location := r.header.Get("Location")
	if !strings.HasPrefix(location, server.URL()+callsPath+"/scheduled/") {
		t.Fatalf("the location is %q", location)
	}
	var shown struct{ Canceled, Failed []int64 }
	do(server, http.MethodGet, strings.TrimPrefix(location, server.URL()), "").decode(t, &shown)
	if !slices.Equal(shown.Canceled, []int64{scheduled}) || !slices.Equal(shown.Failed, []int64{now}) {
		t.Errorf("shown %+v", shown)
	}
	wantStatus(t, do(server, http.MethodGet, callsPath+"/scheduled/cancellations/2", ""), http.StatusNotFound)
	wantStatus(t, do(server, http.MethodGet, callsPath+"/scheduled/cancellations/x", ""), http.StatusNotFound)
}

func TestQueuesOfTheDouble(t *testing.T) {
	t.Parallel()
	c := newClock() // at 00:19:14
	server := callstest.NewServer(t, callstest.WithClock(c.now))
	status := "/apps/api/v1/queues/status?lang=en&menu_type=web_menu&menu_id[]=9&menu_id[]=11&menu_id[]=4711&callback_period_hours=1"
	var response struct {
		Queues []struct {
			MenuID          int64 `json:"menu_id"`
			CallbackPeriods []struct {
				Date      string
				StartTime string `json:"start_time"`
				EndTime   string `json:"end_time"`
			} `json:"callback_periods"`
		}
	}
	do(server, http.MethodGet, status, "").decode(t, &response)
	if len(response.Queues) != 1 || response.Queues[0].MenuID != 9 || len(response.Queues[0].CallbackPeriods) != 4 {
		t.Fatalf("%+v", response)
	}
	if first := response.Queues[0].CallbackPeriods[0]; first.Date != "20190910" || first.StartTime != "00:30" || first.EndTime != "00:45" {
		t.Errorf("the first period is %+v", first)
	}
	for _, query := range []string{
		"&callback_period_hours=9", "&callback_period_hours=x", "&callback_start_from=tomorrow",
		"&callback_start_from=2019-09-10T00:19:13Z", "&callback_start_from=2019-09-11T00:19:15Z",
	} {
		wantStatus(t, do(server, http.MethodGet, "/apps/api/v1/queues/status?lang=en&menu_type=web_menu&menu_id[]=9"+query, ""), http.StatusBadRequest)
	}
	wantStatus(t, do(server, http.MethodGet, strings.Replace(status, "lang=en", "lang=xy", 1), ""), http.StatusBadRequest)
	wantStatus(t, do(server, http.MethodGet, "/apps/api/v1/wait_times?lang=fr", ""), http.StatusBadRequest)
	wantStatus(t, do(server, http.MethodGet, "/apps/api/v1/queue_operation_statuses?menu_id=4711&lang=en&channel_type=call", ""), http.StatusNotFound)
	wantStatus(t, do(server, http.MethodGet, "/manager/api/v1/settings/organization", ""), http.StatusOK)
}
