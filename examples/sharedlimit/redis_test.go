package main

import (
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"
)

func redisAt(t *testing.T, addr string) *redis.Client {
	t.Helper()
	rdb, err := connect(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// fillLine takes turns as other processes would.
func fillLine(t *testing.T, l line, turns int) {
	t.Helper()
	for range turns {
		if _, err := l.run(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func share(t *testing.T) *rate.Limiter {
	t.Helper()
	limiter, err := shareOf(len(workers))
	if err != nil {
		t.Fatal(err)
	}
	return limiter
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startRedis starts a Redis that keeps nothing, and ends with the test.
func startRedis(t *testing.T, addr string, more ...string) string {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("there is no redis-server to test with (Debian package redis-server)")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(binary, append([]string{"--bind", host, "--port", port,
		"--save", "", "--appendonly", "no", "--dir", t.TempDir()}, more...)...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for begin := time.Now(); !accepts(addr); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			t.Fatal("redis-server does not respond")
		}
	}
	return addr
}

func accepts(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
