// Tracing prints the spans and the metrics of a create that needs three attempts: a
// span for the create, and one below it for each attempt. Whatever the environment says,
// it talks to a double of the platform, which refuses the first connection and responds to
// the second with 429: nobody is called.
//
//	go run .
//	go run . -agent busy@example.com
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

func main() {
	log.SetFlags(0)
	var request calls.OutboundRequest
	flag.StringVar(&request.AgentEmail, "agent", "agent@example.com", "e-mail address of the agent")
	flag.StringVar(&request.EndUserNumber, "number", "+1 859-657-9625", "number to dial, with its country code")
	if flag.Parse(); flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q", flag.Arg(0))
	}
	if err := run(context.Background(), request); err != nil {
		log.Fatal(calls.Explain(err))
	}
}

func run(ctx context.Context, request calls.OutboundRequest) (err error) {
	spans, err := stdouttrace.New(stdouttrace.WithPrettyPrint())
	if err != nil {
		return err
	}
	metrics, err := stdoutmetric.New(stdoutmetric.WithPrettyPrint())
	if err != nil {
		return err
	}
	// A program that runs on gives both an exporter to its collector, and spans
	// WithBatcher.
	tracerProvider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	meterProvider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics)))
	defer func() { err = errors.Join(err, tracerProvider.Shutdown(ctx), meterProvider.Shutdown(ctx)) }()

	server, err := callstest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Fprintln(os.Stderr, "Talking to a double of the platform in this process, whatever the CCAIP_… variables say: nobody is called.")
	server.Fail(callstest.RefuseConnection, callstest.RateLimited("1"))

	observer, err := observerOf(meterProvider)
	if err != nil {
		return err
	}
	client, err := server.NewClient(calls.WithMiddleware(spanForEachAttempt(tracerProvider)), calls.WithObserver(observer))
	if err != nil {
		return err
	}
	result, err := tracer{client, tracerProvider}.createOutbound(ctx, request)
	if err != nil {
		return err
	}
	if result.AwaitsAgent {
		fmt.Fprintln(os.Stderr, "Accepted. The agent has to place the call in the widget.")
		return nil
	}
	fmt.Fprintf(os.Stderr, "Created call %d, %s.\n", result.Call.ID, result.Call.Status)
	return nil
}
