package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode"

	"github.com/ccaip-go/calls"
)

// causeOf returns why something failed, for the log: the status, the host that cannot
// be reached, the credentials, the field. It contains no text of the platform or of a
// person.
func causeOf(err error) string {
	var (
		response    *calls.APIError
		invalid     calls.ValidationErrors
		several     *calls.AmbiguousError
		resolve     *net.DNSError
		certificate *tls.CertificateVerificationError
		network     *net.OpError
		operation   *calls.OpError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &response):
		return causeOfResponse(response)
	case errors.As(err, &invalid):
		return causeOfFields(invalid)
	case errors.As(err, &several):
		return fmt.Sprintf("%d calls match", len(several.Candidates))
	case errors.Is(err, calls.ErrCallNotFound):
		return "no listing shows the call"
	case errors.As(err, &resolve):
		return fmt.Sprintf("the host %s cannot be resolved", resolve.Name)
	case errors.As(err, &certificate):
		return "the host's certificate is not valid"
	case errors.As(err, &network) && network.Op == "dial":
		return fmt.Sprintf("the host %v cannot be reached", network.Addr)
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, calls.ErrUndecodable):
		return "the response could not be decoded"
	case errors.As(err, &operation), errors.As(err, &network):
		return "the connection broke before the response"
	}
	return "of this service or its database: " + printable(err.Error())
}

func causeOfResponse(response *calls.APIError) string {
	cause := fmt.Sprintf("status %d from %s", response.StatusCode, response.Host)
	switch {
	case errors.Is(response, calls.ErrUnauthorized):
		return cause + ": check the credentials"
	case errors.Is(response, calls.ErrNotFound):
		return cause + ": check the subdomain"
	case errors.Is(response, calls.ErrInvalidRequest):
		return cause + ": " + strings.TrimPrefix(errors.Unwrap(response).Error(), "calls: ")
	}
	return cause
}

func causeOfFields(invalid calls.ValidationErrors) string {
	var fields []string
	for _, problem := range invalid {
		fields = append(fields, problem.Field)
	}
	return "not valid: " + strings.Join(fields, ", ")
}

// printable returns text with its control characters escaped, marks of direction
// included: they could make it read as something else.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
