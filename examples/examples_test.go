package examples_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/callstest"
)

// templates are the examples for copying.
var templates = []string{"outbound", "inbound", "scheduled", "customerflag", "track", "settle"}

// bin is where the examples are built, once for all tests.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	status, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(status)
}

func buildAndRun(m *testing.M) (status int, err error) {
	if bin, err = os.MkdirTemp("", "examples"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(bin)
	args := []string{"build", "-o", bin + string(filepath.Separator)}
	for _, name := range templates {
		args = append(args, "./"+name)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	return m.Run(), nil
}

// TestExamples runs each example with valid and invalid input against the double in its
// process.
func TestExamples(t *testing.T) {
	const misused = 2 // the exit status of the flag package
	tests := []struct {
		command string
		status  int
		want    string // in the output
	}{
		{"outbound", 0, "Created call 397, assigned."},
		{"outbound", 0, "nobody is called"},
		{"outbound -h", 0, "e-mail address of the agent"},
		{"outbound -ticket 71450", 0, "Created call 397, assigned."},
		{"outbound -agent chooser@example.com", 0, "The agent has to place the call"},
		{"outbound -agent prompted@example.com", 0, "The agent has to place the call"},
		{"outbound -agent nobody@example.com", 1, "There is no agent with this e-mail address."},
		{"outbound -agent busy@example.com", 1, "The agent cannot take a call now."},
		{"outbound -agent forbidden@example.com", 1, "not permitted to make calls"},
		{"outbound -ticket 1", 1, "The ticket has no contact to call."},
		{"outbound -number 123123", 1, "The number to call has no country code."},
		{"outbound -agent= -number=", 1, "The e-mail address of the agent is missing. There is nobody to call."},
		{"outbound -nonsense", misused, "flag provided but not defined"},
		{"outbound extra", 1, `unexpected argument "extra"`},
		{"inbound", 0, "Created call 397, queued."},
		{"inbound -menu 13", 1, "The queue is closed at this hour."},
		{"inbound -menu 12", 1, "takes no calls now"},
		{"inbound -menu 9999", 1, "There is no queue menu with this id."},
		{"inbound -menu 10", 1, "Inbound calls need an IVR or mobile menu"},
		{"inbound -lang fr", 1, "The queue does not offer this language."},
		{"inbound -menu nine", misused, "invalid value"},
		{"scheduled", 0, "Scheduled call 397 for "},
		{"scheduled -in 90m", 0, "Scheduled call 397 for "},
		{"scheduled -in 0s", 1, "The time of the call is missing."},
		{"scheduled -in=-5m", 1, "The time of the call is not in the future."},
		{"scheduled -next", 0, "Scheduled call 397 for "},
		{"scheduled -next -menu 10 -menu-type web_menu", 0, "Scheduled call 397 for "},
		{"scheduled -next -menu 13", 1, "-next: the queue shows no callback periods for the next 8 hours: it is closed, or takes no callbacks."},
		{"scheduled -next -menu 99", 1, "-next: the platform shows no queue menu 99 of the type mobile_menu: check -menu and -menu-type."},
		{"scheduled -next -menu-type foo", 1, "-next: the platform shows no queue menu 9 of the type foo: check -menu and -menu-type."},
		{"scheduled -next -menu=", misused, "invalid value"},
		{"scheduled -next -in 1h", 1, "-at, -in and -next exclude each other: give one of them."},
		{"scheduled -next -at 2030-01-31T12:00:00Z", 1, "-at, -in and -next exclude each other: give one of them."},
		{"scheduled -at 2030-01-31T12:00:00Z -in 1h", 1, "-at, -in and -next exclude each other: give one of them."},
		{"scheduled -at 2090-01-31T12:00:00Z", 0, "Scheduled call 397 for Tue, 31 Jan 2090 12:00:00 UTC."},
		{"scheduled -at= -in=1h", misused, "a time such as 2030-01-31T12:00:00Z"},
		{"scheduled -next -zone Nowhere", 1, "unknown time zone"},
		{"scheduled -next -menu-type=", 1, "menu_type is required"},
		{"scheduled -at 2019-09-15T00:19:14Z -number 123123", 1, "The number to call has no country code."},
		{"scheduled -at 2019-09-15T00:19:14Z -number 123123", 1, "The time of the call is not in the future."},
		{"scheduled -at tomorrow", misused, "a time such as 2030-01-31T12:00:00Z"},
		{"scheduled -menu 11", 1, "scheduled calls a mobile or web menu"},
		{"customerflag", 0, `Call 397: {"verified_customer":null,"bad_actor":null,"repeat_customer":null}`},
		{"customerflag -verified=true -bad-actor=false", 0, `{"verified_customer":true,"bad_actor":false,"repeat_customer":null}`},
		{"customerflag -verified", 0, `{"verified_customer":true,`},
		{"customerflag -call 4711", 1, "The platform cannot find what was asked for."},
		{"customerflag -call -1", 1, "a positive whole number"},
		{"customerflag -verified true", 1, `unexpected argument "true": write the value of a flag as in -verified=true`},
		{"customerflag -verified=maybe", misused, "invalid"},
		{"track", 0, "Call 397 is finished."},
		{"track -agent busy@example.com", 1, "The agent cannot take a call now."},
		{"track -agent chooser@example.com", 0, "The agent has to place the call first"},
		{"settle", 0, "The call may ring all the same: look before you try again.\nLooking for it: this takes up to 3s, and longer if the platform is slow …\nCarrying on with call 397, assigned."},
		{"settle -h", 0, "is waited out as well (default 1m)"},
		{"settle -window soon", misused, "invalid value"},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(tt.command)
			out, status := run(t, nil, filepath.Join(bin, words[0]), words[1:]...)
			if status != tt.status || !strings.Contains(out, tt.want) {
				t.Errorf("exit status %d, want %d; want %q in\n%s", status, tt.status, tt.want, out)
			}
			if regexp.MustCompile(`panic|goroutine \d`).MatchString(out) {
				t.Errorf("a stack trace:\n%s", out)
			}
			if strings.Contains(out, "may ring") && words[0] != "settle" {
				t.Errorf("warns of a call that does not exist:\n%s", out)
			}
		})
	}
}

// run runs a command with the account of environ, or without an account.
func run(t *testing.T, environ []string, name string, args ...string) (out string, status int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CCAIP_") {
			command.Env = append(command.Env, variable)
		}
	}
	command.Env = append(command.Env, environ...)
	text, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(text), command.ProcessState.ExitCode()
}

// TestHelpShowsNoZeroTime checks that -h shows no time as the default.
func TestHelpShowsNoZeroTime(t *testing.T) {
	out, status := run(t, nil, filepath.Join(bin, "scheduled"), "-h")
	if status != 0 || !strings.Contains(out, "such as 2030-01-31T12:00:00Z") || strings.Contains(out, "0001-01-01") {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

// TestAnIncompleteAccount checks that the output says why no double is started, and names
// a missing variable.
func TestAnIncompleteAccount(t *testing.T) {
	check := func(name, variable string) {
		set, _, _ := strings.Cut(variable, "=")
		want := `^No double is started, since ` + set + ` is set\. Unset it to start one, or correct the account:\nNothing was sent: the environment variable CCAIP_\w+ is not set(, nor is CCAIP_HOST)?\.\n$`
		out, status := run(t, []string{variable}, filepath.Join(bin, name))
		if status != 1 || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%s with %s: exit status %d\n%s", name, variable, status, out)
		}
	}
	for _, name := range templates {
		check(name, "CCAIP_TOKEN=x")
	}
	for _, variable := range []string{"CCAIP_SUBDOMAIN=customer", "CCAIP_DOMAIN=example.com", "CCAIP_HOST=customer.example.com", "CCAIP_USERNAME=x", "CCAIP_BASE_URL=https://example.com"} {
		check("outbound", variable)
	}
}

// TestAWrongAccount checks that the output names all variables of the account, and says what
// is wrong.
func TestAWrongAccount(t *testing.T) {
	want := "No double is started, since CCAIP_BASE_URL, CCAIP_HOST, CCAIP_TOKEN are set. Unset them to start one, or correct the account:\nNothing was sent: the base URL is not https"
	out, status := run(t, []string{"CCAIP_BASE_URL=http://example.com", "CCAIP_HOST=customer.example.com", "CCAIP_TOKEN=x"}, filepath.Join(bin, "outbound"))
	if status != 1 || !strings.HasPrefix(out, want) {
		t.Errorf("exit status %d\n%s", status, out)
	}
}

// TestNoCallWithoutFlags runs each example on an account without flags.
func TestNoCallWithoutFlags(t *testing.T) {
	for _, name := range templates {
		server := callstest.NewServer(t) // stands in for the platform
		out, status := run(t, server.Environ(), filepath.Join(bin, name))
		if status != 1 || len(server.Requests()) != 0 || strings.Contains(out, "double") {
			t.Errorf("%s: exit status %d, %d requests\n%s", name, status, len(server.Requests()), out)
		}
	}
}

// TestSettleCreatesOneCall runs the example on an account under faults.
func TestSettleCreatesOneCall(t *testing.T) {
	for _, test := range []struct {
		fault  callstest.Fault
		calls  int
		status int
		want   string
	}{
		{callstest.Pass, 1, 0, "Carrying on with call 397, assigned."},
		{callstest.HangUpAfterCreate, 1, 0, "Looking for it: this takes up to 2s, and longer if the platform is slow …\nCarrying on with call 397, assigned."},
		{callstest.CutHeaders, 1, 0, "The call may ring all the same"},
		{callstest.HangUpAfterRead, 0, 1, "No listing has shown the call."},
		{callstest.Status(404), 0, 1, "The platform cannot find what was asked for."},
	} {
		t.Run(test.fault.String(), func(t *testing.T) {
			t.Parallel()
			server := callstest.NewServer(t)
			server.Fail(test.fault)
			out, status := run(t, server.Environ(), filepath.Join(bin, "settle"),
				"-agent=agent@example.com", "-ticket=71450", "-window=1s", "-skew=1s")
			if status != test.status || !strings.Contains(out, test.want) {
				t.Errorf("exit status %d, want %d; want %q in\n%s", status, test.status, test.want, out)
			}
			creates := 0
			for _, request := range server.Requests() {
				if request.Method == "POST" {
					creates++
				}
			}
			if creates != 1 || len(server.Calls()) != test.calls {
				t.Errorf("%d creates made %d calls, want 1 and %d", creates, len(server.Calls()), test.calls)
			}
		})
	}
}

// TestSettleChecksItsFlagsFirst checks that nothing is sent if the looking would fail.
func TestSettleChecksItsFlagsFirst(t *testing.T) {
	server := callstest.NewServer(t)
	for _, wrong := range []string{"-window=-1s", "-skew=-1s", "-window=0s", "-skew=0"} {
		out, status := run(t, server.Environ(), filepath.Join(bin, "settle"), "-agent=agent@example.com", "-ticket=71450", wrong)
		if status != 2 || !strings.Contains(out, "it has to be more than zero, such as 15s") || len(server.Requests()) != 0 {
			t.Errorf("%s: exit status %d, %d requests\n%s", wrong, status, len(server.Requests()), out)
		}
	}
}

// TestACopyOfAnExampleBuilds deletes the two lines that start the double, and checks that
// main.go has at most 40 lines of code.
func TestACopyOfAnExampleBuilds(t *testing.T) {
	const most = 40
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	for _, name := range templates {
		files, err := filepath.Glob(filepath.Join(name, "*.go"))
		if err != nil || os.Mkdir(filepath.Join(copied, name), 0o755) != nil {
			t.Fatal(name, err)
		}
		for _, file := range files {
			code := read(t, file)
			if filepath.Base(file) == "main.go" {
				if code = withoutDouble(t, code); countCode(code) > most {
					t.Errorf("%s has %d lines of code, want at most %d", file, countCode(code), most)
				}
			}
			write(t, filepath.Join(copied, file), code)
		}
	}
	goMod := regexp.MustCompile(`(?m)^module .*`).ReplaceAllString(read(t, filepath.Join(root, "go.mod")), "module example.com/copied")
	write(t, filepath.Join(copied, "go.mod"), goMod+"\nrequire github.com/ccaip-go/calls v0.0.0\n\nreplace github.com/ccaip-go/calls => "+root+"\n")
	write(t, filepath.Join(copied, "go.sum"), read(t, filepath.Join(root, "go.sum")))

	for _, args := range [][]string{{"./..."}, {"-o", filepath.Join(copied, "bin", "outbound"), "./outbound"}} {
		build := exec.CommandContext(t.Context(), "go", append([]string{"build", "-mod=mod"}, args...)...)
		build.Dir, build.Env = copied, append(os.Environ(), "GOFLAGS=", "GOPROXY=off")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	out, status := run(t, nil, filepath.Join(copied, "bin", "outbound"))
	if status != 1 || !strings.Contains(out, "CCAIP_SUBDOMAIN is not set") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	server := callstest.NewServer(t)
	out, status = run(t, server.Environ(), filepath.Join(copied, "bin", "outbound"), "-agent=agent@example.com", "-ticket=71450")
	if status != 0 || len(server.Calls()) != 1 {
		t.Errorf("exit status %d, %d calls\n%s", status, len(server.Calls()), out)
	}
}

// withoutDouble deletes the line that starts the double and its import.
func withoutDouble(t *testing.T, code string) string {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^\t(double\.Start\(.*|".*/internal/double")\n`)
	if n := len(lines.FindAllString(code, -1)); n != 2 {
		t.Errorf("%d lines to delete, want 2, in\n%s", n, code)
	}
	return lines.ReplaceAllString(code, "")
}

// countCode returns the number of lines that are neither empty nor a comment.
func countCode(code string) (n int) {
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			n++
		}
	}
	return n
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
