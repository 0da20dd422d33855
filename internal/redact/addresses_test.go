package redact_test

import (
	"testing"

	"github.com/ccaip-go/calls/internal/redact"
)

func TestTextRedactsAddresses(t *testing.T) {
	table{
		{"an address", "Agent agent@example.com is busy", "Agent [redacted] is busy"},
		{"the end of a sentence", "No such agent: agent@example.com.", "No such agent: [redacted]."},
		{"a subaddress", "agent.one+calls@mail.example.com", "[redacted]"},
		{"in angle brackets", "Agent <agent@example.com>", "Agent <[redacted]>"},
		{"in quotes", `"agent@example.com" and 'agent@example.com'`, `"[redacted]" and '[redacted]'`},
		{"after a colon", "mailto:agent@example.com", "mailto:[redacted]"},
		{"in JSON", `{"agent_email":"agent@example.com","x":1}`, `{"agent_email":"[redacted]","x":1}`},
		{"in JSON in JSON", `{\"agent_email\":\"agent@example.com\"}`, `{\"agent_email\":\"[redacted]\"}`},
		{"outside ASCII", "агент@пример.example", "[redacted]"},
		{"two addresses", "agent@example.com, agent@example.com", "[redacted], [redacted]"},
		{"an apostrophe", "o'agent@example.com is busy", "[redacted] is busy"},
		{"quoted", `"agent one"@example.com is busy`, "[redacted] is busy"},
		{"quoted in JSON", `"\"agent one\"@example.com"`, `"\[redacted]"`},
		{"a slash and an equals sign", "customer/department=agent@example.com", "[redacted]"},
		{"every other character", "!#$%&*-+^`{|}~_agent@example.com", "[redacted]"},
		{"an address for bounces", "bounce+agent=example.com@example.org", "[redacted]"},
		{"percent-encoded", "agent%40example.com", "[redacted]"},
		{"percent-encoded twice", "agent%2540example.com", "[redacted]"},
		{"as JSON escapes it", `agent\u0040example.com`, "[redacted]"},
		{"as HTML escapes it", "agent&#64;example.com", "[redacted]"},
		{"a wide at sign", "agent＠example.com", "[redacted]"},
		{"a host without dots", "agent@localhost", "[redacted]"},
		{"an address literal", "agent@[192.0.2.1] is busy", "[redacted] is busy"},
		{"by name", "agent_email=agent@example.com lang=en", "agent_email=[redacted] lang=en"},
		{"in a query", "/agents?email=agent@example.com&lang=en", "/agents?email=[redacted]&lang=en"},
		{"in a path", "GET https://calls.example.com/agents/agent%40example.com: 404", "GET https://calls.example.com/agents/[redacted]: 404"},
		{"after a port", "https://calls.example.com:8443/agents/agent@example.com/x", "https://calls.example.com:8443/agents/[redacted]/x"},
		{"a password in a URL", "http://user:pa:ss@proxy.example.com:3128", "http://[redacted]:3128"},
		{"with a number in it", "agent8596579625x@example.com", "[redacted]"},
		{"an invisible character in it", "agent\u200b@example.com", "[redacted]"},
		{"not an address", "a@", "[redacted]"},
		{"only at signs", "@@@@ @", "[redacted] [redacted]"},
	}.run(t, redact.Text)
}
