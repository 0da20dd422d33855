// Tracing prints the spans of a create that needs three attempts: one for the
// create, and one below it for each attempt. It talks to a double of the
// platform, which refuses the connection first, and then answers 429: nobody is
// called.
//
//	go run .
//	go run . -agent busy@example.com
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/examples/internal/platform"
)

func main() {
	var request calls.OutboundRequest
	flag.StringVar(&request.AgentEmail, "agent", "agent@example.com", "e-mail address of the agent")
	flag.StringVar(&request.EndUserNumber, "number", "+1 859-657-9625", "number to dial, with its country code")
	platform.ParseFlags()

	if err := run(context.Background(), request); err != nil {
		fmt.Fprintln(os.Stderr, "No call:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, request calls.OutboundRequest) error {
	exporter, err := stdouttrace.New(stdouttrace.WithPrettyPrint())
	if err != nil {
		return err
	}
	// A program that runs on gives WithBatcher an exporter to its collector.
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	defer func() { _ = provider.Shutdown(ctx) }()

	server, err := callstest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	server.Fail(callstest.RefuseConnection, callstest.RateLimited("1"))

	client, err := server.NewClient(calls.WithMiddleware(spanForEachAttempt(provider)))
	if err != nil {
		return err
	}
	result, err := tracer{client, provider}.createOutbound(ctx, request)
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
