package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/events"
)

// FuzzHandler checks that no body panics, that receive gets usable events, and that no log
// line, response or printed event has a private field.
func FuzzHandler(f *testing.F) {
	for _, body := range readBodies(f) {
		f.Add(body)
	}
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `{"events":null}`, `{"events":[null,7,"x",{},[]]}`, `{"events":[{"call_id":"9223372036854775807"}]}`,
		`{"events":[{"event_id":"a","item":{"item":{}},"Item":null}]}`, `{"events":[{"event_id":"a","timestamp":9e99,"ends_at":"2019-09-10 00:19"}]}`,
		`{"events":[{"state":"\ud800","participants":[{"dn":"+1 859-657-9625","status":1}],"dispositions":[[]]}]}`, "\ufeff" + `{"EVENTS":[{"CALL__ID":1}]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var log strings.Builder
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		var received []events.Event
		handler := events.Handler(user, password, func(_ context.Context, e events.Event) error {
			received = append(received, e)
			if len(received)%2 == 0 {
				return fmt.Errorf("cannot store %s", e.RawJSON())
			}
			return nil
		}, events.WithLogger(logger))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, newRequest(t, "/", body))

		if !json.Valid([]byte(strings.TrimPrefix(body, "\ufeff"))) && w.Code < 400 {
			t.Errorf("got %d for a body that is not JSON", w.Code)
		}
		if w.Code >= 500 && len(received) < 2 {
			t.Errorf("got %d without a failed receive", w.Code)
		}
		output := log.String() + w.Body.String()
		for _, e := range received {
			printed := fmt.Sprintf("%v %+v %#v %v %v", e, e, e, e.Participants, e.Dispositions)
			for _, secret := range secretsOf(e) {
				if strings.Contains(output+printed, secret) {
					t.Errorf("%q is in %s\n%s", secret, output, printed)
				}
			}
			var again events.Event
			written, err := json.Marshal(e)
			if err != nil || json.Unmarshal(written, &again) != nil {
				t.Errorf("%s does not survive JSON: %v", e.RawJSON(), err)
			}
			if fmt.Sprint(again) != fmt.Sprint(e) {
				t.Errorf("%s after a round trip: %s", e, again)
			}
			if e.EventID == "" && e.CallID == 0 && e.State == "" || e.CallID < 0 {
				t.Errorf("%s is not an event", e.RawJSON())
			}
		}
	})
}

// secretsOf returns the private fields of an event, except short ones and those that are
// also in a field that is shown.
func secretsOf(e events.Event) []string {
	const shortest = 12
	var secrets []string
	shown := e.EventID + string(e.State) + "events.Participant{type= state=}events.Disposition{[redacted]}"
	for _, p := range e.Participants {
		secrets = append(secrets, p.DN, p.AgentName)
		shown += string(p.Type) + string(p.State)
	}
	for _, d := range e.Dispositions {
		secrets = append(secrets, d.Code, d.Note)
	}
	var long []string
	for _, secret := range secrets {
		if len(secret) >= shortest && !strings.Contains(shown, secret) {
			long = append(long, secret)
		}
	}
	return long
}
