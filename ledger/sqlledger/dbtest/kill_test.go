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

// childEnv is set in a child process: the dialect, the driver and the database, in
// lines.
const childEnv = "DBTEST_CHILD"

const kills = 20

// A child process puts entries and replaces them, and says what is stored. It is
// killed at any time. What it said is stored then, and nothing stands half.
func TestWhatIsStoredSurvivesAKill(t *testing.T) {
	for _, name := range []string{"PostgreSQL", "SQLite", "SQLite, WAL"} {
		t.Run(name, func(t *testing.T) {
			d := kinds[name](t)
			store := d.store(t)
			said := 0
			for range kills {
				said += runAndKill(t, d, store)
			}
			t.Logf("%d kills after %d steps that were said to be stored: none is lost", kills, said)
			if said < kills {
				t.Errorf("the children stored %d times, which tests nothing", said)
			}
		})
	}
}

// runAndKill returns how many steps the child said that it had stored.
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
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // if it says nothing
	said := int64(0)
	for lines.Scan() {
		if said, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatalf("the child said %q", lines.Text())
		}
		if said == 1 {
			kill.Reset(time.Duration(rand.Int64N(int64(20 * time.Millisecond))))
		}
	}
	_ = cmd.Wait()
	kill.Stop()
	// PostgreSQL may still carry out the statement that the child was waiting for.
	for range 2 {
		e, err := store.Get(t.Context(), id)
		if err != nil || e.Version < said || e.Version > said+1 || int64(e.Tries) != e.Version {
			t.Fatalf("the child said that version %d is stored; stored is %v, %v", said, e, err)
		}
		e.State = ledger.StateRejected // which takes no lock that the child left
		if err = store.Replace(t.Context(), e); err == nil {
			return int(said)
		}
		if !errors.Is(err, ledger.ErrStale) {
			t.Fatal(err)
		}
	}
	t.Fatalf("%s went on changing after the child was killed", id)
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
