package callstest

import (
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	appsCalls    = "/apps/api/v1/calls"
	managerCalls = "/manager/api/v1/calls"

	organizationPath = "/manager/api/v1/settings/organization"
)

// platform carries operations out. It knows nothing of faults.
type platform struct {
	config
	history *history
}

// perform answers a request whose body has been read.
func (p *platform) perform(r *http.Request, body []byte, now time.Time) answer {
	switch {
	case len(body) > maxBody:
		return answerStatus(http.StatusRequestEntityTooLarge)
	case !p.authorized(r):
		return answerMessage(http.StatusUnauthorized, "Not Authorized")
	}
	switch r.Method + " " + r.URL.Path {
	case "POST " + appsCalls:
		return p.create(body, now)
	case "PATCH " + cancelManyPath:
		return p.cancelMany(r, body, now)
	case "GET " + queueStatusPath:
		return p.queueStatus(r.URL.Query(), now)
	case "GET " + queueOperationPath:
		return p.queueOperation(r.URL.Query())
	case "GET " + waitTimesPath:
		return p.waitTimes(r.URL.Query())
	case "GET " + managerCalls:
		return p.list(r, now)
	case "GET " + organizationPath:
		return answerJSON(http.StatusOK, struct{}{}) // what the platform shows is not documented
	}
	return p.performOnCall(r, body, now)
}

// performOnCall answers a request whose path names one call, or one cancellation.
func (p *platform) performOnCall(r *http.Request, body []byte, now time.Time) answer {
	if number, ok := strings.CutPrefix(r.URL.Path, cancellationPath); ok && r.Method == http.MethodGet {
		return p.showCancellation(number)
	}
	id, leaf := splitCallPath(r.URL.Path)
	switch r.Method + " " + leaf {
	case "GET customer_flag":
		return p.getFlag(id)
	case "PATCH customer_flag":
		return p.patchFlag(id, body)
	case "POST end_user":
		return p.authenticateEndUser(id, body)
	case "POST dial":
		return p.dial(id, body)
	case "PATCH scheduled/cancel":
		return p.cancelOne(id, now)
	}
	return notFound()
}

func (p *platform) authorized(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && user == p.subdomain &&
		subtle.ConstantTimeCompare([]byte(password), []byte(p.token)) == 1
}

// splitCallPath takes apart what hangs below one call. The leaf is empty if
// path is nothing of the kind, and begins with "scheduled/" below a scheduled call.
func splitCallPath(path string) (id int64, leaf string) {
	rest, ok := strings.CutPrefix(path, appsCalls+"/")
	if !ok {
		return 0, ""
	}
	rest, isScheduled := strings.CutPrefix(rest, "scheduled/")
	number, leaf, _ := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, ""
	}
	if isScheduled {
		leaf = "scheduled/" + leaf
	}
	return id, leaf
}
