// Package postgres starts a PostgreSQL for tests.
package postgres

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
)

// Server is a PostgreSQL of its own, in a temporary directory. It listens on a socket
// in that directory only.
type Server struct {
	bin, dir  string
	databases atomic.Int64
}

// Start starts the newest PostgreSQL of Debian's packages. Its error says so if there
// is none.
func Start() (*Server, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("there is no PostgreSQL here (Debian package postgresql)")
	}
	s := &Server{bin: filepath.Dir(found[len(found)-1])}
	if s.dir, err = os.MkdirTemp("", "fleet-postgres"); err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) start() error {
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		if err := giveTo(s.dir, "postgres"); err != nil {
			return err
		}
	}
	if err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"); err != nil {
		return err
	}
	return s.run("pg_ctl", s.startArgs()...)
}

// startArgs turn fsync off: a test kills processes, but never cuts the power.
func (s *Server) startArgs() []string {
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories=%s -c fsync=off -c max_connections=200", s.dir)
	return []string{"-D", s.data(), "-w", "-t", "300", "-l", filepath.Join(s.dir, "log"), "-o", options, "start"}
}

// NewDatabase creates an empty database and returns its URL.
func (s *Server) NewDatabase() (string, error) {
	name := fmt.Sprint("fleet", s.databases.Add(1))
	return "postgres://postgres@/" + name + "?host=" + url.QueryEscape(s.dir), s.run("createdb", "-h", s.dir, "-U", "postgres", name)
}

// Restart kills the server, as a crash does, and starts it again.
func (s *Server) Restart() error {
	if err := s.run("pg_ctl", "-D", s.data(), "-w", "-t", "300", "-m", "immediate", "stop"); err != nil {
		return err
	}
	return s.run("pg_ctl", s.startArgs()...)
}

// Stop stops the server and removes its directory.
func (s *Server) Stop() {
	_ = s.run("pg_ctl", "-D", s.data(), "-m", "immediate", "stop")
	_ = os.RemoveAll(s.dir)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// run does not read what pg_ctl prints by a pipe, which the server would keep open.
func (s *Server) run(name string, args ...string) error {
	command := append([]string{filepath.Join(s.bin, name)}, args...)
	if os.Getuid() == 0 {
		command = append([]string{"runuser", "-u", "postgres", "--"}, command...)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = "/"
	if err := cmd.Run(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("%s: %w: %.1000s", name, err, log)
	}
	return nil
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
