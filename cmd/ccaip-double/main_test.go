package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

// TestMain runs the test program as the double, as a client of the double or as a command
// that does not end, if a test started it for that.
func TestMain(m *testing.M) {
	switch os.Getenv("TEST_RUNS") {
	case "double":
		main()
	case "client":
		createOne()
	case "sleeper":
		os.Stdout.WriteString("up\n")
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

// createOne creates a call with a client from the environment.
func createOne() {
	client, err := calls.NewClientFromEnv()
	if err == nil {
		_, err = client.CreateOutbound(context.Background(), calls.OutboundRequest{AgentEmail: agentOf(os.Args), TicketID: "71450"})
	}
	os.Stdout.WriteString("create: " + strconv.FormatBool(err == nil) + " " + calls.Explain(err) + "\n")
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func agentOf(args []string) string {
	if len(args) > 1 {
		return args[1]
	}
	return "agent@example.com"
}

// double returns a command that runs the double, with another account in its environment.
func double(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self, args...)
	command.Env = append(os.Environ(), "TEST_RUNS=double", "CCAIP_HOST=real.example.com", "CCAIP_USERNAME=another", "CCAIP_TOKEN=real")
	command.WaitDelay = 30 * time.Second
	return command
}

// withClient returns arguments with which the double runs a client.
func withClient(t *testing.T, flags []string, agent string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append(flags, "--", "env", "TEST_RUNS=client", self, agent)
}

func runDouble(t *testing.T, args ...string) (out string, status int) {
	t.Helper()
	command := double(t, args...)
	text, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(text), command.ProcessState.ExitCode()
}

func TestExitStatus(t *testing.T) {
	taken := start(t, double(t))
	busy := strings.TrimPrefix(taken.variables["CCAIP_BASE_URL"], "http://")
	noProgram := filepath.Join(t.TempDir(), "not-executable")
	badWorld := filepath.Join(t.TempDir(), "bad.json")
	for _, file := range []string{noProgram, badWorld} {
		if err := os.WriteFile(file, []byte("{\n\"agents\": 7}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"-h", 0, "Usage:"},
		{"-h", 0, "go doc github.com/ccaip-go/calls/cmd/ccaip-double"},
		{"-h", 0, "go doc github.com/ccaip-go/calls/callstest"},
		{"-nonsense", 2, "flag provided but not defined"},
		{"-fail Nonsense", 2, "there is no fault Nonsense"},
		{"-fail BreakHandshake", 2, "needs TLS"},
		{"-world /nowhere.json", 2, "no such file"},
		{"-world " + badWorld, 2, "line 2: agents cannot be of type number"},
		{"-addr nonsense", 1, "missing port"},
		{"-addr " + busy, 1, "address already in use"},
		{"-- sh -c true", 0, ""},
		{"-- sh -c exit${IFS}7", 7, ""},
		{"-- sh -c kill${IFS}-9${IFS}$$", 128 + 9, ""},
		{"-- no-such-command", 127, "no-such-command"},
		{"-- " + noProgram, 126, "permission denied"},
	} {
		t.Run(test.args, func(t *testing.T) {
			out, status := runDouble(t, strings.Fields(test.args)...)
			if status != test.status || !strings.Contains(out, test.want) {
				t.Errorf("exit status %d, want %d; want %q in\n%s", status, test.status, test.want, out)
			}
		})
	}
}

// running is a started double that has printed its variables.
type running struct {
	*exec.Cmd
	variables map[string]string
	output    io.Reader
}

// start starts a double that serves, and reads the variables that it prints.
func start(t *testing.T, command *exec.Cmd) running {
	t.Helper()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	lines := bufio.NewScanner(output)
	variables := map[string]string{}
	for len(variables) < 6 && lines.Scan() {
		parts := regexp.MustCompile(`^export (CCAIP_\w+)=(.*)$`).FindStringSubmatch(lines.Text())
		if parts == nil {
			t.Fatalf("printed %q", lines.Text())
		}
		variables[parts[1]] = parts[2]
	}
	return running{command, variables, output}
}

func TestServesUntilItIsInterrupted(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			d := start(t, double(t))
			for name, value := range d.variables {
				t.Setenv(name, value)
			}
			client, err := calls.NewClientFromEnv()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: "agent@example.com", TicketID: "71450"}); err != nil {
				t.Error(err)
			}
			if err := d.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := d.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
