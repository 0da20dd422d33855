package callstest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/callstest"
)

func TestQueueEndpoints(t *testing.T) {
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
