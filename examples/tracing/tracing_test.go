package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// create returns the span of a create and those of its attempts.
func create(t *testing.T, server *callstest.Server, agent string) (parent tracetest.SpanStub, attempts tracetest.SpanStubs) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	client, err := server.NewClient(calls.WithMiddleware(spanForEachAttempt(provider)))
	if err != nil {
		t.Fatal(err)
	}
	request := calls.OutboundRequest{AgentEmail: agent, EndUserNumber: "+1 859-657-9625"}
	_, err = tracer{client, provider}.createOutbound(t.Context(), request)
	t.Log("the create returned", err)

	spans := exporter.GetSpans()
	mustBeSilent(t, spans, agent, "8596579625", server.Token(),
		base64.StdEncoding.EncodeToString([]byte(server.Subdomain()+":"+server.Token())))
	last := len(spans) - 1 // a parent ends after its children
	return spans[last], spans[:last]
}

// mustBeSilent checks names, attributes, events, links, statuses and resources of the
// spans for private data.
func mustBeSilent(t *testing.T, spans tracetest.SpanStubs, secrets ...string) {
	t.Helper()
	text, err := json.Marshal(spans)
	if err != nil {
		t.Fatal(err)
	}
	closeUp := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "/", "").Replace(string(text)) // as numbers are written
	for _, secret := range secrets {
		if strings.Contains(string(text), secret) || strings.Contains(closeUp, secret) {
			t.Errorf("the spans have %q in them: %s", secret, text)
		}
	}
}

func TestSpanForEachAttempt(t *testing.T) {
	const refused = 0 // in place of a status
	for _, test := range []struct {
		name     string
		faults   []callstest.Fault
		statuses []int64
	}{
		{"none fails", nil, []int64{201}},
		{"429", []callstest.Fault{callstest.RateLimited("0")}, []int64{429, 201}},
		{"connection refused", []callstest.Fault{callstest.RefuseConnection}, []int64{refused, 201}},
		{"both", []callstest.Fault{callstest.RefuseConnection, callstest.RateLimited("0")}, []int64{refused, 429, 201}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := callstest.NewServer(t)
			server.Fail(test.faults...)
			parent, attempts := create(t, server, "agent@example.com")

			if parent.Name != "CreateOutbound" || parent.Parent.IsValid() || parent.Status.Code != codes.Unset {
				t.Errorf("the create is %q, %+v below %v", parent.Name, parent.Status, parent.Parent)
			}
			var statuses []int64
			for _, attempt := range attempts {
				if attempt.Parent.SpanID() != parent.SpanContext.SpanID() || attempt.SpanContext.TraceID() != parent.SpanContext.TraceID() {
					t.Errorf("%q is not a child of the create", attempt.Name)
				}
				status := valueOf(attempt, "http.response.status_code").AsInt64()
				statuses = append(statuses, status)
				if failed := attempt.Status.Code == codes.Error; failed != (status != 201) || attempt.SpanKind != trace.SpanKindClient {
					t.Errorf("%q with status %d is %+v, of kind %v", attempt.Name, status, attempt.Status, attempt.SpanKind)
				}
			}
			if !slices.Equal(statuses, test.statuses) {
				t.Errorf("the attempts have statuses %d, want %d", statuses, test.statuses)
			}
			if id := valueOf(parent, "calls.call_id").AsInt64(); id != server.Calls()[0].ID {
				t.Errorf("the create has call id %d, want %d", id, server.Calls()[0].ID)
			}
		})
	}
}

func TestSpanOfCreateThatIsNoCall(t *testing.T) {
	for _, test := range []struct {
		name, agent string
		faults      []callstest.Fault
		delivery    string
		code        codes.Code
		attempts    int
	}{
		{"refused by validation", "agent-at-example.com", nil, "not sent", codes.Error, 0},
		{"refused by the platform", "nobody@example.com", nil, "rejected", codes.Error, 1},
		{"response lost", "agent@example.com", []callstest.Fault{callstest.HangUpAfterCreate}, "unknown", codes.Error, 1},
		{"awaits the agent", "chooser@example.com", nil, "accepted", codes.Unset, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := callstest.NewServer(t)
			server.Fail(test.faults...)
			parent, attempts := create(t, server, test.agent)
			if parent.Status.Code != test.code || len(attempts) != test.attempts {
				t.Errorf("the create is %+v with %d attempts, want %v with %d", parent.Status, len(attempts), test.code, test.attempts)
			}
			if delivery := valueOf(parent, "calls.delivery").AsString(); delivery != test.delivery {
				t.Errorf("the create is %s, want %s", delivery, test.delivery)
			}
		})
	}
}

// No text of a response is in a span.
func TestStatusIsOfSentinelAndDelivery(t *testing.T) {
	const words = "agent.one@example.com cannot dial +1 (859) 657-9625, nor 859.657.9625"
	for _, test := range []struct{ name, response, status string }{
		{"a message with people in it", jsonResponse("400 Bad Request", words), "the request is not valid (rejected)"},
		{"a known message", jsonResponse("400 Bad Request", "Contact not found"), "the ticket has no contact (rejected)"},
		{"not authorized", jsonResponse("401 "+words, words), "unauthorized (rejected)"},
		{"a gateway's page", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 70\r\n\r\n" + words, "the platform failed (unknown)"},
		{"a redirect", "HTTP/1.1 302 Found\r\nLocation: https://" + words + "\r\nContent-Length: 0\r\n\r\n", "redirected, and not followed (rejected)"},
		{"not HTTP", words + "\r\n\r\n", "outcome unknown (unknown)"},
		{"nothing", "", "outcome unknown (unknown)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			exporter := tracetest.NewInMemoryExporter()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
			client, err := calls.NewClient("customer", "example.com", "t0k3n",
				calls.WithBaseURL("http://"+listen(t, test.response)), calls.WithMiddleware(spanForEachAttempt(provider)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = tracer{client, provider}.createOutbound(t.Context(),
				calls.OutboundRequest{AgentEmail: "agent.one@example.com", EndUserNumber: "+1 859-657-9625"})
			t.Log("the create returned", err)

			spans := exporter.GetSpans()
			mustBeSilent(t, spans, "8596579625", "agent.one", "cannot dial", "t0k3n")
			if status := spans[len(spans)-1].Status; len(spans) != 2 || status.Code != codes.Error || status.Description != test.status {
				t.Errorf("the last of %d spans is %+v, want %q", len(spans), status, test.status)
			}
		})
	}
}

func jsonResponse(status, message string) string {
	body := `{"message":"` + message + `"}`
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// listen serves one response to every request, and hangs up.
func listen(t *testing.T, response string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn)) // its body is left unread
			_, _ = io.WriteString(conn, response)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

func TestNothingOfTheTraceReachesThePlatform(t *testing.T) {
	before := otel.GetTextMapPropagator()
	defer otel.SetTextMapPropagator(before)
	otel.SetTextMapPropagator(propagation.TraceContext{}) // as many programs do

	server := callstest.NewServer(t)
	create(t, server, "agent@example.com")
	for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
		if value := server.Requests()[0].Header.Get(name); value != "" {
			t.Errorf("the platform got %s: %s", name, value)
		}
	}
}

func valueOf(span tracetest.SpanStub, key attribute.Key) attribute.Value {
	for _, a := range span.Attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return attribute.Value{}
}
