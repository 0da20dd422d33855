package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// startPostgreSQL starts a server for one test, which listens on a socket in its
// directory only, and returns its address.
func startPostgreSQL(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Skip("PostgreSQL is not here; on Debian: apt-get install postgresql")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "pg") // the name of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		giveToPostgres(t, dir)
	}
	data := filepath.Join(dir, "data")
	execute(t, dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories=%s -c fsync=off", dir)
	execute(t, dir, filepath.Join(bin, "pg_ctl"), "-D", data, "-w", "-l", filepath.Join(dir, "log"), "-o", options, "start")
	t.Cleanup(func() { execute(t, dir, filepath.Join(bin, "pg_ctl"), "-D", data, "-m", "immediate", "stop") })
	return "postgres:///postgres?user=postgres&host=" + url.QueryEscape(dir)
}

func giveToPostgres(t *testing.T, dir string) {
	t.Helper()
	owner, err := user.Lookup("postgres")
	if err != nil {
		t.Skip("there is no user to run PostgreSQL as: ", err)
	}
	id, err := strconv.Atoi(owner.Uid)
	if err == nil {
		err = os.Chown(dir, id, -1)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, dir string, command ...string) {
	t.Helper()
	if os.Getuid() == 0 {
		command = append([]string{"runuser", "-u", "postgres", "--"}, command...)
	}
	c := exec.Command(command[0], command[1:]...)
	c.Dir = dir
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, output)
	}
}
