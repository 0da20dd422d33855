package main

import (
	"net/http"
	"sync/atomic"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// demo has the double of the platform break where somebody wants to see what
// comes of it. There is none, nil, on the real platform.
type demo struct {
	server *callstest.Server
	next   atomic.Pointer[trick]
}

// trick is something that the double does to the next call.
type trick struct {
	Name, Label, Armed string
	fault              callstest.Fault
	another            bool // somebody else calls for the same ticket
}

var tricks = []*trick{
	{Name: "answer", Label: "Lose the next answer", Armed: "The next call will be made, and the answer lost.", fault: callstest.HangUpAfterCreate},
	{Name: "request", Label: "Lose the next request", Armed: "The next call will not be made, and no answer will come.", fault: callstest.HangUpAfterRead},
	{Name: "two", Label: "Lose the answer, and have a colleague call too", Armed: "The answer to the next call will be lost, while a colleague calls for the same ticket.", fault: callstest.HangUpAfterCreate, another: true},
}

// Tricks and Armed are for the pages.
func (d *demo) Tricks() []*trick { return tricks }

func (d *demo) Armed() string {
	if armed := d.next.Load(); armed != nil {
		return armed.Armed
	}
	return ""
}

// arm sets the trick for the next call; there is only ever one.
func (d *demo) arm(w http.ResponseWriter, r *http.Request) {
	for _, t := range tricks {
		if t.Name == r.PostForm.Get("trick") {
			d.next.Store(t)
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (d *demo) beforeCreate(a attempt) {
	if d == nil {
		return
	}
	t := d.next.Swap(nil)
	if t == nil {
		return
	}
	d.server.Fail(t.fault)
	if t.another && a.TicketID != "" {
		d.server.AddCall(callstest.Call{Type: string(calls.CallTypeOutbound), Status: "assigned", TicketID: a.TicketID})
	}
}
