package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestExamples runs each example as a newcomer does, with good and with bad
// input, against the double.
func TestExamples(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"outbound", "inbound", "scheduled", "customerflag", "track", "settle"} {
		build := exec.Command("go", "build", "-o", filepath.Join(bin, name), "./"+name)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	tests := []struct {
		command string
		fails   bool
		want    string // in what it prints
	}{
		{"outbound", false, "Created call 397, assigned."},
		{"outbound -ticket 71450", false, "Created call 397, assigned."},
		{"outbound -agent chooser@example.com", false, "The agent has to place the call"},
		{"outbound -agent prompted@example.com", false, "The agent has to place the call"},
		{"outbound -agent nobody@example.com", true, "there is no agent with this e-mail address"},
		{"outbound -agent busy@example.com", true, "cannot take a call now"},
		{"outbound -agent forbidden@example.com", true, "may not make calls"},
		{"outbound -ticket 1", true, "the ticket has nobody to call"},
		{"outbound -number 123123", true, "not a telephone number"},
		{"outbound -agent -number=", true, "No call"},
		{"outbound -nonsense", true, "flag provided but not defined"},
		{"outbound extra", true, `unexpected argument "extra"`},
		{"inbound", false, "Created call 397, queued."},
		{"inbound -menu 13", true, "closed at this hour"},
		{"inbound -menu 12", true, "takes no calls now"},
		{"inbound -menu 9999", true, "there is no such menu"},
		{"inbound -menu 10", true, "neither an IVR nor a mobile one"},
		{"inbound -lang fr", true, `nobody answers in the language "fr"`},
		{"inbound -menu nine", true, "invalid value"},
		{"scheduled -in 90m", false, "Scheduled call 397 for "},
		{"scheduled -next", false, "Scheduled call 397 for "},
		{"scheduled -next -menu 10 -menu-type web_menu", false, "Scheduled call 397 for "},
		{"scheduled -next -menu 13", true, "none that is free"},
		{"scheduled -next -menu 4711", true, "none that is free"},
		{"scheduled -next -zone Nowhere", true, "unknown time zone"},
		{"scheduled -next -menu-type=", true, "menu_type is required"},
		{"scheduled -at 2019-09-15T00:19:14Z -number 123123", true, "end_user_number has no country code"},
		{"scheduled -at 2019-09-15T00:19:14Z", true, "Choose a time that is still to come"},
		{"scheduled -at tomorrow", true, "invalid value"},
		{"scheduled -menu 11", true, "Only mobile and web menu IDs are permitted"},
		{"customerflag", false, "bad actor not set"},
		{"customerflag -verified=true -bad-actor=false", false, "verified customer yes, bad actor no, repeat customer not set"},
		{"customerflag -call 4711", true, "there is no such call"},
		{"customerflag -call -1", true, "a positive number"},
		{"customerflag -verified=maybe", true, "invalid"},
		{"track", false, "Call 397 is finished."},
		{"track -ends connected", true, "a call does not end"},
		{"settle", false, "Carrying on with call 397"},
		{"settle", false, "Requests to create a call: 1. Calls made: 1."},
		{"settle -lost-before", true, "no listing has shown it"},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(tt.command)
			out, err := run(filepath.Join(bin, words[0]), words[1:]...)
			if (err != nil) != tt.fails || !strings.Contains(out, tt.want) {
				t.Errorf("%v, want %q in\n%s", err, tt.want, out)
			}
			if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() != 1 {
				t.Errorf("exit status %d", exit.ExitCode())
			}
			if regexp.MustCompile(`panic|goroutine \d`).MatchString(out) {
				t.Errorf("a stack trace:\n%s", out)
			}
		})
	}
}

// run runs a command without an account in its environment.
func run(name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CCAIP_") {
			command.Env = append(command.Env, variable)
		}
	}
	out, err := command.CombinedOutput()
	return string(out), err
}

// TestAnAccountThatIsHalfSetUp is told what is missing, and calls nobody.
func TestAnAccountThatIsHalfSetUp(t *testing.T) {
	command := exec.Command("go", "run", "./outbound")
	command.Env = append(os.Environ(), "CCAIP_SUBDOMAIN=customer", "CCAIP_DOMAIN=", "CCAIP_TOKEN=")
	out, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "CCAIP_DOMAIN is not set") {
		t.Errorf("%v\n%s", err, out)
	}
}
