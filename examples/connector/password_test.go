package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// testHash is that of testPassword, made with fewer rounds than new ones.
const (
	testPassword = "correct horse"
	testHash     = "pbkdf2-sha256$100000$MDEyMzQ1Njc4OWFiY2RlZg==$WYEVV1ul0qBt7iGnOFpq5RmH0aOFvmOKTlUAgn9mWYM="
)

func TestPrintedHashIsThatOfThePassword(t *testing.T) {
	var printed bytes.Buffer
	if err := printPasswordHash(strings.NewReader(testPassword+"\r\nmore"), &printed, minRounds); err != nil {
		t.Fatal(err)
	}
	hash, err := parsePasswordHash(strings.TrimSpace(printed.String()))
	if err != nil {
		t.Fatal(err)
	}
	c := newCredentials("agent", hash)
	if got := c.check(t.Context(), "agent", testPassword); got != 0 {
		t.Errorf("the password is refused with %d", got)
	}
	if got := c.check(t.Context(), "agent", testPassword+"\r"); got != http.StatusUnauthorized {
		t.Errorf("another password: got %d", got)
	}
	if strings.Contains(printed.String(), testPassword) {
		t.Error("the password is printed")
	}
}

func TestPasswordsOfBadLengthGetNoHash(t *testing.T) {
	for name, input := range map[string]string{"none": "", "short": "1234567\n", "long": strings.Repeat("x", maxPassword+1)} {
		var printed bytes.Buffer
		if err := printPasswordHash(strings.NewReader(input), &printed, minRounds); err == nil || printed.Len() > 0 {
			t.Errorf("%s: got %v, printed %q", name, err, printed.String())
		}
	}
}

func TestWrongPasswordsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hash, err := parsePasswordHash(testHash)
		if err != nil {
			t.Fatal(err)
		}
		c := newCredentials("agent", hash)
		if got := c.check(t.Context(), "agent", testPassword); got != 0 {
			t.Fatalf("the password is refused with %d", got)
		}
		c.turns <- struct{}{} // an attacker guesses all the time
		if got := c.check(t.Context(), "agent", testPassword); got != 0 {
			t.Errorf("a person who has signed in is refused with %d", got)
		}
		if got := c.check(t.Context(), "agent", "a guess"); got != http.StatusServiceUnavailable {
			t.Errorf("got %d", got)
		}
	})
}
