// Package double lets the examples run without an account. Start is for programs that
// use calls.NewClientFromEnv like any other, and Connect for those that also use the
// double itself.
package double

import (
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// Double is a double of the platform in this process. A nil Double does nothing.
type Double struct{ server *callstest.Server }

// Start starts a double if the environment names no account, and has
// calls.NewClientFromEnv reach it. It puts sample before the arguments of the
// program. With an account it does nothing and returns nil: then nobody is called
// because a flag was left out. If the account is incomplete or wrong, it prints why it
// starts no double.
func Start(sample ...string) *Double {
	if HasAccount() {
		_ = CheckAccount() // NewClientFromEnv returns the same error to the program
		return nil
	}
	server, err := callstest.Start()
	if err != nil {
		log.Fatal(err)
	}
	for _, variable := range server.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			log.Fatal(err)
		}
	}
	os.Args = slices.Insert(os.Args, 1, sample...)
	announce()
	return &Double{server}
}

func announce() {
	fmt.Fprintln(os.Stderr, "Talking to a double of the platform in this process: nobody is called.")
	fmt.Fprintln(os.Stderr, "Set CCAIP_SUBDOMAIN, CCAIP_DOMAIN (or CCAIP_HOST) and CCAIP_TOKEN to talk to the real one.")
}

// HasAccount reports whether the environment names an account, if only in part.
func HasAccount() bool { return len(variables()) > 0 }

// CheckAccount returns the error of calls.NewClientFromEnv, and prints on standard error
// why no double takes the place of the account.
func CheckAccount() error {
	_, err := calls.NewClientFromEnv()
	if err != nil {
		fmt.Fprintln(os.Stderr, whyNot())
	}
	return err
}

// variables returns the names of the variables that keep a double from being started.
func variables() (names []string) {
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "CCAIP_") && value != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// whyNot says why there is no double for an account that is incomplete or wrong.
func whyNot() string {
	names := variables()
	are, them := "is", "it"
	if len(names) > 1 {
		are, them = "are", "them"
	}
	return fmt.Sprintf("No double is started, since %s %s set. Unset %s to start one, or correct the account:", strings.Join(names, ", "), are, them)
}

// Unless puts a sample before the arguments of the program if they have none of these
// flags.
func (d *Double) Unless(sample string, flags ...string) {
	if d == nil {
		return
	}
	for _, arg := range os.Args[1:] {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && slices.Contains(flags, name) {
			return
		}
	}
	os.Args = slices.Insert(os.Args, 1, sample)
}

// AddCall adds a call. It is the one with the id 397.
func (d *Double) AddCall() {
	if d != nil {
		d.server.AddCall(callstest.Call{})
	}
}

// LoseResponse makes the double carry the first request out and hang up.
func (d *Double) LoseResponse() {
	if d != nil {
		d.server.Fail(callstest.HangUpAfterCreate)
	}
}

// AnswerCalls moves each call that is created on with each look at it, until it is
// finished. On the real platform people do this.
func (d *Double) AnswerCalls() {
	if d == nil {
		return
	}
	go func() {
		for known := 0; ; time.Sleep(10 * time.Millisecond) {
			for _, call := range d.server.Calls()[known:] {
				_ = d.server.Script(call.ID, calls.CallStatusConnecting, calls.CallStatusConnected, calls.CallStatusFinished)
				known++
			}
		}
	}()
}
