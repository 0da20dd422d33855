package double

import (
	"fmt"
	"os"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// Connect returns a Client of the account that the environment names, with a nil
// server. If it names none, Connect starts a double that has what world adds to it, and
// returns a Client of that. It prints which on standard error.
func Connect(world []callstest.Option, opts ...calls.Option) (*calls.Client, *callstest.Server, error) {
	if HasAccount() {
		client, err := calls.NewClientFromEnv(opts...)
		if err != nil {
			fmt.Fprintln(os.Stderr, whyNot())
			return nil, nil, err
		}
		fmt.Fprintln(os.Stderr, "Talking to the platform:", client)
		return client, nil, nil
	}
	server, err := callstest.Start(world...)
	if err != nil {
		return nil, nil, err
	}
	client, err := server.NewClient(opts...)
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	announce()
	return client, server, nil
}

// Stop closes the server that Connect has started, if there is one.
func Stop(server *callstest.Server) {
	if server != nil {
		server.Close()
	}
}
