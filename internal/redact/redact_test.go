package redact_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ccaip-go/calls/internal/redact"
)

// table has texts. An empty want means that the text does not change.
type table []struct{ name, text, want string }

func (tests table) run(t *testing.T, text func(string) string) {
	t.Helper()
	t.Parallel()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := test.want
			if want == "" {
				want = test.text
			}
			if got := text(test.text); got != want {
				t.Errorf("Text(%q)\nis   %q\nwant %q", test.text, got, want)
			}
		})
	}
}

func TestTextKeepsWhatIsNotPrivate(t *testing.T) {
	table{
		{"an empty text", "", ""},
		{"a message", "Agent is not available to take this call", ""},
		{"a language", "Language 'fr-CA' is not available", ""},
		{"a menu", "menu_id 9999 is not found, 3 of 123456", ""},
		{"redacted text", "[redacted]", ""},
	}.run(t, redact.Text)
}

func TestTextIsTruncatedOnce(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"ASCII":               strings.Repeat("gateway ", 8000),
		"runes":               strings.Repeat("a€", 3000),
		"what is escaped":     strings.Repeat("\x1b", 4000),
		"what is replaced":    strings.Repeat("a@b ", 1024),
		"garbage":             strings.Repeat("\xff\xfe", 4000),
		"one endless address": strings.Repeat("a", 1<<20) + "@example.com",
		"an address behind":   strings.Repeat("a@", 1<<20),
		"just too long":       strings.Repeat("x", 4097),
	} {
		got := redact.Text(text)
		if len(got) > 4096 || !strings.HasSuffix(got, "… [truncated]") || !utf8.ValidString(got) {
			t.Errorf("%s: Text returned %d bytes, the last of which are %q", name, len(got), got[max(0, len(got)-40):])
		}
		if again := redact.Text(got); again != got {
			t.Errorf("%s: Text changes the result", name)
		}
	}
	if whole := strings.Repeat("x", 4096); redact.Text(whole) != whole {
		t.Error("a text of 4 KiB is truncated")
	}
}

// TestTruncationLeavesNoPart has private data across the end of what is shown.
func TestTruncationLeavesNoPart(t *testing.T) {
	t.Parallel()
	const token = "s3cr3t-token-0123456789"
	redactor := redact.New(token)
	for _, private := range []string{token, "agent.one@example.com", "+1 859-657-9625", "end_user_number 859-657-9625"} {
		for before := 4096 - 60; before <= 4096; before++ {
			text := strings.Repeat("x", before-1) + " " + private + strings.Repeat(" y", 3000)
			shown := strings.TrimPrefix(strings.TrimLeft(redactor.Text(text), "x"), " ")
			shown = strings.TrimPrefix(shown, "end_user_number ")
			for _, part := range []string{"s3", "ag", "+1", "85", "65"} {
				if strings.HasPrefix(shown, part) {
					t.Fatalf("%q after %d bytes: %q is left of it", private, before, shown[:20])
				}
			}
		}
	}
}

func TestTextEscapes(t *testing.T) {
	table{
		{"line breaks", "one\r\ntwo\tthree", `one\r\ntwo\tthree`},
		{"terminal escapes", "\x1b[31mred\x1b[0m\x07", `\u{1b}[31mred\u{1b}[0m\u{7}`},
		{"bidi marks", "a\u202eb\u2066c\u200fd", `a\u{202e}b\u{2066}c\u{200f}d`},
		{"line separators", "a\u2028b\u2029c\u0085d", `a\u{2028}b\u{2029}c\u{85}d`},
		{"invisible characters", "a\u200bb\ufeffc\u00add\U000e0041", `a\u{200b}b\u{feff}c\u{ad}d\u{e0041}`},
		{"not UTF-8", "a\xff\xc3b", "a\ufffd\ufffdb"},
		{"other scripts", "позвоните 電話 ☎ é", ""},
		{"a backslash", `C:\temp \u{1b}`, ""},
	}.run(t, redact.Text)
}

func TestEscapeOnlyEscapes(t *testing.T) {
	t.Parallel()
	const text = "agent@example.com\n+1 859-657-9625\x1b"
	if got, want := redact.Escape(text), `agent@example.com\n+1 859-657-9625\u{1b}`; got != want {
		t.Errorf("Escape(%q) is %q, want %q", text, got, want)
	}
}

func isVisible(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) })
}
