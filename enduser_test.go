package calls_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestAuthenticateEndUser(t *testing.T) {
	t.Parallel()
	server := callstest.NewServer(t)
	id := server.AddCall(callstest.Call{Status: "connected"})
	endUser := calls.EndUserAuth{Identifier: "customer-67", Name: "A B", Email: "customer@example.com", Phone: "+1 339-219-5276"}
	if err := socketClient(t, server).AuthenticateEndUser(t.Context(), id, endUser); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]calls.EndUserAuth{endUser}, server.EndUsers(id)); diff != "" {
		t.Errorf("end users (-want +got):\n%s", diff)
	}
}

func TestAuthenticateEndUserSendsOnlyWhatIsSet(t *testing.T) {
	t.Parallel()
	platform := &recorder{status: http.StatusAccepted, response: `{"message":"accepted"}`}
	err := handlerClient(t, platform).AuthenticateEndUser(t.Context(), 9007199254740993, calls.EndUserAuth{Identifier: "customer-67"})
	if err != nil || platform.method != "POST" || platform.path != "/apps/api/v1/calls/9007199254740993/end_user" || platform.body != `{"identifier":"customer-67"}` {
		t.Errorf("%s %s %s: %v", platform.method, platform.path, platform.body, err)
	}
}

// TestAuthenticateEndUserAcceptsAny2xx has bodies that are not decoded.
func TestAuthenticateEndUserAcceptsAny2xx(t *testing.T) {
	t.Parallel()
	for status, body := range map[int]string{200: "<html>", 201: "{}", 202: "", 204: ""} {
		err := newClient(t, responding(status, body)).AuthenticateEndUser(t.Context(), 397, calls.EndUserAuth{Identifier: "customer-67"})
		if err != nil {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

func TestAuthenticateEndUserIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  int
		message string
		want    error
	}{
		"no identifier":     {400, "param is missing or the value is empty: identifier", calls.ErrParameterMissing},
		"no channel":        {400, "param is missing or the value is empty: comm_type", calls.ErrParameterMissing},
		"an ended call":     {400, "Call is already ended", calls.ErrCallEnded},
		"another CRM":       {400, "Unsupported CRM request", calls.ErrCRMUnsupported},
		"a second request":  {400, "Duplicate request: Please wait for the interval to expire", calls.ErrDuplicateRequest},
		"an unknown call":   {404, "Not Found", calls.ErrNotFound},
		"wrong credentials": {401, "Not Authorized", calls.ErrUnauthorized},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, responding(tt.status, `{"message":"`+tt.message+`"}`))
			err := client.AuthenticateEndUser(t.Context(), 397, calls.EndUserAuth{Identifier: "customer-67"})
			if !errors.Is(err, tt.want) || apiErrorOf(t, err).Message != tt.message || calls.DeliveryOf(err) != calls.DeliveryRejected {
				t.Errorf("%v, %v, want %v", err, calls.DeliveryOf(err), tt.want)
			}
		})
	}
}

func TestAuthenticateEndUserValidatesItsArguments(t *testing.T) {
	t.Parallel()
	client := newClient(t, untouched(t))
	endUser := calls.EndUserAuth{Identifier: "customer-67"}
	for _, id := range []int64{0, -1} {
		checkProblems(t, client.AuthenticateEndUser(t.Context(), id, endUser), []problem{{"id", calls.ErrCallIDInvalid}})
	}
	err := client.AuthenticateEndUser(t.Context(), 397, calls.EndUserAuth{Name: "A B"})
	checkProblems(t, err, []problem{{"identifier", calls.ErrParameterMissing}})
}
