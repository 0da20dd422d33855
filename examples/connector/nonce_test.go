package main

import (
	"testing"
	"time"
)

func TestNonceIsGoodForOneActionOnOneSubject(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	key := newKey()
	n := &nonces{key: key, now: func() time.Time { return at }}
	text := n.issue(actionCall, "71450", 42)
	another := &nonces{key: key, now: time.Now} // another instance, or the same after a restart

	got, ok := another.read(text, actionCall, "71450")
	if !ok || !got.Shown.Equal(at) || got.Seen != 42 || len(got.ID) != 26 {
		t.Errorf("got %+v, %t", got, ok)
	}
	for name, read := range map[string]func() (nonce, bool){
		"another subject": func() (nonce, bool) { return n.read(text, actionCall, "7145") },
		"another action":  func() (nonce, bool) { return n.read(text, actionSchedule, "71450") },
		"another key":     func() (nonce, bool) { return (&nonces{key: newKey()}).read(text, actionCall, "71450") },
		"nothing":         func() (nonce, bool) { return n.read("", actionCall, "71450") },
		"no signature":    func() (nonce, bool) { return n.read(text[:len(text)-25], actionCall, "71450") },
		"another id":      func() (nonce, bool) { return n.read("A"+text[1:], actionCall, "71450") },
		"another time":    func() (nonce, bool) { return n.read(text[:27]+"z"+text[28:], actionCall, "71450") },
	} {
		if got, ok := read(); ok && name != "another id" || ok && text[0] != 'A' {
			t.Errorf("%s: %+v is accepted", name, got)
		}
	}
}

func TestNoncesAreNotTheSame(t *testing.T) {
	n := &nonces{key: newKey(), now: time.Now}
	if n.issue(actionCall, "1", 0) == n.issue(actionCall, "1", 0) {
		t.Error("two forms have the same nonce")
	}
}
