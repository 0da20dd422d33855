package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// nonces makes the one-time numbers of forms. They are signed, so that none has
// to be remembered before its form is submitted, and a page from before a
// restart, of whose fate this process knows nothing, is not taken.
type nonces struct{ key [32]byte }

func newNonces() *nonces {
	n := &nonces{}
	rand.Read(n.key[:])
	return n
}

func (n *nonces) next() string {
	number := rand.Text()
	return number + "." + n.sign(number)
}

func (n *nonces) isOurs(nonce string) bool {
	number, signature, _ := strings.Cut(nonce, ".")
	return hmac.Equal([]byte(signature), []byte(n.sign(number)))
}

func (n *nonces) sign(number string) string {
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write([]byte(number))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:15])
}
