package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/ccaip-go/calls"
)

// No span contains text that came from the network: messages of the platform and of
// gateways, and errors of net/http that quote them, can name people. Statuses are
// described by the errors that package calls exports, and by types.

const scope = "github.com/ccaip-go/calls"

// spanForEachAttempt is a middleware for calls.WithMiddleware. The client hands
// it the context of the operation, so each span is a child of the span in it.
// A span ends with the header of the response.
//
// It is not otelhttp's, which records the texts of errors, and URLs. Nothing is
// propagated: the platform makes no use of a trace, and baggage can contain private
// data.
func spanForEachAttempt(provider trace.TracerProvider) func(http.RoundTripper) http.RoundTripper {
	tracer := provider.Tracer(scope)
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			ctx, span := tracer.Start(r.Context(), "HTTP "+r.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
				attribute.String("http.request.method", r.Method),
				attribute.String("server.address", r.URL.Hostname())))
			defer span.End()
			response, err := next.RoundTrip(r.WithContext(ctx))
			switch {
			case err != nil:
				span.SetAttributes(attribute.String("error.type", fmt.Sprintf("%T", err)))
				span.SetStatus(codes.Error, "no response")
			default:
				span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
				if response.StatusCode >= 400 {
					span.SetAttributes(attribute.String("error.type", strconv.Itoa(response.StatusCode)))
					span.SetStatus(codes.Error, http.StatusText(response.StatusCode))
				}
			}
			return response, err
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// tracer is a client with a span for each operation.
type tracer struct {
	client   *calls.Client
	provider trace.TracerProvider
}

// createOutbound is CreateOutbound in a span, which holds nothing of the
// request: who calls whom does not belong in a trace.
func (t tracer) createOutbound(ctx context.Context, req calls.OutboundRequest) (*calls.CreateResult, error) {
	ctx, span := t.provider.Tracer(scope).Start(ctx, "CreateOutbound")
	defer span.End()
	result, err := t.client.CreateOutbound(ctx, req)
	span.SetAttributes(attribute.Stringer("calls.delivery", calls.DeliveryOf(err)))
	switch {
	case err != nil:
		span.SetStatus(codes.Error, statusOf(err))
	case result.AwaitsAgent:
		span.SetAttributes(attribute.Bool("calls.awaits_agent", true))
	default:
		span.SetAttributes(attribute.Int64("calls.call_id", result.Call.ID))
	}
	return result, err
}

// problems are what a create can fail with, those with a parent before it.
var problems = []error{
	calls.ErrAgentEmailRequired, calls.ErrAgentEmailInvalid, calls.ErrAgentUnavailable, calls.ErrAgentNotPermitted,
	calls.ErrTicketOrNumberRequired, calls.ErrContactNotFound, calls.ErrEndUserNumberMalformed, calls.ErrOutboundNumberMalformed,
	calls.ErrCallTypeInvalid, calls.ErrLanguageMalformed, calls.ErrParameterMissing, calls.ErrInvalidRequest,
	calls.ErrUnauthorized, calls.ErrForbidden, calls.ErrNotFound, calls.ErrRateLimited, calls.ErrServer, calls.ErrRedirected,
	calls.ErrUndecodable, calls.ErrOutcomeUnknown, context.DeadlineExceeded, context.Canceled,
}

// statusOf describes an error by its sentinel and by what became of the request.
func statusOf(err error) string {
	problem := "failed"
	for _, known := range problems {
		if errors.Is(err, known) {
			problem = strings.TrimPrefix(known.Error(), "calls: ")
			break
		}
	}
	return fmt.Sprintf("%s (%v)", problem, calls.DeliveryOf(err))
}
