package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
)

// TestMetricsOfCreates runs creates that end in every way, and looks at the figures.
func TestMetricsOfCreates(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	observer, err := observerOf(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	server := callstest.NewServer(t)
	client, err := server.NewClient(calls.WithObserver(observer))
	if err != nil {
		t.Fatal(err)
	}
	server.Fail(callstest.RefuseConnection, callstest.RateLimited("0"), callstest.Pass, callstest.HangUpAfterCreate)
	for _, agent := range []string{"agent@example.com", "agent@example.com", "busy@example.com"} {
		_, err := client.CreateOutbound(t.Context(), calls.OutboundRequest{AgentEmail: agent, EndUserNumber: "+1 859-657-9625"})
		t.Log("the create returned", err)
	}

	got := read(t, reader)
	for figure, want := range map[string]uint64{
		"calls.attempt.duration calls.operation=CreateOutbound":                                      2, // refused, hung up
		"calls.attempt.duration calls.operation=CreateOutbound,http.response.status_code=429":        1,
		"calls.attempt.duration calls.operation=CreateOutbound,http.response.status_code=201":        1,
		"calls.attempt.duration calls.operation=CreateOutbound,http.response.status_code=400":        1,
		"calls.pacing.wait calls.operation=CreateOutbound":                                           5,
		"calls.retries calls.operation=CreateOutbound":                                               2,
		"calls.operations calls.delivery=accepted,calls.failed=false,calls.operation=CreateOutbound": 1,
		"calls.operations calls.delivery=unknown,calls.failed=true,calls.operation=CreateOutbound":   1,
		"calls.operations calls.delivery=rejected,calls.failed=true,calls.operation=CreateOutbound":  1,
	} {
		if got[figure] != want {
			t.Errorf("%s is %d, want %d", figure, got[figure], want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestMetricsOfReadingBack(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	observer, err := observerOf(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{nil, calls.ErrCallNotFound, &calls.AmbiguousError{}, errors.New("the listing failed"), fmt.Errorf("again: %w", calls.ErrCallNotFound)} {
		observer.Settled(t.Context(), calls.Intent{ID: "agent@example.com"}, &calls.Call{}, err)
	}
	observer.Tailed(3 * time.Second)

	got := read(t, reader)
	for figure, want := range map[string]uint64{
		"calls.settlements calls.result=found":     1,
		"calls.settlements calls.result=not found": 2,
		"calls.settlements calls.result=ambiguous": 1,
		"calls.settlements calls.result=failed":    1,
		"calls.tail.lag ":                          1,
	} {
		if got[figure] != want {
			t.Errorf("%s is %d, want %d", figure, got[figure], want)
		}
	}
}

// read returns how often each instrument was used, by its name and attributes. It
// checks that they contain no private data.
func read(t *testing.T, reader sdkmetric.Reader) map[string]uint64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"@example.com", "8596579625", "859-657", "callstest-token"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the metrics have %q in them: %s", secret, text)
		}
	}
	used := map[string]uint64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					used[m.Name+" "+point.Attributes.Encoded(attribute.DefaultEncoder())] = uint64(point.Value)
				}
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					used[m.Name+" "+point.Attributes.Encoded(attribute.DefaultEncoder())] = point.Count
				}
			}
		}
	}
	return used
}
