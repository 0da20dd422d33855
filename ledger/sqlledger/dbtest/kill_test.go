package dbtest

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls/ledger"
	"github.com/ccaip-go/calls/ledger/sqlledger"
)

// childEnv has the dialect, the driver and the database of a child process, in lines.
const childEnv = "DBTEST_CHILD"

const kills = 20

// TestWhatIsStoredSurvivesAKill kills child processes that put and replace entries, and
// print each version once it is stored. What was printed must be stored, and no entry half.
func TestWhatIsStoredSurvivesAKill(t *testing.T) {
	for _, name := range []string{"PostgreSQL", "SQLite", "SQLite, WAL"} {
		t.Run(name, func(t *testing.T) {
			d := kinds[name](t)
			store := d.store(t)
			stored := 0
			for range kills {
				stored += runAndKill(t, d, store)
			}
			t.Logf("%d kills after %d stored versions: none is lost", kills, stored)
			if stored < kills {
				t.Errorf("the children stored only %d versions", stored)
			}
		})
	}
}

// runAndKill returns the number of versions that the child stored.
func runAndKill(t *testing.T, d database, store *sqlledger.Store) int {
	t.Helper()
	id := fmt.Sprint("entry ", memories.Add(1))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{string(d.dialect), d.driver, d.dsn, id}, "\n"))
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // if it prints nothing
	stored := int64(0)
	for lines.Scan() {
		if stored, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatalf("the child printed %q", lines.Text())
		}
		if stored == 1 {
			kill.Reset(time.Duration(rand.Int64N(int64(20 * time.Millisecond))))
		}
	}
	_ = cmd.Wait()
	kill.Stop()
	// PostgreSQL may still carry out the statement that the child was waiting for.
	for range 2 {
		e, err := store.Get(t.Context(), id)
		if err != nil || e.Version < stored || e.Version > stored+1 || int64(e.Tries) != e.Version {
			t.Fatalf("the child stored version %d; the store has %v, %v", stored, e, err)
		}
		e.State = ledger.StateRejected // which takes no lock that the child left
		if err = store.Replace(t.Context(), e); err == nil {
			return int(stored)
		}
		if !errors.Is(err, ledger.ErrStale) {
			t.Fatal(err)
		}
	}
	t.Fatalf("%s still changed after the child was killed", id)
	return 0
}

func child() {
	args := strings.Split(os.Getenv(childEnv), "\n")
	db, err := sql.Open(args[1], args[2])
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	store, err := sqlledger.Open(ctx, db, sqlledger.Dialect(args[0]))
	if err != nil {
		panic(err)
	}
	e := entry(args[3])
	e.Tries = 1
	if err := store.Put(ctx, e); err != nil {
		panic(err)
	}
	for {
		fmt.Println(e.Version)
		e.Tries++
		if err := store.Replace(ctx, e); err != nil {
			panic(err)
		}
		e.Version++
	}
}
