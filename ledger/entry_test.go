package ledger_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

func TestStatesAreOpenOrClosed(t *testing.T) {
	for state, isOpen := range map[ledger.State]bool{
		"prepared": true, "sending": true, "in doubt": true, "for a person": true,
		"created": false, "awaits agent": false, "rejected": false, "not made": false,
	} {
		if state.IsOpen() != isOpen || state.IsClosed() == isOpen {
			t.Errorf("%s: open %v, closed %v", state, state.IsOpen(), state.IsClosed())
		}
		if isDoubt := isOpen && state != ledger.StatePrepared; state.IsDoubt() != isDoubt {
			t.Errorf("%s: doubt %v", state, state.IsDoubt())
		}
	}
	if unknown := ledger.State("done"); unknown.IsOpen() || unknown.IsClosed() {
		t.Error("an unknown state is open or closed")
	}
}

func TestAnEntryPrintsNothingPrivate(t *testing.T) {
	e := ledger.Entry{
		ID: "task 8812", Tenant: "customer", Subject: "canary", State: ledger.StateSending, Version: 3, CallID: 397, How: "why", Tries: 2,
		Request: json.RawMessage(`{"agent_email":"canary@example.com","end_user_number":"+18596579625"}`),
		Intent:  calls.Intent{OutboundNumber: "+13392195276"}, Until: time.Now(),
	}
	var printed strings.Builder
	for _, value := range []any{e, &e, []ledger.Entry{e}, map[string]ledger.Entry{"a": e}, struct{ Entry ledger.Entry }{e}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%100v"} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
	}
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("entry", "entry", e, "pointer", &e)
	}
	text := printed.String() + logged.String()
	for _, canary := range []string{"canary", "8596579625", "3392195276", fmt.Sprintf("%x", "canary"), fmt.Sprintf("%X", "canary")} {
		if strings.Contains(text, canary) {
			t.Errorf("%q is printed", canary)
		}
	}
	for _, shown := range []string{"task 8812", "sending", "397", "why"} {
		if !strings.Contains(text, shown) {
			t.Errorf("%q is not printed", shown)
		}
	}
}

func TestAnEntryKeepsAllOfItsDataAsJSON(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.lost("a", callstest.HangUpAfterRead)
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var read ledger.Entry
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(read)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s, %v, want %s", again, err, data)
		}
	})
}

// TestHowHasNothingPrivateAndIsPlain has messages of the platform with private data.
func TestHowHasNothingPrivateAndIsPlain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.putFor("a", "nobody@example.com")
		w.settle("a")
		e := w.get("a")
		if e.State != ledger.StateRejected || strings.Contains(e.How, "example.com") || len(e.How) > 500 {
			t.Errorf("%v", e)
		}
	})
}
