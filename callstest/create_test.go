package callstest_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/callstest"
)

// params changes a valid request: a value replaces the parameter, an empty one
// takes it away.
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
		t.Errorf("refused requests have made %d calls", len(calls))
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

func TestCreateAnswersTheDocumentedKeys(t *testing.T) {
	examples := map[string]map[string]any{}
	for _, e := range documented(t) {
		examples[e.ID] = e.Response
	}
	tests := []struct {
		example  string
		base     params
		change   params
		extra    []string // keys that the example does not have
		callType string
		status   string
	}{
		{"outbound/created_by_end_user_number", outbound, params{"outbound_number": `"+1 339-219-5276"`}, nil, "Voice Outbound (API)", "assigned"},
		{"outbound/created_by_end_user_number", outbound, params{"call_type": `"OutboundCall"`}, nil, "Voice Outbound (API)", "assigned"},
		{"outbound/created_by_ticket_id", outbound, params{"ticket_id": `"71450"`, "end_user_number": ""}, nil, "Voice Outbound (API)", "assigned"},
		{"outbound/created_by_ticket_id", outbound, params{"ticket_id": `71450`, "end_user_number": `"123123"`}, nil, "Voice Outbound (API)", "assigned"},
		{"inbound/created_by_end_user_number", inbound, params{}, nil, "Voice Inbound (API)", "queued"},
		{"inbound/created_by_end_user_number", inbound, params{"call_type": `"IncomingCall"`, "lang": "", "outbound_number": `"123123"`}, nil, "Voice Inbound (API)", "queued"},
		{"inbound/created_by_ticket_id", inbound, params{"ticket_id": `"76517"`}, nil, "Voice Inbound (API)", "queued"},
		{"scheduled/created_by_menu_id", scheduled, params{}, nil, "Voice Inbound (API)", "queued"},
		{"scheduled/created_by_menu_id", scheduled, params{"call_type": `"ScheduledCall"`, "menu_id": "10"}, nil, "Voice Inbound (API)", "queued"},
		{"scheduled/created_by_call_id", scheduled, params{"menu_id": "", "call_id": "514"}, []string{"parent_id"}, "Voice Inbound (API)", "queued"},
	}
	s := callstest.NewServer(t, callstest.WithClock(newClock().now))
	s.AddCall(callstest.Call{ID: 514, MenuID: 9})
	for _, test := range tests {
		t.Run(test.example, func(t *testing.T) {
			r := do(s, http.MethodPost, callsPath, test.base.with(test.change))
			wantStatus(t, r, http.StatusCreated)
			var got map[string]any
			r.decode(t, &got)
			if got["call_type"] != test.callType || got["status"] != test.status {
				t.Errorf("got %v, %v", got["call_type"], got["status"])
			}
			if got["created_at"] != "2019-09-10T00:19:14.000Z" || got["outbound_number"] != "+1 339-219-5276" {
				t.Errorf("created_at %v, outbound_number %v", got["created_at"], got["outbound_number"])
			}
			for _, key := range test.extra {
				if _, ok := got[key]; !ok {
					t.Errorf("no %s", key)
				}
				delete(got, key)
			}
			sameKeys(t, test.example, got, examples[test.example])
		})
	}
}

// sameKeys compares the shapes of two JSON values: their keys, and what is null
// or a list of none, one or more.
func sameKeys(t *testing.T, path string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: got %v, want an object", path, got)
			return
		}
		if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
			t.Errorf("%s: got keys\n%v, want\n%v", path, g, w)
		}
		for key := range want {
			sameKeys(t, path+"."+key, got[key], want[key])
		}
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			t.Errorf("%s: got %v, want %d elements", path, got, len(want))
			return
		}
		for i := range want {
			sameKeys(t, fmt.Sprintf("%s[%d]", path, i), got[i], want[i])
		}
	default:
		if (got == nil) != (want == nil) && !strings.HasSuffix(path, ".out_contact_id") {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
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

func TestCallsThatAwaitTheirAgent(t *testing.T) {
	s := callstest.NewServer(t)
	accepted := do(s, http.MethodPost, callsPath, outbound.with(params{"agent_email": `"chooser@example.com"`}))
	wantStatus(t, accepted, http.StatusAccepted)
	if accepted.body != "" {
		t.Errorf("202 with body %q", accepted.body)
	}
	prompted := do(s, http.MethodPost, callsPath, outbound.with(params{"agent_email": `"prompted@example.com"`}))
	wantStatus(t, prompted, http.StatusOK)
	if want := `{"call_type":"Voice Outbound (API)","agent_email":"prompted@example.com","end_user_number":"+1 859-657-9625","lang":"en"}`; prompted.body != want {
		t.Errorf("200 with body %s, want %s", prompted.body, want)
	}

	calls := s.Calls()
	if len(calls) != 2 || !calls[0].AwaitsAgent || calls[0].ID != 0 || !calls[1].AwaitsAgent {
		t.Fatalf("calls: %+v", calls)
	}
	if r := do(s, http.MethodGet, listingPath, ""); r.body != "[]" {
		t.Errorf("listing: %s", r.body)
	}
	id, ok := s.Place()
	placed, _ := s.Call(id)
	if !ok || placed.AgentEmail != "chooser@example.com" || placed.AwaitsAgent || placed.Status != "assigned" {
		t.Errorf("placed %d, %t: %+v", id, ok, placed)
	}
	if s.Place(); len(s.Calls()) != 2 {
		t.Errorf("placing has changed the number of calls to %d", len(s.Calls()))
	}
	if id, ok := s.Place(); ok {
		t.Errorf("placed %d although nothing awaits its agent", id)
	}
}

func TestWorldOptionsAddAndReplace(t *testing.T) {
	s := callstest.NewServer(t,
		callstest.WithAgents(
			callstest.Agent{Email: "busy@example.com", Available: true, Permitted: true},
			callstest.Agent{Email: "second@example.com"},
		),
		callstest.WithMenus(callstest.Menu{ID: 14, Name: "New", Channels: []callstest.Channel{callstest.Mobile}}),
		callstest.WithTickets(callstest.Ticket{ID: "1", Number: "+1 859-657-9625"}),
		callstest.WithLanguages([]string{"fr"}, []string{"ko"}),
	)
	tests := []struct {
		body   string
		status int
	}{
		{outbound.with(params{}), http.StatusCreated},
		{outbound.with(params{"agent_email": `"busy@example.com"`}), http.StatusCreated},
		{outbound.with(params{"agent_email": `"second@example.com"`}), http.StatusBadRequest},
		{outbound.with(params{"ticket_id": `"1"`}), http.StatusCreated},
		{inbound.with(params{"menu_id": "14", "lang": `"fr"`}), http.StatusCreated},
		{inbound.with(params{"lang": `"ko"`}), http.StatusBadRequest},
	}
	for _, test := range tests {
		if r := do(s, http.MethodPost, callsPath, test.body); r.status != test.status {
			t.Errorf("%s: got %d %s, want %d", test.body, r.status, r.body, test.status)
		}
	}
}
