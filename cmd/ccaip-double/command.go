package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/ccaip-go/calls/callstest"
)

// grace is how long a command may take to end after a signal. A second signal ends
// it at once.
const grace = 5 * time.Second

const (
	statusCannotRun = 126 // as a shell has it
	statusNoCommand = 127
	statusSignaled  = 128 // and the number of the signal
)

// runUnder runs a command that reaches the server, passes signals on to it, and
// returns its exit status.
func runUnder(server *callstest.Server, words []string, signals <-chan os.Signal) (status int) {
	command := exec.Command(words[0], words[1:]...)
	command.Env = append(os.Environ(), server.Environ()...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	family := newFamily(command, hasTerminal())
	if err := command.Start(); err != nil {
		complain(err)
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return statusNoCommand
		}
		return statusCannotRun
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait() // ProcessState has the outcome
	}()
	var last os.Signal
	var overdue <-chan time.Time
	for {
		select {
		case <-ended:
			if last != nil {
				family.end(last)
			}
			return statusOf(command.ProcessState)
		case last = <-signals:
			if overdue != nil {
				last = os.Kill
			}
			_ = family.signal(last)
			overdue = time.After(grace)
		case <-overdue:
			last = os.Kill
			_ = family.signal(last)
		}
	}
}

// hasTerminal reports whether the standard input is a terminal, which sends
// Ctrl-C to the command by itself. The null device looks like one.
func hasTerminal() bool {
	input, err := os.Stdin.Stat()
	if err != nil || input.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(input, null)
}

func statusOf(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return statusSignaled + int(status.Signal())
	}
	return state.ExitCode()
}
