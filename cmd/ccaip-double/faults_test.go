package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/callstest"
)

func TestParseFaults(t *testing.T) {
	for _, test := range []struct {
		text string
		want []callstest.Fault
	}{
		{"HangUpAfterCreate", []callstest.Fault{callstest.HangUpAfterCreate}},
		{"HangUpAfterCreate,Status(503)", []callstest.Fault{callstest.HangUpAfterCreate, callstest.Status(503)}},
		{" Pass , Stall , ", []callstest.Fault{callstest.Pass, callstest.Stall}},
		{`RateLimited("1, 2"),RateLimited(3)`, []callstest.Fault{callstest.RateLimited("1, 2"), callstest.RateLimited("3")}},
		{"StatusAfterCreate(500)", []callstest.Fault{callstest.StatusAfterCreate(500)}},
		{`Redirect(302, "https://example.com/")`, []callstest.Fault{callstest.Redirect(302, "https://example.com/")}},
	} {
		if got, err := parseFaults(test.text); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, %v", test.text, got, err)
		}
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "not a list of faults",
		",":                                  "not a list of faults",
		"Stall,,Stall":                       "not a list of faults",
		"Stall)(":                            "not a list of faults",
		"Stall Stall":                        "not a list of faults",
		"// Stall":                           "not a list of faults",
		"stall":                              "there is no fault stall",
		"callstest.Stall":                    "a fault is a name",
		"Stall()":                            "there is no fault Stall with 0 arguments",
		"503":                                "a fault is a name",
		"Status":                             "there is no fault Status",
		"Status()":                           "no fault Status with 0",
		"Status(1)":                          "1 is not a status from 200 to 999",
		"Status(99999999999999999999)":       "is not a status",
		"Status(x)":                          "Status: an argument is",
		"Status(-503)":                       "Status: an argument is",
		"Redirect(200, \"/\")":               "200 is not a status from 300 to 399",
		"Redirect(302)":                      "no fault Redirect with 1",
		"RefuseConnection":                   "needs a client in the process",
		"CloseIdle":                          "needs a client in the process",
		"ResetStream(http2.ErrCodeProtocol)": "needs HTTP/2",
		"GoAway":                             "needs HTTP/2",
		"BreakHandshake":                     "needs TLS",
	} {
		if got, err := parseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", text, got, err, want)
		}
	}
}

// TestEveryFaultOfCallstestIsKnown parses each fault, or refuses it with a reason.
func TestEveryFaultOfCallstestIsKnown(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "callstest", "fault.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(node ast.Node) bool {
		if value, ok := node.(*ast.ValueSpec); ok && len(value.Values) == 1 {
			if literal, ok := value.Values[0].(*ast.CompositeLit); ok && isFault(literal.Type) {
				names = append(names, value.Names[0].Name)
			}
		}
		return true
	})
	if len(names) < 15 {
		t.Fatalf("found only %q", names)
	}
	for _, name := range names {
		fault, err := parseFaults(name)
		if isKnown := err == nil && fault[0].String() == name || impossible[name] != ""; !isKnown {
			t.Errorf("%s: %v, %v", name, fault, err)
		}
	}
}

func isFault(expression ast.Expr) bool {
	name, ok := expression.(*ast.Ident)
	return ok && name.Name == "Fault"
}
