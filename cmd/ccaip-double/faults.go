package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"

	"github.com/ccaip-go/calls/callstest"
)

// faults are those that are values, by their names.
var faults = named(
	callstest.HangUpBeforeRead,
	callstest.HangUpAfterRead, callstest.HangUpAfterCreate,
	callstest.Reset, callstest.ResetAfterCreate,
	callstest.Stall, callstest.StallAfterCreate,
	callstest.NotHTTP,
	callstest.CutStatusLine, callstest.CutHeaders, callstest.CutBody,
	callstest.StallBody, callstest.DripBody, callstest.HugeBody,
	callstest.Pass,
)

// impossible are the faults that this program does not offer, with the reason.
var impossible = map[string]string{
	"RefuseConnection": "needs a client in the process of the double",
	"CloseIdle":        "needs a client in the process of the double",
	"BreakHandshake":   "needs TLS",

	"RefuseStream": "needs HTTP/2", "RefuseStreamAfterCreate": "needs HTTP/2",
	"GoAway": "needs HTTP/2", "GoAwayAfterCreate": "needs HTTP/2",
	"ResetStream": "needs HTTP/2", "ResetStreamAfterCreate": "needs HTTP/2",
}

func named(list ...callstest.Fault) map[string]callstest.Fault {
	byName := map[string]callstest.Fault{}
	for _, fault := range list {
		byName[fault.String()] = fault
	}
	return byName
}

// parseFaults reads faults as they are written in Go, with commas between them.
func parseFaults(text string) (list []callstest.Fault, err error) {
	expression, err := parser.ParseExpr("script(" + text + ")")
	script, ok := expression.(*ast.CallExpr)
	if err != nil || !ok || len(script.Args) == 0 {
		return nil, errors.New(`not a list of faults such as HangUpAfterCreate,Status(503)`)
	}
	for _, arg := range script.Args {
		fault, err := parseFault(arg)
		if err != nil {
			return nil, err
		}
		list = append(list, fault)
	}
	return list, nil
}

func parseFault(expression ast.Expr) (callstest.Fault, error) {
	if reason := impossible[nameOf(expression)]; reason != "" {
		return callstest.Pass, fmt.Errorf("%s %s, which this program does not offer", nameOf(expression), reason)
	}
	switch e := expression.(type) {
	case *ast.Ident:
		if fault, ok := faults[e.Name]; ok {
			return fault, nil
		}
		return callstest.Pass, fmt.Errorf("there is no fault %s", e.Name)
	case *ast.CallExpr:
		if name := nameOf(e); name != "" {
			return callFault(name, e.Args)
		}
	}
	return callstest.Pass, errors.New("a fault is a name, or a name with arguments")
}

// nameOf returns the name of a fault, "" if it has none.
func nameOf(expression ast.Expr) string {
	if call, ok := expression.(*ast.CallExpr); ok {
		expression = call.Fun
	}
	if name, ok := expression.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// callFault returns a fault that has arguments.
func callFault(name string, args []ast.Expr) (callstest.Fault, error) {
	values, err := literals(args)
	if err != nil {
		return callstest.Pass, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case name == "RateLimited" && len(values) == 1:
		return callstest.RateLimited(values[0]), nil
	case name == "Status" && len(values) == 1:
		code, err := status(values[0], 200, 999)
		return callstest.Status(code), err
	case name == "StatusAfterCreate" && len(values) == 1:
		code, err := status(values[0], 200, 999)
		return callstest.StatusAfterCreate(code), err
	case name == "Redirect" && len(values) == 2:
		code, err := status(values[0], 300, 399)
		return callstest.Redirect(code, values[1]), err
	}
	return callstest.Pass, fmt.Errorf("there is no fault %s with %d arguments", name, len(values))
}

func literals(args []ast.Expr) (values []string, err error) {
	for _, arg := range args {
		literal, ok := arg.(*ast.BasicLit)
		switch {
		case ok && literal.Kind == token.INT:
			values = append(values, literal.Value)
		case ok && literal.Kind == token.STRING:
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				return nil, err
			}
			values = append(values, value)
		default:
			return nil, errors.New("an argument is a whole number or a text in quotes")
		}
	}
	return values, nil
}

func status(text string, least, most int) (int, error) {
	code, err := strconv.Atoi(text)
	if err != nil || code < least || code > most {
		return 0, fmt.Errorf("%s is not a status from %d to %d", text, least, most)
	}
	return code, nil
}
