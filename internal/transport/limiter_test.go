package transport_test

import (
	"testing"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/internal/transport"
)

func TestWindowKeepsTheContractOfALimiter(t *testing.T) {
	t.Parallel() // it waits for turns in real time
	callstest.TestRateLimiter(t, func(*testing.T) calls.RateLimiter { return transport.NewWindow(10) })
}
