package callstest

import "sync"

// script is the line of faults. Each is taken once. It is safe for concurrent
// use.
type script struct {
	mu         sync.Mutex
	faults     []Fault
	impossible []string // what the server cannot carry out, and why
}

func (s *script) add(faults []Fault, c *config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if problem := f.problem(c); problem != "" {
			s.impossible = append(s.impossible, f.String()+": "+problem)
			continue
		}
		s.faults = append(s.faults, f)
	}
}

// take takes the next fault if it is one that the caller wants, and else none.
func (s *script) take(wanted func(faultKind) bool) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 0 || !wanted(s.faults[0].kind) {
		return Pass
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f
}

func (s *script) unused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, f := range s.faults {
		names = append(names, f.String())
	}
	return append(names, s.impossible...)
}
