package bench

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// serverEnv, when set, makes the test binary be the loopback server. The server
// is a child process so that its allocations and CPU time are not counted as
// the client's.
const serverEnv = "BENCH_SERVER"

//go:embed testdata/*.json
var testdata embed.FS

var server *url.URL // the loopback server, set by TestMain

func TestMain(m *testing.M) {
	if os.Getenv(serverEnv) != "" {
		serve()
		return
	}
	flag.Parse()
	code, err := runWithServer(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runWithServer(m *testing.M) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serverEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // its end, at the latest when we exit, stops the server
	if err != nil {
		return 0, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("loopback server did not start: %w", err)
	}
	if server, err = url.Parse(strings.TrimSpace(line)); err != nil {
		return 0, err
	}
	code := m.Run()
	stdin.Close()
	return code, cmd.Wait()
}

// serve runs the loopback server until standard input ends.
func serve() {
	srv := httptest.NewServer(newHandler())
	defer srv.Close()
	fmt.Println(srv.URL)
	io.Copy(io.Discard, os.Stdin)
}

// newHandler responds to each POST with 201 and the fixed JSON of the API that the
// path belongs to; any path that is no peer's gets call.json.
func newHandler() http.Handler {
	mux := http.NewServeMux()
	for pattern, file := range map[string]string{
		"POST /": "call.json",
		"POST /2010-04-01/Accounts/{sid}/Calls.json": "twilio_call.json",
		"POST /v1/payment_intents":                   "stripe_payment_intent.json",
		"POST /api/v3/repos/{owner}/{repo}/issues":   "github_issue.json",
		"POST /v2/droplets":                          "godo_droplet.json",
	} {
		body := payload(file)
		length := strconv.Itoa(len(body))
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", length)
			w.WriteHeader(http.StatusCreated)
			w.Write(body)
		})
	}
	return mux
}

// payload returns a file of testdata as an API would send it: without the
// whitespace that makes it readable.
func payload(file string) []byte {
	raw, err := testdata.ReadFile("testdata/" + file)
	if err != nil {
		panic(err)
	}
	var buf bytes.Buffer
	if err := json.Compact(&buf, raw); err != nil {
		panic(file + ": " + err.Error())
	}
	return buf.Bytes()
}
