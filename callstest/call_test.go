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

func TestCallObjectHasTheDocumentedKeys(t *testing.T) {
	examples := map[string]map[string]any{}
	for _, e := range documented(t) {
		examples[e.ID] = e.Response
	}
	tests := []struct {
		example  string
		base     params
		change   params
		extra    []string // keys that are not in the example
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

// sameKeys compares the shapes of two JSON values: the keys of objects, the lengths of
// arrays, and which values are null.
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
