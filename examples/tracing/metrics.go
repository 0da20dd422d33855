package main

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/ccaip-go/calls"
)

// meters are the instruments of a Client. Their attributes have few values each:
// names of operations, statuses, outcomes. Nothing of a request is among them.
type meters struct {
	attempts metric.Float64Histogram // also counts them, and the 429s
	paced    metric.Float64Histogram
	retries  metric.Int64Counter
	done     metric.Int64Counter // also counts the unknown outcomes
	settled  metric.Int64Counter
	tailLag  metric.Float64Histogram
}

// observerOf returns an observer for calls.WithObserver that measures with the
// provider's instruments.
func observerOf(provider metric.MeterProvider) (calls.Observer, error) {
	meter := provider.Meter(scope)
	var m meters
	var errs [6]error
	m.attempts, errs[0] = meter.Float64Histogram("calls.attempt.duration", metric.WithUnit("s"),
		metric.WithDescription("how long attempts took, by operation and status"))
	m.paced, errs[1] = meter.Float64Histogram("calls.pacing.wait", metric.WithUnit("s"),
		metric.WithDescription("how long attempts waited for their turn"))
	m.retries, errs[2] = meter.Int64Counter("calls.retries", metric.WithUnit("{attempt}"),
		metric.WithDescription("attempts that another one follows"))
	m.done, errs[3] = meter.Int64Counter("calls.operations", metric.WithUnit("{operation}"),
		metric.WithDescription("operations that ended, by what became of them"))
	m.settled, errs[4] = meter.Int64Counter("calls.settlements", metric.WithUnit("{create}"),
		metric.WithDescription("creates that were settled, by result"))
	m.tailLag, errs[5] = meter.Float64Histogram("calls.tail.lag", metric.WithUnit("s"),
		metric.WithDescription("how old changes were when watchers learned of them"))
	return calls.Observer{Attempt: m.attempt, Done: m.end, Settled: m.settle, Tailed: m.tail}, errors.Join(errs[:]...)
}

func (m meters) attempt(ctx context.Context, a calls.ObservedAttempt) {
	operation := attribute.String("calls.operation", a.Operation)
	attributes := []attribute.KeyValue{operation}
	if a.StatusCode != 0 {
		attributes = append(attributes, attribute.Int("http.response.status_code", a.StatusCode))
	}
	m.attempts.Record(ctx, a.Duration.Seconds(), metric.WithAttributes(attributes...))
	m.paced.Record(ctx, a.Paced.Seconds(), metric.WithAttributes(operation))
	if a.Retry {
		m.retries.Add(ctx, 1, metric.WithAttributes(operation))
	}
}

// end counts an operation. Alert on calls.delivery "unknown": a person may have to
// look for the call.
func (m meters) end(ctx context.Context, operation string, err error) {
	m.done.Add(ctx, 1, metric.WithAttributes(
		attribute.String("calls.operation", operation),
		attribute.Bool("calls.failed", err != nil),
		attribute.Stringer("calls.delivery", calls.DeliveryOf(err))))
}

func (m meters) settle(ctx context.Context, _ calls.Intent, _ *calls.Call, err error) {
	result := "failed"
	switch {
	case err == nil:
		result = "found"
	case errors.Is(err, calls.ErrCallNotFound):
		result = "not found"
	case errors.Is(err, calls.ErrAmbiguous):
		result = "ambiguous"
	}
	m.settled.Add(ctx, 1, metric.WithAttributes(attribute.String("calls.result", result)))
}

func (m meters) tail(lag time.Duration) { m.tailLag.Record(context.Background(), lag.Seconds()) }
