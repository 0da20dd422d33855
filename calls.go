package calls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/ccaip-go/calls/internal/redact"
	"github.com/ccaip-go/calls/internal/transport"
)

// Version is the version of this package.
const Version = "0.2.0"

var userAgent = "ccaip-go-calls/" + Version + " (" + runtime.Version() + ")"

// Client is a client of the calls API of one customer. Make it with NewClient
// or NewClientFromEnv, once, and share it: it is safe for concurrent use, and
// paces everything that goes through it.
//
// A Client prints as its host, never with its token.
type Client struct {
	sender   *transport.Sender
	root     string
	platform string // the platform's own host, also where a gateway stands before it
	region   string
	now      func() time.Time
	logger   *slog.Logger
	observer Observer
	redactor *redact.Redactor // knows the token
	creates  *creates         // what became of its creates
	feed     *feed            // the one reader of calls
}

// NewClient returns a Client for https://{subdomain}.{domain}, such as
// "customer" and "uc1.ccaiplatform.com", that authenticates as the subdomain
// with the API token (portal: Settings > Developer Settings > API Credentials).
// With WithHost both can be empty. With WithUsername it authenticates as another
// user, which a subdomain of two labels can need. It does not use the network;
// Client.Ping does.
//
// Reference: "Apps API", authentication.
func NewClient(subdomain, domain, token string, opts ...Option) (*Client, error) {
	s := defaultSettings()
	for _, opt := range opts {
		if opt == nil {
			return nil, notSent("NewClient", errors.New("an option is nil"))
		}
		if err := opt(s); err != nil {
			return nil, notSent("NewClient", err)
		}
	}
	if err := s.address(subdomain, domain); err != nil {
		return nil, notSent("NewClient", err)
	}
	switch {
	case token == "":
		return nil, notSent("NewClient", errors.New("the token is empty"))
	case strings.TrimSpace(token) != token || strings.ContainsFunc(token, isControl):
		return nil, notSent("NewClient", errors.New("the token has white space around it or control characters in it"))
	}
	return s.newClient(token)
}

// address completes what the options left open: the platform's host, the root of
// the API, and the user name.
func (s *settings) address(subdomain, domain string) error {
	switch {
	case s.host == "":
		if err := checkHostParts(subdomain, domain); err != nil {
			return err
		}
		s.host = subdomain + "." + domain
	case subdomain != "" && !isHostName(subdomain):
		return errors.New("the subdomain is not a host name")
	}
	if s.root == "" {
		s.root = "https://" + s.host
	}
	firstLabel, _, _ := strings.Cut(s.host, ".")
	s.username = cmp.Or(s.username, subdomain, firstLabel)
	return nil
}

// checkHostParts explains the usual mistakes. It never shows a value, which can be
// the token in the wrong place.
func checkHostParts(subdomain, domain string) error {
	labels := strings.Split(domain, ".")
	site := strings.Join(labels[max(0, len(labels)-2):], ".") // such as ccaiplatform.com
	hasDot := strings.Contains(domain, ".")
	switch {
	case strings.Contains(subdomain, "://") || strings.Contains(domain, "://"):
		return errors.New("the subdomain or the domain is a URL: give the name of the host without https://")
	case isHostName(subdomain) && strings.Contains(subdomain, ".") && domain == "":
		return errors.New("the domain is empty: give the first label of the host as the subdomain and the rest as the domain, or use WithHost")
	case !isHostName(subdomain):
		return errors.New("the subdomain is not a host name")
	case strings.Contains(subdomain, ".") && domain != "" && !hasDot:
		return errors.New("the domain is not a host name with a dot: it may be swapped with the subdomain or the token")
	case !isHostName(domain) || !hasDot:
		return errors.New("the domain is not a host name with a dot")
	case strings.EqualFold(subdomain, domain) || hasSuffixFold(subdomain, "."+site):
		return errors.New("the subdomain contains the domain: give only what stands before it, or use WithHost")
	case len(domain) > len(subdomain) && strings.EqualFold(domain[:len(subdomain)+1], subdomain+"."):
		return errors.New("the domain begins with the subdomain: give only what stands behind it, or use WithHost")
	}
	return nil
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func (s *settings) newClient(token string) (*Client, error) {
	redactor := redact.New(token, s.username+":"+token)
	sender, err := transport.NewSender(transport.Config{
		Root:       s.root,
		User:       s.username,
		Password:   token,
		UserAgent:  s.userAgent,
		HTTPClient: s.httpClient,
		Middleware: s.middleware,
		Timeout:    s.timeout,
		Policy:     transport.Policy(s.retry),
		Limiter:    s.limiter,
		Logger:     s.logger,
		Redact:     redactor.Text,
		Observe:    s.observer.attempt(),
		Now:        s.now,
	})
	if err != nil {
		return nil, notSent("NewClient", err)
	}
	c := &Client{
		sender: sender, root: s.root, platform: s.host, region: s.region,
		now: s.now, logger: s.logger, observer: s.observer, redactor: redactor, creates: newCreates(s.now),
	}
	c.feed = &feed{client: c}
	return c, nil
}

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)

func isHostName(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		isLabel := label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-' &&
			strings.Trim(label, letters+digits+"-") == ""
		if !isLabel {
			return false
		}
	}
	return len(name) <= 253
}

// NewClientFromEnv returns a Client that is set up by the environment:
// CCAIP_TOKEN, and either CCAIP_SUBDOMAIN and CCAIP_DOMAIN or CCAIP_HOST, are
// required. CCAIP_HOST, CCAIP_USERNAME and CCAIP_BASE_URL work like WithHost,
// WithUsername and WithBaseURL. The options are applied after them.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	required := []string{"CCAIP_SUBDOMAIN", "CCAIP_DOMAIN", "CCAIP_TOKEN"}
	if os.Getenv("CCAIP_HOST") != "" {
		required = []string{"CCAIP_TOKEN"}
	}
	for _, name := range required {
		if os.Getenv(name) == "" {
			hint := ""
			if name != "CCAIP_TOKEN" {
				hint = ", nor is CCAIP_HOST"
			}
			return nil, notSent("NewClientFromEnv", fmt.Errorf("the environment variable %s is not set%s", name, hint))
		}
	}
	var fromEnv []Option
	for _, variable := range []struct {
		name   string
		option func(string) Option
	}{{"CCAIP_HOST", WithHost}, {"CCAIP_USERNAME", WithUsername}, {"CCAIP_BASE_URL", WithBaseURL}} {
		if value := os.Getenv(variable.name); value != "" {
			fromEnv = append(fromEnv, variable.option(value))
		}
	}
	return NewClient(os.Getenv("CCAIP_SUBDOMAIN"), os.Getenv("CCAIP_DOMAIN"), os.Getenv("CCAIP_TOKEN"), append(fromEnv, opts...)...)
}

// OutboundRequest asks for a call from an agent to an end user. Empty fields
// are not sent. As JSON it keeps all its data, so that it can wait in a queue;
// printed it shows no address and no number.
//
// Reference: "Call endpoints", create an outbound call.
type OutboundRequest struct {
	// AgentEmail is the e-mail address of the agent who is assigned the call.
	// Required.
	AgentEmail string `json:"agent_email,omitempty"`
	// TicketID is the CRM ticket whose end user is dialed. It takes precedence over
	// EndUserNumber; one of the two is required.
	TicketID string `json:"ticket_id,omitempty"`
	// EndUserNumber is the telephone number to dial, with its country code
	// unless the Client has WithDefaultRegion.
	EndUserNumber string `json:"end_user_number,omitempty"`
	// OutboundNumber is the number to call from, one of the platform's Phone
	// Number Management. Empty means the default number.
	OutboundNumber string `json:"outbound_number,omitempty"`
	// Lang is an ISO 639-1 code with an optional region: "en", "fr-CA". Empty
	// means "en".
	Lang string `json:"lang,omitempty"`
}

// InboundRequest asks for a call into a queue, to be offered to its agents.
// Empty fields are not sent. As JSON it keeps all its data; printed it shows no
// number.
//
// Reference: "Call endpoints", create an inbound call.
type InboundRequest struct {
	// MenuID is the queue menu, an IVR or mobile one. Required.
	MenuID int64 `json:"menu_id,omitempty"`
	// EndUserNumber is the telephone number to dial. Required. It is not validated
	// if there is a TicketID.
	EndUserNumber string `json:"end_user_number,omitempty"`
	// TicketID is the CRM ticket whose end user is dialed.
	TicketID string `json:"ticket_id,omitempty"`
	// OutboundNumber is the number to call from. The platform takes its default
	// global number where this is empty or not valid.
	OutboundNumber string `json:"outbound_number,omitempty"`
	// Lang is an ISO 639-1 code with an optional region. Empty means "en".
	Lang string `json:"lang,omitempty"`
	// RecordingPermission matters only if the queue's recording option is "ask the
	// user". Empty means RecordingPermissionNotAsked.
	RecordingPermission RecordingPermission `json:"recording_permission,omitempty"`
}

// ScheduledRequest asks for a call at a later time. Empty fields are not sent.
// As JSON it keeps all its data; printed it shows no number.
//
// Reference: "Call endpoints", create a scheduled call.
type ScheduledRequest struct {
	// MenuID is the queue menu, a mobile or web one. Required unless
	// ParentCallID is given.
	MenuID int64 `json:"menu_id,omitempty"`
	// ParentCallID is an earlier call that becomes the parent of the new one.
	ParentCallID int64 `json:"call_id,omitempty"`
	// EndUserNumber is the telephone number to dial. Required. It is not validated
	// if there is a TicketID.
	EndUserNumber string `json:"end_user_number,omitempty"`
	// TicketID is the CRM ticket whose end user is dialed.
	TicketID string `json:"ticket_id,omitempty"`
	// Lang is an ISO 639-1 code with an optional region. Empty means "en".
	Lang string `json:"lang,omitempty"`
	// ScheduledAt is when to call, a time in the future. Required. It is sent
	// in UTC and in milliseconds; what is finer is dropped.
	ScheduledAt time.Time `json:"scheduled_at,omitzero"`
	// RecordingPermission matters only if the queue's recording option is "ask the
	// user". Empty means RecordingPermissionNotAsked.
	RecordingPermission RecordingPermission `json:"recording_permission,omitempty"`
}

// CreateOutbound creates a call from an agent to an end user.
//
// The error is ValidationErrors if the request is not valid, otherwise an *OpError,
// which wraps an *APIError if the platform responded. DeliveryOf reports whether the
// call may exist nevertheless.
//
// Reference: "Call endpoints", create an outbound call.
func (c *Client) CreateOutbound(ctx context.Context, req OutboundRequest) (*CreateResult, error) {
	return c.Create(ctx, req)
}

// CreateInbound creates a call into a queue. Failures are like those of
// CreateOutbound.
//
// Reference: "Call endpoints", create an inbound call.
func (c *Client) CreateInbound(ctx context.Context, req InboundRequest) (*CreateResult, error) {
	return c.Create(ctx, req)
}

// CreateScheduled creates a call at a later time. Failures are like those of
// CreateOutbound; ErrScheduleRejected is a 422, which a setting of some customers'
// CRM causes. The platform's example responses show the new call as an inbound one
// that is queued; Call.ScheduledAt is when it will be placed.
//
// Success does not mean that the call rings at that time:
//
//   - With a TicketID, no call is made if the CRM record is closed or has an active
//     scheduled call already, and the call is canceled if the CRM cannot be reached.
//     Only a comment on the record says so: see with FindCall whether the call exists.
//   - Calls are placed in fulfillment hours, so one can ring later than ScheduledAt.
//     Ask QueueStatus first, and use a callback period that is Free.
//
// Reference: "Call endpoints", create a scheduled call; "Callback call API".
func (c *Client) CreateScheduled(ctx context.Context, req ScheduledRequest) (*CreateResult, error) {
	return c.Create(ctx, req)
}

// GetCustomerFlag reads the reserved data attributes of a call.
//
// Reference: "Call endpoints", get the customer flag.
func (c *Client) GetCustomerFlag(ctx context.Context, callID int64) (*CustomerFlag, error) {
	if err := checkCallID(callID); err != nil {
		return nil, err
	}
	o, err := c.send(ctx, operation{name: "GetCustomerFlag", method: http.MethodGet, route: customerFlagRoute, id: callID})
	if err != nil {
		return nil, err
	}
	flag := &CustomerFlag{}
	if err := o.decode(ctx, flag.decode); err != nil {
		return nil, err
	}
	return flag, nil
}

// UpdateCustomerFlag changes the reserved data attributes of a call, also while
// the call runs. A flag that is nil in the update is left as it is.
//
// The reference spells the last flag repeat_customer where it is read and
// repeat_customers where it is written, so both spellings are sent.
//
// Reference: "Call endpoints", update the customer flag.
func (c *Client) UpdateCustomerFlag(ctx context.Context, callID int64, update CustomerFlagUpdate) error {
	if err := checkCallID(callID); err != nil {
		return err
	}
	if update == (CustomerFlagUpdate{}) {
		return invalid("customer_flag", "has nothing to set", ErrFlagUpdateEmpty)
	}
	body := struct {
		CustomerFlagUpdate
		RepeatCustomers *bool `json:"repeat_customers,omitempty"`
	}{update, update.RepeatCustomer}
	_, err := c.send(ctx, operation{name: "UpdateCustomerFlag", method: http.MethodPatch, route: customerFlagRoute, id: callID, in: body})
	return err
}

const (
	appsPath          = "/apps/api/v1"
	callsRoute        = appsPath + "/calls"
	customerFlagRoute = callsRoute + "/:id/customer_flag"
)

func checkCallID(id int64) error {
	if id > 0 {
		return nil
	}
	return invalid("id", "is not positive", ErrCallIDInvalid)
}
