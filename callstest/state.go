package callstest

import (
	"fmt"

	"github.com/ccaip-go/calls"
)

// Calls returns copies of all calls, the oldest first. It has those that await
// their agent too.
func (s *Server) Calls() []Call { return s.platform.history.all() }

// Call returns a copy of the call of that id. ok is false if there is none.
func (s *Server) Call(id int64) (call Call, ok bool) { return s.platform.history.call(id) }

// AddCall adds a call that no request has made, and returns its id, which is c's
// own unless that is 0. A call of the same id is replaced. An empty Type is
// inbound, an empty Status "queued", an empty Lang "en", an empty OutboundNumber
// the default one, a zero CreatedAt now, and a zero UpdatedAt CreatedAt. One that
// AwaitsAgent has the id 0.
func (s *Server) AddCall(c Call) (id int64) {
	return s.platform.history.add(c.normal(s.platform.now())).ID
}

// Place makes the oldest call that awaits its agent an assigned one, as if the
// agent had placed it by hand now. ok is false if no call awaits its agent.
func (s *Server) Place() (id int64, ok bool) {
	return s.platform.history.place(s.platform.now())
}

// Requests returns copies of all requests that have arrived, in the order of
// their arrival, whatever became of them. Those that RefuseConnection,
// BreakHandshake and HangUpBeforeRead kept away have not.
func (s *Server) Requests() []Request { return s.journal.all() }

// Flag returns the reserved data attributes of a call. They are nil for a call
// that does not exist.
func (s *Server) Flag(callID int64) calls.CustomerFlag { return s.platform.history.flag(callID) }

// SetFlag sets all three reserved data attributes of a call; nil makes one
// unset. It can be done before the call exists.
func (s *Server) SetFlag(callID int64, f calls.CustomerFlag) { s.platform.history.setFlag(callID, f) }

// EndUsers returns the authentications that were accepted for a call, the oldest
// first.
func (s *Server) EndUsers(callID int64) []calls.EndUserAuth {
	return s.platform.history.endUsersOf(callID)
}

func unknownCall(id int64) error { return fmt.Errorf("callstest: there is no call %d", id) }
