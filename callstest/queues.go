package callstest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ccaip-go/calls"
)

const (
	queueStatusPath    = "/apps/api/v1/queues/status"
	queueOperationPath = "/apps/api/v1/queue_operation_statuses"
	waitTimesPath      = "/apps/api/v1/wait_times"
)

// period is the length of a callback period, as in the documented example.
const period = 15 * time.Minute

type queueObject struct {
	MenuID               int64          `json:"menu_id"`
	MenuType             calls.MenuType `json:"menu_type"`
	Lang                 string         `json:"lang"`
	MaterializedPath     string         `json:"materialized_path"`
	CurrentQueueEWT      int64          `json:"current_queue_ewt"`
	ScheduledCallbackEWT int64          `json:"scheduled_callback_ewt"`
	CallbackPeriods      []periodObject `json:"callback_periods"`
	agentCounts
}

type periodObject struct {
	Date           string `json:"date"`
	StartTime      string `json:"start_time"`
	EndTime        string `json:"end_time"`
	ScheduledCalls int    `json:"scheduled_calls"`
	MaxSlots       int    `json:"max_slots"`
}

type agentCounts struct {
	LoggedIn     int `json:"logged_in_agents"`
	Available    int `json:"available_agents"`
	Breakthrough int `json:"breakthrough_agents"`
}

// queueStatus omits menus that do not exist or are not of the given type. That is the
// double's own choice, and so are the messages of its refusals.
func (p *platform) queueStatus(values url.Values, now time.Time) response {
	for _, name := range []string{"lang", "menu_id[]", "menu_type"} {
		if values.Get(name) == "" {
			return refuseMissing(name)
		}
	}
	if problem := p.world.langProblem(values.Get("lang")); problem != "" {
		return refuse(problem)
	}
	hours, err := positive(values, "callback_period_hours", 4)
	if err != nil || hours > 8 {
		return refuse("callback_period_hours is not between 1 and 8")
	}
	start := now
	if text := values.Get("callback_start_from"); text != "" {
		start, err = time.Parse(time.RFC3339, text)
		if err != nil || start.Before(now) || start.After(now.Add(24*time.Hour)) {
			return refuse("callback_start_from is not a time within the next 24 hours")
		}
	}
	menuType := calls.MenuType(values.Get("menu_type"))
	queues := []queueObject{}
	for _, id := range values["menu_id[]"] {
		menuID, _ := strconv.ParseInt(id, 10, 64)
		menu, ok := p.world.menu(menuID)
		if !ok || !slices.Contains(menu.Types, menuType) {
			continue
		}
		queues = append(queues, queueObject{
			MenuID: menuID, MenuType: menuType, Lang: values.Get("lang"), MaterializedPath: menu.Name,
			CurrentQueueEWT: menu.Wait, agentCounts: p.world.countAgents(),
			CallbackPeriods: p.callbackPeriods(menu, start, hours),
		})
	}
	return respondJSON(http.StatusOK, map[string]any{"queues": queues})
}

// callbackPeriods returns the periods in the given number of hours after start, in UTC.
func (p *platform) callbackPeriods(menu Menu, start time.Time, hours int) []periodObject {
	periods := []periodObject{}
	if menu.State != Open || menu.Slots < 0 {
		return periods
	}
	slots := max(menu.Slots, 1)
	scheduled := p.history.scheduledOn(menu.ID)
	begin := start.UTC().Truncate(period)
	if begin.Before(start) {
		begin = begin.Add(period)
	}
	for end := start.Add(time.Duration(hours) * time.Hour); begin.Before(end); begin = begin.Add(period) {
		periods = append(periods, periodObject{
			Date:           begin.Format("20060102"),
			StartTime:      begin.Format("15:04"),
			EndTime:        begin.Add(period).Format("15:04"),
			ScheduledCalls: scheduled[begin],
			MaxSlots:       slots,
		})
	}
	return periods
}

func (p *platform) queueOperation(values url.Values) response {
	for _, name := range []string{"menu_id", "lang", "channel_type"} {
		if values.Get(name) == "" {
			return refuseMissing(name)
		}
	}
	id, _ := strconv.ParseInt(values.Get("menu_id"), 10, 64)
	menu, ok := p.world.menu(id)
	if !ok {
		return notFound()
	}
	return respondJSON(http.StatusOK, map[string]any{
		"menu_id": menu.ID, "lang": values.Get("lang"), "channel_type": values.Get("channel_type"),
		"after_hour": menu.State == AfterHours, "overcapacity": menu.Overcapacity,
	})
}

type waitObject struct {
	MenuID           int64          `json:"menu_id"`
	MenuType         calls.MenuType `json:"menu_type"`
	Chat             *int64         `json:"chat,omitempty"`
	VoiceCall        *int64         `json:"voice_call,omitempty"`
	MaterializedPath string         `json:"materialized_path"`
	agentCounts
}

// waitTimes responds with an object for each menu and type, with the same wait for both
// channels.
func (p *platform) waitTimes(values url.Values) response {
	if values.Get("lang") == "" {
		return refuseMissing("lang")
	}
	if problem := p.world.langProblem(values.Get("lang")); problem != "" {
		return refuse(problem)
	}
	waits := []waitObject{}
	for _, menu := range p.world.menus {
		if !isWanted(values, "menu_id", strconv.FormatInt(menu.ID, 10)) || !isWithin(values, menu.Wait) {
			continue
		}
		for _, menuType := range menu.Types {
			if isWanted(values, "menu_type", string(menuType)) {
				waits = append(waits, p.world.waitOf(menu, menuType, values))
			}
		}
	}
	return respondJSON(http.StatusOK, waits)
}

func (w *world) waitOf(menu Menu, menuType calls.MenuType, values url.Values) waitObject {
	o := waitObject{MenuID: menu.ID, MenuType: menuType, MaterializedPath: menu.Name, agentCounts: w.countAgents()}
	if isWanted(values, "channel_type", "voice_call") {
		o.VoiceCall = &menu.Wait
	}
	if isWanted(values, "channel_type", "chat") {
		o.Chat = &menu.Wait
	}
	return o
}

// isWanted reports whether the parameter name is absent or has the given value.
func isWanted(values url.Values, name, value string) bool {
	return values.Get(name) == "" || values.Get(name) == value
}

// isWithin reports whether wait is within the parameters wait[from] and wait[to].
func isWithin(values url.Values, wait int64) bool {
	from, fromErr := strconv.ParseInt(values.Get("wait[from]"), 10, 64)
	to, toErr := strconv.ParseInt(values.Get("wait[to]"), 10, 64)
	return (fromErr != nil || wait >= from) && (toErr != nil || wait <= to)
}

// countAgents counts every agent as logged in.
func (w *world) countAgents() agentCounts {
	counts := agentCounts{LoggedIn: len(w.agents)}
	for _, agent := range w.agents {
		if agent.Available && agent.Permitted {
			counts.Available++
		}
	}
	return counts
}

// langProblem returns the message for a language that is not available, or "".
func (w *world) langProblem(lang string) string {
	switch available, known := w.languages[lang]; {
	case !known:
		return fmt.Sprintf("Language '%s' is not found", lang)
	case !available:
		return fmt.Sprintf("Language '%s' is not available", lang)
	}
	return ""
}
