package calls_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
)

func TestValidationOfAgentEmails(t *testing.T) {
	t.Parallel()
	const (
		notAnAddress = "is not an e-mail address"
		several      = "is more than one e-mail address"
		comma        = "has a comma that is not quoted"
		tooLong      = "is longer than an e-mail address can be"
		blank        = "is blank"
	)
	tests := []struct {
		email  string
		reason string // "" if the address is sent
		sent   string // "" for email
	}{
		{email: "agent@example.com"},
		{email: "agent+calls@example.com"},
		{email: "o'agent@example.com"},
		{email: "!#$%&'*+-/=?^_`{|}~@example.com"},
		{email: "агент@example.com"},
		{email: "agent@пример.example"},
		{email: "agent@localhost"}, // the platform decides whether it belongs to an agent
		{email: `"agent one"@example.com`},
		{email: `"agent, one"@example.com`},
		{email: `"agent@home"@example.com`},
		{email: `"agent\" one"@example.com`},
		{email: "agent@[192.0.2.1]"},
		{email: "agent@[IPv6:2001:db8::1]"},
		{email: strings.Repeat("a", 64) + "@example.com"},

		{email: " agent@example.com", sent: "agent@example.com"},
		{email: "agent@example.com\r\n", sent: "agent@example.com"},
		{email: "\ufeff\u00a0agent@example.com\u200b\t", sent: "agent@example.com"},
		{email: `" agent"@example.com `, sent: `" agent"@example.com`},

		{email: " \t\u00a0", reason: blank},
		{email: "\u200b", reason: blank},
		{email: "agent@example.com,other@example.com", reason: several},
		{email: "agent@example.com, other@example.com", reason: several},
		{email: "agent@example.com; other@example.com", reason: several},
		{email: "agent@example.com other@example.com", reason: several},
		{email: "agent@example.com\nother@example.com", reason: several},
		{email: "Agent <agent@example.com>, Other <other@example.com>", reason: several},
		{email: `"a, b"@example.com,other@example.com`, reason: several},
		{email: "agent,one@example.com", reason: comma},
		{email: "agent@example,com", reason: comma},
		{email: "agent@example.com,", reason: comma},
		{email: strings.Repeat("a", 254) + "@example.com", reason: tooLong},
		{email: strings.Repeat(" ", 300) + "agent@example.com", sent: "agent@example.com"},
		{email: "agent", reason: notAnAddress},
		{email: "@example.com", reason: notAnAddress},
		{email: "agent@", reason: notAnAddress},
		{email: "@", reason: notAnAddress},
		{email: "agent@example.com@example.com", reason: notAnAddress},
		{email: "agent @example.com", reason: notAnAddress},
		{email: "agent@ example.com", reason: notAnAddress},
		{email: "agent\u00a0one@example.com", reason: notAnAddress},
		{email: "agent\u200b@example.com", reason: notAnAddress},
		{email: "agent\x00@example.com", reason: notAnAddress},
		{email: "agent\xff@example.com", reason: notAnAddress},
		{email: "Agent <agent@example.com>", reason: notAnAddress},
		{email: "<agent@example.com>", reason: notAnAddress},
		{email: "agent@example.com (Agent)", reason: notAnAddress},
		{email: "mailto:agent@example.com", reason: notAnAddress},
		{email: "agent@example.com>(,<", reason: comma},
		{email: "agent@[IPv6:192.0.2.1]", reason: notAnAddress},
		{email: "agent@[IPv6:2001:db8::1", reason: notAnAddress},
		{email: `"agent@example.com`, reason: notAnAddress},
	}
	for _, test := range tests {
		t.Run(test.email, func(t *testing.T) {
			t.Parallel()
			var want []problem
			switch test.reason {
			case "":
			case blank:
				want = []problem{agentEmailRequired}
			default:
				want = []problem{agentEmailInvalid}
			}
			request := with(anOutbound, func(r *outbound) { r.AgentEmail = test.email })
			if test.sent == "" {
				test.sent = test.email
			}
			if sent := checkValidation(t, request, want); sent != nil && sent["agent_email"] != test.sent {
				t.Errorf("sent %q, want %q", sent["agent_email"], test.sent)
			}
			var invalid *calls.ValidationError
			err := newClient(t, untouched(t)).Validate(request)
			if test.reason != "" && (!errors.As(err, &invalid) || invalid.Reason != test.reason) {
				t.Errorf("%v, want the reason %q", err, test.reason)
			}
		})
	}
}
