package redact_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/internal/redact"
)

// shown matches texts that may have many digits. It does not share code with the package,
// and accepts more.
var shown = []*regexp.Regexp{
	regexp.MustCompile(`0\.\d+`), // ratios
	regexp.MustCompile(`(?i)[\w-]+(\.[\w-]*)*\.[a-z][\w-]*[._-]*\.[a-z][\w-]*`),            // host names
	regexp.MustCompile(`(?i)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`),                  // UUIDs
	regexp.MustCompile(`(?i)[0-9a-f]*[a-f][0-9a-f]*\d[0-9a-f]*|[0-9a-f]*\d[a-f][0-9a-f]*`), // ids with letters
	regexp.MustCompile(`[\d./-]*[ Tt_:]?\d\d:\d\d[\d.,:]*( ?[+-]\d\d:?\d\d)?|\d{8}T\d{6}|\d{4}[-/]\d\d[-/]\d\d|\d\d[-./]\d\d[-./]\d{4}| m=[+-]\d+\.\d{9}`),
	regexp.MustCompile(`\d+(\.\d+)? ?(ns|us|[µμ]s|ms|[smhB]|secs?|seconds?|mins?|minutes?|hours?|days?|[kKMGT]i?B|bytes?|bits?)`),
	regexp.MustCompile(`\d+\.\d+\.\d+\.\d+([:/]\d+)?`), // IP addresses
	regexp.MustCompile(`(?i)(id|ids|call|calls|scheduled|size|length|offset|limit|count|total|stream|status|pid|page|timestamp|epoch|of|bytes|range|ports?)[_-]*[ :.="'#(\[{</>\\]+((is|was)[ :.="'#(\[{</>\\]+)?\d([^a-z]| and )*`),
}

var escapedSeparator = regexp.MustCompile(`%2[0-9A-Fa-f]`)

var digits = regexp.MustCompile(`\d{7,}`)

const planted = "<agent.one@example.com> <+1 859-657-9625> <859 657 9625>"

func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"", "agent@example.com", "+1 859-657-9625", "call 39700012345", "2019-06-07T01:27:30.406Z +1 859", "10.0.0.7:443 12",
		"x%40y", `"a b"@c`, "https://user:pass@host:1/a?b=c@d", "\x1b[31m\u202e\xff", "00-4bf92f3577b34da6a3ce929d0e0e4736-01",
		"id 1234567,1234567, 12", "1234567a1234567a", "phone\x01 1234", "12\x0034", "a\n@\nb", "[redacted]@x 1", "m=+0.000000001",
		"CAll00000000", "A0 \x0000-000", "-00'\r00000000000a000a0a", "0..6000800", "%2%2012020", // failed once
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := redact.Text(text)
		switch {
		case len(got) > 4096 || !isVisible(got):
			t.Errorf("Text(%q) is %q: too long, or some of it is invisible", text, got)
		case redact.Text(got) != got:
			t.Errorf("Text(%q) is %q, and Text of that %q", text, got, redact.Text(got))
		case strings.Contains(got, "@"):
			t.Errorf("Text(%q) is %q: an at sign is left", text, got)
		}
		rest := escapedSeparator.ReplaceAllString(got, " ")
		for _, harmless := range shown {
			rest = harmless.ReplaceAllString(rest, "|")
		}
		if digits.MatchString(rest) {
			t.Errorf("Text(%q) is %q: digits are left in %q", text, got, rest)
		}
		if len(text) > 3000 {
			return
		}
		both := redact.Text(text + planted + text)
		for _, part := range []string{"agent.one", "example.com", "657", "9625"} {
			if strings.Contains(both, part) && !strings.Contains(redact.Escape(text), part) {
				t.Errorf("in %q, %q is left in %q", text, part, both)
			}
		}
	})
}

// FuzzSecrets checks that a secret is redacted in any text.
func FuzzSecrets(f *testing.F) {
	f.Add("s3cr3t+token/==", "Basic ", " x")
	f.Add("%41\\u0041", "%", "41")
	f.Add("redacted", "[", "]")
	f.Add(`00\\`, "0", "0") // failed once
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if len(secret) < 4 || len(secret) > 200 || len(before) > 4000 || strings.Contains("[redacted]… [truncated]", secret) {
			return
		}
		redactor := redact.New(secret)
		got := redactor.Text(before + secret + after)
		if strings.Contains(got, secret) && !strings.Contains(redact.Escape(before+after), secret) {
			t.Errorf("New(%q).Text(%q) is %q", secret, before+secret+after, got)
		}
	})
}
