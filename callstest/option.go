package callstest

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Option changes how a Server behaves. An invalid option is an error of Start, and ends
// the test in NewServer.
type Option func(*config) error

// WithAddress makes the server listen on address, such as "127.0.0.1:8085", or
// ":8085" for every interface, instead of a free port of the loopback interface.
func WithAddress(address string) Option {
	return func(c *config) error {
		c.address = address
		return nil
	}
}

// WithTLS makes the server speak https, with a new self-signed certificate that only
// HTTPClient trusts.
func WithTLS() Option {
	return func(c *config) error {
		c.tls = true
		return nil
	}
}

// WithHTTP2 makes the server speak HTTP/2: negotiated by ALPN if it has TLS, and with prior
// knowledge otherwise. HTTPClient then speaks only HTTP/2. Other clients can still use
// HTTP/1.
func WithHTTP2() Option {
	return func(c *config) error {
		c.http2 = true
		return nil
	}
}

// WithCredentials replaces the subdomain and the token that the server accepts.
func WithCredentials(subdomain, token string) Option {
	return func(c *config) error {
		if subdomain == "" || token == "" {
			return errors.New("WithCredentials: empty subdomain or token")
		}
		if strings.Contains(subdomain, ":") {
			return errors.New("WithCredentials: a user name of basic authentication has no colon")
		}
		c.subdomain, c.token = subdomain, token
		return nil
	}
}

// WithAgents adds agents to the default world, or replaces those with the same e-mail
// address.
func WithAgents(agents ...Agent) Option {
	return addAll("WithAgents", agents, (*world).addAgent)
}

// WithMenus adds menus to the default world, or replaces those with the same id.
func WithMenus(menus ...Menu) Option {
	return addAll("WithMenus", menus, (*world).addMenu)
}

// WithTickets adds tickets to the default world, or replaces those with the same id.
func WithTickets(tickets ...Ticket) Option {
	return addAll("WithTickets", tickets, (*world).addTicket)
}

func addAll[T any](name string, items []T, add func(*world, T) error) Option {
	return func(c *config) error {
		for _, item := range items {
			if err := add(&c.world, item); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
}

// WithLanguages adds languages to the default world: those that are available for calls,
// and those that are known but not available. Either can be nil. Codes are
// case-sensitive.
func WithLanguages(available, unavailable []string) Option {
	return func(c *config) error {
		for _, lang := range available {
			if err := c.world.addLanguage(lang, true); err != nil {
				return fmt.Errorf("WithLanguages: %w", err)
			}
		}
		for _, lang := range unavailable {
			if err := c.world.addLanguage(lang, false); err != nil {
				return fmt.Errorf("WithLanguages: %w", err)
			}
		}
		return nil
	}
}

// WithClock replaces time.Now as the clock of the double, which is used for timestamps, the
// check that scheduled_at is in the future, WithListingLag and WithRateLimit. now must be
// safe for concurrent use.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("WithClock: nil clock")
		}
		c.clock = now
		return nil
	}
}

// WithListingLag hides each call from the Manager API's listing until lag has passed since
// the call was created. lag is called once for each call, when it is created. It must not
// call methods of the Server.
func WithListingLag(lag func(callID int64) time.Duration) Option {
	return func(c *config) error {
		if lag == nil {
			return errors.New("WithListingLag: nil function")
		}
		c.lag = lag
		return nil
	}
}

// WithRateLimit makes the server respond with 429 if n or more requests arrived in the
// second before a request. Refused requests count. Without this option there is no limit;
// the documented limit of the platform is 10 a second.
func WithRateLimit(n int) Option {
	return func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("WithRateLimit: %d is not positive", n)
		}
		c.rateLimit = n
		return nil
	}
}

// WithoutLinkHeader makes the listing respond without the header Link.
func WithoutLinkHeader() Option {
	return func(c *config) error {
		c.noLinks = true
		return nil
	}
}

// WithUnreachableNumbers makes dialing a third party at one of the given numbers fail with
// 422, "Error dialing third party".
func WithUnreachableNumbers(numbers ...string) Option {
	return func(c *config) error {
		for _, number := range numbers {
			if !dialable(number) {
				return errors.New("WithUnreachableNumbers: a number is malformed, so that the platform would not dial it anyway")
			}
			c.unreachable = append(c.unreachable, digitsOf(number))
		}
		return nil
	}
}

// WithoutCRM makes the server refuse the authentication of end users with 400,
// "Unsupported CRM request".
func WithoutCRM() Option {
	return func(c *config) error {
		c.noCRM = true
		return nil
	}
}

// WithCRMClosedRecords closes the CRM records of tickets. The response to a scheduled
// request for one of them is 201 with a call object, but no call is created: neither the
// listing nor Calls shows it. It is documented that the platform accepts such a request;
// the response is the double's own.
func WithCRMClosedRecords(ticketIDs ...string) Option {
	return func(c *config) error {
		return c.crm.mark("WithCRMClosedRecords", &c.crm.closed, ticketIDs)
	}
}

// WithCRMScheduledRecords gives the CRM records of tickets an active scheduled call. A
// scheduled request for one of them is accepted and creates no call, as with
// WithCRMClosedRecords.
func WithCRMScheduledRecords(ticketIDs ...string) Option {
	return func(c *config) error {
		return c.crm.mark("WithCRMScheduledRecords", &c.crm.scheduled, ticketIDs)
	}
}

// WithCRMUnreachable makes the CRM unreachable. The response to a scheduled request with a
// ticket is 201 with a queued call, which is canceled immediately afterwards.
func WithCRMUnreachable() Option {
	return func(c *config) error {
		c.crm.unreachable = true
		return nil
	}
}

// WithCRMScheduleRejection refuses every valid scheduled request with 422 and message, as a
// setting of some customers' CRM does. The platform's message is not documented.
func WithCRMScheduleRejection(message string) Option {
	return func(c *config) error {
		if message == "" {
			return errors.New("WithCRMScheduleRejection: empty message")
		}
		c.crm.rejection = message
		return nil
	}
}

// config is what the options set. It does not change after the server has started.
type config struct {
	address          string
	tls, http2       bool
	subdomain, token string
	world            world
	clock            func() time.Time
	lag              func(callID int64) time.Duration // can be nil
	rateLimit        int                              // requests a second; 0 means unlimited
	noLinks, noCRM   bool
	crm              crm
	unreachable      []string // digits of the numbers at which no third party can be dialed
}

func newConfig(opts []Option) (config, error) {
	c := config{
		address:   "127.0.0.1:0",
		subdomain: "customer",
		token:     "callstest-token",
		world:     defaultWorld(),
		clock:     time.Now,
	}
	for _, opt := range opts {
		if opt == nil {
			return c, errors.New("nil option")
		}
		if err := opt(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// now returns the double's time in UTC, truncated to milliseconds, so that the times of a
// Call equal those in its JSON.
func (c *config) now() time.Time { return toMilliseconds(c.clock()) }

func (c *config) scheme() string {
	if c.tls {
		return "https"
	}
	return "http"
}

func toMilliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// crm has the reasons in the customer's CRM for which scheduled requests create no call.
type crm struct {
	closed, scheduled map[string]bool // ids of tickets
	unreachable       bool
	rejection         string // message of a 422; "" means no rejection
}

// mark adds the ids to tickets.
func (c *crm) mark(option string, tickets *map[string]bool, ids []string) error {
	if len(ids) == 0 {
		return fmt.Errorf("%s: no ticket", option)
	}
	if *tickets == nil {
		*tickets = map[string]bool{}
	}
	for _, id := range ids {
		if id == "" {
			return fmt.Errorf("%s: ticket without an id", option)
		}
		(*tickets)[id] = true
	}
	return nil
}
