package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// world is the JSON form of what is added to the default world of package
// callstest, or replaces what has the same id there.
type world struct {
	Agents    []agent
	Menus     []menu
	Tickets   []ticket
	Languages struct{ Available, Unavailable []string }
}

// agent is available, permitted and answered by a created call unless it says
// otherwise.
type agent struct {
	Email                string
	Available, Permitted *bool
	Response             string
}

// menu is open and of every type unless it says otherwise.
type menu struct {
	ID           int64
	Name         string
	Types        *[]calls.MenuType
	State        string
	Overcapacity bool
	Wait         int64
	Slots        int
}

type ticket struct {
	ID, Number string
	ContactID  string `json:"contact_id"`
}

var (
	responses = map[string]callstest.CreateResponse{
		"": callstest.ResponseCreated, "created": callstest.ResponseCreated,
		"accepted": callstest.ResponseAccepted, "prompted": callstest.ResponsePrompted,
	}
	menuTypes = []calls.MenuType{calls.MenuTypeIVR, calls.MenuTypeMobile, calls.MenuTypeWeb}
	states    = map[string]callstest.MenuState{
		"": callstest.Open, "open": callstest.Open,
		"manual redirection": callstest.ManualRedirection, "after hours": callstest.AfterHours,
	}
)

// readWorld returns the options that add what a file describes.
func readWorld(name string) ([]callstest.Option, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	options, err := parseWorld(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return options, nil
}

func parseWorld(data []byte) ([]callstest.Option, error) {
	var w world
	if err := decode(data, &w); err != nil {
		return nil, err
	}
	var agents []callstest.Agent
	for _, a := range w.Agents {
		response, ok := responses[a.Response]
		if !ok {
			return nil, fmt.Errorf("agent %q: the response is created, accepted or prompted, and not %q", a.Email, a.Response)
		}
		agents = append(agents, callstest.Agent{Email: a.Email, Available: isTrue(a.Available), Permitted: isTrue(a.Permitted), Response: response})
	}
	var menus []callstest.Menu
	for _, m := range w.Menus {
		menu, err := m.parse()
		if err != nil {
			return nil, fmt.Errorf("menu %d: %w", m.ID, err)
		}
		menus = append(menus, menu)
	}
	var tickets []callstest.Ticket
	for _, t := range w.Tickets {
		tickets = append(tickets, callstest.Ticket(t))
	}
	return []callstest.Option{
		callstest.WithAgents(agents...), callstest.WithMenus(menus...), callstest.WithTickets(tickets...),
		callstest.WithLanguages(w.Languages.Available, w.Languages.Unavailable),
	}, nil
}

// isTrue reports whether a value that is true by default is true.
func isTrue(value *bool) bool { return value == nil || *value }

func (m menu) parse() (callstest.Menu, error) {
	state, ok := states[m.State]
	if !ok {
		return callstest.Menu{}, fmt.Errorf("the state is open, manual redirection or after hours, and not %q", m.State)
	}
	types := menuTypes
	if m.Types != nil {
		types = *m.Types
	}
	for _, name := range types {
		if !slices.Contains(menuTypes, name) {
			return callstest.Menu{}, fmt.Errorf("a type is ivr_menu, mobile_menu or web_menu, and not %q", name)
		}
	}
	return callstest.Menu{ID: m.ID, Name: m.Name, Types: types, State: state, Overcapacity: m.Overcapacity, Wait: m.Wait, Slots: m.Slots}, nil
}

// decode reads one JSON object without unknown keys, and names the line of a
// mistake.
func decode(data []byte, into *world) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", lineAt(data, syntax.Offset), err)
	case errors.As(err, &mistyped) && mistyped.Field == "":
		return errors.New("not a JSON object")
	case errors.As(err, &mistyped):
		return fmt.Errorf("line %d: %s cannot be of type %s", lineAt(data, mistyped.Offset), strings.ToLower(mistyped.Field), mistyped.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON is empty or ends too early")
	case err != nil:
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}
