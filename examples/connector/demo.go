package main

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// demo makes the double of the platform fail on request, so that people can see what
// comes of it. It is nil on the real platform.
type demo struct {
	server *callstest.Server
	next   atomic.Pointer[trick]
	// The double breaks the next request that it receives. While mu is held that is
	// the create.
	mu sync.Mutex
}

// trick is what the double does to the next call or, with atOnce, immediately.
type trick struct {
	Name, Label, Armed string
	fault              callstest.Fault
	another            bool // a colleague calls for the same ticket
	atOnce             func(*callstest.Server)
}

var tricks = []*trick{
	{Name: "response", Label: "Lose the next response", Armed: "The next call will be made, and the response lost.", fault: callstest.HangUpAfterCreate},
	{Name: "request", Label: "Lose the next request", Armed: "The next call will not be made, and no response will come.", fault: callstest.HangUpAfterRead},
	{Name: "two", Label: "Lose the response, and have a colleague call too", Armed: "The response to the next call will be lost, while a colleague calls for the same ticket.", fault: callstest.HangUpAfterCreate, another: true},
	{Name: "advance", Label: "Have the calls move on", atOnce: moveOn},
}

// demoPanel is what the pages show of a demo.
type demoPanel struct {
	Nonce, Armed string
	Tricks       []*trick
}

func (s *service) demoPanel() *demoPanel {
	if s.demo == nil {
		return nil
	}
	panel := &demoPanel{Nonce: s.nonces.issue(actionDemo, "", 0), Tricks: tricks}
	if armed := s.demo.next.Load(); armed != nil {
		panel.Armed = armed.Armed
	}
	return panel
}

// armDemo sets the trick for the next call; there is only ever one.
func (s *service) armDemo(w http.ResponseWriter, r *http.Request) {
	if !s.comesFromOurPage(r, actionDemo, "") {
		s.outOfDate(w)
		return
	}
	for _, t := range tricks {
		switch {
		case t.Name != r.PostForm.Get("trick"):
		case t.atOnce != nil:
			t.atOnce(s.demo.server)
		default:
			s.demo.next.Store(t)
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

type trickKey struct{}

// armed is a trick with the ticket of the create that it is for.
type armed struct {
	*trick
	ticketID string
}

// beforeCreate returns the context of a create, which the trick is for.
func (d *demo) beforeCreate(ctx context.Context, a attempt) context.Context {
	if d == nil {
		return ctx
	}
	t := d.next.Swap(nil)
	if t == nil {
		return ctx
	}
	return context.WithValue(ctx, trickKey{}, armed{t, a.TicketID})
}

// wrap is a middleware of the client that lets one request at a time reach the
// double, and breaks the create that a trick is for.
func (d *demo) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if t, ok := r.Context().Value(trickKey{}).(armed); ok && r.Method == http.MethodPost {
			if t.another && t.ticketID != "" {
				d.server.AddCall(callstest.Call{Type: "Voice Outbound (API)", Status: "assigned", TicketID: t.ticketID})
			}
			d.server.Fail(t.fault)
		}
		return next.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// moveOn gives each running call of the double its next status.
func moveOn(server *callstest.Server) {
	next := map[calls.CallStatus]calls.CallStatus{
		calls.CallStatusQueued:     calls.CallStatusAssigned,
		calls.CallStatusAssigned:   calls.CallStatusConnecting,
		calls.CallStatusConnecting: calls.CallStatusConnected,
		calls.CallStatusConnected:  calls.CallStatusFinished,
	}
	for _, c := range server.Calls() {
		if status, ok := next[c.Status]; ok && !c.AwaitsAgent {
			_ = server.Advance(c.ID, status) // of a call that is there
		}
	}
}
