// Package calls is a client for the calls API of Contact Center AI Platform
// (CCAI Platform, UJET). It creates outbound, inbound and scheduled telephone
// calls, reads and changes the customer flag of a call, and finds out what became
// of a call.
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
// Make one [Client] for each customer with [NewClient] or [NewClientFromEnv] and
// share it: it is safe for concurrent use, and it paces all that goes through it.
// [Client.Ping] checks the host, the credentials and the access.
//
// # Creating calls
//
// [Client.CreateOutbound], [Client.CreateInbound] and [Client.CreateScheduled]
// each take a request of their own; [Client.Create] takes any of the three. A
// request is validated before anything is sent, and [Client.Validate] does only
// that. [UnmarshalRequest] reads a request back from a queue.
//
// A create is sent once. If the context ends while a create is under way, its
// outcome is unknown, so a handler passes context.WithoutCancel(r.Context()) with
// a deadline of its own.
//
// # When a create fails
//
// The platform has no idempotency key: a create that is sent twice can ring a
// person twice. So one question matters after a failed create: can the call exist?
// [DeliveryOf] answers it:
//
//	switch calls.DeliveryOf(err) {
//	case calls.DeliveryNotSent:  // nothing left: fix the request, or send it again if RetryAfter says so
//	case calls.DeliveryRejected: // the platform refused: fix the request
//	case calls.DeliveryAccepted: // the call exists: do not send it again
//	case calls.DeliveryUnknown:  // the call may exist: find out before sending it again
//	}
//
// [Delivery.MayExist] is the last two, and [RetryAfter] reports whether and when
// the same request can be sent again. An error of an operation is [ValidationErrors]
// or an [*OpError]; [IntentOf] returns the [Intent] of a create that failed: what its
// call can be recognized by. [Client.Settle] looks for the call in the platform's
// listing, and [Client.SettleAll] looks for many in one listing.
//
// # Beyond one process
//
// An Intent marshals to JSON and outlives the process. [Client.Prepare] makes a
// create that can wait in a table or a queue, and [Client.Send] sends it and tells a
// [Journal] about each attempt before its first byte leaves. Package
// [github.com/ccaip-go/calls/ledger] keeps creates in a store of yours: whatever is
// killed, redeployed or paused, each call is created once, and what is in doubt is
// settled or shown to a person.
//
// # Errors
//
// A problem with a request is the same sentinel whether this package found it
// before sending ([ValidationErrors]) or the platform reported it ([*APIError]).
// Branch with errors.Is, look closer with errors.As.
//
// # Attempts
//
// One attempt is at most one request on the wire, over HTTP/1 and HTTP/2. A create
// is retried only if the platform cannot have acted on it: the request provably did
// not leave, or the response was 429. Everything else that leaves its outcome open
// ends it at once with [ErrOutcomeUnknown]. Reads, updates and cancellations are
// also retried after a 5xx response other than 501, and on a broken connection.
// [RetryPolicy] bounds the attempts; a Retry-After header is obeyed up to a cap.
// Redirects are never followed.
//
// # Pacing
//
// The platform allows each customer 10 requests a second, over all of its
// processes. A Client lets at most 10 of its attempts reach the platform within any
// one second, as long as the way there takes no more than 100 ms longer for one
// request than for another. Creates go before reads. [WithRateLimiter] shares one
// budget between processes. After a 429 every operation of the Client is held back.
//
// # Reading calls back
//
// [Client.ListCalls] lists calls, [Client.FindCall] finds one, and
// [Client.TailCalls] follows all changes. [Client.WatchCall] and
// [Client.WatchCalls] follow the status of calls; these two and Settle share one
// reader, so that a thousand watched calls cost the requests of one. Package
// [github.com/ccaip-go/calls/events] receives the events that the platform posts;
// [Client.LookNow] has the next poll begin at once.
//
// # More of the platform
//
// [Client.CancelScheduled] and [Client.CancelScheduledMany] cancel scheduled calls,
// [Client.DialThirdParty] dials a third party into a call, and
// [Client.AuthenticateEndUser] says who the end user is. [Client.QueueStatus],
// [Client.QueueOperation] and [Client.WaitTimes] say what a queue can take before a
// call is created for it. [Client.Do] sends a request to an endpoint that has no
// method.
//
// # Testing
//
// Package [github.com/ccaip-go/calls/callstest] is a double of the platform with
// state, every documented response, and faults on request.
//
// # Private data
//
// The token, e-mail addresses and telephone numbers are in no log line, no error
// text and no printed form of the types of this package. [APIError] keeps the
// platform's own words in Message, Param, Header and Body, and [Call.RawJSON] keeps
// the platform's JSON: do not log those. What a caller encodes as JSON keeps all of
// its data. No method can keep fmt from showing the fields of a struct that is given
// by value to %p or %w, or slog's JSON handler from showing those of a slice of
// requests.
//
// # The platform's documentation
//
// Doc comments name the page that they follow. The pages are below
// https://docs.cloud.google.com/contact-center/ccai-platform/docs/:
// "Apps API" (apps-api), "Call endpoints" (apps-api-call), "Manager API"
// (manager-api, manager-api-pagination-tailing), "Reason codes and statuses",
// callback-call-api, apps-api-add-third-party-to-call,
// apps-api-queue-status-endpoint, apps-api-queue-operation-statuses,
// apps-api-wait-time, mid-session-authentication-apps-api,
// external-session-events.
package calls
