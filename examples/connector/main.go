// Connector is a small web service that a CRM could start from: tickets with a
// Call button, calls at a later time, and the customer flag of a call. It never
// rings anybody twice because of a double click or a lost response.
//
//	go run ./examples/connector
//	go run ./examples/connector -addr 127.0.0.1:9000 -tickets tickets.json
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/examples/internal/platform"
)

type settings struct {
	addr, host, tickets string
	auth, proxy         string // NAME:FILE
	open, hash          bool
	window              time.Duration
}

func main() {
	var set settings
	flag.StringVar(&set.addr, "addr", "127.0.0.1:8080", "address to listen on")
	flag.StringVar(&set.host, "host", "", "name that people reach this service by, such as crm.example.com")
	flag.StringVar(&set.tickets, "tickets", "", "JSON file of tickets, like examples/connector/tickets.json (required on the real platform)")
	flag.StringVar(&set.auth, "auth", "", "USER:FILE: ask for this user name and the password whose hash the file has")
	flag.StringVar(&set.proxy, "proxy", "", "HEADER:FILE: accept only requests in which a proxy has set this header to the secret in the file")
	flag.BoolVar(&set.open, "open", false, "listen on an address that others reach although neither -auth nor -proxy is given")
	flag.BoolVar(&set.hash, "hash-password", false, "read a password from standard input, print its hash for -auth, and exit")
	flag.DurationVar(&set.window, "settle", 15*time.Second, "how long to look for a call whose response was lost")
	platform.ParseFlags()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, set); err != nil {
		fmt.Fprintln(os.Stderr, "connector:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, set settings) error {
	switch {
	case set.hash:
		return printPasswordHash(os.Stdin, os.Stdout, hashRounds)
	case set.tickets == "" && platform.IsReal():
		return errors.New("the sample tickets are not in your CRM: give yours with -tickets FILE")
	case set.window <= 0:
		return errors.New("-settle has to be more than nothing, such as 15s")
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	access, err := newAccess(set)
	if err != nil {
		return err
	}
	list, err := loadTickets(set.tickets)
	if err != nil {
		return fmt.Errorf("tickets: %w", err)
	}
	listener, err := net.Listen("tcp", set.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := access.allowListening(listener.Addr(), logger); err != nil {
		return err
	}
	s, stop, err := connect(list, logger)
	if err != nil {
		return err
	}
	defer stop()
	s.access, s.window = access, set.window
	s.checkPlatform(ctx)
	fmt.Printf("Open http://%s\n", listener.Addr())
	return s.serve(ctx, listener)
}

// connect returns the service of the platform that the environment names, or that
// of a double.
func connect(list tickets, logger *slog.Logger) (s *service, stop func(), err error) {
	opts := []calls.Option{calls.WithLogger(logger)}
	var d *demo
	if !platform.IsReal() {
		d = &demo{}
		opts = append(opts, calls.WithMiddleware(d.wrap))
	}
	client, double, err := platform.Connect([]callstest.Option{callstest.WithTickets(list.ofDouble()...)}, opts...)
	if err != nil {
		return nil, nil, err
	}
	if d != nil {
		d.server = double
	}
	return newService(client, list, d, logger), func() { platform.Stop(double) }, nil
}
