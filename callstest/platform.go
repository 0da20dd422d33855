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
)

// platform carries operations out. It knows nothing of faults.
type platform struct {
	config
	ledger *ledger
}

// perform answers a request whose body has been read.
func (p *platform) perform(r *http.Request, body []byte, now time.Time) answer {
	switch {
	case len(body) > maxBody:
		return answerStatus(http.StatusRequestEntityTooLarge)
	case !p.authorized(r):
		return answerStatus(http.StatusUnauthorized)
	case r.URL.Path == appsCalls && r.Method == http.MethodPost:
		return p.create(body, now)
	case r.URL.Path == managerCalls && r.Method == http.MethodGet:
		return p.list(r, now)
	}
	id, leaf := splitCallPath(r.URL.Path)
	switch r.Method + " " + leaf {
	case "GET customer_flag":
		return p.getFlag(id)
	case "PATCH customer_flag":
		return p.patchFlag(id, body)
	case "POST end_user":
		return p.authenticateEndUser(id, body)
	}
	return notFound()
}

func (p *platform) authorized(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && user == p.subdomain &&
		subtle.ConstantTimeCompare([]byte(password), []byte(p.token)) == 1
}

// splitCallPath takes apart what hangs below one call. The leaf is empty if
// path is nothing of the kind.
func splitCallPath(path string) (id int64, leaf string) {
	rest, ok := strings.CutPrefix(path, appsCalls+"/")
	if !ok {
		return 0, ""
	}
	number, leaf, _ := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, ""
	}
	return id, leaf
}
