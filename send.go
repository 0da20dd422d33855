package calls

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/ccaip-go/calls/internal/flex"
	"github.com/ccaip-go/calls/internal/redact"
	"github.com/ccaip-go/calls/internal/transport"
)

// operation is one request to the platform. A POST is sent once; every other
// method may be carried out twice without harm.
type operation struct {
	name     string
	method   string
	path     string
	template string // the path as logs show it
	query    string
	body     []byte
	created  *intent // of a create only
}

// outcome is what came of an operation.
type outcome struct {
	operation
	client *Client
	result transport.Result
}

var errNotMade = &failure{
	operation: "Client", delivery: DeliveryNotSent, causes: []error{errors.New("was not made by NewClient")},
}

func (c *Client) isReady() error {
	if c == nil || c.sender == nil {
		return errNotMade
	}
	return nil
}

// send is the one way to the platform. Its outcome is a 2xx answer.
func (c *Client) send(ctx context.Context, op operation) (*outcome, error) {
	if err := c.isReady(); err != nil {
		return nil, err
	}
	result := c.sender.Send(ctx, transport.Request{
		Operation:  op.name,
		Method:     op.method,
		Path:       op.path,
		Template:   op.template,
		Query:      op.query,
		Body:       op.body,
		Repeatable: op.method != http.MethodPost,
	})
	o := &outcome{operation: op, client: c, result: result}
	return o, o.check(ctx)
}

// check returns the error of an operation that did not end with a 2xx answer.
func (o *outcome) check(ctx context.Context) error {
	var said *APIError
	if answer := o.result.Answer; answer != nil && !isSuccess(answer.StatusCode) {
		said = o.apiError()
		o.warnOfUnknownMessage(ctx, said)
	}
	isPost := o.method == http.MethodPost
	switch delivery := o.delivery(); {
	case o.result.Err != nil && isPost && delivery == DeliveryUnknown:
		return o.failed(ctx, delivery, ErrOutcomeUnknown, said, o.result.Err)
	case o.result.Err != nil:
		return o.failed(ctx, delivery, said, o.result.Err)
	case said == nil:
		return nil
	case isPost && delivery == DeliveryUnknown:
		return o.failed(ctx, delivery, ErrOutcomeUnknown, said)
	}
	return said
}

func isSuccess(status int) bool { return status >= 200 && status < 300 }

// delivery is about all attempts: what the last one says does not undo what an
// earlier one may have done.
func (o *outcome) delivery() Delivery {
	status := 0
	if o.result.Answered {
		status = o.result.Answer.StatusCode
	}
	switch {
	case isSuccess(status):
		return DeliveryAccepted
	case o.result.Undecided:
		return DeliveryUnknown
	case o.result.Answered:
		return deliveryOfStatus(status)
	case !o.result.MaybeSent:
		return DeliveryNotSent
	}
	return DeliveryUnknown
}

func (o *outcome) apiError() *APIError {
	answer := o.result.Answer
	message := messageIn(answer.Body)
	param, _ := lookUp(message)
	return &APIError{
		StatusCode: answer.StatusCode,
		Message:    message,
		Param:      param,
		Method:     o.method,
		Path:       o.path,
		Attempts:   o.result.Attempts,
		RetryAfter: answer.RetryAfter,
		Header:     answer.Header,
		Body:       answer.Body,
	}
}

// failed makes the error of an operation from those of its causes that there are.
func (o *outcome) failed(ctx context.Context, delivery Delivery, causes ...error) error {
	f := &failure{operation: o.name, delivery: delivery, attempts: o.result.Attempts, created: o.created}
	for _, cause := range causes {
		if said, ok := cause.(*APIError); cause == nil || ok && said == nil {
			continue
		}
		f.causes = append(f.causes, cause)
	}
	if logger := o.client.logger; logger != nil && errors.Is(f, ErrOutcomeUnknown) {
		logger.LogAttrs(ctx, slog.LevelWarn, "calls: outcome unknown",
			slog.String("operation", o.name), slog.Int("attempts", f.attempts), slog.String("error", redact.Text(f.Error())))
	}
	return f
}

func (o *outcome) warnOfUnknownMessage(ctx context.Context, said *APIError) {
	logger := o.client.logger
	if logger == nil || said.StatusCode != http.StatusBadRequest {
		return
	}
	if _, known := lookUp(said.Message); known != nil {
		return
	}
	logger.LogAttrs(ctx, slog.LevelWarn, "calls: unknown message",
		slog.String("operation", o.name), slog.String("message", redact.Text(said.Message)))
}

// forgiving decodes a body into dst, a struct whose fields may be odd.
func forgiving(dst any) func(body []byte) error {
	return func(body []byte) error { return flex.Decode(body, dst) }
}

// decode has the body of the answer decoded, if it came to its end.
func (o *outcome) decode(ctx context.Context, by func(body []byte) error) error {
	err := o.result.Answer.Cut
	if err == nil {
		err = by(o.result.Answer.Body)
	}
	if err != nil {
		return o.failed(ctx, o.delivery(), ErrUndecodable, err)
	}
	return nil
}

// create is what the three create methods share.
func (c *Client) create(ctx context.Context, request CreateRequest) (*CreateResult, error) {
	if err := c.isReady(); err != nil {
		return nil, err
	}
	body, err := c.encode(request)
	if err != nil {
		return nil, err
	}
	about := request.intent(c.now())
	o, err := c.send(ctx, operation{
		name: request.operation(), method: http.MethodPost,
		path: callsPath, template: callsPath, body: body, created: &about,
	})
	if err != nil {
		return nil, err
	}
	return o.createResult(ctx)
}

// createResult tells a created call from one that an agent has to finish.
func (o *outcome) createResult(ctx context.Context) (*CreateResult, error) {
	answer := o.result.Answer
	switch {
	case answer.StatusCode == http.StatusCreated:
		call := &Call{}
		if err := o.decode(ctx, forgiving(call)); err != nil {
			return nil, err
		}
		if call.ID == 0 {
			return nil, o.failed(ctx, DeliveryAccepted, ErrUndecodable, errors.New("the created call has no id"))
		}
		call.raw = &answer.Body
		o.client.claims.claim(call.ID, o.created)
		return &CreateResult{Call: call}, nil
	case answer.StatusCode == http.StatusAccepted, answer.StatusCode == http.StatusOK && isEcho(answer):
		return &CreateResult{AwaitsAgent: true}, nil
	case answer.StatusCode == http.StatusOK:
		// Somebody else's page: a gateway's, a login form.
		return nil, o.failed(ctx, DeliveryUnknown, ErrOutcomeUnknown, ErrUndecodable, errors.New("a 200 without JSON"))
	}
	return nil, o.failed(ctx, DeliveryUnknown, ErrOutcomeUnknown, o.apiError())
}

// isEcho reports whether a 200 can be the platform's: without a body, or with
// the JSON that echoes the request, of which a part is enough.
func isEcho(answer *transport.Answer) bool {
	body := bytes.TrimSpace(answer.Body)
	return len(body) == 0 || body[0] == '{' && (answer.Cut != nil || json.Valid(body))
}
