// Ccaip-double is a double of the platform as a program, for clients in any
// language: it carries out the calls API in memory and rings nobody.
//
//	ccaip-double [flags]                  prints the variables that lead to it, and serves until it is interrupted
//	ccaip-double [flags] -- command ...   runs a command under those variables, and ends with it
//
// The variables are CCAIP_SUBDOMAIN, CCAIP_DOMAIN, CCAIP_TOKEN and CCAIP_BASE_URL;
// CCAIP_HOST and CCAIP_USERNAME are emptied. With a command, the exit status is that
// of the command, 126 if it cannot be run, and 127 if there is none of that name. It
// is 2 for a wrong command line and 1 for any other failure.
//
// # The world
//
// The double starts with the agents, menus, tickets and languages of package
// [github.com/ccaip-go/calls/callstest], which also describes the faults of -fail. The
// file of -world is a JSON object of what to add to them, or to replace by the same
// e-mail address, id or code. This one has all keys:
//
//	{
//		"agents": [{"email": "agent.one@example.com", "available": true, "permitted": true, "response": "created"}],
//		"menus": [{
//			"id": 21, "name": "Sales", "types": ["ivr_menu", "mobile_menu", "web_menu"], "state": "open",
//			"overcapacity": false, "wait": 120, "slots": 1
//		}],
//		"tickets": [{"id": "80233", "number": "+1 859-657-9625", "contact_id": "7"}],
//		"languages": {"available": ["de"], "unavailable": ["it"]}
//	}
//
// Every key but an agent's email, a menu's id and a ticket's id can be left out. An agent
// is available and permitted unless the file says false; the response to a create is
// created (201), accepted (202) or prompted (200). A menu is of every type unless the
// file says which; its state is open, manual redirection or after hours; slots is how many
// calls each of its callback periods takes, 1 by default, and -1 means no such periods.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/ccaip-go/calls/callstest"
)

const usage = `Usage:
  ccaip-double [flags]                  print the variables that lead to the double, and serve
  ccaip-double [flags] -- command ...   run a command under those variables

"go doc github.com/ccaip-go/calls/cmd/ccaip-double" shows a world file with all keys, and
"go doc github.com/ccaip-go/calls/callstest" the agents, menus and faults that there are.

Flags:
`

const (
	statusFailed = 1
	statusUsage  = 2
)

type settings struct {
	addr    string
	faults  []callstest.Fault
	world   []callstest.Option
	command []string
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) (status int) {
	set, err := parse(args, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil: // the flag package has printed it
		return statusUsage
	}
	// Registered before the server starts, so that no signal ends the program
	// without its command.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)

	server, err := callstest.Start(append(set.world, callstest.WithAddress(set.addr))...)
	if err != nil {
		complain(err)
		return statusFailed
	}
	defer reportUnused(server)
	defer server.Close()
	server.Fail(set.faults...)
	if len(set.command) > 0 {
		return runUnder(server, set.command, signals)
	}
	for _, variable := range server.Environ() {
		fmt.Println("export " + variable)
	}
	fmt.Fprintf(os.Stderr, "ccaip-double: serving at %s; nobody is called\n", server.URL())
	<-signals
	return 0
}

// parse reads the command line. It prints what is wrong with it to output.
func parse(args []string, output io.Writer) (set settings, err error) {
	flags := flag.NewFlagSet("ccaip-double", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.Usage = func() {
		fmt.Fprintf(output, "%s", usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&set.addr, "addr", "127.0.0.1:0", "`address` to listen on; port 0 is a free one")
	flags.Func("fail", "what happens to the first requests, one fault each, as package callstest names them:\n`faults` such as HangUpAfterCreate,Status(503),RateLimited(\"1\")", func(text string) error {
		faults, err := parseFaults(text)
		set.faults = append(set.faults, faults...)
		return err
	})
	flags.Func("world", "JSON `file` with agents, menus, tickets and languages to add", func(name string) error {
		options, err := readWorld(name)
		set.world = append(set.world, options...)
		return err
	})
	err = flags.Parse(args)
	set.command = flags.Args()
	return set, err
}

// reportUnused warns about a script that was longer than what came of it.
func reportUnused(server *callstest.Server) {
	for _, fault := range server.UnusedFaults() {
		complain("fault never used: " + fault)
	}
}

func complain(problem any) { fmt.Fprintln(os.Stderr, "ccaip-double:", problem) }
