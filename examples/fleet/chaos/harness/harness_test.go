//go:build linux

package harness

import (
	"math/rand/v2"
	"os"
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
	os.Exit(m.Run())
}

func startPostgres(t *testing.T) *postgres.Server {
	t.Helper()
	server, err := postgres.Start()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(server.Stop)
	return server
}

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
	if f.RungTwice+f.Wrong+f.Lost+f.Late > 0 {
		t.Errorf("%d rung twice, %d wrong, %d lost, %d late:\n%s", f.RungTwice, f.Wrong, f.Lost, f.Late, strings.Join(f.Found, "\n"))
	}
	if f.Creates != o.Creates || f.Kills() < o.Kills/2 || f.Stops() == 0 {
		t.Errorf("%d creates, %d kills, %d stops: want %d creates, at least %d kills, some stops", f.Creates, f.Kills(), f.Stops(), o.Creates, o.Kills/2)
	}
	if n := f.States[ledger.StateForPerson]; n > o.Creates/5 {
		t.Errorf("%d of %d creates are for a person, want a fifth at most", n, o.Creates)
	}
}

func TestFleetOnPostgreSQLRingsNobodyTwice(t *testing.T) {
	o := Options{Postgres: startPostgres(t), Creates: 500, Kills: 60}
	f := runFleet(t, o)
	checkNothingIsWrong(t, o, f)
	if f.DatabaseKills != 1 {
		t.Errorf("the database was killed %d times, want once", f.DatabaseKills)
	}
}

func TestFleetOnSQLiteRingsNobodyTwice(t *testing.T) {
	o := Options{SQLite: filepath.Join(t.TempDir(), "fleet.db"), Creates: 100, Kills: 12}
	checkNothingIsWrong(t, o, runFleet(t, o))
}

// Without a ledger the same harm has people rung twice: the harness can see it.
func TestFleetWithoutALedgerRingsPeopleTwice(t *testing.T) {
	f := runFleet(t, Options{Postgres: startPostgres(t), Creates: 150, Kills: 20, WithoutLedger: true})
	if f.RungTwice == 0 {
		t.Error("nobody was rung twice, so that the harness proves nothing")
	}
}
