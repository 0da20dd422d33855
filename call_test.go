package calls_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ccaip-go/calls"
)

// TestDocumentedObjectIsDecodedWhole replaces the documented object's zeros, since a
// call has no id of 0, and its word "string" for a flag that examples have as a boolean.
func TestDocumentedObjectIsDecodedWhole(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/call_object.json")
	if err != nil {
		t.Fatal(err)
	}
	var documents []json.RawMessage
	mustUnmarshal(t, data, &documents)
	body := bytes.ReplaceAll(documents[0], []byte(`: 0`), []byte(`: 7`))
	body = bytes.Replace(body, []byte(`"hidden": "string"`), []byte(`"hidden": "true"`), 1)

	call := created(t, body)

	checkKeepsAll(t, bytes.Replace(body, []byte(`"hidden": "true"`), []byte(`"hidden": true`), 1), call)
	if call.CallType != calls.CallTypeScheduled || call.Status != calls.CallStatusScheduled {
		t.Errorf("got %v", call)
	}
}

func TestEveryFieldOfACreatedCall(t *testing.T) {
	t.Parallel()
	at := ptr(time.Date(2019, 9, 10, 5, 12, 26, 295e6, time.UTC))
	got := created(t, []byte(`{
		"id": 519, "parent_id": 514, "lang": "en", "call_type": "Voice Inbound (API)", "status": "queued",
		"created_at": "2019-09-10T05:12:26.295Z", "queued_at": "2019-09-10T05:12:26.295Z", "assigned_at": null,
		"wait_duration": 1, "call_duration": 2, "hold_duration": 3, "rating": 5, "has_feedback": true,
		"voip_provider": "voip_provider_twilio", "out_ticket_id": "76517", "out_ticket_url": "https://example.com/76517",
		"verified": true, "recording_url": "https://example.com/r", "recording_permission": "not_asked",
		"voicemail_reason": "not_voicemail", "deflection": "no_deflection", "disconnected_by": "disconnected_by_unknown",
		"fail_reason": "nothing", "fail_details": "none", "support_number": "+1 339-219-5276",
		"selected_menu": {"id": 9, "name": "Lock Star", "parent_id": 8, "position": 7, "deleted": false, "hidden": true, "menu_type": "ivr_menu", "output_msg": "Hello"},
		"menu_path": {"items_count": 1, "name": "Lock Star", "materialized_path": "9"},
		"agent_info": {"id": 1, "agent_number": "12", "name": "A B", "last_name": "B", "first_name": "A", "avatar_url": "https://example.com/a"},
		"end_user": {"id": 75, "identifier": "i", "out_contact_id": "389391400633"},
		"photos": [{"id": 4, "photo_type": "photo", "url": "https://example.com/p"}],
		"videos": [{"id": 5, "url": "https://example.com/v"}],
		"participants": [{"id": 826, "type": "end_user", "status": "waiting", "call_id": 519, "user_id": 1, "end_user_id": 75, "call_duration": 2, "hold_duration": 3, "connected_at": "2019-09-10T05:12:26.295Z", "ended_at": "2019-09-10T05:12:26.295Z", "fail_reason": "nothing"}],
		"offer_type": "cascade", "offer_events": [{"casting_time": "2019-09-10T05:12:26.295Z", "group": "Group 1"}],
		"answer_type": "manual", "outbound_number": "+1 339-219-5276"}`))
	want := &calls.Call{
		ID: 519, ParentID: ptr[int64](514), Lang: "en", CallType: calls.CallTypeInbound, Status: calls.CallStatusQueued,
		CreatedAt: at, QueuedAt: at,
		WaitDuration: ptr[int64](1), CallDuration: ptr[int64](2), HoldDuration: ptr[int64](3), Rating: ptr[int64](5), HasFeedback: true,
		VoIPProvider: "voip_provider_twilio", OutTicketID: ptr("76517"), OutTicketURL: ptr("https://example.com/76517"),
		Verified: true, RecordingURL: ptr("https://example.com/r"), RecordingPermission: calls.RecordingPermissionReportedNotAsked,
		VoicemailReason: "not_voicemail", Deflection: "no_deflection", DisconnectedBy: "disconnected_by_unknown",
		FailReason: "nothing", FailDetails: ptr("none"), SupportNumber: ptr("+1 339-219-5276"),
		SelectedMenu: &calls.Menu{ID: ptr[int64](9), Name: "Lock Star", ParentID: ptr[int64](8), Position: ptr[int64](7), Deleted: ptr(false), Hidden: ptr(true), MenuType: "ivr_menu", OutputMsg: "Hello"},
		MenuPath:     &calls.MenuPath{ItemsCount: ptr[int64](1), Name: "Lock Star", MaterializedPath: "9"},
		AgentInfo:    &calls.Agent{ID: ptr[int64](1), AgentNumber: "12", Name: "A B", LastName: "B", FirstName: "A", AvatarURL: "https://example.com/a"},
		EndUser:      &calls.EndUser{ID: ptr[int64](75), Identifier: "i", OutContactID: "389391400633"},
		Photos:       []calls.Photo{{ID: ptr[int64](4), PhotoType: "photo", URL: "https://example.com/p"}},
		Videos:       []calls.Video{{ID: ptr[int64](5), URL: "https://example.com/v"}},
		Participants: []calls.Participant{{
			ID: ptr[int64](826), Type: "end_user", Status: "waiting", CallID: ptr[int64](519), UserID: ptr[int64](1), EndUserID: ptr[int64](75),
			CallDuration: ptr[int64](2), HoldDuration: ptr[int64](3), ConnectedAt: at, EndedAt: at, FailReason: "nothing",
		}},
		OfferType: ptr("cascade"), OfferEvents: []calls.OfferEvent{{CastingTime: at, Group: "Group 1"}},
		AnswerType: ptr("manual"), OutboundNumber: ptr("+1 339-219-5276"),
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(calls.Call{})); diff != "" {
		t.Errorf("call (-want +got):\n%s", diff)
	}
}

// TestContradictoryDocuments decodes each form of a field that the documents or
// responses disagree about.
func TestContradictoryDocuments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, fields string
		get          func(*calls.Call) any
		want         any
	}{
		{"hidden is a boolean", `"selected_menu":{"hidden":true}`, func(c *calls.Call) any { return *c.SelectedMenu.Hidden }, true},
		{"hidden is a boolean in a string", `"selected_menu":{"hidden":"true"}`, func(c *calls.Call) any { return *c.SelectedMenu.Hidden }, true},
		{"hidden is false in a string", `"selected_menu":{"hidden":"false"}`, func(c *calls.Call) any { return *c.SelectedMenu.Hidden }, false},
		{"hidden is another string", `"selected_menu":{"id":9,"hidden":"string"}`, func(c *calls.Call) any { return c.SelectedMenu.Hidden == nil && *c.SelectedMenu.ID == 9 }, true},
		{"agent_number is a string", `"agent_info":{"agent_number":"0012"}`, func(c *calls.Call) any { return c.AgentInfo.AgentNumber }, "0012"},
		{"agent_number is null", `"agent_info":{"id":1,"agent_number":null}`, func(c *calls.Call) any { return c.AgentInfo.AgentNumber == "" && *c.AgentInfo.ID == 1 }, true},
		{"agent_number is an integer", `"agent_info":{"agent_number":12}`, func(c *calls.Call) any { return c.AgentInfo.AgentNumber }, "12"},
		{"rating is an integer", `"rating":4`, func(c *calls.Call) any { return *c.Rating }, int64(4)},
		{"rating is null", `"rating":null`, func(c *calls.Call) any { return c.Rating == nil }, true},
		{"rating is a string", `"rating":"4"`, func(c *calls.Call) any { return *c.Rating }, int64(4)},
		{"rating is a decimal", `"rating":4.0`, func(c *calls.Call) any { return *c.Rating }, int64(4)},
		{"parent_id is present", `"parent_id":514`, func(c *calls.Call) any { return *c.ParentID }, int64(514)},
		{"parent_id is absent", `"lang":"en"`, func(c *calls.Call) any { return c.ParentID == nil }, true},
		{"the keys of created calls are absent", `"lang":"en"`, func(c *calls.Call) any {
			return c.DeflectionDetails == nil && c.OfferType == nil && c.OfferEvents == nil && c.AnswerType == nil && c.OutboundNumber == nil
		}, true},
		{"voicemail_reason is misspelled", `"voicemail_reaso":"not_voicemail"`, func(c *calls.Call) any { return c.VoicemailReason }, "not_voicemail"},
		{"voicemail_reason is in both spellings", `"voicemail_reaso":"a","voicemail_reason":"b"`, func(c *calls.Call) any { return c.VoicemailReason }, "b"},
		{"deflection is misspelled", `"deflection":"n_deflection"`, func(c *calls.Call) any { return c.Deflection }, "n_deflection"},
		{"a scheduled call that is inbound and queued", `"call_type":"Voice Inbound (API)","status":"queued","scheduled_at":"2019-09-15T00:19:14.421Z"`, func(c *calls.Call) any {
			return c.CallType == calls.CallTypeInbound && c.Status == calls.CallStatusQueued && c.ScheduledAt.Equal(time.Date(2019, 9, 15, 0, 19, 14, 421e6, time.UTC))
		}, true},
		{"a scheduled call that is scheduled", `"call_type":"Voice Scheduled (API)","status":"scheduled"`, func(c *calls.Call) any {
			return c.CallType == calls.CallTypeScheduled && c.Status == calls.CallStatusScheduled
		}, true},
		{"transfers with from_menu and to_menu", `"transfers":[{"from_menu":{"name":"a"},"to_menu":{"name":"b"}}]`, func(c *calls.Call) any { return c.Transfers[0].FromMenu.Name + c.Transfers[0].ToMenu.Name }, "ab"},
		{"transfers with from_menu_path and to_menu_path", `"transfers":[{"from_menu_path":{"name":"a"},"to_menu_path":{"name":"b"}}]`, func(c *calls.Call) any { return c.Transfers[0].FromMenu.Name + c.Transfers[0].ToMenu.Name }, "ab"},
		{"transfers with times of their own", `"transfers":[{"connected_at":"2019-09-15T00:19:14.421Z","wait_duration":7}]`, func(c *calls.Call) any {
			return c.Transfers[0].ConnectedAt.Equal(time.Date(2019, 9, 15, 0, 19, 14, 421e6, time.UTC)) && *c.Transfers[0].WaitDuration == 7
		}, true},
		{"deflection_details", `"deflection_details":[{"id":1,"call_id":397,"transfer_id":2,"deflection":"no_deflection","from_menu_path":{"materialized_path":"9"}}]`, func(c *calls.Call) any {
			d := c.DeflectionDetails[0]
			return fmt.Sprintf("%d %d %d %s %s", *d.ID, *d.CallID, *d.TransferID, d.Deflection, d.FromMenuPath.MaterializedPath)
		}, "1 397 2 no_deflection 9"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			call := created(t, []byte(`{"id":397,`+test.fields+`}`))
			if got := test.get(call); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if call.ID != 397 {
				t.Errorf("id %d", call.ID)
			}
		})
	}
}

// TestMalformedFieldLosesNoCreatedCall has malformed values for one key at a time. A
// person was called after a 201, so the call and its other fields must not be lost.
func TestMalformedFieldLosesNoCreatedCall(t *testing.T) {
	t.Parallel()
	var documented map[string]json.RawMessage
	for _, e := range readExamples(t) {
		if e.ID == "inbound/created_by_ticket_id" {
			mustUnmarshal(t, e.Response, &documented)
		}
	}
	documented["parent_id"] = json.RawMessage("514")
	documented["rating"] = json.RawMessage("4")
	documented["transfers"] = json.RawMessage(`[{"id":1,"from_menu":{"name":"a"}}]`)
	whole := created(t, encode(t, documented))

	malformed := []string{"null", "{}", "[]", `"x"`, "1", "true", "-1.5e300", `""`, `[{}]`, `[1,"x",null,[],{}]`, `{"id":{}}`, `{"id":"x","name":[]}`}
	for key := range documented {
		if key == "id" {
			continue
		}
		changes := map[string]func(map[string]json.RawMessage){
			"removed": func(d map[string]json.RawMessage) { delete(d, key) },
		}
		for _, value := range malformed {
			changes[value] = func(d map[string]json.RawMessage) { d[key] = json.RawMessage(value) }
		}
		for change, apply := range changes {
			t.Run(key+" "+change, func(t *testing.T) {
				t.Parallel()
				document := maps.Clone(documented)
				apply(document)
				isOfKey := func(p cmp.Path) bool { // the path goes through the pointer to the call
					field, ok := p.Index(2).(cmp.StructField)
					return ok && strings.EqualFold(field.Name(), strings.ReplaceAll(key, "_", ""))
				}
				got := created(t, encode(t, document))
				if diff := cmp.Diff(whole, got, cmpopts.IgnoreUnexported(calls.Call{}), cmp.FilterPath(isOfKey, cmp.Ignore())); diff != "" {
					t.Errorf("call (-whole +malformed):\n%s", diff)
				}
			})
		}
	}
}

// TestMalformedInnerFieldLosesNoCreatedCall has malformed values in the objects and
// lists of a call.
func TestMalformedInnerFieldLosesNoCreatedCall(t *testing.T) {
	t.Parallel()
	inner := map[string][]string{
		"selected_menu":      {"id", "name", "parent_id", "position", "deleted", "hidden", "menu_type", "output_msg"},
		"menu_path":          {"items_count", "name", "materialized_path"},
		"agent_info":         {"id", "name", "last_name", "first_name", "agent_number", "avatar_url"},
		"end_user":           {"id", "identifier", "out_contact_id"},
		"photos":             {"id", "photo_type", "url"},
		"videos":             {"id", "url"},
		"transfers":          {"id", "status", "fail_reason", "created_at", "connected_at", "wait_duration", "from_menu", "to_menu", "from_agent", "to_agent"},
		"participants":       {"id", "type", "status", "call_id", "user_id", "end_user_id", "call_duration", "hold_duration", "connected_at", "ended_at", "fail_reason"},
		"deflection_details": {"id", "call_id", "transfer_id", "deflection", "from_menu_path"},
		"offer_events":       {"casting_time", "group"},
	}
	lists := []string{"photos", "videos", "transfers", "participants", "deflection_details", "offer_events"}
	for outer, keys := range inner {
		for _, key := range keys {
			for _, value := range []string{"null", "{}", "[]", "[1]"} {
				t.Run(fmt.Sprintf("%s.%s %s", outer, key, value), func(t *testing.T) {
					t.Parallel()
					object := fmt.Sprintf(`{%q:%s}`, key, value)
					if slices.Contains(lists, outer) {
						object = "[" + object + "]"
					}
					call := created(t, []byte(fmt.Sprintf(`{%q:%s,"status":"queued","id":397}`, outer, object)))
					if call.ID != 397 || call.Status != calls.CallStatusQueued {
						t.Errorf("got %v", call)
					}
				})
			}
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	tests := map[string]int64{
		`1`:                     1,
		`9007199254740993`:      9007199254740993, // 2^53 + 1, which no float64 is
		`9223372036854775807`:   9223372036854775807,
		`"397"`:                 397,
		`" 397 "`:               397,
		`"9007199254740993"`:    9007199254740993,
		`"9223372036854775807"`: 9223372036854775807,
		`397.0`:                 397,
		`3.97e2`:                397,
	}
	for id, want := range tests {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			if got := created(t, []byte(`{"id":`+id+`}`)).ID; got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		})
	}
}

// TestUnknownKeysAndValues has keys that future versions of the platform may add.
func TestUnknownKeysAndValues(t *testing.T) {
	t.Parallel()
	const body = `{"id":397,"sentiment":{"score":0.7,"id":1},"status":"dreaming","call_type":"Voice Callback (Web)",` +
		`"recording_permission":"perhaps","participants":[{"id":610,"mood":"good"}],"Identity":5}`
	call := created(t, []byte(body))
	if call.ID != 397 || call.Status != "dreaming" || call.CallType != "Voice Callback (Web)" || call.RecordingPermission != "perhaps" || *call.Participants[0].ID != 610 {
		t.Errorf("got %+v", *call)
	}
	if call.Status.IsKnown() || call.Status.IsTerminal() || call.CallType.IsKnown() || call.RecordingPermission.IsKnown() {
		t.Error("an unknown value is known")
	}
	var unknown struct{ Sentiment struct{ Score float64 } }
	mustUnmarshal(t, call.RawJSON(), &unknown)
	if unknown.Sentiment.Score != 0.7 {
		t.Errorf("RawJSON is %s", call.RawJSON())
	}
}

// TestKeysAreCaseSensitive has unknown keys that differ from known ones by case only.
func TestKeysAreCaseSensitive(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"another id":                    `{"id":397,"ID":7,"status":"queued"}`,
		"an id that is 0":               `{"id":397,"Id":0,"status":"queued"}`,
		"another status":                `{"id":397,"status":"queued","STATUS":"failed"}`,
		"another id, a malformed field": `{"id":397,"ID":7,"status":"queued","rating":"4"}`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if call := created(t, []byte(body)); call.ID != 397 || call.Status != calls.CallStatusQueued {
				t.Errorf("got %v of %s", call, body)
			}
		})
	}
}

func TestRawJSON(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"compact":                 `{"id":397}`,
		"with space and new keys": " {\n\t\"id\" : 397 , \"zebra\":[1.0e0]} \r\n",
		"with escapes":            `{"id":397,"lang":"\u0065n","x":"\/"}`,
		"with a repeated key":     `{"id":1,"id":397}`,
		"with a byte order mark":  "\ufeff" + `{"id":397}`,
		"with trailing text":      `{"id":397} trailing`,
		"with a malformed field":  `{"id":397,"rating":{}}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := created(t, []byte(body))
			if call.ID != 397 {
				t.Errorf("id %d", call.ID)
			}
			raw := call.RawJSON()
			if string(raw) != body {
				t.Errorf("RawJSON is %q, want %q", raw, body)
			}
			clear(raw)
			_ = append(raw[:0], "changed"...)
			if string(call.RawJSON()) != body {
				t.Error("RawJSON is not a copy")
			}
		})
	}
}

func TestCallsThatWereNotDecoded(t *testing.T) {
	t.Parallel()
	var none *calls.Call
	for name, call := range map[string]*calls.Call{"nil": none, "not decoded": {ID: 397}} {
		if raw := call.RawJSON(); raw != nil {
			t.Errorf("%s: RawJSON is %s", name, raw)
		}
	}
	if fmt.Sprintf("%+v", none) != "<nil>" || none.LogValue().String() != "calls.Call{}" {
		t.Errorf("a nil call prints as %v", none)
	}
	var result *calls.CreateResult
	if fmt.Sprint(result) != "<nil>" || fmt.Sprint(&calls.CreateResult{}) != "calls.CreateResult{calls.Call{}}" {
		t.Errorf("an empty result prints as %v and %v", result, &calls.CreateResult{})
	}
}

func TestCallsAreDecodedFromAnyJSON(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("testdata/call_object.json")
	if err != nil {
		t.Fatal(err)
	}
	var documented []calls.Call
	mustUnmarshal(t, document, &documented)
	if len(documented) != 1 || documented[0].Status != calls.CallStatusScheduled || documented[0].FailReason != calls.FailReasonNothing {
		t.Errorf("the documented object: %+v", documented)
	}
	var webhook struct {
		Call  *calls.Call  `json:"call"`
		Other *calls.Call  `json:"other"`
		Calls []calls.Call `json:"calls"`
	}
	mustUnmarshal(t, []byte(`{"call":{"id":"397","rating":{},"participants":[{"type":"third_party"},5]},"other":null,"calls":[{"id":398}]}`), &webhook)
	if webhook.Call.ID != 397 || webhook.Call.Rating != nil || webhook.Call.Participants[0].Type != calls.ParticipantTypeThirdParty ||
		webhook.Other != nil || webhook.Calls[0].ID != 398 {
		t.Errorf("decoded %+v", webhook)
	}
	for _, body := range []string{`5`, `"397"`, `[{"id":397}]`, `true`} {
		var call calls.Call
		if err := json.Unmarshal([]byte(body), &call); !errors.Is(err, calls.ErrUndecodable) {
			t.Errorf("%s: %+v, %v", body, call, err)
		}
	}
	kept := calls.Call{ID: 397}
	mustUnmarshal(t, []byte(`null`), &kept)
	if kept.ID != 397 {
		t.Error("null changes a call")
	}
}

func TestCallSurvivesARoundTrip(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"unknown keys":             `{"id":397,"sentiment":{"score":0.70,"n":12345678901234567890}}`,
		"a misspelled key":         `{"id":397,"voicemail_reaso":"not_voicemail"}`,
		"values of another type":   `{"id":"397","rating":"4.50","selected_menu":"none"}`,
		"keys in another order":    `{"status":"queued","id":397}`,
		"a time to the nanosecond": `{"id":397,"created_at":"2019-06-07T01:27:30.406123456+02:00"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var call calls.Call
			data := []byte(body)
			mustUnmarshal(t, data, &call)
			clear(data) // the caller may reuse it
			for what, value := range map[string]any{"a value": call, "a pointer": &call, "a field": map[string]any{"call": call}["call"]} {
				if got := string(encode(t, value)); got != body {
					t.Errorf("%s marshals to %s, want %s", what, got, body)
				}
			}
			var again calls.Call
			mustUnmarshal(t, encode(t, call), &again)
			if diff := cmp.Diff(call, again, cmpopts.IgnoreUnexported(calls.Call{})); diff != "" || string(again.RawJSON()) != body {
				t.Errorf("after a round trip (-before +after):\n%s\n%s", diff, again.RawJSON())
			}
		})
	}
}

func TestCallMarshalsToItsJSON(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body, want string
	}{
		"a byte order mark": {"\ufeff" + `{"id":397,"x":1}`, `{"id":397,"x":1}`},
		"trailing bytes":    {`{"id":397,"x":1} trailing`, `{"id":397,"x":1}`},
	} {
		if got := string(encode(t, created(t, []byte(tt.body)))); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	if got := string(encode(t, (*calls.Call)(nil))); got != "null" {
		t.Errorf("a nil call marshals to %s", got)
	}
	own := calls.Call{ID: 397, Status: calls.CallStatusQueued, CreatedAt: ptr(documentedNow)}
	var again calls.Call
	mustUnmarshal(t, encode(t, own), &again)
	if diff := cmp.Diff(own, again, cmpopts.IgnoreUnexported(calls.Call{})); diff != "" {
		t.Errorf("a call that was not decoded (-before +after):\n%s", diff)
	}
}

// TestAListedCallIsDecodedWhole uses every documented key of a listed call.
func TestAListedCallIsDecodedWhole(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/listing.json")
	if err != nil {
		t.Fatal(err)
	}
	var objects []json.RawMessage
	mustUnmarshal(t, body, &objects)
	listed, err := list(t.Context(), newClient(t, responding(http.StatusOK, string(body))), calls.ListOptions{}, nil)
	if err != nil || len(objects) != 1 || len(listed) != 1 {
		t.Fatalf("listed %v of %d objects, %v", listed, len(objects), err)
	}
	var call calls.Call
	mustUnmarshal(t, objects[0], &call)
	checkKeepsAll(t, objects[0], &call)
}

func TestCustomerFlagInEitherSpelling(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want calls.CustomerFlag
	}{
		"all flags":                      {`{"verified_customer":true,"bad_actor":false,"repeat_customer":true}`, calls.CustomerFlag{VerifiedCustomer: ptr(true), BadActor: ptr(false), RepeatCustomer: ptr(true)}},
		"the plural":                     {`{"repeat_customers":true}`, calls.CustomerFlag{RepeatCustomer: ptr(true)}},
		"the singular before the plural": {`{"repeat_customers":true,"repeat_customer":false}`, calls.CustomerFlag{RepeatCustomer: ptr(false)}},
		"the plural, the singular null":  {`{"repeat_customer":null,"repeat_customers":true}`, calls.CustomerFlag{RepeatCustomer: ptr(true)}},
		"flags in quotes":                {`{"verified_customer":"true","bad_actor":"false"}`, calls.CustomerFlag{VerifiedCustomer: ptr(true), BadActor: ptr(false)}},
		"null is nil":                    {`{"verified_customer":null,"bad_actor":null,"repeat_customer":null}`, calls.CustomerFlag{}},
		"a missing flag is nil":          {`{}`, calls.CustomerFlag{}},
		"a flag of another type and one": {`{"verified_customer":{},"bad_actor":true}`, calls.CustomerFlag{BadActor: ptr(true)}},
		"unknown keys":                   {`{"vip":true,"bad_actor":true}`, calls.CustomerFlag{BadActor: ptr(true)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newClient(t, responding(http.StatusOK, test.body)).GetCustomerFlag(t.Context(), 397)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCustomerFlagSurvivesARoundTrip(t *testing.T) {
	t.Parallel()
	const body = `{"bad_actor":"true","repeat_customers":false,"vip":1}`
	var flag calls.CustomerFlag
	mustUnmarshal(t, []byte(body), &flag)
	want := calls.CustomerFlag{BadActor: ptr(true), RepeatCustomer: ptr(false)}
	if !flag.Equal(want) || string(flag.RawJSON()) != body || string(encode(t, flag)) != body {
		t.Errorf("read %s, raw %s", encode(t, flag), flag.RawJSON())
	}
	if flag.Equal(calls.CustomerFlag{BadActor: ptr(true)}) || flag.Equal(calls.CustomerFlag{BadActor: ptr(false), RepeatCustomer: ptr(false)}) {
		t.Error("different flags are equal")
	}
	if got, want := string(encode(t, want)), `{"verified_customer":null,"bad_actor":true,"repeat_customer":false}`; got != want {
		t.Errorf("flags that were not decoded marshal to %s", got)
	}
	var none *calls.CustomerFlag
	if none.RawJSON() != nil || want.RawJSON() != nil {
		t.Error("flags that were not decoded have a RawJSON")
	}
	mustUnmarshal(t, []byte(`null`), &flag)
	if !flag.Equal(want) {
		t.Error("null changes the flags")
	}
	if err := json.Unmarshal([]byte(`[]`), &flag); !errors.Is(err, calls.ErrUndecodable) {
		t.Errorf("a list as flags: %v", err)
	}
}
