package main

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
)

// access decides who may use the service.
type access struct {
	host   string       // name that people reach it by, "" if they use its address
	auth   *credentials // nil: no password is asked for
	header string       // in which a proxy sends secret; "" if there is none
	secret string
	isOpen bool // the operator has said that everybody may use it
}

const minSecret = 16 // bytes

// hostName matches the names that browsers send, in lower case.
var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$`)

// newAccess reads the settings -host, -auth USER:FILE and -proxy HEADER:FILE.
func newAccess(set settings) (*access, error) {
	a := &access{host: strings.ToLower(set.host), isOpen: set.open}
	if a.host != "" && !hostName.MatchString(a.host) {
		return nil, fmt.Errorf("-host %q is not a host name such as crm.example.com, without a port", set.host)
	}
	if set.auth != "" && set.proxy != "" {
		return nil, errors.New("-auth and -proxy: choose one of them")
	}
	if set.auth != "" {
		user, stored, err := nameAndFile("-auth", set.auth)
		if err != nil {
			return nil, err
		}
		hash, err := parsePasswordHash(stored)
		if err != nil {
			return nil, fmt.Errorf("-auth: %w", err)
		}
		a.auth = newCredentials(user, hash)
	}
	if set.proxy != "" {
		header, secret, err := nameAndFile("-proxy", set.proxy)
		if err != nil {
			return nil, err
		}
		if len(secret) < minSecret {
			return nil, fmt.Errorf("-proxy: the secret has fewer than %d characters", minSecret)
		}
		a.header, a.secret = header, secret
	}
	return a, nil
}

// eventCredentials reads the setting -events USER:FILE, "" if there is none.
func eventCredentials(set settings) (user, password string, err error) {
	if set.events == "" {
		return "", "", nil
	}
	user, password, err = nameAndFile("-events", set.events)
	if err == nil && len(password) < minSecret {
		err = fmt.Errorf("-events: the password has fewer than %d characters", minSecret)
	}
	return user, password, err
}

// nameAndFile reads a setting of the form NAME:FILE, and the file.
func nameAndFile(setting, value string) (name, content string, err error) {
	name, file, _ := strings.Cut(value, ":")
	if name == "" || file == "" {
		return "", "", fmt.Errorf("%s has to be a name, a colon and a file", setting)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", setting, err)
	}
	return name, strings.TrimSpace(string(data)), nil
}

// allowListening returns an error for an address that other machines reach unless it
// is set who may use the service, and logs a warning for each such address.
func (a *access) allowListening(addr net.Addr, logger *slog.Logger) error {
	asks := a.auth != nil || a.header != ""
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		if a.host != "" && !asks {
			logger.Warn("the proxy in front of this service has to ask who people are: this service does not")
		}
		return nil
	}
	if !asks && !a.isOpen {
		return fmt.Errorf("%s is not a loopback address: everybody who reaches it could have calls made. Use -auth or -proxy, or -open if that is what you want", addr)
	}
	if !asks {
		logger.Warn("this service listens on an address that other machines reach, and asks nobody who they are", "address", addr.String())
		return nil
	}
	logger.Warn("this service listens on an address that other machines reach, without encryption", "address", addr.String())
	return nil
}

// knows reports whether hostport is a name of this service. IP addresses and localhost
// are safe: DNS rebinding needs the name of another site.
func (a *access) knows(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	host = strings.ToLower(host)
	_, err = netip.ParseAddr(host)
	return err == nil || host == "localhost" || host != "" && host == a.host
}

// permits returns 0 if a request is permitted, and otherwise the status to refuse it
// with.
func (a *access) permits(r *http.Request) (refusal int) {
	switch {
	case a.header != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get(a.header)), []byte(a.secret)) != 1:
		return http.StatusForbidden
	case a.auth == nil:
		return 0
	}
	user, password, _ := r.BasicAuth()
	return a.auth.check(r.Context(), user, password)
}
