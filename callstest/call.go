package callstest

import (
	"slices"
	"strconv"
	"time"

	"github.com/ccaip-go/calls"
)

// A Call is the double's record of a call. A field is zero if neither the request nor the
// platform sets it. Timestamps are in UTC and truncated to milliseconds; nil means that
// the event has not happened.
type Call struct {
	// ID is 0 while AwaitsAgent is true.
	ID int64
	// Type is the type in the call object. As in the documented examples, the type of a
	// scheduled call is "Voice Inbound (API)", too; a scheduled call has ScheduledAt.
	Type   calls.CallType
	Status calls.CallStatus
	// AwaitsAgent means that the response was 202 or 200, and that the agent has not
	// placed the call yet. The listing does not show the call. See Server.Place.
	AwaitsAgent bool

	AgentEmail     string
	TicketID       string
	EndUserNumber  string // the ticket's number for an outbound call with a ticket
	OutboundNumber string // the default number if the request has none
	Lang           string
	// RecordingPermission is the value in the request. The call object always has
	// "not_asked", as in every documented example.
	RecordingPermission calls.RecordingPermission
	MenuID              int64
	ParentCallID        int64
	ThirdParties        []ThirdParty // in the order in which they were dialed

	ScheduledAt *time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
	QueuedAt    *time.Time
	AssignedAt  *time.Time
	ConnectedAt *time.Time
	EndsAt      *time.Time
}

// A ThirdParty is a person who was dialed into a call.
type ThirdParty struct {
	ParticipantID int64
	AgentEmail    string // of the agent who had the person dialed
	PhoneNumber   string
}

// setStatus sets the status and the timestamp that belongs to it.
func (c *Call) setStatus(status calls.CallStatus, now time.Time) {
	c.Status, c.UpdatedAt = status, now
	switch {
	case status == "queued":
		c.QueuedAt = &now
	case status == "assigned":
		c.AssignedAt = &now
	case status == "connected":
		c.ConnectedAt = &now
	case c.hasEnded():
		c.EndsAt = &now
	}
}

func (c *Call) hasEnded() bool {
	return slices.Contains([]calls.CallStatus{
		"finished", "failed", "recovered", "action_only_finished",
		"deflected", "voicemail_received", "voicemail_read", "cancelled", "completed",
	}, c.Status)
}

// isCanceled reports whether a scheduled call was canceled.
func (c *Call) isCanceled() bool { return c.Status == "cancelled" || c.Status == "completed" }

// updatedAtIf returns UpdatedAt if the condition is true, and nil otherwise.
func (c *Call) updatedAtIf(condition bool) *time.Time {
	if !condition {
		return nil
	}
	return &c.UpdatedAt
}

// clone returns a copy that shares no memory with c.
func (c *Call) clone() Call {
	d := *c
	d.ThirdParties = slices.Clone(c.ThirdParties)
	for _, t := range []**time.Time{&d.ScheduledAt, &d.QueuedAt, &d.AssignedAt, &d.ConnectedAt, &d.EndsAt} {
		*t = copyOf(*t)
	}
	return d
}

// withDefaults returns a copy of c with the defaults of Server.AddCall, and with its times
// truncated as the platform's are.
func (c *Call) withDefaults(now time.Time) Call {
	d := c.clone()
	if d.AwaitsAgent {
		d.ID = 0
	}
	setDefault(&d.Type, typeInbound)
	setDefault(&d.Status, "queued")
	setDefault(&d.Lang, "en")
	setDefault(&d.OutboundNumber, defaultOutboundNumber)
	setDefault(&d.CreatedAt, now)
	setDefault(&d.UpdatedAt, d.CreatedAt)
	d.CreatedAt, d.UpdatedAt = toMilliseconds(d.CreatedAt), toMilliseconds(d.UpdatedAt)
	for _, t := range []*time.Time{d.ScheduledAt, d.QueuedAt, d.AssignedAt, d.ConnectedAt, d.EndsAt} {
		if t != nil {
			*t = toMilliseconds(*t)
		}
	}
	return d
}

// The call types, as responses spell them. The double spells all values of the API itself,
// so that a mistake in the constants of package calls shows.
const (
	typeOutbound  = "Voice Outbound (API)"
	typeInbound   = "Voice Inbound (API)"
	typeScheduled = "Voice Scheduled (API)"
)

func cloneFlag(f calls.CustomerFlag) calls.CustomerFlag {
	return calls.CustomerFlag{
		VerifiedCustomer: copyOf(f.VerifiedCustomer),
		BadActor:         copyOf(f.BadActor),
		RepeatCustomer:   copyOf(f.RepeatCustomer),
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// callObject is the call object of a response. It has the keys of the documented
// responses, and the documented values where a Call has none.
type callObject struct {
	ID                  int64            `json:"id"`
	ParentID            int64            `json:"parent_id,omitempty"` // no documented response has it as null
	Lang                string           `json:"lang"`
	CallType            calls.CallType   `json:"call_type"`
	Status              calls.CallStatus `json:"status"`
	CreatedAt           *timestamp       `json:"created_at"`
	QueuedAt            *timestamp       `json:"queued_at"`
	AssignedAt          *timestamp       `json:"assigned_at"`
	ConnectedAt         *timestamp       `json:"connected_at"`
	EndsAt              *timestamp       `json:"ends_at"`
	ScheduledAt         *timestamp       `json:"scheduled_at"`
	WaitDuration        int64            `json:"wait_duration"` // seconds, like the two below
	CallDuration        int64            `json:"call_duration"`
	HoldDuration        int64            `json:"hold_duration"`
	Rating              null             `json:"rating"`
	HasFeedback         bool             `json:"has_feedback"`
	VoIPProvider        string           `json:"voip_provider,omitempty"` // of outbound calls only
	OutTicketID         *string          `json:"out_ticket_id"`
	OutTicketURL        null             `json:"out_ticket_url"`
	Verified            bool             `json:"verified"`
	RecordingURL        null             `json:"recording_url"`
	RecordingPermission string           `json:"recording_permission"`
	VoicemailReason     string           `json:"voicemail_reason"`
	Deflection          string           `json:"deflection"`
	DisconnectedBy      string           `json:"disconnected_by"`
	FailReason          string           `json:"fail_reason"`
	FailDetails         null             `json:"fail_details"`
	SupportNumber       null             `json:"support_number"`
	SelectedMenu        *menuObject      `json:"selected_menu"`
	MenuPath            *pathObject      `json:"menu_path"`
	AgentInfo           *agentObject     `json:"agent_info"`
	EndUser             *endUserObject   `json:"end_user"`
	Photos              []struct{}       `json:"photos"`
	Videos              []struct{}       `json:"videos"`
	Transfers           []struct{}       `json:"transfers"`
	DeflectionDetails   []struct{}       `json:"deflection_details"`
	Participants        []participant    `json:"participants"`
	OfferType           *string          `json:"offer_type"`
	OfferEvents         []offerEvent     `json:"offer_events"`
	AnswerType          string           `json:"answer_type"`
	OutboundNumber      string           `json:"outbound_number"`
}

// listedObject is a call in the Manager API's listing. The empty values of the last three
// keys are the double's own choice.
type listedObject struct {
	callObject
	UpdatedAt     *timestamp `json:"updated_at"`
	QueueDuration int64      `json:"queue_duration"` // seconds
	SubStatus     null       `json:"sub_status"`
	FinishReason  null       `json:"finish_reason"`
}

type menuObject struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	ParentID  null   `json:"parent_id"`
	Position  int64  `json:"position"`
	Deleted   bool   `json:"deleted"`
	MenuType  string `json:"menu_type"`
	OutputMsg string `json:"output_msg"`
	Hidden    bool   `json:"hidden"`
}

type pathObject struct {
	ItemsCount       int64  `json:"items_count"`
	Name             string `json:"name"`
	MaterializedPath string `json:"materialized_path"`
}

type agentObject struct {
	ID          int64  `json:"id"`
	AgentNumber null   `json:"agent_number"`
	Name        string `json:"name"`
	LastName    string `json:"last_name"`
	FirstName   string `json:"first_name"`
	AvatarURL   string `json:"avatar_url"`
}

type endUserObject struct {
	ID           int64   `json:"id"`
	Identifier   null    `json:"identifier"`
	OutContactID *string `json:"out_contact_id"`
}

type participant struct {
	ID           int64  `json:"id"`
	Type         string `json:"type"`
	Status       string `json:"status"`
	CallID       int64  `json:"call_id"`
	UserID       *int64 `json:"user_id"`
	EndUserID    *int64 `json:"end_user_id"`
	CallDuration null   `json:"call_duration"`
	HoldDuration null   `json:"hold_duration"`
	ConnectedAt  null   `json:"connected_at"`
	EndedAt      null   `json:"ended_at"`
	FailReason   string `json:"fail_reason"`
}

type offerEvent struct {
	CastingTime timestamp `json:"casting_time"`
	Group       string    `json:"group"`
}

// null is a value that the double does not model.
type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// timestamp is encoded with milliseconds even if they are zero, as the platform does.
type timestamp time.Time

func (t timestamp) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z07:00"`), nil
}

// object returns the call object of c.
func (w *world) object(c Call) callObject {
	o := callObject{
		ID:                  c.ID,
		ParentID:            c.ParentCallID,
		Lang:                c.Lang,
		CallType:            c.Type,
		Status:              c.Status,
		CreatedAt:           (*timestamp)(&c.CreatedAt),
		QueuedAt:            (*timestamp)(c.QueuedAt),
		AssignedAt:          (*timestamp)(c.AssignedAt),
		ConnectedAt:         (*timestamp)(c.ConnectedAt),
		EndsAt:              (*timestamp)(c.EndsAt),
		ScheduledAt:         (*timestamp)(c.ScheduledAt),
		OutTicketID:         textOrNull(c.TicketID),
		RecordingPermission: "not_asked",
		VoicemailReason:     "not_voicemail",
		Deflection:          "no_deflection",
		DisconnectedBy:      "disconnected_by_unknown",
		FailReason:          "nothing",
		EndUser:             w.endUser(c),
		Photos:              []struct{}{},
		Videos:              []struct{}{},
		Transfers:           []struct{}{},
		DeflectionDetails:   []struct{}{},
		OfferEvents:         []offerEvent{},
		AnswerType:          "manual",
		OutboundNumber:      c.OutboundNumber,
	}
	if c.ConnectedAt != nil && c.EndsAt != nil {
		o.CallDuration = int64(c.EndsAt.Sub(*c.ConnectedAt) / time.Second)
	}
	if c.Type == typeOutbound {
		o.VoIPProvider = "voip_provider_twilio"
	} else {
		o.OfferType = textOrNull("cascade")
		o.OfferEvents = []offerEvent{{CastingTime: timestamp(c.CreatedAt), Group: "Group 1"}}
	}
	w.addMenuTo(&o, c.MenuID)
	w.addAgentTo(&o, c.AgentEmail)
	o.addEndUser()
	o.addThirdParties(c.ThirdParties)
	return o
}

func (w *world) listed(c Call) listedObject {
	return listedObject{callObject: w.object(c), UpdatedAt: (*timestamp)(&c.UpdatedAt)}
}

func (w *world) addMenuTo(o *callObject, id int64) {
	menu, ok := w.menu(id)
	if !ok {
		return
	}
	o.SelectedMenu = &menuObject{
		ID:        menu.ID,
		Name:      menu.Name,
		MenuType:  "ivr_menu", // the only documented value, even for a scheduled call
		OutputMsg: "You selected " + menu.Name + ".",
	}
	o.MenuPath = &pathObject{
		ItemsCount:       1,
		Name:             menu.Name,
		MaterializedPath: strconv.FormatInt(menu.ID, 10),
	}
}

// addAgentTo adds the agent with the given address, if the world has one. The agent's
// names are the double's own.
func (w *world) addAgentTo(o *callObject, email string) {
	_, id := w.agent(email)
	if id == 0 {
		return
	}
	o.AgentInfo = &agentObject{
		ID:        id,
		Name:      "Example Agent",
		FirstName: "Example",
		LastName:  "Agent",
		AvatarURL: "https://example.com/avatar.jpg",
	}
	o.Participants = append(o.Participants, o.participant("agent", &id, nil))
}

func (o *callObject) addEndUser() {
	var id *int64
	if o.EndUser != nil {
		id = &o.EndUser.ID
	}
	o.Participants = append(o.Participants, o.participant("end_user", nil, id))
}

func (o *callObject) addThirdParties(thirds []ThirdParty) {
	for _, third := range thirds {
		p := o.participant("third_party", nil, nil)
		p.ID, p.Status = third.ParticipantID, "connecting"
		o.Participants = append(o.Participants, p)
	}
}

// participant returns a new participant. No two calls share the id of a participant.
func (o *callObject) participant(kind string, userID, endUserID *int64) participant {
	return participant{
		ID:         2*o.ID + int64(len(o.Participants)),
		Type:       kind,
		Status:     "waiting",
		CallID:     o.ID,
		UserID:     userID,
		EndUserID:  endUserID,
		FailReason: "nothing",
	}
}

// endUser returns nil for an outbound call to a number, as documented. That the end user
// has the same id as the call is the double's own choice.
func (w *world) endUser(c Call) *endUserObject {
	ticket, ok := w.ticket(c.TicketID)
	if c.Type == typeOutbound && !ok {
		return nil
	}
	return &endUserObject{ID: c.ID, OutContactID: textOrNull(ticket.ContactID)}
}

// textOrNull returns nil, which is encoded as null, if s is empty.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
