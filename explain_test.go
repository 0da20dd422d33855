package calls_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
)

// TestEverySentinelHasAnExplanationOfItsOwn also checks that it is in sentences.
func TestEverySentinelHasAnExplanationOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, s := range sentinels {
		explanation := calls.Explain(s.is)
		if other := seen[explanation]; other != "" {
			t.Errorf("%s and %s have the same explanation: %q", s.name, other, explanation)
		}
		seen[explanation] = s.name
		if !regexp.MustCompile(`^[A-Z][^.]+\.( [A-Z][^.]+\.)*$`).MatchString(explanation) {
			t.Errorf("%s: %q is not in sentences", s.name, explanation)
		}
	}
}

func TestExplain(t *testing.T) {
	const warning = "The call may ring all the same: look before you try again."
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{name: "nil", err: nil, want: ""},
		{name: "busy agent", err: responded(t, 400, `{"message":"Agent is not available to take this call"}`),
			want: "The agent cannot take a call now. Try again later, or choose another agent."},
		{name: "an unknown message", err: responded(t, 400, `{"message":"Agent a@example.com is on holiday until +1 859-657-9625"}`),
			want: "The request is not valid: Agent [redacted] is on holiday until [redacted]."},
		{name: "a status without a sentinel of its own", err: responded(t, 409, `{"message":"Too late."}`),
			want: "The platform refused the request: Too late."},
		{name: "rate limited", err: responded(t, 429, ``), want: "The platform is busy. Try again in 7s."},
		{name: "redirected", err: responded(t, 302, ``),
			want: "Something other than the platform responded. Tell the operator of this program to check its address."},
		{name: "the platform failed", err: responded(t, 503, ``), want: "The platform failed. " + warning},
		{name: "an undecodable 201", err: responded(t, 201, `created`),
			want: "The platform's response could not be read. The call was made and may ring: look for it, and do not try again."},
		{name: "no response", err: createdBy(t, func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }),
			want: "No response says what became of the request. " + warning},
		{name: "the token in a message", err: responded(t, 400, `{"message":"What is \"token\""}`),
			want: `The request is not valid: What is "[redacted]".`},
		{name: "Settle without an Intent", err: settled(t, calls.Intent{}),
			want: "The request is not valid: intent is not that of a create that was sent. " + warning},
		{name: "several problems", err: refusal(calls.OutboundRequest{EndUserNumber: "123123", Lang: "fr-ca"})(t),
			want: "The e-mail address of the agent is missing. The number to call has no country code. Write it with its country code, such as +1 859-657-9625. The language is not a code such as en or fr-CA. Upper and lower case matter."},
		{name: "what is wrong with a number", err: refusal(with(anOutbound, func(r *calls.OutboundRequest) { r.OutboundNumber = "+1 339-219-5276 ext. 5" }))(t),
			want: "The number to call from has an extension. Write it with its country code, or leave it out."},
		{name: "a number that the platform refused", err: responded(t, 400, `{"message":"end_user_number is not well-formed"}`),
			want: "The number to call is not a telephone number. Write it with its country code, such as +1 859-657-9625."},
		{name: "a problem without a sentinel of its own", err: refusal(with(anOutbound, func(r *calls.OutboundRequest) { r.TicketID = "\xff" }))(t),
			want: "The request is not valid: ticket_id is not valid UTF-8."},
		{name: "NewClient", err: setUp("customer", "uc1.ccaiplatform.com", ""), want: "Nothing was sent: the token is empty."},
		{name: "no Client", err: withoutClient(t), want: "Nothing was sent: it was not made by NewClient."},
		{name: "canceled before it was sent", err: canceledCreate(t), want: "Nothing was sent: context canceled."},
		{name: "a failed read", err: readFailed(t), want: "The request failed: unexpected EOF."},
		{name: "wrapped", err: fmt.Errorf("ticket 7: %w", responded(t, 503, ``)), want: "The platform failed. " + warning},
		{name: "of another package", err: errors.New("calls: agent@example.com hung up"), want: "calls: [redacted] hung up."},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := calls.Explain(test.err); got != test.want {
				t.Errorf("%v\nis explained as %q\nwant            %q", test.err, got, test.want)
			}
		})
	}
}

// TestExplainWarnsWheneverACallMayExist checks that there is no warning otherwise.
func TestExplainWarnsWheneverACallMayExist(t *testing.T) {
	for status := 200; status < 600; status++ {
		err := responded(t, status, `{"message":"Contact not found"}`)
		if err == nil {
			continue
		}
		if got := calls.Explain(err); strings.Contains(got, "may ring") != calls.DeliveryOf(err).MayExist() {
			t.Errorf("%d, %v: %q", status, calls.DeliveryOf(err), got)
		}
	}
	for _, err := range slices.Concat(allSentinels(), []error{setUp("", "", "x"), readFailed(t)}) {
		if got := calls.Explain(err); strings.Contains(got, "may ring") {
			t.Errorf("%v, not an error of a create: %q", err, got)
		}
	}
}

// responded returns the error of a create that gets this response.
func responded(t *testing.T, status int, body string) error {
	t.Helper()
	return createdBy(t, func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Retry-After": {"7"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	})
}

func createdBy(t *testing.T, transport roundTripper) error {
	t.Helper()
	_, err := newClient(t, transport).CreateOutbound(t.Context(), anOutbound)
	return err
}

func settled(t *testing.T, intent calls.Intent) error {
	_, err := newClient(t, untouched(t)).Settle(t.Context(), intent, calls.SettleOptions{})
	return err
}

func canceledCreate(t *testing.T) error {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newClient(t, untouched(t)).CreateOutbound(ctx, anOutbound)
	return err
}

func readFailed(t *testing.T) error {
	transport := roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	_, err := newClient(t, transport).GetCustomerFlag(t.Context(), 397)
	return err
}

func setUp(subdomain, domain, token string) error {
	_, err := calls.NewClient(subdomain, domain, token)
	return err
}

func withoutClient(t *testing.T) error {
	var client *calls.Client
	_, err := client.GetCustomerFlag(t.Context(), 397)
	return err
}
