//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
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

// signal passes a signal on. A terminal has sent its os.Interrupt to the whole
// family already, and a second one could cut a shutdown short.
func (f family) signal(s os.Signal) {
	number, ok := s.(syscall.Signal)
	switch {
	case f.isGroup && ok:
		_ = syscall.Kill(-f.command.Process.Pid, number)
	case s != os.Interrupt:
		_ = f.command.Process.Signal(s)
	}
}
