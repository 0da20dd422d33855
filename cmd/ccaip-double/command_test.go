package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRunsACommandUnderItsVariables(t *testing.T) {
	world := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(world, []byte(`{"agents":[{"email":"agent.one@example.com"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		flags  []string
		agent  string
		status int
		want   string
	}{
		{"a call", nil, "agent@example.com", 0, "create: true"},
		{"a refusal", nil, "agent.one@example.com", 1, "There is no agent with this e-mail address."},
		{"an agent of the world file", []string{"-world", world}, "agent.one@example.com", 0, "create: true"},
		{"a fault", []string{"-fail", "HangUpAfterCreate"}, "agent@example.com", 1, "The call may ring all the same"},
		{"a fault with an argument", []string{"-fail", "Status(503)"}, "agent@example.com", 1, "The platform failed."},
		{"two faults", []string{"-fail", `RateLimited("0"), Status(404)`}, "agent@example.com", 1, "cannot find"},
		{"an unused fault", []string{"-fail", "Pass,Stall"}, "agent@example.com", 0, "ccaip-double: fault never used: Stall"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, status := runDouble(t, withClient(t, test.flags, test.agent)...)
			if status != test.status || !strings.Contains(out, test.want) {
				t.Errorf("exit status %d, want %d; want %q in\n%s", status, test.status, test.want, out)
			}
		})
	}
}

// TestASignalEndsTheCommandToo checks that the command and its children end, so that the
// pipe is closed.
func TestASignalEndsTheCommandToo(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		script  string
		signals []os.Signal
		status  int
	}{
		{"SIGTERM", "echo up; sleep 1000; :", []os.Signal{syscall.SIGTERM}, 128 + int(syscall.SIGTERM)},
		// Not a shell, which continues if it is interrupted while it starts a command.
		{"interrupt", "exec env TEST_RUNS=sleeper " + self, []os.Signal{os.Interrupt}, 128 + int(syscall.SIGINT)},
		{"a grandchild", "(echo up; sleep 1000; :) & wait", []os.Signal{syscall.SIGTERM}, 128 + int(syscall.SIGTERM)},
		{"a command that cleans up", "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done", []os.Signal{syscall.SIGTERM}, 3},
		{"a command that ignores it", "trap '' TERM; echo up; while :; do sleep 0.1; done", []os.Signal{syscall.SIGTERM}, 128 + int(syscall.SIGKILL)},
		{"a second signal", "trap '' TERM; echo up; while :; do sleep 0.1; done", []os.Signal{syscall.SIGTERM, os.Interrupt}, 128 + int(syscall.SIGKILL)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			command := double(t, "--", "sh", "-c", test.script)
			output, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			reader := bufio.NewReader(output)
			if line, err := reader.ReadString('\n'); line != "up\n" {
				t.Fatalf("%q, %v", line, err)
			}
			for _, signal := range test.signals {
				if err := command.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			_, _ = io.Copy(io.Discard, reader) // ends when all writers are closed
			_ = command.Wait()
			if status := command.ProcessState.ExitCode(); status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
		})
	}
}
