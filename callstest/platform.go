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

func (p *platform) getFlag(id int64) answer {
	if _, ok := p.history.call(id); !ok {
		return notFound()
	}
	return flagAnswer(p.history.flag(id))
}

// patchFlag answers with all flags; which body the platform sends is not
// documented.
func (p *platform) patchFlag(id int64, body []byte) answer {
	if _, ok := p.history.call(id); !ok {
		return notFound()
	}
	var update flagObject
	if err := json.Unmarshal(body, &update); err != nil {
		return refuseBody()
	}
	return flagAnswer(p.history.updateFlag(id, calls.CustomerFlag{
		VerifiedCustomer: update.VerifiedCustomer,
		BadActor:         update.BadActor,
		RepeatCustomer:   cmp.Or(update.RepeatCustomer, update.RepeatCustomers),
	}))
}

// flagObject has the spelling of the documented answer, and that of the
// documented PATCH body.
type flagObject struct {
	VerifiedCustomer *bool `json:"verified_customer"`
	BadActor         *bool `json:"bad_actor"`
	RepeatCustomer   *bool `json:"repeat_customer"`
	RepeatCustomers  *bool `json:"repeat_customers,omitempty"`
}

func flagAnswer(f calls.CustomerFlag) answer {
	return answerJSON(http.StatusOK, flagObject{
		VerifiedCustomer: f.VerifiedCustomer,
		BadActor:         f.BadActor,
		RepeatCustomer:   f.RepeatCustomer,
	})
}

// authenticateEndUser checks in an order of the double's own.
func (p *platform) authenticateEndUser(id int64, body []byte) answer {
	call, ok := p.history.call(id)
	if !ok {
		return notFound()
	}
	var params endUserParams
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseBody()
	}
	switch {
	case params.Identifier == "":
		return missing("identifier")
	case call.hasEnded():
		return refuse("Call is already ended")
	case p.noCRM:
		return refuse("Unsupported CRM request")
	case !p.history.addEndUser(id, calls.EndUserAuth(params)):
		return refuse("Duplicate request: Please wait for the interval to expire")
	}
	return answerMessage(http.StatusAccepted, "accepted")
}

// endUserParams are the parameters of an authentication. The keys are spelled here
// again, so that a mistake in the package's own shows.
type endUserParams struct {
	Identifier string `json:"identifier"`
	Name       string `json:"name"`
	Email      string `json:"email"`
	Phone      string `json:"phone"`
}

// dial checks in an order of the double's own. Its status is the double's own,
// too: the documented example has none.
func (p *platform) dial(id int64, body []byte) answer {
	var params struct {
		AgentEmail  string `json:"agent_email"`
		PhoneNumber string `json:"phone_number"`
	}
	if err := json.Unmarshal(body, &params); err != nil {
		return refuseBody()
	}
	call, ok := p.history.call(id)
	_, agent := p.world.agent(params.AgentEmail)
	switch {
	case params.AgentEmail == "":
		return missing("agent_email")
	case params.PhoneNumber == "":
		return missing("phone_number")
	case agent == 0:
		return refuse("Invalid agent_email")
	case !ok:
		return notFound()
	case call.AgentEmail != params.AgentEmail || call.Status != "connected":
		return answerMessage(http.StatusUnprocessableEntity, "Agent is not connected to the call")
	case !dialable(params.PhoneNumber) || slices.Contains(p.unreachable, digitsOf(params.PhoneNumber)):
		return answerMessage(http.StatusUnprocessableEntity, "Error dialing third party")
	}
	third := p.history.addThirdParty(id, ThirdParty{AgentEmail: params.AgentEmail, PhoneNumber: params.PhoneNumber})
	return answerJSON(http.StatusOK, map[string]any{
		"message":     "Third party dialing initiated",
		"participant": map[string]any{"id": third.ParticipantID, "type": "third_party", "status": "connecting"},
	})
}

// firstParticipantID is the id in the documented example.
const firstParticipantID = 54321

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

func (p *platform) showCancellation(number string) answer {
	n, err := strconv.Atoi(number)
	done, ok := p.history.cancellation(n)
	if err != nil || !ok {
		return notFound()
	}
	return answerJSON(http.StatusOK, done)
}

// cancellation is what the address of a cancellation shows. All of it is the
// double's own.
type cancellation struct {
	Canceled []int64 `json:"canceled"`
	Failed   []int64 `json:"failed"`
}

// answer is what the platform says to a request, before a fault has its way.
type answer struct {
	status int
	header http.Header // beyond the type and the length of the body; can be nil
	body   []byte      // JSON; nil for none
}

// answerJSON takes values of this package only, which always encode.
func answerJSON(status int, value any) answer {
	body, _ := json.Marshal(value)
	return answer{status: status, body: body}
}

func answerMessage(status int, message string) answer {
	return answerJSON(status, struct {
		Message string `json:"message"`
	}{message})
}

// answerStatus says no more than its status. What the platform says with most
// of them is not documented, so the text is the double's own.
func answerStatus(status int) answer {
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return answer{status: status} // HTTP allows no body
	}
	return answerMessage(status, http.StatusText(status))
}

func refuse(message string) answer { return answerMessage(http.StatusBadRequest, message) }

// refuseBody answers what is no JSON object with values of the documented
// types. Its text is the double's own.
func refuseBody() answer { return refuse("the body is not a well-formed JSON object") }

func missing(parameter string) answer {
	return refuse("param is missing or the value is empty: " + strings.TrimSuffix(parameter, "[]"))
}

func notFound() answer { return answerMessage(http.StatusNotFound, "Not Found") }

// fields returns the header, the length of the body aside.
func (a answer) fields() http.Header {
	h := http.Header{}
	maps.Copy(h, a.header)
	if len(a.body) > 0 {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	return h
}

// wire is the answer as it goes over a connection.
func (a answer) wire() []byte {
	response := http.Response{
		StatusCode:    a.status,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.fields(),
		ContentLength: int64(len(a.body)),
		Body:          io.NopCloser(bytes.NewReader(a.body)),
	}
	var wire bytes.Buffer
	_ = response.Write(&wire) // to memory, which takes everything
	return wire.Bytes()
}
