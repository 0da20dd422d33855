// Connector is a small web service that a CRM could start from: tickets with a
// Call button, calls at a later time, and the customer flag of a call. It never
// rings anybody twice because of a double click, a lost response, a restart or
// another instance: every call is recorded in a ledger first.
//
//	go run .
//	go run . -addr 127.0.0.1:9000 -tickets tickets.json -db connector.db
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/examples/internal/double"
	"github.com/ccaip-go/calls/ledger"
)

type settings struct {
	addr, host, tickets string
	auth, proxy, events string // NAME:FILE
	open, hash          bool
	db                  string
	attempt, skew, lag  time.Duration
}

func main() {
	var set settings
	flag.StringVar(&set.addr, "addr", "127.0.0.1:8080", "address to listen on")
	flag.StringVar(&set.host, "host", "", "name that people reach this service by, such as crm.example.com")
	flag.StringVar(&set.tickets, "tickets", "", "JSON file of tickets, like tickets.json (required on the real platform)")
	flag.StringVar(&set.auth, "auth", "", "USER:FILE: ask for this user name and the password whose hash the file has")
	flag.StringVar(&set.proxy, "proxy", "", "HEADER:FILE: accept only requests in which a proxy has set this header to the secret in the file")
	flag.StringVar(&set.events, "events", "", "USER:FILE: receive the platform's session events at /events, with this user name and the password in the file")
	flag.BoolVar(&set.open, "open", false, "listen on an address that others reach although neither -auth nor -proxy is given")
	flag.BoolVar(&set.hash, "hash-password", false, "read a password from standard input, print its hash for -auth, and exit")
	flag.StringVar(&set.db, "db", "", "file of the SQLite database, or the postgres:// address of one, that the instances of this service share (default connector.db; without a platform a file that is removed at the end)")
	flag.DurationVar(&set.lag, "settle", 15*time.Second, "how long after its creation a call can be missing from a listing")
	flag.DurationVar(&set.skew, "skew", defaultSkew(), "by how much the platform's clock can be off, and how long a request can be on its way: 1m on the real platform, and 1s on the double, unless you set it")
	flag.DurationVar(&set.attempt, "attempt", 30*time.Second, "how long a request to the platform may take. A call whose instance was killed is looked for after that")
	if flag.Parse(); flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, set); err != nil {
		fmt.Fprintln(os.Stderr, "connector:", err)
		os.Exit(1)
	}
}

// defaultSkew is short where the double has the clock of this process.
func defaultSkew() time.Duration {
	if double.HasAccount() {
		return time.Minute
	}
	return time.Second
}

func run(ctx context.Context, set settings) error {
	switch {
	case set.hash:
		return printPasswordHash(os.Stdin, os.Stdout, hashRounds)
	case min(set.attempt, set.lag, set.skew) <= 0:
		return errors.New("-attempt, -settle and -skew have to be more than zero, such as 15s")
	}
	if err := checkAccount(set); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	access, err := newAccess(set)
	if err != nil {
		return err
	}
	user, password, err := eventCredentials(set)
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
	s, stop, err := connect(ctx, set, list, logger)
	if err != nil {
		return err
	}
	defer stop()
	s.access = access
	if set.events != "" {
		s.receiveEvents(user, password)
	}
	s.checkPlatform(ctx)
	fmt.Printf("Open http://%s\n", listener.Addr())
	return s.serve(ctx, listener)
}

// checkAccount returns what is missing for the real platform.
func checkAccount(set settings) error {
	if !double.HasAccount() {
		return nil
	}
	if err := double.CheckAccount(); err != nil {
		return errors.New(calls.Explain(err))
	}
	if set.tickets == "" {
		return errors.New("the sample tickets are not in your CRM: give yours with -tickets FILE")
	}
	return nil
}

// connect returns the service of the platform that the environment names, or that
// of a double.
func connect(ctx context.Context, set settings, list tickets, logger *slog.Logger) (s *service, stop func(), err error) {
	opts := []calls.Option{calls.WithLogger(logger), calls.WithAttemptTimeout(set.attempt)}
	var d *demo
	if !double.HasAccount() {
		d = &demo{}
		opts = append(opts, calls.WithMiddleware(d.wrap))
	}
	client, server, err := double.Connect([]callstest.Option{callstest.WithTickets(list.ofDouble()...)}, opts...)
	if err != nil {
		return nil, nil, err
	}
	if d != nil {
		d.server = server
	}
	db, closeDatabase, err := openShared(ctx, set.db)
	if err != nil {
		double.Stop(server)
		return nil, nil, fmt.Errorf("the database: %w", err)
	}
	stop = func() {
		closeDatabase()
		double.Stop(server)
	}
	keeper := &ledger.Keeper{Client: client, Tenant: tenant(), Skew: set.skew, Lag: set.lag}
	s, err = newService(ctx, db, keeper, list, d, logger)
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("the database: %w", err)
	}
	return s, stop, nil
}

// openShared opens the database. A double forgets its calls at the end, so that by
// default the database beside it is removed then.
func openShared(ctx context.Context, name string) (db *database, stop func(), err error) {
	remove := func() {}
	switch {
	case name == "" && double.HasAccount():
		name = "connector.db"
	case name == "":
		dir, err := os.MkdirTemp("", "connector")
		if err != nil {
			return nil, nil, err
		}
		name, remove = filepath.Join(dir, "connector.db"), func() { _ = os.RemoveAll(dir) }
	}
	db, err = openDatabase(ctx, name)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return db, func() {
		_ = db.Close()
		remove()
	}, nil
}

// tenant names the platform's customer in the ledger, the same in all instances.
// Each double is a platform of its own.
func tenant() string {
	if !double.HasAccount() {
		return "double " + rand.Text()
	}
	host := cmp.Or(os.Getenv("CCAIP_HOST"), os.Getenv("CCAIP_DOMAIN"), os.Getenv("CCAIP_BASE_URL"))
	return os.Getenv("CCAIP_SUBDOMAIN") + " at " + host
}
