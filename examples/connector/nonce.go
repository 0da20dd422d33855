package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// nonces issues the one-time numbers of forms. They are signed, so that none has to be
// stored before its form is submitted. The key is in the database, so that every
// instance accepts them, also after a restart. Each is valid for one action on one
// subject.
type nonces struct {
	key []byte
	now func() time.Time
}

// nonce is what a form carries.
type nonce struct {
	ID    string
	Shown time.Time // when the form was shown
	Seen  int64     // the revision of the attempts, or of the one attempt, that the page shows
}

// The actions that a nonce can be for.
const (
	actionCall     = "call"     // of a ticket
	actionSchedule = "schedule" // of the whole service
	actionAttempt  = "attempt"  // a person's word on an attempt
	actionFlags    = "flags"    // of a call
	actionDemo     = "demo"
)

func (n *nonces) issue(action, subject string, seen int64) string {
	number := rand.Text() + "." + strconv.FormatInt(n.now().UnixMilli(), 36) + "." + strconv.FormatInt(seen, 36)
	return number + "." + n.sign(number, action, subject)
}

// read returns the nonce of a form. It reports false if it was not issued for
// this action and this subject.
func (n *nonces) read(text, action, subject string) (nonce, bool) {
	end := max(0, strings.LastIndexByte(text, '.'))
	number, signature := text[:end], strings.TrimPrefix(text[end:], ".")
	if !hmac.Equal([]byte(signature), []byte(n.sign(number, action, subject))) {
		return nonce{}, false
	}
	id, rest, _ := strings.Cut(number, ".")
	shown, seen, _ := strings.Cut(rest, ".")
	at, errShown := strconv.ParseInt(shown, 36, 64)
	revision, errSeen := strconv.ParseInt(seen, 36, 64)
	return nonce{ID: id, Shown: time.UnixMilli(at), Seen: revision}, errShown == nil && errSeen == nil
}

func (n *nonces) sign(number, action, subject string) string {
	mac := hmac.New(sha256.New, n.key)
	fmt.Fprintf(mac, "%q %q %q", number, action, subject)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:15])
}

// comesFromOurPage reports whether a form is one of ours: by its nonce, or by the
// headers of the browser, which the cross-origin protection has checked. That is enough
// for a form that can be submitted twice without harm.
func (s *service) comesFromOurPage(r *http.Request, action, subject string) bool {
	_, isOurs := s.nonces.read(r.PostForm.Get("nonce"), action, subject)
	return isOurs || r.Header.Get("Sec-Fetch-Site") == "same-origin" || r.Header.Get("Origin") != ""
}

// outOfDate shows that a form has no valid nonce.
func (s *service) outOfDate(w http.ResponseWriter) {
	s.tell(w, http.StatusBadRequest, "This page is out of date", "Nothing was done, and nobody was called. Start again from the tickets.")
}
