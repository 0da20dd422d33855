package calls

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-querystring/query"

	"github.com/ccaip-go/calls/internal/flex"
)

const (
	queueStatusRoute    = appsPath + "/queues/status"
	queueOperationRoute = appsPath + "/queue_operation_statuses"
	waitTimesRoute      = appsPath + "/wait_times"
)

// QueueStatusRequest chooses queues, and the time to show their callback periods
// for.
//
// Reference: "Queue status".
type QueueStatusRequest struct {
	// Lang is the language of the queues, such as "en". Required.
	Lang string `url:"lang"`
	// MenuIDs are the queue menus, at least one.
	MenuIDs []int64 `url:"menu_id,brackets"`
	// MenuType is the type of the menus. Required.
	MenuType MenuType `url:"menu_type"`
	// PeriodHours is how many hours of callback periods to show, 1 to 8. Zero means
	// the platform's default, 4.
	PeriodHours int `url:"callback_period_hours,omitempty"`
	// StartFrom is where the callback periods begin: not in the past, and at most 24
	// hours ahead. It is sent truncated to milliseconds, in its own location, which
	// should be the time zone of the queue or the company. The zero time means now.
	StartFrom time.Time `url:"callback_start_from,omitempty" layout:"2006-01-02T15:04:05.000Z07:00"`
}

// QueueStatus is what a queue can take. A field that is missing or cannot be read
// is nil or empty.
//
// Reference: "Queue status".
type QueueStatus struct {
	MenuID           *int64   `json:"menu_id"`
	MenuType         MenuType `json:"menu_type"`
	Lang             string   `json:"lang"`
	MaterializedPath string   `json:"materialized_path"`
	// CurrentQueueEWT and ScheduledCallbackEWT are expected waits, as they came. The
	// reference gives no unit.
	CurrentQueueEWT      json.Number `json:"current_queue_ewt,omitempty"`
	ScheduledCallbackEWT json.Number `json:"scheduled_callback_ewt,omitempty"`
	LoggedInAgents       *int64      `json:"logged_in_agents"`
	AvailableAgents      *int64      `json:"available_agents"`
	BreakthroughAgents   *int64      `json:"breakthrough_agents"`
	// CallbackPeriods are in the order in which they came. The platform leaves out
	// what is outside the hours of operation.
	CallbackPeriods []CallbackPeriod `json:"callback_periods"`
}

// QueueStatus reads what queues can take: their expected waits, their agents and
// their free callback periods. Ask it before CreateScheduled, and schedule in a
// period that is Free.
//
// Reference: "Queue status".
func (c *Client) QueueStatus(ctx context.Context, req QueueStatusRequest) ([]QueueStatus, error) {
	o, err := c.readQueues(ctx, "QueueStatus", queueStatusRoute, req)
	if err != nil {
		return nil, err
	}
	var queues []QueueStatus
	err = o.decode(ctx, func(body []byte) (err error) {
		var response struct {
			Queues json.RawMessage `json:"queues"`
		}
		if err := json.Unmarshal(body, &response); err != nil {
			return err
		}
		queues, err = decodeList[QueueStatus](response.Queues)
		return err
	})
	return queues, err
}

// QueueOperationRequest chooses a queue.
//
// Reference: "Queue operation statuses".
type QueueOperationRequest struct {
	MenuID int64  `url:"menu_id"` // required
	Lang   string `url:"lang"`    // required
	// ChannelType is the channel. Empty means ChannelTypeCall.
	ChannelType ChannelType `url:"channel_type"`
}

// QueueOperation is whether a queue takes calls now. A field that is missing or
// cannot be read is nil or empty.
//
// Reference: "Queue operation statuses".
type QueueOperation struct {
	MenuID      *int64      `json:"menu_id"`
	Lang        string      `json:"lang"`
	ChannelType ChannelType `json:"channel_type"`
	// AfterHours means that the queue is outside its hours of operation. It is read
	// from either spelling of the reference, after_hour or after_hours.
	AfterHours *bool `json:"after_hour" flex:"after_hours"`
	// Overcapacity means that the queue is overloaded.
	Overcapacity *bool `json:"overcapacity"`
}

// QueueOperation reads whether a queue is open and has capacity.
//
// Reference: "Queue operation statuses".
func (c *Client) QueueOperation(ctx context.Context, req QueueOperationRequest) (*QueueOperation, error) {
	req.ChannelType = cmp.Or(req.ChannelType, ChannelTypeCall)
	o, err := c.readQueues(ctx, "QueueOperation", queueOperationRoute, req)
	if err != nil {
		return nil, err
	}
	operation := &QueueOperation{}
	if err := o.decode(ctx, func(body []byte) error { return flex.Decode(body, operation) }); err != nil {
		return nil, err
	}
	return operation, nil
}

// WaitTimesRequest chooses the queues to read waits of. A zero field but Lang does
// not narrow the choice.
//
// Reference: "Wait time".
type WaitTimesRequest struct {
	Lang        string      `url:"lang"` // required
	MenuID      int64       `url:"menu_id,omitempty"`
	ChannelType ChannelType `url:"channel_type,omitempty"` // ChannelTypeVoiceCall or ChannelTypeChat
	MenuType    MenuType    `url:"menu_type,omitempty"`
	// Wait leaves out the waits outside of it, in the platform's own unit.
	Wait WaitRange `url:"wait"`
}

// WaitRange is a range of waits. A nil bound is open.
type WaitRange struct {
	From *int64 `url:"from,omitempty"`
	To   *int64 `url:"to,omitempty"`
}

// WaitTime is how long a queue lets people wait. A field that is missing or cannot
// be read is nil or empty.
//
// Reference: "Wait time".
type WaitTime struct {
	MenuID           *int64   `json:"menu_id"`
	MenuType         MenuType `json:"menu_type"`
	MaterializedPath string   `json:"materialized_path"`
	// VoiceCall and Chat are the waits for the channels, as they came, "" for a
	// channel without one. The unit is not certain: the reference's table says
	// minutes, and its example seconds.
	VoiceCall json.Number `json:"voice_call,omitempty"`
	Chat      json.Number `json:"chat,omitempty"`
	// Older versions of the platform do not send the numbers of agents.
	LoggedInAgents     *int64 `json:"logged_in_agents"`
	AvailableAgents    *int64 `json:"available_agents"`
	BreakthroughAgents *int64 `json:"breakthrough_agents"`
}

// WaitTimes reads how long queues let people wait.
//
// Reference: "Wait time".
func (c *Client) WaitTimes(ctx context.Context, req WaitTimesRequest) ([]WaitTime, error) {
	o, err := c.readQueues(ctx, "WaitTimes", waitTimesRoute, req)
	if err != nil {
		return nil, err
	}
	var waits []WaitTime
	err = o.decode(ctx, func(body []byte) (err error) {
		waits, err = decodeList[WaitTime](body)
		return err
	})
	return waits, err
}

// queueRequest is a request of an endpoint for queues.
type queueRequest interface{ check(c *checker) }

func (r QueueStatusRequest) check(c *checker) {
	c.queueLang(r.Lang)
	if len(r.MenuIDs) == 0 {
		c.refuse("menu_id", "is required", errors.Join(ErrMenuIDRequired, ErrParameterMissing))
	}
	for _, id := range r.MenuIDs {
		if id <= 0 {
			c.refuse("menu_id", "is not positive", ErrMenuIDMalformed)
		}
	}
	if r.MenuType == "" {
		c.refuse("menu_type", "is required", ErrParameterMissing)
	}
	if r.PeriodHours < 0 || r.PeriodHours > 8 {
		c.refuse("callback_period_hours", "is not between 1 and 8", ErrInvalidRequest)
	}
	if r.StartFrom.IsZero() {
		return
	}
	now := c.client.now()
	switch start := r.StartFrom.Truncate(time.Millisecond); {
	case start.Before(now.Truncate(time.Millisecond)):
		c.refuse("callback_start_from", "is in the past", ErrInvalidRequest)
	case start.After(now.Add(24 * time.Hour)):
		c.refuse("callback_start_from", "is more than 24 hours ahead", ErrInvalidRequest)
	}
}

func (r QueueOperationRequest) check(c *checker) {
	c.queueLang(r.Lang)
	if r.MenuID == 0 {
		c.refuse("menu_id", "is required", errors.Join(ErrMenuIDRequired, ErrParameterMissing))
		return
	}
	c.menuID(r.MenuID, true)
}

func (r WaitTimesRequest) check(c *checker) {
	c.queueLang(r.Lang)
	c.menuID(r.MenuID, false)
	from, to := r.Wait.From, r.Wait.To
	switch {
	case from != nil && *from < 0 || to != nil && *to < 0:
		c.refuse("wait", "is negative", ErrInvalidRequest)
	case from != nil && to != nil && *from > *to:
		c.refuse("wait", "ends before it begins", ErrInvalidRequest)
	}
}

// queueLang requires a language, unlike lang.
func (c *checker) queueLang(lang string) {
	if lang == "" {
		c.refuse("lang", "is required", ErrParameterMissing)
	}
	c.lang(lang)
}

// readQueues validates a request and sends it as a query.
func (c *Client) readQueues(ctx context.Context, name, route string, req queueRequest) (*outcome, error) {
	if c == nil || c.sender == nil {
		return nil, errNotMade
	}
	check := checker{client: c}
	req.check(&check)
	if len(check.problems) > 0 {
		return nil, check.problems
	}
	values, err := query.Values(req)
	if err != nil {
		return nil, invalid("request", "cannot be encoded as a query", nil)
	}
	return c.send(ctx, operation{name: name, method: http.MethodGet, route: route, query: values.Encode()})
}

// decodeList decodes the objects of a JSON array. One element that is no object does not
// affect the rest: it is left out.
func decodeList[T any](data []byte) ([]T, error) {
	list := []T{}
	_, err := flex.DecodeArray(data, func(element *T, _ []byte) { list = append(list, *element) })
	if err != nil {
		return nil, err
	}
	return list, nil
}
