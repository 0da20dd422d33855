//go:build linux

package harness

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/examples/fleet/internal/postgres"
	"github.com/ccaip-go/calls/ledger"
)

func TestMain(m *testing.M) {
	if IsChild() {
		RunChild()
		return
	}
	server, err := postgres.Start()
	if err == nil {
		defer server.Stop()
	}
	onPostgres = func(t *testing.T, o Options) Options {
		t.Helper()
		if err != nil {
			t.Skip(err)
		}
		if o.Database, err = server.NewDatabase(); err != nil {
			t.Fatal(err)
		}
		if o.ConnectorDatabase, err = server.NewDatabase(); err != nil {
			t.Fatal(err)
		}
		o.KillDatabase = server.Restart
		return o
	}
	m.Run()
}

// onPostgres returns the options with a new database.
var onPostgres func(*testing.T, Options) Options

func runFleet(t *testing.T, o Options) *Figures {
	t.Helper()
	o.Seed = rand.Uint64()
	figures, err := Run(t.Context(), o)
	if figures != nil {
		t.Logf("seed %d\n%v", o.Seed, figures)
	}
	if err != nil {
		t.Fatal(err)
	}
	return figures
}

// checkNothingIsWrong also checks that harm was done, and that few creates are left
// to a person.
func checkNothingIsWrong(t *testing.T, o Options, f *Figures) {
	t.Helper()
	if f.Fleet.Broken()+f.Connector.Broken() > 0 {
		t.Error(strings.Join(f.Found, "\n"))
	}
	if f.Fleet.Creates != o.Creates || f.Fleet.Kills() < o.Kills/2 {
		t.Errorf("%d creates, %d kills: want %d creates, at least %d kills", f.Fleet.Creates, f.Fleet.Kills(), o.Creates, o.Kills/2)
	}
	if f.Connector.Creates == 0 {
		t.Error("the connector had no creates")
	}
	if n := f.Fleet.States[ledger.StateForPerson]; n > o.Creates/8 {
		t.Errorf("%d of %d creates are for a person, want an eighth at most", n, o.Creates)
	}
}

func TestFleetOnPostgreSQLRingsNobodyTwice(t *testing.T) {
	t.Parallel()
	o := onPostgres(t, Options{Creates: 500, Kills: 40})
	f := runFleet(t, o)
	checkNothingIsWrong(t, o, f)
	if f.DatabaseKills != 1 || f.Fleet.Stops() == 0 {
		t.Errorf("the database was killed %d times and %d workers were stopped, want once, and some", f.DatabaseKills, f.Fleet.Stops())
	}
	if harms := f.Connector.Kills() + f.Connector.Stops(); harms == 0 { // of the few creates on SQLite, chance may spare all
		t.Error("the connector was never killed or stopped")
	}
}

func TestFleetOnSQLiteRingsNobodyTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := Options{Database: filepath.Join(dir, "fleet.db"), ConnectorDatabase: filepath.Join(dir, "connector.db"), Creates: 100, Kills: 8}
	checkNothingIsWrong(t, o, runFleet(t, o))
}

// Without a ledger the same harm has people rung twice: the harness can see it. Chance
// may spare all people of one run.
func TestFleetWithoutALedgerRingsPeopleTwice(t *testing.T) {
	t.Parallel()
	for range 5 {
		f := runFleet(t, Options{Database: filepath.Join(t.TempDir(), "fleet.db"), Creates: 150, Kills: 12, WithoutLedger: true})
		if f.Fleet.RungTwice > 0 {
			return
		}
	}
	t.Error("nobody was rung twice, so that the harness proves nothing")
}
