package callstest

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Option changes how a Server behaves. One that is wrong is an error of
// Start and a fatal one of NewServer.
type Option func(*config) error

// WithAddress makes the server listen on address, such as "127.0.0.1:8085", or
// ":8085" for every interface, instead of a free port of the loopback interface.
func WithAddress(address string) Option {
	return func(c *config) error {
		c.address = address
		return nil
	}
}

// WithTLS makes the server speak https, with a certificate that it makes for
// itself and that only HTTPClient trusts.
func WithTLS() Option {
	return func(c *config) error {
		c.tls = true
		return nil
	}
}

// WithHTTP2 makes the server speak HTTP/2, and HTTPClient nothing else: as ALPN
// chooses it with WithTLS, and without TLS by prior knowledge. Clients that ask
// for HTTP/1 still get it.
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

// WithAgents adds agents to the default world, or replaces those of the same
// e-mail address.
func WithAgents(agents ...Agent) Option {
	return adding("WithAgents", agents, (*world).addAgent)
}

// WithMenus adds menus to the default world, or replaces those of the same id.
func WithMenus(menus ...Menu) Option {
	return adding("WithMenus", menus, (*world).addMenu)
}

// WithTickets adds tickets to the default world, or replaces those of the same
// id.
func WithTickets(tickets ...Ticket) Option {
	return adding("WithTickets", tickets, (*world).addTicket)
}

func adding[T any](name string, items []T, add func(*world, T) error) Option {
	return func(c *config) error {
		for _, item := range items {
			if err := add(&c.world, item); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
}

// WithLanguages adds languages to the default world: those that calls can be
// made in, and those that are known but not available. Either can be nil. Codes
// are compared with their case.
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

// WithClock replaces time.Now as the double's time: that of timestamps, of
// "scheduled_at is in the future", of WithListingLag and of WithRateLimit.
// The server calls now from many goroutines.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("WithClock: nil clock")
		}
		c.clock = now
		return nil
	}
}

// WithListingLag keeps each call out of the Manager API's listing until lag has
// passed since it was created. The server asks once for each call, when it is
// created. The function must not call methods of the Server.
func WithListingLag(lag func(callID int64) time.Duration) Option {
	return func(c *config) error {
		if lag == nil {
			return errors.New("WithListingLag: nil function")
		}
		c.lag = lag
		return nil
	}
}

// WithRateLimit makes the server answer 429 to a request that has n or more
// others in the second before it. The refused ones count. The platform
// documents 10 a second; without this option there is no limit.
func WithRateLimit(n int) Option {
	return func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("WithRateLimit: %d is not positive", n)
		}
		c.rateLimit = n
		return nil
	}
}

// WithoutLinkHeader makes the listing answer without the header "link".
func WithoutLinkHeader() Option {
	return func(c *config) error {
		c.noLinks = true
		return nil
	}
}

// WithUnreachableNumbers makes the dialing of third parties at the given numbers
// fail with 422, "Error dialing third party".
func WithUnreachableNumbers(numbers ...string) Option {
	return func(c *config) error {
		for _, number := range numbers {
			if !dialable(number) {
				return errors.New("WithUnreachableNumbers: the platform cannot dial a number anyway")
			}
			c.unreachable = append(c.unreachable, digitsOf(number))
		}
		return nil
	}
}

// WithoutCRM makes the server refuse the authentication of end users with
// "Unsupported CRM request".
func WithoutCRM() Option {
	return func(c *config) error {
		c.noCRM = true
		return nil
	}
}

// WithCRMClosedRecords closes the CRM records of tickets. A scheduled request for
// one of them gets 201 and a call object, but no call is made: neither the listing
// nor Calls shows it. The documentation says that the platform accepts such a
// request; its response is the double's own.
func WithCRMClosedRecords(ticketIDs ...string) Option {
	return func(c *config) error {
		return c.crm.mark("WithCRMClosedRecords", &c.crm.closed, ticketIDs)
	}
}

// WithCRMScheduledRecords gives the CRM records of tickets an active scheduled
// call. A scheduled request for one of them is accepted and makes no call, as with
// WithCRMClosedRecords.
func WithCRMScheduledRecords(ticketIDs ...string) Option {
	return func(c *config) error {
		return c.crm.mark("WithCRMScheduledRecords", &c.crm.scheduled, ticketIDs)
	}
}

// WithCRMUnreachable makes the CRM unreachable. A scheduled request with a ticket
// gets 201 and a queued call, which is canceled right after.
func WithCRMUnreachable() Option {
	return func(c *config) error {
		c.crm.unreachable = true
		return nil
	}
}

// WithCRMScheduleRejection refuses every scheduled request that is valid with 422
// and message, as a setting of some customers' CRM does. The platform's own message
// is not documented.
func WithCRMScheduleRejection(message string) Option {
	return func(c *config) error {
		if message == "" {
			return errors.New("WithCRMScheduleRejection: empty message")
		}
		c.crm.rejection = message
		return nil
	}
}

// config is not changed once the server has started.
type config struct {
	address          string
	tls, http2       bool
	subdomain, token string
	world            world
	clock            func() time.Time
	lag              func(callID int64) time.Duration // nil: none
	rateLimit        int                              // requests a second; 0: unlimited
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

// now is the double's time, in UTC and as exact as the platform's timestamps,
// so that what a Call says and what its JSON says compare equal.
func (c *config) now() time.Time { return stamp(c.clock()) }

func (c *config) scheme() string {
	if c.tls {
		return "https"
	}
	return "http"
}

func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// crm is how scheduled requests come to nothing by the customer's CRM.
type crm struct {
	closed, scheduled map[string]bool // ids of tickets
	unreachable       bool
	rejection         string // message of a 422; "" for none
}

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
