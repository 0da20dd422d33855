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

// TestBehindARealGateway sends creates through HAProxy to a platform that carries
// each out, and dies on every second one. Over a connection that was used before,
// HAProxy then refuses the stream, which to net/http means: send it again.
func TestBehindARealGateway(t *testing.T) {
	program, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("HAProxy is not installed")
	}
	const creates = 20
	for way, overHTTP2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(way, func(t *testing.T) {
			platform := newDyingPlatform(t)
			root, roots := startHAProxy(t, program, platform.listener.Addr().String())
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: &http.Protocols{}}
			transport.Protocols.SetHTTP1(!overHTTP2)
			transport.Protocols.SetHTTP2(overHTTP2)
			defer transport.CloseIdleConnections()
			client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "token",
				calls.WithBaseURL(root), calls.WithHTTPClient(&http.Client{Transport: transport}), calls.WithRateLimiter(nil))
			if err != nil {
				t.Fatal(err)
			}
			unknown := 0
			for i := range creates {
				number := fmt.Sprintf("+1859657%04d", 9000+i)
				_, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: "agent@example.com", EndUserNumber: number})
				made := platform.made(number)
				switch delivery := calls.DeliveryOf(err); {
				case made > 1, delivery == calls.DeliveryAccepted && made != 1, !delivery.MayExist() && made != 0:
					t.Errorf("%v, and rung %d times: %v", delivery, made, err)
				case errors.Is(err, calls.ErrOutcomeUnknown):
					unknown++
				}
			}
			if unknown < creates/4 {
				t.Errorf("only %d of %d creates were lost: the gateway was not put to the test", unknown, creates)
			}
		})
	}
}

// dyingPlatform responds to the first request of each connection, and hangs up on
// the second, after it has carried out both.
type dyingPlatform struct {
	listener net.Listener

	mu     sync.Mutex
	bodies []string
}

func newDyingPlatform(t *testing.T) *dyingPlatform {
	t.Helper()
	p := &dyingPlatform{listener: listen(t)}
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

func (p *dyingPlatform) serve(conn net.Conn) {
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

func (p *dyingPlatform) made(number string) int {
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

// startHAProxy starts HAProxy in front of backend until the test ends. It speaks
// HTTP/1 and HTTP/2, as ALPN chooses, with a certificate that roots trust.
func startHAProxy(t *testing.T, program, backend string) (root string, roots *x509.CertPool) {
	t.Helper()
	listener := listen(t)
	socket, err := listener.(*net.TCPListener).File() // inherited, so that no port is given away meanwhile
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
	var said bytes.Buffer
	haproxy := exec.Command(program, "-db", "-f", configuration)
	haproxy.ExtraFiles, haproxy.Stderr = []*os.File{socket}, &said
	if err := haproxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = haproxy.Process.Kill()
		_ = haproxy.Wait()
		if t.Failed() {
			t.Logf("HAProxy said:\n%s", said.String())
		}
	})
	return "https://" + listener.Addr().String(), roots
}

// selfSigned makes a certificate for the loopback address, with its key.
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
