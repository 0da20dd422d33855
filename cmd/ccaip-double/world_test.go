package main

import (
	"cmp"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func TestWorld(t *testing.T) {
	options, err := parseWorld([]byte(`{
		"agents": [
			{"email": "agent.one@example.com"},
			{"email": "agent.two@example.com", "available": false},
			{"email": "agent.three@example.com", "permitted": false},
			{"email": "agent.four@example.com", "response": "accepted"}
		],
		"menus": [
			{"id": 21, "name": "Sales"},
			{"id": 22, "types": ["web_menu"]},
			{"id": 23, "state": "after hours"},
			{"id": 24, "overcapacity": true, "wait": 120, "slots": -1}
		],
		"tickets": [{"id": "80233", "number": "+1 859-657-9625", "contact_id": "7"}],
		"languages": {"available": ["de"], "unavailable": ["it"]}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	client, err := callstest.NewServer(t, options...).NewClient()
	if err != nil {
		t.Fatal(err)
	}
	const number = "+1 859-657-9625"
	for _, test := range []struct {
		request calls.CreateRequest
		want    string // the text of Explain
	}{
		{calls.OutboundRequest{AgentEmail: "agent.one@example.com", TicketID: "80233", Lang: "de"}, ""},
		{calls.OutboundRequest{AgentEmail: "agent.two@example.com", TicketID: "80233"}, "The agent cannot take a call now."},
		{calls.OutboundRequest{AgentEmail: "agent.three@example.com", TicketID: "80233"}, "not permitted"},
		{calls.OutboundRequest{AgentEmail: "agent.four@example.com", TicketID: "80233"}, ""},
		{calls.InboundRequest{MenuID: 21, EndUserNumber: number}, ""},
		{calls.InboundRequest{MenuID: 21, EndUserNumber: number, Lang: "it"}, "does not offer this language"},
		{calls.InboundRequest{MenuID: 22, EndUserNumber: number}, "wrong type"},
		{calls.InboundRequest{MenuID: 23, EndUserNumber: number}, "closed at this hour"},
	} {
		result, err := client.Create(t.Context(), test.request)
		if got := calls.Explain(err); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%v: %v, %q, want %q", test.request, result, got, test.want)
		}
	}
}

// TestDocumentedWorldHasAllKeys reads the world file of the package comment.
func TestDocumentedWorldHasAllKeys(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?s)\n\t\{\n.*?\n\t\}\n`).FindString(file.Doc.Text())
	options, err := parseWorld([]byte(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	callstest.NewServer(t, options...)
	for _, part := range []any{world{}, agent{}, menu{}, ticket{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(part)) {
			name := cmp.Or(field.Tag.Get("json"), strings.ToLower(field.Name))
			if !strings.Contains(text, `"`+name+`":`) {
				t.Errorf("%q is not in the documented world", name)
			}
		}
	}
}

func TestWorldRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                            "the JSON is empty or ends too early",
		`{"agents": [`:                "the JSON is empty or ends too early",
		"{\n\"agents\": [}":           "line 2: invalid character",
		"{\n\n\"agents\": 7}":         "line 3: agents cannot be of type number",
		`[]`:                          "not a JSON object",
		`{} {}`:                       "something follows the JSON object",
		`{"agent": []}`:               `unknown field "agent"`,
		`{"agents": [{"mail": "x"}]}`: `unknown field "mail"`,
		`{"agents": [{"email": "x@example.com", "response": "busy"}]}`: "the response is created, accepted or prompted",
		`{"menus": [{"id": 1, "types": ["ivr"]}]}`:                     "menu 1: a type is ivr_menu, mobile_menu or web_menu",
		`{"menus": [{"id": 1, "channels": ["web_menu"]}]}`:             `unknown field "channels"`,
		`{"menus": [{"id": 1, "state": "closed"}]}`:                    "menu 1: the state is open",
	} {
		if _, err := parseWorld([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestWorldThatTheDoubleRefuses has well-formed worlds with invalid values.
func TestWorldThatTheDoubleRefuses(t *testing.T) {
	for _, text := range []string{
		`{"agents": [{}]}`,
		`{"menus": [{"id": 0}]}`,
		`{"tickets": [{"id": "1", "number": "123123"}]}`,
		`{"languages": {"available": [""]}}`,
	} {
		options, err := parseWorld([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if server, err := callstest.Start(options...); err == nil {
			server.Close()
			t.Errorf("%s is accepted", text)
		}
	}
}
