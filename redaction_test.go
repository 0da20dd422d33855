package calls_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

// The platform, a proxy or the network repeats the token in each of the ways in
// which it was sent.
func TestTheTokenIsInNoTextWhoeverWroteIt(t *testing.T) {
	const token = "canary-Tk7Qz9-of-the-client"
	pair := base64.StdEncoding.EncodeToString([]byte("customer:" + token))
	for _, leak := range []string{token, pair, "Authorization: Basic " + pair, base64.StdEncoding.EncodeToString([]byte(token))} {
		for name, transport := range map[string]wire{
			"a message":  responding(400, `{"message":"cannot read `+leak+`"}`),
			"a 5xx":      responding(502, `{"message":"cannot read `+leak+`"}`),
			"plain text": responding(403, "denied: "+leak),
			"the network": func(*http.Request) (*http.Response, error) {
				return nil, errors.New("malformed: " + leak)
			},
		} {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", token, calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}),
				calls.WithHTTPClient(&http.Client{Transport: transport}), calls.WithLogger(logger))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.CreateOutbound(t.Context(), anOutbound)
			if text := err.Error() + log.String(); strings.Contains(text, leak) || strings.Contains(text, token) || strings.Contains(text, pair) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

func TestPathsOfDoAreShownWithoutPrivateData(t *testing.T) {
	client := newClient(t, responding(http.StatusBadRequest, ""))
	_, err := client.Do(context.Background(), http.MethodGet, "agents/agent@example.com/+18596579625", nil, nil, nil)
	if text := err.Error(); strings.Contains(text, "agent@example.com") || strings.Contains(text, "8596579625") || strings.Contains(text, "agent%40") {
		t.Error(text)
	}
}

func TestControlCharactersOfThePlatformAreEscaped(t *testing.T) {
	const hostile = "a\u001b[2Jb\u202ec\r\nlevel=INFO"
	err := createError(t, responding(400, `{"message":"a\u001b[2Jb\u202ec\r\nlevel=INFO"}`))
	if text := err.Error(); strings.ContainsAny(text, "\u001b\u202e\r\n") {
		t.Errorf("%q", text)
	}
	if got := apiErrorOf(t, err).Message; got != hostile {
		t.Errorf("Message is %q", got)
	}
	call := &calls.Call{ID: 1, Status: hostile}
	if text := call.String(); strings.ContainsAny(text, "\u001b\u202e\r\n") {
		t.Errorf("%q", text)
	}
}

// A redaction that takes quadratic time held a create for 9 s.
func TestAHostileMessageIsRedactedInTime(t *testing.T) {
	begin := time.Now()
	body := `{"message":"` + strings.Repeat("1234567a", 60<<10/8) + `"}`
	client := newClient(t, responding(400, body), calls.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	_, err := client.CreateOutbound(t.Context(), anOutbound)
	if text := err.Error(); len(text) > 8<<10 {
		t.Errorf("the text has %d bytes", len(text))
	}
	if took := time.Since(begin); took > 5*time.Second { // linear: less than a millisecond
		t.Errorf("took %v", took)
	}
}
