package calls_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

var aThirdParty = calls.ThirdPartyRequest{AgentEmail: "agent@example.com", PhoneNumber: "+1 339-219-5276"}

func TestDialThirdParty(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t, callstest.WithUnreachableNumbers("+1 773-202-5862"))
	client := socketClient(t, server)
	id := server.AddCall(callstest.Call{AgentEmail: "agent@example.com", Status: "connected"})

	participant, err := client.DialThirdParty(t.Context(), id, aThirdParty)
	if err != nil {
		t.Fatal(err)
	}
	want := &calls.Participant{ID: ptr[int64](54321), Type: calls.ParticipantTypeThirdParty, Status: calls.ParticipantStatusConnecting}
	if diff := cmp.Diff(want, participant); diff != "" {
		t.Errorf("participant (-want +got):\n%s", diff)
	}
	for call, err := range client.ListCalls(t.Context(), calls.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		last := call.Participants[len(call.Participants)-1]
		if *last.ID != 54321 || last.Type != calls.ParticipantTypeThirdParty {
			t.Errorf("the call shows %+v", last)
		}
	}
	if dialed, _ := server.Call(id); len(dialed.ThirdParties) != 1 || dialed.ThirdParties[0].AgentEmail != "agent@example.com" {
		t.Errorf("dialed %+v", dialed.ThirdParties)
	}
}

// TestDialThirdPartyIsRefused gets each documented refusal from the double.
func TestDialThirdPartyIsRefused(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t, callstest.WithUnreachableNumbers("+1 773-202-5862"))
	client := socketClient(t, server)
	id := server.AddCall(callstest.Call{AgentEmail: "agent@example.com", Status: "connected"})
	waiting := server.AddCall(callstest.Call{AgentEmail: "agent@example.com", Status: "assigned"})
	tests := []struct {
		id      int64
		request calls.ThirdPartyRequest
		status  int
		message string
		want    error
	}{
		{id, calls.ThirdPartyRequest{AgentEmail: "nobody@example.com", PhoneNumber: goodNumber}, 400, "Invalid agent_email", calls.ErrAgentEmailInvalid},
		{4711, aThirdParty, 404, "Not Found", calls.ErrNotFound},
		{waiting, aThirdParty, 422, "Agent is not connected to the call", calls.ErrAgentNotOnCall},
		{id, calls.ThirdPartyRequest{AgentEmail: "busy@example.com", PhoneNumber: goodNumber}, 422, "Agent is not connected to the call", calls.ErrAgentNotOnCall},
		{id, calls.ThirdPartyRequest{AgentEmail: "agent@example.com", PhoneNumber: "+1 773-202-5862"}, 422, "Error dialing third party", calls.ErrDialFailed},
	}
	for _, tt := range tests {
		_, err := client.DialThirdParty(t.Context(), tt.id, tt.request)
		refused := apiErrorOf(t, err)
		if !errors.Is(err, tt.want) || refused.StatusCode != tt.status || refused.Message != tt.message || calls.DeliveryOf(err) != calls.DeliveryRejected {
			t.Errorf("%d %s: %v", tt.status, tt.message, err)
		}
	}
	// Do sends what DialThirdParty does not.
	for parameter, body := range map[string]string{
		"phone_number": `{"agent_email":"agent@example.com"}`, "agent_email": `{"phone_number":"+1 339-219-5276"}`,
	} {
		_, err := client.Do(t.Context(), http.MethodPost, "calls/397/dial", nil, json.RawMessage(body), nil)
		if !errors.Is(err, calls.ErrParameterMissing) || apiErrorOf(t, err).Param != parameter {
			t.Errorf("%s is missing: %v", parameter, err)
		}
	}
	if call, _ := server.Call(id); len(call.ThirdParties) != 0 {
		t.Errorf("dialed %v", call.ThirdParties)
	}
}

func TestDialThirdPartyValidatesItsRequest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		id      int64
		request calls.ThirdPartyRequest
		field   string
		want    []error
	}{
		"no call":             {0, aThirdParty, "id", []error{calls.ErrCallIDInvalid}},
		"no agent":            {397, calls.ThirdPartyRequest{PhoneNumber: goodNumber}, "agent_email", []error{calls.ErrAgentEmailRequired, calls.ErrParameterMissing}},
		"no address":          {397, calls.ThirdPartyRequest{AgentEmail: "agent", PhoneNumber: goodNumber}, "agent_email", []error{calls.ErrAgentEmailInvalid}},
		"no number":           {397, calls.ThirdPartyRequest{AgentEmail: "agent@example.com"}, "phone_number", []error{calls.ErrEndUserNumberRequired, calls.ErrParameterMissing}},
		"no country code":     {397, calls.ThirdPartyRequest{AgentEmail: "agent@example.com", PhoneNumber: "859-657-9625"}, "phone_number", []error{calls.ErrEndUserNumberMalformed}},
		"no telephone number": {397, calls.ThirdPartyRequest{AgentEmail: "agent@example.com", PhoneNumber: "+abc"}, "phone_number", []error{calls.ErrEndUserNumberMalformed}},
	}
	for name, tt := range tests {
		_, err := newClient(t, untouched(t)).DialThirdParty(t.Context(), tt.id, tt.request)
		var problems calls.ValidationErrors
		if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Field != tt.field || calls.DeliveryOf(err) != calls.DeliveryNotSent {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range append(tt.want, calls.ErrInvalidRequest) {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v is not %v", name, err, want)
			}
		}
	}
	_, err := newClient(t, untouched(t)).DialThirdParty(t.Context(), -1, calls.ThirdPartyRequest{})
	var problems calls.ValidationErrors
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Errorf("every problem: %v", err)
	}
}

// TestDialThirdPartySendsTheNumberAsValidated has a number of the default region.
func TestDialThirdPartySendsTheNumberAsValidated(t *testing.T) {
	t.Parallel()
	sent := ""
	client := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = r.Method + " " + r.URL.Path + " " + textOf(r.Body)
		return newResponse(http.StatusOK, `{"participant":{"id":"7","type":"third_party","status":"dialing"}}`), nil
	}), calls.WithDefaultRegion("US"))
	participant, err := client.DialThirdParty(t.Context(), 397, calls.ThirdPartyRequest{AgentEmail: "agent@example.com", PhoneNumber: "859-657-9625"})
	if err != nil || *participant.ID != 7 || participant.Status != calls.ParticipantStatusDialing {
		t.Fatalf("%+v, %v", participant, err)
	}
	if want := `POST /apps/api/v1/calls/397/dial {"agent_email":"agent@example.com","phone_number":"+18596579625"}`; sent != want {
		t.Errorf("sent %s\nwant %s", sent, want)
	}
}

// TestResponsesOfADialWithoutAParticipant checks that such a response leaves the outcome
// unknown.
func TestResponsesOfADialWithoutAParticipant(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status   int
		body     string
		delivery calls.Delivery
		unknown  bool
	}{
		"only a message":       {200, `{"message":"Third party dialing initiated"}`, calls.DeliveryUnknown, true},
		"no body":              {202, "", calls.DeliveryUnknown, true},
		"no content":           {204, "", calls.DeliveryUnknown, true},
		"a gateway's page":     {200, "<html>", calls.DeliveryUnknown, true},
		"a null participant":   {200, `{"participant":null}`, calls.DeliveryUnknown, true},
		"an empty participant": {200, `{"participant":{}}`, calls.DeliveryUnknown, true},
		"an undecodable 201":   {201, "<html>", calls.DeliveryAccepted, false},
	}
	for name, tt := range tests {
		participant, err := newClient(t, responding(tt.status, tt.body)).DialThirdParty(t.Context(), 397, aThirdParty)
		if participant != nil || !errors.Is(err, calls.ErrUndecodable) || calls.DeliveryOf(err) != tt.delivery || errors.Is(err, calls.ErrOutcomeUnknown) != tt.unknown {
			t.Errorf("%s: %v, %v, %v", name, participant, err, calls.DeliveryOf(err))
		}
		if _, ok := calls.IntentOf(err); !ok {
			t.Errorf("%s: no intent", name)
		}
	}
}

func TestIntentOfADial(t *testing.T) {
	t.Parallel()
	_, err := newClient(t, roundTripper(broken)).DialThirdParty(t.Context(), 397, aThirdParty)
	intent, ok := calls.IntentOf(err)
	if !ok || intent.ID == "" || intent.Attempt == "" || intent.ParentCallID != 397 || intent.CallType != "" ||
		!intent.SentAfter.Equal(documentedNow) || intent.SentBefore.IsZero() {
		t.Errorf("intent %+v of %v", intent, err)
	}
}
