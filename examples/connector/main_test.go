package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestStartThatIsRefused checks what is complained about first.
func TestStartThatIsRefused(t *testing.T) {
	account := []string{"CCAIP_SUBDOMAIN=customer", "CCAIP_DOMAIN=example.com", "CCAIP_TOKEN=x"}
	for name, test := range map[string]struct {
		environ []string
		change  func(*settings)
		want    string
	}{
		"a token alone":               {[]string{"CCAIP_TOKEN=x"}, func(*settings) {}, "CCAIP_SUBDOMAIN is not set"},
		"no token":                    {account[:2], func(*settings) {}, "CCAIP_TOKEN is not set"},
		"an account, no tickets":      {account, func(*settings) {}, "-tickets FILE"},
		"no time for the clocks":      {nil, func(set *settings) { set.skew = 0 }, "-attempt, -settle and -skew"},
		"a host that is none":         {nil, func(set *settings) { set.host = "a b" }, `-host "a b" is not a host name`},
		"tickets that cannot be read": {nil, func(set *settings) { set.tickets = "/nowhere.json" }, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			setAccount(t, test.environ)
			set := settings{addr: "127.0.0.1:0", attempt: time.Second, skew: time.Second, lag: time.Second}
			test.change(&set)
			if err := run(t.Context(), set); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

// setAccount replaces the account of the environment.
func setAccount(t *testing.T, environ []string) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "CCAIP_") {
			t.Setenv(name, "")
		}
	}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}
