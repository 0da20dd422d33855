package main

import (
	"context"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/ccaip-go/calls"
)

// spanForEachAttempt is a middleware for calls.WithMiddleware. The client hands
// it the context of the operation, so each span is a child of the span in there.
//
// Nothing is propagated: the platform makes no use of a trace, and the baggage
// of a request may have in it what is nobody else's business.
func spanForEachAttempt(provider trace.TracerProvider) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(next,
			otelhttp.WithTracerProvider(provider),
			otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()))
	}
}

// tracer is a client with a span for each operation.
type tracer struct {
	client   *calls.Client
	provider trace.TracerProvider
}

// createOutbound is CreateOutbound in a span, which holds nothing of the
// request: who calls whom does not belong into a trace.
func (t tracer) createOutbound(ctx context.Context, req calls.OutboundRequest) (*calls.CreateResult, error) {
	ctx, span := t.provider.Tracer("github.com/ccaip-go/calls").Start(ctx, "CreateOutbound")
	defer span.End()
	result, err := t.client.CreateOutbound(ctx, req)
	span.SetAttributes(attribute.Stringer("calls.delivery", calls.DeliveryOf(err)))
	switch {
	case err != nil:
		span.SetStatus(codes.Error, err.Error()) // without token, address and number: the package sees to it
	case result.AwaitsAgent:
		span.SetAttributes(attribute.Bool("calls.awaits_agent", true))
	default:
		span.SetAttributes(attribute.Int64("calls.call_id", result.Call.ID))
	}
	return result, err
}
