package redact_test

import (
	"testing"

	"github.com/ccaip-go/calls/internal/redact"
)

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"nothing private", "Agent is not available to take this call", "Agent is not available to take this call"},
		{"an address", "Agent agent@example.com is busy", "Agent [redacted] is busy"},
		{"an address with more in it", "agent.one+calls@mail.example.com", "[redacted]"},
		{"an address in brackets", "Agent <agent@example.com>", "Agent <[redacted]>"},
		{"an address in quotes", `"agent@example.com" and 'agent@example.com'`, `"[redacted]" and '[redacted]'`},
		{"an address behind a colon", "mailto:agent@example.com", "mailto:[redacted]"},
		{"an address in JSON", `{"agent_email":"agent@example.com","x":1}`, `{"agent_email":"[redacted]","x":1}`},
		{"an address outside ASCII", "агент@пример.example", "[redacted]"},
		{"two addresses", "agent@example.com, agent@example.com", "[redacted], [redacted]"},
		{"a number", "no way to +1 859-657-9625 today", "no way to [redacted] today"},
		{"E.164", "+18596579625", "[redacted]"},
		{"a number without a plus", "859-657-9625", "[redacted]"},
		{"a number with brackets", "+1 (859) 657-9625", "[redacted]"},
		{"a number with dots", "+1.859.657.9625", "[redacted]"},
		{"a number with a slash", "+49 30/123456", "[redacted]"},
		{"a number with spaces that do not break", "+1\u00a0859\u00a0657\u00a09625", "[redacted]"},
		{"a number with another hyphen", "+1 859\u2011657\u20119625", "[redacted]"},
		{"a number with a minus sign", "+1 859\u2212657\u22129625", "[redacted]"},
		{"a number with square brackets", "+1 [859] 657-9625", "[redacted]"},
		{"a number with wide brackets", "+1 （859） 657-9625", "[redacted]"},
		{"a number in wide digits", "＋１８５９６５７９６２５", "[redacted]"},
		{"the shortest number", "123-4567", "[redacted]"},
		{"a number in JSON", `{"end_user_number":"+1 859-657-9625"}`, `{"end_user_number":"[redacted]"}`},
		{"both", "agent@example.com +1 859-657-9625", "[redacted] [redacted]"},
		{"short numbers stay", "menu_id 9999 is not found, 3 of 123456", "menu_id 9999 is not found, 3 of 123456"},
		{"a language stays", "Language 'fr' is not available", "Language 'fr' is not available"},
		{"what was redacted stays so", "[redacted]", "[redacted]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := redact.Text(test.text); got != test.want {
				t.Errorf("Text(%q) is %q, want %q", test.text, got, test.want)
			}
		})
	}
}
