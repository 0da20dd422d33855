// Package calls is a client for the calls API of Contact Center AI Platform
// (CCAI Platform, UJET). It creates outbound, inbound and scheduled telephone
// calls, and reads and changes the customer flag of a call.
//
//	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", token)
//	if err != nil {
//		return err
//	}
//	result, err := client.CreateOutbound(ctx, calls.OutboundRequest{
//		AgentEmail:    "agent@example.com",
//		EndUserNumber: "+1 859-657-9625",
//	})
//
// # When a create fails
//
// The platform has no idempotency key: a create that is sent twice can ring a
// person twice. So the one question after a failed create is whether the call
// can exist, and [DeliveryOf] answers it:
//
//	switch calls.DeliveryOf(err) {
//	case calls.DeliveryNotSent:  // nothing left this machine: try again
//	case calls.DeliveryRejected: // the platform refused: mend the request
//	case calls.DeliveryAccepted: // the call exists: do not try again
//	case calls.DeliveryUnknown:  // it may exist: look before trying again
//	}
//
// # Errors
//
// A problem with a request is the same sentinel whether this package noticed it
// before sending (a [*ValidationError]) or the platform said so (a [*APIError]).
// Branch with errors.Is, look closer with errors.As.
//
// # Attempts
//
// A create is attempted again only when the platform cannot have acted on it:
// not one byte of the request was written, or it answered 429. Anything else
// that leaves its fate open ends it at once, as [ErrOutcomeUnknown]. Reading and
// updating a customer flag is also attempted again after a 5xx answer (but 501)
// and on a broken connection. [RetryPolicy] bounds the attempts; a Retry-After
// is obeyed up to a cap. Redirects are never followed.
//
// # Pacing
//
// The platform allows each customer 10 requests a second, over all of its
// processes. A [Client] never lets more than 10 attempts reach the platform
// within any one second; [WithRateLimiter] shares one budget between processes.
// After a 429 every operation of the Client is held back.
//
// # Secrets
//
// The token, e-mail addresses and telephone numbers are in no log line, no error
// text of this package, and no printed form of a client, a request, a result or
// an error, the last two by pointer, as this package returns them. The platform's
// own messages are passed on in errors.
package calls
