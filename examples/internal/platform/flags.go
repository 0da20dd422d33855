package platform

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// ParseFlags parses the command line. What it cannot make sense of ends the
// program with a word about it and status 1.
func ParseFlags() {
	flag.CommandLine.Init(filepath.Base(os.Args[0]), flag.ContinueOnError)
	switch err := flag.CommandLine.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil: // Parse has printed it
		os.Exit(1)
	case flag.NArg() > 0:
		fmt.Fprintf(os.Stderr, "unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(1)
	}
}
