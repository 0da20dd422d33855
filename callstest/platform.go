package callstest

import (
	"bytes"
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ccaip-go/calls"
)

const (
	appsCalls    = "/apps/api/v1/calls"
	managerCalls = "/manager/api/v1/calls"

	organizationPath = "/manager/api/v1/settings/organization"

	cancelManyPath   = appsCalls + "/scheduled/cancel"
	cancellationPath = appsCalls + "/scheduled/cancellations/" // the double's own
)

// platform carries operations out. It knows nothing about faults.
type platform struct {
	config
	history *history
}

// handle responds to a request whose body has been read.
func (p *platform) handle(r *http.Request, body []byte, now time.Time) response {
	switch {
	case len(body) > maxBody:
		return respondStatus(http.StatusRequestEntityTooLarge)
	case !p.isAuthorized(r):
		return respondMessage(http.StatusUnauthorized, "Not Authorized")
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
		return respondJSON(http.StatusOK, struct{}{}) // what is in the object is not documented
	}
	return p.handleCall(r, body, now)
}

// handleCall responds to a request whose path names one call or one cancellation.
func (p *platform) handleCall(r *http.Request, body []byte, now time.Time) response {
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
		return p.dialThirdParty(id, body)
	case "PATCH scheduled/cancel":
		return p.cancelOne(id, now)
	}
	return notFound()
}

func (p *platform) isAuthorized(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && user == p.subdomain &&
		subtle.ConstantTimeCompare([]byte(password), []byte(p.token)) == 1
}

// splitCallPath splits a path below appsCalls into the call's id and the rest, such as
// "dial". For a path below a scheduled call the rest begins with "scheduled/". The rest
// is empty if the path names no call.
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

func (p *platform) getFlag(id int64) response {
	if _, ok := p.history.call(id); !ok {
		return notFound()
	}
	return respondFlag(p.history.flag(id))
}

// patchFlag responds with all flags. The body of the platform's response is not
// documented.
func (p *platform) patchFlag(id int64, body []byte) response {
	if _, ok := p.history.call(id); !ok {
		return notFound()
	}
	var update flagObject
	if err := json.Unmarshal(body, &update); err != nil {
		return refuseMalformed()
	}
	return respondFlag(p.history.updateFlag(id, calls.CustomerFlag{
		VerifiedCustomer: update.VerifiedCustomer,
		BadActor:         update.BadActor,
		RepeatCustomer:   cmp.Or(update.RepeatCustomer, update.RepeatCustomers),
	}))
}

// flagObject has the key repeat_customer of the documented response, and the key
// repeat_customers of the documented PATCH body.
type flagObject struct {
	VerifiedCustomer *bool `json:"verified_customer"`
	BadActor         *bool `json:"bad_actor"`
	RepeatCustomer   *bool `json:"repeat_customer"`
	RepeatCustomers  *bool `json:"repeat_customers,omitempty"`
}

func respondFlag(f calls.CustomerFlag) response {
	return respondJSON(http.StatusOK, flagObject{
		VerifiedCustomer: f.VerifiedCustomer,
		BadActor:         f.BadActor,
		RepeatCustomer:   f.RepeatCustomer,
	})
}

// authenticateEndUser authenticates an end user. The order of its checks is the double's
// own.
func (p *platform) authenticateEndUser(id int64, body []byte) response {
	call, ok := p.history.call(id)
	if !ok {
		return notFound()
	}
	var params endUserParams
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseMalformed()
	}
	switch {
	case params.Identifier == "":
		return refuseMissing("identifier")
	case call.hasEnded():
		return refuse("Call is already ended")
	case p.noCRM:
		return refuse("Unsupported CRM request")
	case !p.history.addEndUser(id, calls.EndUserAuth(params)):
		return refuse("Duplicate request: Please wait for the interval to expire")
	}
	return respondMessage(http.StatusAccepted, "accepted")
}

// endUserParams are the parameters of an authentication. They repeat the keys of
// calls.EndUserAuth, so that a mistake there shows.
type endUserParams struct {
	Identifier string `json:"identifier"`
	Name       string `json:"name"`
	Email      string `json:"email"`
	Phone      string `json:"phone"`
}

// dialThirdParty dials a third party. The order of its checks is the double's own, and so
// is its status, which the documented example does not show.
func (p *platform) dialThirdParty(id int64, body []byte) response {
	var params struct {
		AgentEmail  string `json:"agent_email"`
		PhoneNumber string `json:"phone_number"`
	}
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseMalformed()
	}
	call, ok := p.history.call(id)
	_, agent := p.world.agent(params.AgentEmail)
	switch {
	case params.AgentEmail == "":
		return refuseMissing("agent_email")
	case params.PhoneNumber == "":
		return refuseMissing("phone_number")
	case agent == 0:
		return refuse("Invalid agent_email")
	case !ok:
		return notFound()
	case call.AgentEmail != params.AgentEmail || call.Status != "connected":
		return respondMessage(http.StatusUnprocessableEntity, "Agent is not connected to the call")
	case !dialable(params.PhoneNumber) || slices.Contains(p.unreachable, digitsOf(params.PhoneNumber)):
		return respondMessage(http.StatusUnprocessableEntity, "Error dialing third party")
	}
	third := p.history.addThirdParty(id, ThirdParty{AgentEmail: params.AgentEmail, PhoneNumber: params.PhoneNumber})
	return respondJSON(http.StatusOK, map[string]any{
		"message":     "Third party dialing initiated",
		"participant": map[string]any{"id": third.ParticipantID, "type": "third_party", "status": "connecting"},
	})
}

// firstParticipantID is the participant's id in the documented example.
const firstParticipantID = 54321

// cancelOne cancels a scheduled call. Its responses are the double's own for a call that
// was not scheduled, and for a call that has ended without being canceled.
func (p *platform) cancelOne(id int64, now time.Time) response {
	call, isCanceled := p.history.cancel(id, now)
	switch {
	case call == nil || call.ScheduledAt == nil:
		return notFound()
	case isCanceled:
		return respondJSON(http.StatusOK, p.world.object(*call))
	case call.isCanceled():
		return response{status: http.StatusNoContent}
	}
	return refuse("Call is already ended")
}

// cancelMany cancels scheduled calls immediately. Its status is the double's own.
func (p *platform) cancelMany(r *http.Request, body []byte, now time.Time) response {
	var params struct {
		CallIDs []int64 `json:"call_ids"`
	}
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseMalformed()
	}
	if len(params.CallIDs) == 0 {
		return refuseMissing("call_ids")
	}
	done := cancellation{Canceled: []int64{}, Failed: []int64{}}
	for _, id := range params.CallIDs {
		if _, isCanceled := p.history.cancel(id, now); isCanceled {
			done.Canceled = append(done.Canceled, id)
		} else {
			done.Failed = append(done.Failed, id)
		}
	}
	number := p.history.addCancellation(done)
	location := url.URL{Scheme: p.scheme(), Host: r.Host, Path: cancellationPath + strconv.Itoa(number)}
	return response{status: http.StatusAccepted, header: http.Header{"Location": {location.String()}}}
}

func (p *platform) showCancellation(number string) response {
	n, err := strconv.Atoi(number)
	done, ok := p.history.cancellation(n)
	if err != nil || !ok {
		return notFound()
	}
	return respondJSON(http.StatusOK, done)
}

// cancellation is the body of the response at the address of a cancellation. All of it
// is the double's own.
type cancellation struct {
	Canceled []int64 `json:"canceled"`
	Failed   []int64 `json:"failed"`
}

// response is the platform's response to a request, before a fault changes it.
type response struct {
	status int
	header http.Header // without Content-Type and Content-Length; can be nil
	body   []byte      // JSON; nil for none
}

// respondJSON is called only with values that always encode.
func respondJSON(status int, value any) response {
	body, _ := json.Marshal(value)
	return response{status: status, body: body}
}

func respondMessage(status int, message string) response {
	return respondJSON(status, struct {
		Message string `json:"message"`
	}{message})
}

// respondStatus returns a response whose message is the text of its status. The
// platform's messages for most statuses are not documented.
func respondStatus(status int) response {
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return response{status: status} // HTTP allows no body
	}
	return respondMessage(status, http.StatusText(status))
}

func refuse(message string) response { return respondMessage(http.StatusBadRequest, message) }

// refuseMalformed responds to a body that is not a JSON object with values of the
// documented types. Its text is the double's own.
func refuseMalformed() response { return refuse("the body is not a well-formed JSON object") }

func refuseMissing(parameter string) response {
	return refuse("param is missing or the value is empty: " + strings.TrimSuffix(parameter, "[]"))
}

func notFound() response { return respondMessage(http.StatusNotFound, "Not Found") }

// fields returns the header without Content-Length.
func (r response) fields() http.Header {
	h := http.Header{}
	maps.Copy(h, r.header)
	if len(r.body) > 0 {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	return h
}

// wire returns the response as it is sent over HTTP/1.
func (r response) wire() []byte {
	full := http.Response{
		StatusCode:    r.status,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.fields(),
		ContentLength: int64(len(r.body)),
		Body:          io.NopCloser(bytes.NewReader(r.body)),
	}
	var wire bytes.Buffer
	_ = full.Write(&wire) // never fails: it writes to memory
	return wire.Bytes()
}
