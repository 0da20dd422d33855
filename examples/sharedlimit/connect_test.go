package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestOptions(t *testing.T) {
	t.Setenv(passwordVariable, "s3cr3t")
	for _, test := range []struct {
		address, addr, username string
		db                      int
		isTLS                   bool
	}{
		{"10.0.0.7:6379", "10.0.0.7:6379", "", 0, false},
		{"redis://redis.example.com", "redis.example.com:6379", "", 0, false},
		{"rediss://calls@redis.example.com:6380/2", "redis.example.com:6380", "calls", 2, true},
	} {
		o, err := options(test.address)
		if err != nil {
			t.Fatal(err)
		}
		if o.Addr != test.addr || o.Username != test.username || o.DB != test.db || (o.TLSConfig != nil) != test.isTLS || o.Password != "s3cr3t" {
			t.Errorf("%s: %q, user %q, database %d, TLS %v", test.address, o.Addr, o.Username, o.DB, o.TLSConfig != nil)
		}
		if test.isTLS && (o.TLSConfig.ServerName != "redis.example.com" || o.TLSConfig.InsecureSkipVerify) {
			t.Errorf("%s: the certificate is not verified for the host", test.address)
		}
	}
}

func TestOptionsShowNoPassword(t *testing.T) {
	for _, address := range []string{"redis://user:s3cr3t@redis.example.com", "rediss://:s3cr3t@redis.example.com", "redis://s3cr3t@a b:\x7f", "http://s3cr3t@redis.example.com"} {
		if o, err := options(address); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the options of %q are %v, %v", address, o, err)
		}
	}
}

func TestTurnFromRedisWithTLSAndPassword(t *testing.T) {
	t.Setenv(passwordVariable, "s3cr3t")
	cert, key, roots := certificate(t)
	addr := freeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	startRedis(t, addr, "--port", "0", "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key,
		"--tls-auth-clients", "no", "--requirepass", "s3cr3t")
	o, err := options("rediss://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	o.TLSConfig.RootCAs = roots
	rdb := redis.NewClient(o)
	defer rdb.Close()
	if err := NewLimiter(rdb, t.Name(), Refuse).Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// certificate makes a certificate for 127.0.0.1 that is its own root.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	roots.AppendCertsFromPEM(certPEM)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, text := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, roots
}
