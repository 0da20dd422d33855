package ledger_test

import (
	"testing"

	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

func TestMemory(t *testing.T) {
	callstest.TestLedgerStore(t, func(*testing.T) ledger.Store { return ledger.Memory() })
}
