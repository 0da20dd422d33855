package redact_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/internal/redact"
)

const (
	token = "s3cr3t+token/?=&~>"
	basic = "customer.uc1:" + token
)

func TestSecretsAreRedactedInEveryForm(t *testing.T) {
	std, alphabet := base64.StdEncoding, base64.URLEncoding
	redactor := redact.New(token, basic)
	for name, text := range map[string]string{
		"plain":                 token,
		"basic":                 basic,
		"base64":                std.EncodeToString([]byte(token)),
		"base64, no padding":    base64.RawStdEncoding.EncodeToString([]byte(token)),
		"base64, URL":           alphabet.EncodeToString([]byte(token)),
		"base64, bare URL":      base64.RawURLEncoding.EncodeToString([]byte(token)),
		"basic in base64":       std.EncodeToString([]byte(basic)),
		"basic in URL base64":   base64.RawURLEncoding.EncodeToString([]byte(basic)),
		"another user":          std.EncodeToString([]byte("x:" + token)),
		"no user":               std.EncodeToString([]byte(":" + token)),
		"with a line break":     std.EncodeToString([]byte(token + "\n")),
		"query":                 url.QueryEscape(token),
		"path":                  url.PathEscape(token),
		"lower case":            strings.ToLower(url.QueryEscape("s3cr3t+token/?=&~>")),
		"all percent-encoded":   percentEncoded(token),
		"percent-encoded twice": strings.ReplaceAll(url.QueryEscape(token), "%", "%25"),
		"base64 in a query":     url.QueryEscape(std.EncodeToString([]byte(basic))),
		"JSON":                  `s3cr3t+token/?=\u0026~\u003e`,
		"JSON with slashes":     `s3cr3t\u002btoken\/?=&~>`,
		"Go":                    `s3cr3t\x2btoken/?=&~>`,
	} {
		for _, around := range [][2]string{{"", ""}, {"Authorization: Basic ", "\r\n"}, {"x", "x"}, {"é", "é"}, {"%", "%"}, {`\`, `"`}, {"[redacted]", "@"}} {
			got := redactor.Text(around[0] + text + around[1])
			for i := range len(strings.TrimRight(text, "=%3D")) - 5 {
				if strings.Contains(got, text[i:i+6]) {
					t.Errorf("%s between %q: %q is %q", name, around, text, got)
					break
				}
			}
		}
	}
}

func percentEncoded(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

func TestSecretsLeaveTheRest(t *testing.T) {
	table{
		{"before and after", "token " + token + " is bad", "token [redacted] is bad"},
		{"a header", "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(basic)) + ", then", "Authorization: Basic [redacted], then"},
		{"repeated", token + token, "[redacted][redacted]"},
		{"a part of it", token[:len(token)-1], token[:len(token)-1]},
		{"other private data", token + " agent@example.com\n", `[redacted] [redacted]\n`},
		{"a short secret", "x=x9, x y/xyz", ""},
	}.run(t, redact.New(token, basic, "", "x9z").Text)
}

func TestShortSecretIsRedactedAlone(t *testing.T) {
	table{
		{"a short secret", "x: dialing x9, x509 and x", "[redacted]: dialing x9, x509 and [redacted]"},
	}.run(t, redact.New("x").Text)
}

func TestNoSecretsIsText(t *testing.T) {
	t.Parallel()
	const text = "agent@example.com\n"
	for name, redactor := range map[string]*redact.Redactor{"nil": nil, "zero": {}, "none": redact.New(), "empty": redact.New("")} {
		if got := redactor.Text(text); got != redact.Text(text) {
			t.Errorf("%s: Text(%q) is %q", name, text, got)
		}
	}
}

// TestSecretWithinTheMask has a secret that is a part of [redacted].
func TestSecretWithinTheMask(t *testing.T) {
	t.Parallel()
	redactor := redact.New("redacted")
	if got := redactor.Text(redactor.Text("it is redacted")); got != "it is [redacted]" {
		t.Errorf("Text twice returns %q", got)
	}
}

func TestRedactorPrintsNoSecret(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p", "%w"} {
		if got := fmt.Sprintf(verb, redact.New(token)); strings.Contains(got, token) || strings.Contains(got, "czNj") {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}
