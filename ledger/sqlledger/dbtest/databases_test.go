package dbtest

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/ccaip-go/calls/ledger/sqlledger"
)

// database is an empty database of one kind.
type database struct {
	dialect     sqlledger.Dialect
	driver, dsn string
}

// open returns a new connection pool.
func (d database) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(4)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// store returns a new Store.
func (d database) store(t *testing.T) *sqlledger.Store {
	t.Helper()
	store, err := sqlledger.Open(t.Context(), d.open(t), d.dialect)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// kinds are the databases that the tests run with.
var kinds = map[string]func(t *testing.T) database{
	"PostgreSQL":            newPostgreSQL,
	"SQLite":                newSQLite,
	"SQLite, WAL":           newSQLiteWAL,
	"SQLite, in one memory": newSQLiteInMemory,
}

// newSQLite uses a DSN without a pragma.
func newSQLite(t *testing.T) database {
	t.Helper()
	dir, err := tempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return database{sqlledger.SQLite, "sqlite", filepath.Join(dir, "ledger.db")}
}

// tempDir returns a directory in memory if possible.
func tempDir() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "ledger"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "ledger")
}

func newSQLiteWAL(t *testing.T) database {
	d := newSQLite(t)
	d.dsn = "file:" + d.dsn + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)"
	return d
}

var memories atomic.Int64

func newSQLiteInMemory(t *testing.T) database {
	name := fmt.Sprint("memory", memories.Add(1))
	return database{sqlledger.SQLite, "sqlite", "file:/" + name + "?vfs=memdb"}
}

// newPostgreSQL creates a schema in the database that all tests share.
func newPostgreSQL(t *testing.T) database {
	t.Helper()
	dir := cluster()
	if dir.err != nil {
		t.Skip("PostgreSQL is not here: ", dir.err)
	}
	name := fmt.Sprint("test", memories.Add(1))
	dsn := "host=" + dir.path + " user=postgres dbname=postgres search_path=" + name
	d := database{sqlledger.PostgreSQL, "pgx", dsn}
	mustExec(t, d.open(t), "CREATE SCHEMA "+name)
	return d
}

// cluster starts PostgreSQL once. It listens on a socket in its directory only.
var cluster = sync.OnceValue(startCluster)

type clusterDir struct {
	path string
	err  error
}

func startCluster() clusterDir {
	bin, err := newestPostgreSQL()
	if err != nil {
		return clusterDir{err: err}
	}
	dir, err := tempDir()
	if err != nil {
		return clusterDir{err: err}
	}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		if err := giveTo(dir, "postgres"); err != nil {
			return clusterDir{err: err}
		}
	}
	data := filepath.Join(dir, "data")
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories=%s -c fsync=off -c max_connections=200", dir)
	for _, command := range [][]string{
		{filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"},
		{filepath.Join(bin, "pg_ctl"), "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", options, "start"},
	} {
		if output, err := asPostgres(command...).CombinedOutput(); err != nil {
			return clusterDir{err: fmt.Errorf("%s: %w: %s", command[0], err, output)}
		}
	}
	stopCluster = func() {
		_ = asPostgres(filepath.Join(bin, "pg_ctl"), "-D", data, "-m", "immediate", "stop").Run()
		_ = os.RemoveAll(dir)
	}
	return clusterDir{path: dir}
}

var stopCluster = func() {}

func newestPostgreSQL() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no initdb below /usr/lib/postgresql (%v)", err)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

func giveTo(dir, name string) error {
	owner, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, -1)
}

func asPostgres(command ...string) *exec.Cmd {
	if os.Getuid() == 0 {
		command = append([]string{"runuser", "-u", "postgres", "--"}, command...)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = "/"
	return cmd
}
