package calls_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// A valid request of each type.
var (
	aQueueStatus    = calls.QueueStatusRequest{Lang: "en", MenuIDs: []int64{9}, MenuType: calls.MenuTypeMobile}
	aQueueOperation = calls.QueueOperationRequest{Lang: "en", MenuID: 9}
	aWaitTimes      = calls.WaitTimesRequest{Lang: "en"}
)

func TestQueriesOfQueues(t *testing.T) {
	t.Parallel()
	newYork := time.FixedZone("", -5*60*60)
	tests := map[string]struct {
		ask   func(*calls.Client) error
		path  string
		query url.Values
	}{
		"the smallest queue status": {queueStatusOf(t, aQueueStatus), "/apps/api/v1/queues/status", url.Values{
			"lang": {"en"}, "menu_id[]": {"9"}, "menu_type": {"mobile_menu"},
		}},
		"the largest queue status": {queueStatusOf(t, calls.QueueStatusRequest{
			Lang: "fr-CA", MenuIDs: []int64{9, 10}, MenuType: "sms_menu", PeriodHours: 8,
			StartFrom: documentedNow.Add(90*time.Minute + 421*time.Millisecond + 999).In(newYork),
		}), "/apps/api/v1/queues/status", url.Values{
			"lang": {"fr-CA"}, "menu_id[]": {"9", "10"}, "menu_type": {"sms_menu"}, "callback_period_hours": {"8"},
			"callback_start_from": {"2019-08-31T20:30:00.421-05:00"},
		}},
		"the smallest operation": {queueOperationOf(t, aQueueOperation), "/apps/api/v1/queue_operation_statuses", url.Values{
			"lang": {"en"}, "menu_id": {"9"}, "channel_type": {"call"},
		}},
		"another channel": {queueOperationOf(t, calls.QueueOperationRequest{Lang: "en", MenuID: 9, ChannelType: "sms"}), "/apps/api/v1/queue_operation_statuses", url.Values{
			"lang": {"en"}, "menu_id": {"9"}, "channel_type": {"sms"},
		}},
		"the smallest wait times": {waitTimesOf(t, aWaitTimes), "/apps/api/v1/wait_times", url.Values{"lang": {"en"}}},
		"the largest wait times": {waitTimesOf(t, calls.WaitTimesRequest{
			Lang: "en", MenuID: 29, ChannelType: calls.ChannelTypeVoiceCall, MenuType: calls.MenuTypeIVR,
			Wait: calls.WaitRange{From: ptr[int64](0), To: ptr[int64](10)},
		}), "/apps/api/v1/wait_times", url.Values{
			"lang": {"en"}, "menu_id": {"29"}, "channel_type": {"voice_call"}, "menu_type": {"ivr_menu"}, "wait[from]": {"0"}, "wait[to]": {"10"},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent *http.Request
			err := tt.ask(newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				sent = r
				return newResponse(http.StatusNotFound, ""), nil
			})))
			if !errors.Is(err, calls.ErrNotFound) || sent.Method != http.MethodGet || sent.URL.Path != tt.path || sent.Body != nil && sent.Body != http.NoBody {
				t.Errorf("%s %s: %v", sent.Method, sent.URL, err)
			}
			if diff := cmp.Diff(tt.query, sent.URL.Query()); diff != "" {
				t.Errorf("query (-want +sent):\n%s", diff)
			}
		})
	}
}

func TestRequestsForQueuesAreValidated(t *testing.T) {
	t.Parallel()
	status := func(change func(*calls.QueueStatusRequest)) func(*calls.Client) error {
		r := aQueueStatus
		change(&r)
		return queueStatusOf(t, r)
	}
	start := func(at time.Time) func(*calls.Client) error {
		return status(func(r *calls.QueueStatusRequest) { r.StartFrom = at })
	}
	tests := map[string]struct {
		ask   func(*calls.Client) error
		field string // "" for a request that is sent
		want  error
	}{
		"no language":               {status(func(r *calls.QueueStatusRequest) { r.Lang = "" }), "lang", calls.ErrParameterMissing},
		"a malformed language":      {status(func(r *calls.QueueStatusRequest) { r.Lang = "fr-ca" }), "lang", calls.ErrLanguageMalformed},
		"no menu":                   {status(func(r *calls.QueueStatusRequest) { r.MenuIDs = nil }), "menu_id", calls.ErrMenuIDRequired},
		"a menu that is 0":          {status(func(r *calls.QueueStatusRequest) { r.MenuIDs = []int64{9, 0} }), "menu_id", calls.ErrMenuIDMalformed},
		"no menu type":              {status(func(r *calls.QueueStatusRequest) { r.MenuType = "" }), "menu_type", calls.ErrParameterMissing},
		"an unknown menu type":      {status(func(r *calls.QueueStatusRequest) { r.MenuType = "sms_menu" }), "", nil},
		"negative hours":            {status(func(r *calls.QueueStatusRequest) { r.PeriodHours = -1 }), "callback_period_hours", calls.ErrInvalidRequest},
		"one hour":                  {status(func(r *calls.QueueStatusRequest) { r.PeriodHours = 1 }), "", nil},
		"8 hours":                   {status(func(r *calls.QueueStatusRequest) { r.PeriodHours = 8 }), "", nil},
		"9 hours":                   {status(func(r *calls.QueueStatusRequest) { r.PeriodHours = 9 }), "callback_period_hours", calls.ErrInvalidRequest},
		"a start in the past":       {start(documentedNow.Add(-time.Millisecond)), "callback_start_from", calls.ErrInvalidRequest},
		"a start now":               {start(documentedNow), "", nil},
		"a start in 24 hours":       {start(documentedNow.Add(24 * time.Hour)), "", nil},
		"a start after 24 hours":    {start(documentedNow.Add(24*time.Hour + time.Millisecond)), "callback_start_from", calls.ErrInvalidRequest},
		"an operation, no language": {queueOperationOf(t, calls.QueueOperationRequest{MenuID: 9}), "lang", calls.ErrParameterMissing},
		"an operation, no menu":     {queueOperationOf(t, calls.QueueOperationRequest{Lang: "en"}), "menu_id", calls.ErrParameterMissing},
		"an operation, bad menu":    {queueOperationOf(t, calls.QueueOperationRequest{Lang: "en", MenuID: -9}), "menu_id", calls.ErrMenuIDMalformed},
		"waits, no language":        {waitTimesOf(t, calls.WaitTimesRequest{}), "lang", calls.ErrParameterMissing},
		"waits, a bad menu":         {waitTimesOf(t, calls.WaitTimesRequest{Lang: "en", MenuID: -1}), "menu_id", calls.ErrMenuIDMalformed},
		"waits, a negative bound":   {waitTimesOf(t, calls.WaitTimesRequest{Lang: "en", Wait: calls.WaitRange{From: ptr[int64](-1)}}), "wait", calls.ErrInvalidRequest},
		"waits, a range backwards":  {waitTimesOf(t, calls.WaitTimesRequest{Lang: "en", Wait: calls.WaitRange{From: ptr[int64](2), To: ptr[int64](1)}}), "wait", calls.ErrInvalidRequest},
		"waits, a range of one":     {waitTimesOf(t, calls.WaitTimesRequest{Lang: "en", Wait: calls.WaitRange{From: ptr[int64](2), To: ptr[int64](2)}}), "", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.field == "" {
				if err := tt.ask(newClient(t, responding(http.StatusNotFound, ""))); !errors.Is(err, calls.ErrNotFound) {
					t.Errorf("not sent: %v", err)
				}
				return
			}
			err := tt.ask(newClient(t, untouched(t)))
			var invalid *calls.ValidationError
			if !errors.Is(err, tt.want) || !errors.As(err, &invalid) || invalid.Field != tt.field || calls.DeliveryOf(err) != calls.DeliveryNotSent {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestUndecodableQueues(t *testing.T) {
	t.Parallel()
	var none *calls.Client
	for name, ask := range map[string]func(*calls.Client) error{
		"QueueStatus": queueStatusOf(t, aQueueStatus), "QueueOperation": queueOperationOf(t, aQueueOperation), "WaitTimes": waitTimesOf(t, aWaitTimes),
	} {
		for _, body := range []string{"", "null", `"en"`, "<html>", `{"queues":5}`[:4]} {
			if err := ask(newClient(t, responding(http.StatusOK, body))); !errors.Is(err, calls.ErrUndecodable) {
				t.Errorf("%s with %q: %v", name, body, err)
			}
		}
		if err := ask(none); err == nil {
			t.Errorf("%s of a nil client: no error", name)
		}
	}
	for _, body := range []string{`{}`, `{"queues":null}`, `{"queues":{}}`, `{"message":"ok"}`, `[]`} {
		if err := queueStatusOf(t, aQueueStatus)(newClient(t, responding(http.StatusOK, body))); !errors.Is(err, calls.ErrUndecodable) {
			t.Errorf("a queue status with %q: %v", body, err)
		}
	}
	if err := waitTimesOf(t, aWaitTimes)(newClient(t, responding(http.StatusOK, `{}`))); !errors.Is(err, calls.ErrUndecodable) {
		t.Errorf("wait times with an object: %v", err)
	}
}

// TestMalformedQueues checks that a malformed value affects no other value.
func TestMalformedQueues(t *testing.T) {
	t.Parallel()
	client := newClient(t, responding(http.StatusOK, `{"queues":[{"menu_id":"2","current_queue_ewt":"12.5","logged_in_agents":{},
		"callback_periods":[{"date":20260225,"start_time":"17:30","scheduled_calls":"0","max_slots":1},null]},"none",{"menu_id":3}]}`))
	queues, err := client.QueueStatus(t.Context(), aQueueStatus)
	if err != nil || len(queues) != 2 || *queues[0].MenuID != 2 || queues[0].CurrentQueueEWT != "12.5" || queues[0].LoggedInAgents != nil || *queues[1].MenuID != 3 {
		t.Fatalf("%+v, %v", queues, err)
	}
	if p := queues[0].CallbackPeriods; len(p) != 2 || p[0].Date != "20260225" || !p[0].Free() || p[1].Free() {
		t.Errorf("periods %+v", p)
	}
	for body, want := range map[string]*bool{
		`{"after_hour":true}`: ptr(true), `{"after_hours":true}`: ptr(true), `{"after_hour":null,"after_hours":"false"}`: ptr(false), `{}`: nil,
	} {
		operation, err := newClient(t, responding(http.StatusOK, body)).QueueOperation(t.Context(), aQueueOperation)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, operation.AfterHours); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// TestSchedulingInAFreePeriod schedules as documented: it gets the callback periods first,
// and uses only free ones.
func TestSchedulingInAFreePeriod(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t, callstest.WithMenus(
		callstest.Menu{ID: 9, Name: "Lock Star", Types: []calls.MenuType{calls.MenuTypeMobile}, Wait: 120, Overcapacity: true},
		callstest.Menu{ID: 20, Name: "Two", Types: []calls.MenuType{calls.MenuTypeMobile}, Slots: 2},
		callstest.Menu{ID: 21, Name: "None", Types: []calls.MenuType{calls.MenuTypeMobile}, Slots: -1},
	))
	client := socketClient(t, server)
	ask := func(menu int64) []calls.CallbackPeriod {
		queues, err := client.QueueStatus(t.Context(), calls.QueueStatusRequest{Lang: "en", MenuIDs: []int64{menu}, MenuType: calls.MenuTypeMobile, PeriodHours: 1})
		if err != nil || len(queues) != 1 {
			t.Fatalf("%v, %v", queues, err)
		}
		return queues[0].CallbackPeriods
	}
	for menu, times := range map[int64]int{9: 1, 20: 2} {
		for range times {
			first := ask(menu)[0]
			at, err := first.Start(time.UTC)
			if err != nil || !first.Free() {
				t.Fatalf("%+v: free %v, %v", first, first.Free(), err)
			}
			if _, err := client.CreateScheduled(t.Context(), calls.ScheduledRequest{MenuID: menu, EndUserNumber: goodNumber, ScheduledAt: at.Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
		}
		if periods := ask(menu); periods[0].Free() || !periods[1].Free() {
			t.Errorf("menu %d: %+v", menu, periods)
		}
	}
	if periods := ask(21); len(periods) != 0 {
		t.Errorf("a menu without slots has %+v", periods)
	}
	if periods := ask(9); len(periods) != 4 {
		t.Errorf("an hour has %d periods", len(periods))
	}

	operation, err := client.QueueOperation(t.Context(), calls.QueueOperationRequest{Lang: "en", MenuID: 13})
	if err != nil || !*operation.AfterHours || *operation.Overcapacity {
		t.Errorf("a closed menu: %+v, %v", operation, err)
	}
	waits, err := client.WaitTimes(t.Context(), calls.WaitTimesRequest{Lang: "en", Wait: calls.WaitRange{From: ptr[int64](100)}, ChannelType: calls.ChannelTypeVoiceCall})
	if err != nil || len(waits) != 1 || *waits[0].MenuID != 9 || waits[0].VoiceCall != "120" || waits[0].Chat != "" || waits[0].MenuType != calls.MenuTypeMobile {
		t.Errorf("waits %+v, %v", waits, err)
	}
}

// TestTheDoubleRefusesQueuesWithoutParameters leaves out the parameters that are documented
// as required.
func TestTheDoubleRefusesQueuesWithoutParameters(t *testing.T) {
	t.Parallel()
	client := socketClient(t, callstest.NewServer(t))
	for _, tt := range []struct {
		path  string
		query url.Values
		param string
	}{
		{"queues/status", url.Values{"menu_id[]": {"9"}, "menu_type": {"ivr_menu"}}, "lang"},
		{"queues/status", url.Values{"lang": {"en"}, "menu_type": {"ivr_menu"}}, "menu_id"},
		{"queues/status", url.Values{"lang": {"en"}, "menu_id[]": {"9"}}, "menu_type"},
		{"queue_operation_statuses", url.Values{"lang": {"en"}, "menu_id": {"9"}}, "channel_type"},
		{"wait_times", nil, "lang"},
	} {
		_, err := client.Do(t.Context(), http.MethodGet, tt.path, tt.query, nil, nil)
		if !errors.Is(err, calls.ErrParameterMissing) || apiErrorOf(t, err).Param != tt.param {
			t.Errorf("%s without %s: %v", tt.path, tt.param, err)
		}
	}
}

func queueStatusOf(t *testing.T, r calls.QueueStatusRequest) func(*calls.Client) error {
	return func(c *calls.Client) error { _, err := c.QueueStatus(t.Context(), r); return err }
}

func queueOperationOf(t *testing.T, r calls.QueueOperationRequest) func(*calls.Client) error {
	return func(c *calls.Client) error { _, err := c.QueueOperation(t.Context(), r); return err }
}

func waitTimesOf(t *testing.T, r calls.WaitTimesRequest) func(*calls.Client) error {
	return func(c *calls.Client) error { _, err := c.WaitTimes(t.Context(), r); return err }
}
