package callstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"
)

// security is TLS, or none: the zero value.
type security struct {
	config *tls.Config    // of the server
	roots  *x509.CertPool // that trust the server's certificate
}

func newSecurity(c config) (security, error) {
	if !c.tls {
		return security{}, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return security{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template(), template(), &key.PublicKey, key)
	if err != nil {
		return security{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return security{}, err
	}
	s := security{
		config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		roots:  x509.NewCertPool(),
	}
	s.roots.AddCert(certificate)
	if c.http2 {
		s.config.NextProtos = []string{"h2", "http/1.1"}
	}
	return s, nil
}

// template describes a certificate for the loopback address that signs itself.
func template() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "callstest"},
		NotBefore:             time.Now().Add(-time.Hour), // by the clock of clients, not the double's
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// wrap returns what HTTP goes over on the server's side of c.
func (s security) wrap(c net.Conn) net.Conn {
	if s.config == nil {
		return c
	}
	return tls.Server(c, s.config)
}
