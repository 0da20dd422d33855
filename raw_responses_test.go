package calls_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// rawServer responds to each request with the given bytes, and then closes the
// connection, or stalls if it is told to. It counts the requests.
func rawServer(t *testing.T, response string, stalls bool) (root string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	requests = new(atomic.Int32)
	serve := func(conn net.Conn) {
		defer conn.Close()
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		requests.Add(1)
		_, _ = io.WriteString(conn, response)
		if stalls {
			_, _ = conn.Read(make([]byte, 1)) // until the client goes away
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

// whole is a response with its length, and cut one that promises more than it has.
func whole(status int, body string) string { return rawResponse(status, len(body), body) }
func cut(status int, body string) string   { return rawResponse(status, len(body)+500, body) }

func rawResponse(status, length int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nX-Request-Id: gateway-7\r\nContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), length, body)
}

func TestResponsesOfACreateOnTheWire(t *testing.T) {
	const accepted, unknown, rejected = calls.DeliveryAccepted, calls.DeliveryUnknown, calls.DeliveryRejected
	tests := map[string]struct {
		response string
		id       int64 // of the call; -1 if an agent has to finish it
		delivery calls.Delivery
		err      error
	}{
		"a 200 with HTML, cut":                   {cut(200, "<html>"), 0, unknown, calls.ErrUndecodable},
		"a 200 with an error":                    {whole(200, `{"error":"maintenance"}`), 0, unknown, calls.ErrUndecodable},
		"a 200 with nothing":                     {whole(200, ""), 0, unknown, calls.ErrUndecodable},
		"a 200 with an empty object":             {whole(200, "{}"), 0, unknown, calls.ErrUndecodable},
		"a 200 with an array":                    {whole(200, "[]"), 0, unknown, calls.ErrUndecodable},
		"a 200 with null":                        {whole(200, "null"), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes, cut":                 {cut(200, `{"call_type":"Voice Outbound (API)",`), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes, cut after that":      {cut(200, `{"call_type":"Voice Outbound (API)"}`), 0, unknown, calls.ErrUndecodable},
		"a 202 whose body is cut off":            {cut(202, ""), 0, unknown, calls.ErrUndecodable},
		"a 200 that echoes":                      {whole(200, `{"call_type":"Voice Outbound (API)"}`), -1, accepted, nil},
		"a 200 with an id":                       {whole(200, `{"id":7,"status":"assigned"}`), 7, accepted, nil},
		"a 201":                                  {whole(201, `{"id":397}`), 397, accepted, nil},
		"a 201, cut after the id":                {cut(201, `{"id":397,"lang":"e`), 397, accepted, nil},
		"a 201, cut within the id":               {cut(201, `{"id":39`), 0, accepted, calls.ErrUndecodable},
		"a 201, cut before the id":               {cut(201, `{"lang":"en","i`), 0, accepted, calls.ErrUndecodable},
		"a 201 with the id of something else":    {cut(201, `{"selected_menu":{"id":9},"lang`), 0, accepted, calls.ErrUndecodable},
		"a 201 with HTML":                        {whole(201, "<html>created</html>"), 0, accepted, calls.ErrUndecodable},
		"a 201 that is too long":                 {whole(201, `{"id":397,"x":"`+strings.Repeat("x", 11<<20)+`"}`), 397, accepted, nil},
		"a 202":                                  {whole(202, ""), -1, accepted, nil},
		"a 202 with an object":                   {whole(202, `{"status":"waiting"}`), -1, accepted, nil},
		"a 202 with an id":                       {whole(202, `{"id":8}`), 8, accepted, nil},
		"a 202 with a message":                   {whole(202, `{"message":"Agent is not available to take this call"}`), 0, unknown, calls.ErrUndecodable},
		"a 202 with an error":                    {whole(202, `{"error":"no"}`), 0, unknown, calls.ErrUndecodable},
		"a 202 with HTML":                        {whole(202, "<html>"), 0, unknown, calls.ErrUndecodable},
		"a 204":                                  {"HTTP/1.1 204 No Content\r\n\r\n", 0, unknown, calls.ErrUndecodable},
		"a 408 of a proxy":                       {whole(408, "<html>Your browser didn't send a complete request"), 0, unknown, calls.ErrOutcomeUnknown},
		"a 408 that is cut":                      {cut(408, "<html>"), 0, unknown, calls.ErrOutcomeUnknown},
		"a 101, and silence":                     {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 0, unknown, calls.ErrOutcomeUnknown},
		"a 400 that is cut":                      {cut(400, `{"message":"Contact not fo`), 0, rejected, calls.ErrInvalidRequest},
		"a 400 with a message":                   {whole(400, `{"message":"Contact not found"}`), 0, rejected, calls.ErrContactNotFound},
		"two responses":                          {whole(201, `{"id":397}`) + whole(400, `{"message":"Contact not found"}`), 397, accepted, nil},
		"early hints, then a 201":                {"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + whole(201, `{"id":397}`), 397, accepted, nil},
		"early hints, then the end":              {"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", 0, unknown, calls.ErrOutcomeUnknown},
		"a body that says that it is compressed": {"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" + `{"id":397}`, 0, accepted, calls.ErrUndecodable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, requests := rawServer(t, tt.response, false)
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			server := callstest.NewServer(t) // for its credentials
			client := hastyClient(t, server, calls.WithBaseURL(root), calls.WithHTTPClient(&http.Client{Transport: transport}), calls.WithAttemptTimeout(time.Minute))
			result, err := creates["CreateOutbound"](t.Context(), client)
			if got := calls.DeliveryOf(err); got != tt.delivery || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("%v, %v", got, err)
			}
			if tt.delivery == unknown && !errors.Is(err, calls.ErrOutcomeUnknown) {
				t.Errorf("unknown, and yet %v", err)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
			switch {
			case err != nil:
			case result.AwaitsAgent != (tt.id == -1) || (result.Call == nil) != result.AwaitsAgent || result.Call != nil && result.Call.ID != tt.id:
				t.Errorf("%v", result)
			case !strings.Contains(tt.response, "X-Request-Id") || result.Header.Get("X-Request-Id") != "gateway-7" || result.StatusCode/100 != 2:
				t.Errorf("%d %v", result.StatusCode, result.Header)
			}
		})
	}
}

// TestA201ThatStallsAfterTheIDIsNotLost has the rest of the response never come.
func TestA201ThatStallsAfterTheIDIsNotLost(t *testing.T) {
	for _, body := range []string{`{"id":397,"lang":"e`, `{"id":397`} {
		ctx, cancel := context.WithCancel(t.Context())
		root, _ := rawServer(t, cut(201, body), true)
		transport := &http.Transport{}
		client := hastyClient(t, callstest.NewServer(t), calls.WithBaseURL(root), calls.WithHTTPClient(&http.Client{Transport: transport}),
			calls.WithAttemptTimeout(time.Minute), calls.WithMiddleware(impatience(callstest.StallBody, nil, cancel)))
		result, err := creates["CreateOutbound"](ctx, client)
		cancel()
		if isWhole := strings.Contains(body, ","); isWhole && (err != nil || result.Call.ID != 397) || !isWhole && (calls.DeliveryOf(err) != calls.DeliveryAccepted || err == nil) {
			t.Errorf("%s: %v, %v", body, result, err)
		}
		transport.CloseIdleConnections()
	}
}
