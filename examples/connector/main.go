// Connector is a small web service that a CRM could start from: tickets with a
// Call button, calls at a later time, and the customer flag of a call. It never
// rings anybody twice because of a double click or a lost answer.
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
	window              time.Duration
}

func main() {
	var set settings
	flag.StringVar(&set.addr, "addr", "127.0.0.1:8080", "address to listen on")
	flag.StringVar(&set.host, "host", "", "name that people reach this service by, if a proxy stands before it")
	flag.StringVar(&set.tickets, "tickets", "", "JSON file of tickets, like examples/connector/tickets.json (required on the real platform)")
	flag.DurationVar(&set.window, "settle", 15*time.Second, "how long to look for a call whose answer was lost")
	platform.ParseFlags()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, set); err != nil {
		fmt.Fprintln(os.Stderr, "connector:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, set settings) error {
	if set.tickets == "" && platform.IsReal() {
		return errors.New("the sample tickets are not in your CRM: give yours with -tickets FILE")
	}
	if set.window <= 0 {
		return errors.New("-settle has to be more than nothing, such as 15s")
	}
	list, err := loadTickets(set.tickets)
	if err != nil {
		return fmt.Errorf("tickets: %w", err)
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	world := []callstest.Option{callstest.WithTickets(list.ofDouble()...)}
	client, double, err := platform.Connect(world, calls.WithLogger(logger))
	if err != nil {
		return err
	}
	defer platform.Stop(double)
	s := newService(client, list, double, logger)
	s.window = set.window

	listener, err := net.Listen("tcp", set.addr)
	if err != nil {
		return err
	}
	s.hosts = hostsOf(listener.Addr(), set.host)
	if s.hosts == nil {
		logger.Warn("whoever reaches this address can have calls made: put something that asks who they are in front of it")
	}
	fmt.Printf("Open http://%s\n", listener.Addr())
	return s.serve(ctx, listener)
}

// hostsOf are the names that a service goes by which only this machine reaches,
// and nil, which stands for any, for another.
func hostsOf(addr net.Addr, public string) []string {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && public == "" {
		return nil
	}
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if public != "" {
		hosts = append(hosts, public)
	}
	return hosts
}
