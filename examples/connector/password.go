package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// passwordHash is what is stored of a password: PBKDF2 with HMAC-SHA-256, written
// as "pbkdf2-sha256$ROUNDS$SALT$KEY", the last two in base64.
type passwordHash struct {
	rounds    int
	salt, key []byte
}

const (
	hashName    = "pbkdf2-sha256"
	hashRounds  = 600_000 // of new hashes, as OWASP recommends
	minRounds   = 100_000
	maxRounds   = 10_000_000
	saltSize    = 16 // bytes
	minPassword = 8  // bytes
	maxPassword = 1024
)

// printPasswordHash reads a password, the first line of r, and writes its hash.
func printPasswordHash(r io.Reader, w io.Writer, rounds int) error {
	password, err := bufio.NewReader(io.LimitReader(r, maxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	password = strings.TrimRight(password, "\r\n")
	if len(password) < minPassword || len(password) > maxPassword {
		return fmt.Errorf("the password, the first line of standard input, must have %d to %d characters", minPassword, maxPassword)
	}
	h := passwordHash{rounds: rounds, salt: make([]byte, saltSize)}
	rand.Read(h.salt)
	if h.key, err = h.derive(password); err != nil {
		return err
	}
	encode := base64.StdEncoding.EncodeToString
	_, err = fmt.Fprintf(w, "%s$%d$%s$%s\n", hashName, h.rounds, encode(h.salt), encode(h.key))
	return err
}

func parsePasswordHash(text string) (passwordHash, error) {
	var h passwordHash
	parts := strings.Split(text, "$")
	if len(parts) != 4 || parts[0] != hashName {
		return h, errors.New("the file has no password hash: make one with -hash-password")
	}
	rounds, errRounds := strconv.Atoi(parts[1])
	salt, errSalt := base64.StdEncoding.DecodeString(parts[2])
	key, errKey := base64.StdEncoding.DecodeString(parts[3])
	if err := errors.Join(errRounds, errSalt, errKey); err != nil {
		return h, errors.New("the password hash is malformed: make one with -hash-password")
	}
	if rounds < minRounds || rounds > maxRounds || len(salt) < saltSize || len(key) != sha256.Size {
		return h, errors.New("the password hash is too weak or out of range: make one with -hash-password")
	}
	return passwordHash{rounds, salt, key}, nil
}

func (h passwordHash) derive(password string) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, h.salt, h.rounds, sha256.Size)
}

// credentials checks a user name and a password. It is safe for concurrent use.
type credentials struct {
	user string
	hash passwordHash
	// Deriving a key is slow on purpose. So a keyed hash of the user name and
	// password that were right is remembered, and all others take turns.
	key   []byte
	right atomic.Pointer[[]byte]
	turns chan struct{}
}

const maxWaitForTurn = 2 * time.Second

func newCredentials(user string, hash passwordHash) *credentials {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	return &credentials{user: user, hash: hash, key: key, turns: make(chan struct{}, 1)}
}

// check returns 0, or the status that a request is refused with.
func (c *credentials) check(ctx context.Context, user, password string) (refusal int) {
	if user == "" && password == "" || len(user)+len(password) > 2*maxPassword {
		return http.StatusUnauthorized
	}
	digest := c.digest(user, password)
	if right := c.right.Load(); right != nil && hmac.Equal(*right, digest) {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, maxWaitForTurn)
	defer cancel()
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return http.StatusServiceUnavailable
	}
	key, err := c.hash.derive(password)
	isUser := subtle.ConstantTimeCompare([]byte(user), []byte(c.user))
	isPassword := subtle.ConstantTimeCompare(key, c.hash.key)
	if err != nil || isUser&isPassword != 1 {
		return http.StatusUnauthorized
	}
	c.right.Store(&digest)
	return 0
}

func (c *credentials) digest(user, password string) []byte {
	mac := hmac.New(sha256.New, c.key)
	fmt.Fprintf(mac, "%q %q", user, password)
	return mac.Sum(nil)
}
