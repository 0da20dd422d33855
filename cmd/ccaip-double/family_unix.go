//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// family is a command and what it has started, such as the program of "go run".
type family struct {
	command *exec.Cmd
	// isGroup means that they are a process group of their own. At a terminal they
	// are not: the terminal lets only its foreground group read.
	isGroup bool
}

func newFamily(command *exec.Cmd, hasTerminal bool) family {
	if !hasTerminal {
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	return family{command, !hasTerminal}
}

// signal passes a signal on. Its error means that nobody is left. A terminal has sent
// its os.Interrupt to the whole family already, and a second one could cut a shutdown
// short.
func (f family) signal(s os.Signal) error {
	number, ok := s.(syscall.Signal)
	switch {
	case f.isGroup && ok:
		return syscall.Kill(-f.command.Process.Pid, number)
	case s != os.Interrupt:
		return f.command.Process.Signal(s)
	}
	return nil
}

// end ends what a command that was signaled has left. A shell blocks signals while it
// starts a program, so that one can begin right after the signal: it gets others.
func (f family) end(last os.Signal) {
	for _, wait := range []time.Duration{20 * time.Millisecond, 200 * time.Millisecond, 0} {
		if !f.isGroup || f.signal(last) != nil {
			return
		}
		time.Sleep(wait)
	}
}
