package calls_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

// TestBehindARealGateway sends creates through HAProxy to a platform that carries out
// each of them and closes the connection on every second one. HAProxy then refuses the
// stream of a connection that was used before, after which net/http retries a request.
func TestBehindARealGateway(t *testing.T) {
	program, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("haproxy is not installed")
	}
	const creates = 20
	for protocol, overHTTP2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(protocol, func(t *testing.T) {
			platform := newClosingPlatform(t)
			root, roots := startHAProxy(t, program, platform.listener.Addr().String())
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: &http.Protocols{}}
			transport.Protocols.SetHTTP1(!overHTTP2)
			transport.Protocols.SetHTTP2(overHTTP2)
			defer transport.CloseIdleConnections()
			client := newClient(t, transport, calls.WithBaseURL(root), calls.WithRetry(calls.RetryPolicy{}))
			unknown := 0
			for i := range creates {
				number := fmt.Sprintf("+1859657%04d", 9000+i)
				_, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: number})
				made := platform.made(number)
				switch delivery := calls.DeliveryOf(err); {
				case made > 1, delivery == calls.DeliveryAccepted && made != 1, !delivery.MayExist() && made != 0:
					t.Errorf("%v, and called %d times: %v", delivery, made, err)
				case errors.Is(err, calls.ErrOutcomeUnknown):
					unknown++
				}
			}
			if unknown < creates/4 {
				t.Errorf("only %d of %d creates were lost, which does not test the gateway", unknown, creates)
			}
		})
	}
}

// closingPlatform responds to the first request of each connection, and closes the
// connection after the second. It carries out both.
type closingPlatform struct {
	listener net.Listener

	mu     sync.Mutex
	bodies []string
}

func newClosingPlatform(t *testing.T) *closingPlatform {
	t.Helper()
	p := &closingPlatform{listener: listen(t)}
	go func() {
		for {
			conn, err := p.listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func (p *closingPlatform) serve(conn net.Conn) {
	defer conn.Close()
	requests := bufio.NewReader(conn)
	for first := true; ; first = false {
		r, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.bodies = append(p.bodies, string(body))
		id := len(p.bodies)
		p.mu.Unlock()
		if !first {
			return
		}
		_, _ = io.WriteString(conn, whole(http.StatusCreated, fmt.Sprintf(`{"id":%d}`, id)))
	}
}

func (p *closingPlatform) made(number string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, body := range p.bodies {
		if strings.Contains(body, number) {
			n++
		}
	}
	return n
}

// startHAProxy runs HAProxy in front of backend until the test ends. ALPN chooses HTTP/1
// or HTTP/2. roots trusts its certificate.
func startHAProxy(t *testing.T, program, backend string) (root string, roots *x509.CertPool) {
	t.Helper()
	listener := listen(t)
	socket, err := listener.(*net.TCPListener).File() // inherited, so that no other process gets the port
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	dir := t.TempDir()
	certificate, roots := selfSigned(t)
	configuration := filepath.Join(dir, "haproxy.cfg")
	for path, content := range map[string]string{
		filepath.Join(dir, "gateway.pem"): certificate,
		configuration: fmt.Sprintf(`defaults
	mode http
	timeout connect 10s
	timeout client 60s
	timeout server 60s
frontend gateway
	bind fd@3 ssl crt %s alpn h2,http/1.1
	default_backend platform
backend platform
	http-reuse always
	server platform %s
`, filepath.Join(dir, "gateway.pem"), backend),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var output bytes.Buffer
	haproxy := exec.Command(program, "-db", "-f", configuration)
	haproxy.ExtraFiles, haproxy.Stderr = []*os.File{socket}, &output
	if err := haproxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = haproxy.Process.Kill()
		_ = haproxy.Wait()
		if t.Failed() {
			t.Logf("HAProxy:\n%s", output.String())
		}
	})
	return "https://" + listener.Addr().String(), roots
}

// selfSigned returns a certificate for the loopback address with its key.
func selfSigned(t *testing.T) (certificateAndKey string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return string(certificate) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})), roots
}
