// Package platform gives the examples something to talk to.
package platform

import (
	"fmt"
	"os"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// Connect returns a client of the real platform where the environment names
// one (see calls.NewClientFromEnv), with a nil double, and else a client of a
// double in this process, which has what world adds to it. It says which on
// standard error.
func Connect(world []callstest.Option, opts ...calls.Option) (client *calls.Client, double *callstest.Server, err error) {
	if !IsReal() {
		return Double(world, opts...)
	}
	client, err = calls.NewClientFromEnv(opts...)
	if err == nil {
		fmt.Fprintln(os.Stderr, "Talking to the platform:", client)
	}
	return client, nil, err
}

// Stop ends the double, if there is one.
func Stop(double *callstest.Server) {
	if double != nil {
		double.Close()
	}
}

// Double starts a double of the platform and returns it with its client.
func Double(world []callstest.Option, opts ...calls.Option) (*calls.Client, *callstest.Server, error) {
	server, err := callstest.Start(world...)
	if err != nil {
		return nil, nil, err
	}
	client, err := server.NewClient(opts...)
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	fmt.Fprintln(os.Stderr, "Talking to a double of the platform in this process: nobody is called.")
	if !IsReal() {
		fmt.Fprintln(os.Stderr, "Set CCAIP_SUBDOMAIN, CCAIP_DOMAIN (or CCAIP_HOST) and CCAIP_TOKEN to talk to the real one.")
	}
	return client, server, nil
}

// IsReal reports whether the environment names a real platform, where a call
// rings somebody.
func IsReal() bool {
	for _, name := range []string{"CCAIP_SUBDOMAIN", "CCAIP_DOMAIN", "CCAIP_HOST", "CCAIP_USERNAME", "CCAIP_TOKEN", "CCAIP_BASE_URL"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}
