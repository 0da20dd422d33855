package callstest

import "github.com/ccaip-go/calls"

// NewClient returns a client of the server: with its credentials, its URL and
// its HTTPClient. Options come after these, so that they can replace them.
func (s *Server) NewClient(opts ...calls.Option) (*calls.Client, error) {
	own := []calls.Option{calls.WithBaseURL(s.URL()), calls.WithHTTPClient(s.HTTPClient())}
	return calls.NewClient(s.Subdomain(), s.Domain(), s.Token(), append(own, opts...)...)
}

// Advance gives a call another status, and the timestamp that goes with it. Any
// status is taken, known or not. It is an error if the call does not exist.
func (s *Server) Advance(id int64, status calls.CallStatus) error {
	if !s.platform.history.advance(id, status, s.platform.now()) {
		return unknownCall(id)
	}
	return nil
}

// Script makes each reading of the listing move a call one status on, until the
// statuses are used up. A reading begins with its first page; further pages
// change nothing. Statuses of an earlier Script come first. It is an error if
// the call does not exist.
func (s *Server) Script(id int64, statuses ...calls.CallStatus) error {
	if !s.platform.history.script(id, statuses) {
		return unknownCall(id)
	}
	return nil
}
