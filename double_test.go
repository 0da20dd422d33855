package calls_test

import (
	"errors"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// body is a create request by hand: with Do, which validates nothing, the double
// can be asked what the create methods would refuse to ask.
type body map[string]any

func (b body) with(key string, value any) body {
	changed := maps.Clone(b)
	if changed[key] = value; value == nil {
		delete(changed, key)
	}
	return changed
}

// TestTheDoubleGivesEveryDocumentedRefusal asks for each through a real client
// and over real HTTP.
func TestTheDoubleGivesEveryDocumentedRefusal(t *testing.T) {
	outbound := body{"call_type": "Voice Outbound (API)", "agent_email": "agent@example.com", "end_user_number": "+1 859-657-9625"}
	inbound := body{"call_type": "Voice Inbound (API)", "menu_id": 9, "end_user_number": "+1 859-657-9625"}
	scheduled := body{"call_type": "Voice Scheduled (API)", "menu_id": 9, "end_user_number": "+1 859-657-9625", "scheduled_at": "2100-09-15T00:19:14.421Z"}
	tests := []struct {
		request body
		message string
		err     error
	}{
		{outbound.with("agent_email", "busy@example.com"), "Agent is not available to take this call", calls.ErrAgentUnavailable},
		{outbound.with("end_user_number", nil), "ticket_id or end_user_number required", calls.ErrTicketOrNumberRequired},
		{outbound.with("agent_email", "nobody@example.com"), "Not a valid agent email", calls.ErrAgentEmailInvalid},
		{outbound.with("agent_email", nil), "Agent email required", calls.ErrAgentEmailRequired},
		{outbound.with("agent_email", "forbidden@example.com"), "Agent does not have access to make calls", calls.ErrAgentNotPermitted},
		{outbound.with("ticket_id", 1), "Contact not found", calls.ErrContactNotFound},
		{outbound.with("end_user_number", "123123"), "end_user_number is not well-formed", calls.ErrEndUserNumberMalformed},
		{inbound.with("end_user_number", "+1 999-657-12"), "end_user_number is not well formed", calls.ErrEndUserNumberMalformed},
		{inbound.with("call_type", "InvalidCallType"), "Invalid call type", calls.ErrCallTypeInvalid},
		{inbound.with("end_user_number", nil), "end_user_number is required", calls.ErrEndUserNumberRequired},
		{inbound.with("menu_id", nil), "menu_id is required", calls.ErrMenuIDRequired},
		{inbound.with("menu_id", "menu_999"), "menu_id is not well formed", calls.ErrMenuIDMalformed},
		{inbound.with("menu_id", 9999), "menu_id 9999 is not found", calls.ErrMenuNotFound},
		{inbound.with("menu_id", 50), "Only IVR and mobile menu IDs are permitted", calls.ErrMenuTypeNotPermitted},
		{scheduled.with("menu_id", 50), "Only mobile and web menu IDs are permitted", calls.ErrMenuTypeNotPermitted},
		{inbound.with("menu_id", 12), "Menu is in 'manual redirection' state, can't accept calls", calls.ErrMenuManualRedirection},
		{scheduled.with("menu_id", 13), "Menu is in 'after hours' state, can't accept incoming calls", calls.ErrMenuAfterHours},
		{inbound.with("lang", "fr"), "Language 'fr' is not available", calls.ErrLanguageUnavailable},
		{scheduled.with("lang", "xy"), "Language 'xy' is not found", calls.ErrLanguageNotFound},
		{scheduled.with("scheduled_at", nil), "scheduled_at is required", calls.ErrScheduledAtRequired},
	}
	if len(tests) != 20 {
		t.Fatalf("%d messages, and 20 are documented", len(tests))
	}
	server := callstest.NewServer(t)
	client := hastyClient(t, server)
	for _, tt := range tests {
		_, err := client.Do(t.Context(), http.MethodPost, "calls", nil, tt.request, nil)
		var refused *calls.APIError
		if !errors.As(err, &refused) || refused.Message != tt.message || refused.StatusCode != http.StatusBadRequest || !errors.Is(err, tt.err) {
			t.Errorf("%v: %v, want %q", tt.request, err, tt.message)
		}
	}
	if n := len(server.Calls()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// TestTheDoubleGivesEveryDocumentedStatus has the answers that are no refusals
// of a request, and 401 and 404.
func TestTheDoubleGivesEveryDocumentedStatus(t *testing.T) {
	server := callstest.NewServer(t)
	client := hastyClient(t, server)
	for agent, awaits := range map[string]bool{"agent@example.com": false, "chooser@example.com": true, "prompted@example.com": true} {
		result, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: agent, TicketID: "71450"})
		if err != nil || result.AwaitsAgent != awaits || (result.Call == nil) != awaits {
			t.Errorf("%s: %v, %v", agent, result, err)
		}
	}
	if _, err := client.GetCustomerFlag(t.Context(), 4711); !errors.Is(err, calls.ErrNotFound) {
		t.Errorf("an unknown call: %v", err)
	}
	stranger, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "another token",
		calls.WithBaseURL(server.URL()), calls.WithHTTPClient(server.HTTPClient()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.CreateScheduled(t.Context(), calls.ScheduledRequest{
		MenuID: 9, EndUserNumber: "+82-10-6861-2345", ScheduledAt: time.Now().Add(time.Hour),
	})
	if !errors.Is(err, calls.ErrUnauthorized) || calls.DeliveryOf(err) != calls.DeliveryRejected {
		t.Errorf("another's token: %v", err)
	}
}
