package callstest_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/callstest"
)

// params are parameters of a request in JSON. As changes, they replace the parameters of a
// valid request; an empty value removes one.
type params map[string]string

var (
	outbound  = params{"call_type": `"Voice Outbound (API)"`, "agent_email": `"agent@example.com"`, "end_user_number": `"+1 859-657-9625"`, "lang": `"en"`}
	inbound   = params{"call_type": `"Voice Inbound (API)"`, "menu_id": "9", "end_user_number": `"+1 859-657-9625"`, "lang": `"en"`, "recording_permission": `"recording_permission_granted"`}
	scheduled = params{"call_type": `"Voice Scheduled (API)"`, "menu_id": "9", "end_user_number": `"+1 859-657-9625"`, "lang": `"en"`, "scheduled_at": `"2019-09-15T00:19:14.421Z"`}
)

func (p params) with(changes params) string {
	all := maps.Clone(p)
	maps.Copy(all, changes)
	var fields []string
	for name, value := range all {
		if value != "" {
			fields = append(fields, fmt.Sprintf("%q:%s", name, value))
		}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

var refusals = []struct {
	base    params
	change  params
	message string
}{
	{outbound, params{"call_type": `"InvalidCallType"`}, "Invalid call type"},
	{outbound, params{"call_type": ""}, "Invalid call type"},
	{outbound, params{"agent_email": ""}, "Agent email required"},
	{outbound, params{"agent_email": `"nobody@example.com"`}, "Not a valid agent email"},
	{outbound, params{"agent_email": `"busy@example.com"`}, "Agent is not available to take this call"},
	{outbound, params{"agent_email": `"forbidden@example.com"`}, "Agent does not have access to make calls"},
	{outbound, params{"end_user_number": ""}, "ticket_id or end_user_number required"},
	{outbound, params{"end_user_number": `"123123"`}, "end_user_number is not well-formed"},
	{outbound, params{"ticket_id": `"1"`}, "Contact not found"},
	{outbound, params{"ticket_id": `1`}, "Contact not found"},
	{outbound, params{"ticket_id": `"999"`}, "Contact not found"},
	{outbound, params{"outbound_number": `"123123"`}, "outbound_number is not well-formed"},
	{inbound, params{"menu_id": ""}, "menu_id is required"},
	{inbound, params{"menu_id": "null"}, "menu_id is required"},
	{inbound, params{"menu_id": `"menu_999"`}, "menu_id is not well formed"},
	{inbound, params{"menu_id": "9.5"}, "menu_id is not well formed"},
	{inbound, params{"menu_id": "9999"}, "menu_id 9999 is not found"},
	{inbound, params{"menu_id": "50"}, "Only IVR and mobile menu IDs are permitted"},
	{inbound, params{"menu_id": "10"}, "Only IVR and mobile menu IDs are permitted"},
	{inbound, params{"menu_id": "12"}, "Menu is in 'manual redirection' state, can't accept calls"},
	{inbound, params{"menu_id": "13"}, "Menu is in 'after hours' state, can't accept incoming calls"},
	{inbound, params{"end_user_number": ""}, "end_user_number is required"},
	{inbound, params{"end_user_number": `"+1 999-657-12"`}, "end_user_number is not well formed"},
	{inbound, params{"lang": `"fr"`}, "Language 'fr' is not available"},
	{inbound, params{"lang": `"xy"`}, "Language 'xy' is not found"},
	{inbound, params{"lang": `"fr-ca"`}, "Language 'fr-ca' is not found"},
	{inbound, params{"recording_permission": `"not_asked"`}, "recording_permission is not well formed"},
	{scheduled, params{"menu_id": ""}, "menu_id is required"},
	{scheduled, params{"menu_id": "50"}, "Only mobile and web menu IDs are permitted"},
	{scheduled, params{"menu_id": "11"}, "Only mobile and web menu IDs are permitted"},
	{scheduled, params{"menu_id": "11", "call_id": "514"}, "Only mobile and web menu IDs are permitted"},
	{scheduled, params{"menu_id": "12"}, "Menu is in 'manual redirection' state, can't accept calls"},
	{scheduled, params{"menu_id": "13"}, "Menu is in 'after hours' state, can't accept incoming calls"},
	{scheduled, params{"end_user_number": `"+1 999-657-12"`}, "end_user_number is not well formed"},
	{scheduled, params{"scheduled_at": ""}, "scheduled_at is required"},
	{scheduled, params{"scheduled_at": `"2019-09-09T00:00:00.000Z"`}, "scheduled_at is not a valid future time"},
	{scheduled, params{"scheduled_at": `"tomorrow"`}, "scheduled_at is not a valid future time"},
	{inbound, params{"call_id": `"514"`}, "the body is not a well-formed JSON object"},
}

func TestCreateRefuses(t *testing.T) {
	s := callstest.NewServer(t, callstest.WithClock(newClock().now))
	for _, test := range refusals {
		t.Run(test.message, func(t *testing.T) {
			r := do(s, http.MethodPost, callsPath, test.base.with(test.change))
			wantStatus(t, r, http.StatusBadRequest)
			if got := r.message(t); got != test.message {
				t.Errorf("got %q, want %q", got, test.message)
			}
		})
	}
	if calls := s.Calls(); len(calls) != 0 {
		t.Errorf("refused requests created %d calls", len(calls))
	}
}

func TestEveryDocumentedMessageIsTested(t *testing.T) {
	tested := map[string]bool{}
	for _, test := range refusals {
		tested[test.message] = true
	}
	messages := map[string]bool{}
	for _, e := range documented(t) {
		if e.Status != http.StatusBadRequest {
			continue
		}
		message := e.Response["message"].(string)
		if messages[message] = true; !tested[message] {
			t.Errorf("%s: %q is not tested", e.ID, message)
		}
	}
	if len(messages) != 20 {
		t.Errorf("%d documented messages, want 20", len(messages))
	}
}

func TestCreateRecordsTheCall(t *testing.T) {
	s := callstest.NewServer(t, callstest.WithClock(newClock().now))
	parent := s.AddCall(callstest.Call{MenuID: 9})
	wantStatus(t, do(s, http.MethodPost, callsPath, outbound.with(params{"ticket_id": `"71450"`, "end_user_number": `"+1 205-123-4567"`})), http.StatusCreated)
	wantStatus(t, do(s, http.MethodPost, callsPath, scheduled.with(params{"menu_id": "", "call_id": fmt.Sprint(parent)})), http.StatusCreated)

	out, ok := s.Call(parent + 1)
	if !ok || out.AgentEmail != "agent@example.com" || out.TicketID != "71450" || out.EndUserNumber != "+1 859-657-9625" || out.AssignedAt == nil {
		t.Errorf("outbound call: %+v, %t", out, ok)
	}
	later, ok := s.Call(parent + 2)
	if !ok || later.ParentCallID != parent || later.MenuID != 9 || later.ScheduledAt == nil || later.QueuedAt != nil {
		t.Errorf("scheduled call: %+v, %t", later, ok)
	}
	if calls := s.Calls(); len(calls) != 3 || calls[1].ID != out.ID || calls[2].ID != later.ID {
		t.Errorf("calls: %+v", calls)
	}
}
