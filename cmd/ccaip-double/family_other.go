//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// family is a command. What it has started is not reached on this system.
type family struct{ command *exec.Cmd }

func newFamily(command *exec.Cmd, _ bool) family { return family{command} }

// signal ends the command: there is nothing gentler here. The console has sent
// os.Interrupt to it already.
func (f family) signal(s os.Signal) error {
	if s == os.Interrupt {
		return nil
	}
	return f.command.Process.Kill()
}

// end does nothing: what the command has started is not reached.
func (f family) end(os.Signal) {}
