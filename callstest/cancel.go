package callstest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ccaip-go/calls"
)

const (
	cancelManyPath   = appsCalls + "/scheduled/cancel"
	cancellationPath = appsCalls + "/scheduled/cancellations/" // the double's own
)

// cancelOne has two responses of the double's own: to a call that was not
// scheduled, and to one that ended otherwise.
func (p *platform) cancelOne(id int64, now time.Time) answer {
	call, isCanceled := p.history.cancel(id, now)
	switch {
	case call == nil || call.ScheduledAt == nil:
		return notFound()
	case isCanceled:
		return answerJSON(http.StatusOK, p.world.object(*call))
	case call.isCanceled():
		return answer{status: http.StatusNoContent}
	}
	return refuse("Call is already ended")
}

// cancelMany cancels at once. Its status is the double's own.
func (p *platform) cancelMany(r *http.Request, body []byte, now time.Time) answer {
	var params struct {
		CallIDs []int64 `json:"call_ids"`
	}
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseBody()
	}
	if len(params.CallIDs) == 0 {
		return missing("call_ids")
	}
	done := cancellation{Canceled: []int64{}, Failed: []int64{}}
	for _, id := range params.CallIDs {
		if _, isCanceled := p.history.cancel(id, now); isCanceled {
			done.Canceled = append(done.Canceled, id)
		} else {
			done.Failed = append(done.Failed, id)
		}
	}
	location := url.URL{Scheme: p.scheme(), Host: r.Host, Path: cancellationPath + strconv.Itoa(p.history.keep(done))}
	return answer{status: http.StatusAccepted, header: http.Header{"Location": {location.String()}}}
}

// cancellation is what the address of a cancellation shows. All of it is the
// double's own.
type cancellation struct {
	Canceled []int64 `json:"canceled"`
	Failed   []int64 `json:"failed"`
}

func (p *platform) showCancellation(number string) answer {
	n, err := strconv.Atoi(number)
	done, ok := p.history.cancellation(n)
	if err != nil || !ok {
		return notFound()
	}
	return answerJSON(http.StatusOK, done)
}

func missing(parameter string) answer {
	return refuse("param is missing or the value is empty: " + strings.TrimSuffix(parameter, "[]"))
}

// cancel returns the call after it was canceled or, if that was not possible, as it
// is. It returns nil for a call that does not exist.
func (h *history) cancel(id int64, now time.Time) (call *Call, isCanceled bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, ok := h.byID[id]
	if !ok {
		return nil, false
	}
	if isCanceled = r.ScheduledAt != nil && !r.hasEnded(); isCanceled {
		status := calls.CallStatus("completed")
		if r.Status == "scheduled" || r.Status == "queued" {
			status = "cancelled"
		}
		r.moveTo(status, now)
	}
	c := r.clone()
	return &c, isCanceled
}

func (h *history) keep(c cancellation) (number int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cancellations = append(h.cancellations, c)
	return len(h.cancellations)
}

func (h *history) cancellation(number int) (c cancellation, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number < 1 || number > len(h.cancellations) {
		return cancellation{}, false
	}
	return h.cancellations[number-1], true
}
