package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"
)

// passwordVariable names the variable with the password of Redis. It is not an argument,
// which every user of the machine could read.
const passwordVariable = "REDIS_PASSWORD"

// connect returns a client of the Redis at an address: host:port, or a URL with
// redis:// or rediss:// (TLS), a user name and a number of a database.
func connect(address string) (*redis.Client, error) {
	o, err := options(address)
	if err != nil {
		return nil, err
	}
	return redis.NewClient(o), nil
}

// options has Redis fail fast, since a call cannot wait long. Errors never contain the
// address, which can contain a password.
func options(address string) (*redis.Options, error) {
	o := &redis.Options{Addr: address}
	if strings.Contains(address, "://") {
		u, err := url.Parse(address)
		if err != nil {
			return nil, errors.New("the address of Redis is not a URL")
		}
		if _, has := u.User.Password(); has {
			return nil, fmt.Errorf("the address of Redis has a password in it: set %s instead", passwordVariable)
		}
		if o, err = redis.ParseURL(address); err != nil {
			return nil, fmt.Errorf("the address of Redis: %w", err)
		}
	}
	o.Password = os.Getenv(passwordVariable)
	o.DialTimeout = patience
	o.DialerRetries = 1
	o.MaxRetries = 1 // for a connection that was idle too long
	o.ContextTimeoutEnabled = true
	return o, nil
}
