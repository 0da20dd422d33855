package calls

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ccaip-go/calls/internal/transport"
)

// operation is one request to the platform. A POST is sent once; every other
// method can be repeated without harm.
type operation struct {
	name   string
	method string
	// route is the path as logs show it, with :id for the id of a call.
	route string
	id    int64
	path  string // instead of route and id where the caller gives the path
	query string
	in    any    // sent as JSON, nil for no body
	body  []byte // instead of in, if it was encoded before
	// create is set for an operation that dials a person.
	create *pendingCreate
	// unprocessable is what a 422 means whose message is not in the catalog, nil for
	// nothing special.
	unprocessable error
}

// outcome is a response with a status of 2xx.
type outcome struct {
	operation
	client *Client
	result transport.Result
}

var errNotMade = notSent("Client", errors.New("it was not made by NewClient"))

// send is the one way to the platform.
func (c *Client) send(ctx context.Context, op operation) (*outcome, error) {
	if c == nil || c.sender == nil {
		return nil, errNotMade
	}
	request := transport.Request{
		Operation:  op.name,
		Method:     op.method,
		Path:       op.path,
		Template:   op.route,
		Query:      op.query,
		Repeatable: op.method != http.MethodPost,
		First:      op.method != http.MethodGet,
		Body:       op.body,
	}
	if op.path == "" {
		request.Path = strings.Replace(op.route, ":id", strconv.FormatInt(op.id, 10), 1)
	}
	if op.in != nil {
		var err error
		if request.Body, err = json.Marshal(op.in); err != nil {
			return nil, invalid("in", "cannot be encoded as JSON", nil)
		}
	}
	if op.create != nil {
		request.Journal = op.create
	}
	o := &outcome{operation: op, client: c, result: c.sender.Send(ctx, request)}
	o.path = request.Path
	err := o.check(ctx)
	if done := c.observer.Done; done != nil {
		done(ctx, op.name, err)
	}
	return o, err
}

// check returns the error of an operation that did not end with a 2xx.
func (o *outcome) check(ctx context.Context) error {
	var refusal error
	if response := o.result.Response; response != nil && !isSuccess(response.StatusCode) {
		refused := o.apiError()
		o.warnOfUnknownMessage(ctx, refused)
		refusal = refused
	}
	if o.result.Err == nil && refusal == nil {
		return nil
	}
	delivery := o.delivery()
	if o.method == http.MethodPost && delivery == DeliveryUnknown {
		return o.fail(ctx, delivery, ErrOutcomeUnknown, refusal, o.result.Err)
	}
	return o.fail(ctx, delivery, refusal, o.result.Err)
}

func isSuccess(status int) bool { return status >= 200 && status < 300 }

// delivery covers all attempts: the response to the last one does not undo what
// an earlier one may have done.
func (o *outcome) delivery() Delivery {
	status := 0
	if o.result.Responded {
		status = o.result.Response.StatusCode
	}
	switch {
	case isSuccess(status):
		return DeliveryAccepted
	case o.result.Undecided:
		return DeliveryUnknown
	case o.result.Responded:
		return deliveryOfStatus(status)
	case !o.result.MaybeSent:
		return DeliveryNotSent
	}
	return DeliveryUnknown
}

func deliveryOfStatus(status int) Delivery {
	switch {
	case isSuccess(status):
		return DeliveryAccepted
	case transport.IsRefusal(status):
		return DeliveryRejected
	}
	return DeliveryUnknown
}

func (o *outcome) apiError() *APIError {
	response := o.result.Response
	message := messageIn(response.Body)
	param, _ := lookUp(message)
	return &APIError{
		StatusCode: response.StatusCode,
		Message:    message,
		Param:      param,
		Method:     o.method,
		Path:       o.path,
		Host:       o.client.host(),
		Attempts:   o.result.Attempts,
		RetryAfter: response.RetryAfter,
		Header:     response.Header,
		Body:       response.Body,

		template:      o.route,
		unprocessable: o.unprocessable,
		redactor:      o.client.redactor,
	}
}

// fail returns the error of an operation from its non-nil causes.
func (o *outcome) fail(ctx context.Context, delivery Delivery, causes ...error) error {
	e := &OpError{
		Operation: o.name, Delivery: delivery, Attempts: o.result.Attempts, redactor: o.client.redactor,
		canRetry: o.result.CanRetry && !delivery.MayExist(), retryAfter: o.result.Wait,
	}
	if o.create != nil {
		intent := o.create.intent
		if ended := o.result.Ended; !ended.IsZero() {
			intent.SentBefore = ended
			if ended.Before(intent.SentAfter) { // the clock was set back meanwhile
				intent.SentAfter = ended
			}
		}
		e.Intent = &intent
	}
	for _, cause := range causes {
		if cause != nil {
			e.Causes = append(e.Causes, cause)
		}
	}
	if logger := o.client.logger; logger != nil && errors.Is(e, ErrOutcomeUnknown) {
		logger.LogAttrs(ctx, slog.LevelWarn, "calls: outcome unknown",
			slog.String("operation", o.name), slog.Int("attempts", e.Attempts), slog.String("error", e.Error()))
	}
	return e
}

func (o *outcome) warnOfUnknownMessage(ctx context.Context, refusal *APIError) {
	logger := o.client.logger
	if logger == nil || refusal.Unwrap() != ErrInvalidRequest { //nolint:errorlint // the sentinel itself, not one below it
		return
	}
	logger.LogAttrs(ctx, slog.LevelWarn, "calls: unknown message",
		slog.String("operation", o.name), slog.String("message", o.client.redactor.Text(refusal.Message)))
}

// decode decodes the response body with by, unless it was truncated.
func (o *outcome) decode(ctx context.Context, by func(body []byte) error) error {
	err := o.result.Response.Truncated
	if err == nil {
		err = by(o.result.Response.Body)
	}
	if err != nil {
		return o.fail(ctx, o.delivery(), ErrUndecodable, err)
	}
	return nil
}

// host returns the host that the Client sends to.
func (c *Client) host() string {
	u, err := url.Parse(c.root)
	if err != nil {
		return ""
	}
	return u.Host
}
