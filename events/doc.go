// Package events receives the external session events of the platform: the
// requests that it sends whenever a call changes its state.
//
//	http.Handle("/ccaip/events", events.Handler(user, password,
//		func(ctx context.Context, e events.Event) error {
//			select {
//			case queue <- e:
//				return nil
//			case <-ctx.Done():
//				return ctx.Err()
//			}
//		}))
//
// Switch them on in the portal, under Settings > Developer Settings > Session
// Data Export: enter the https address of this handler, and the user name and the
// password that it accepts.
//
// # What an event is worth
//
// An event is a hint to look at the call, never the call itself. The platform
// does not document whether it repeats a request that failed, how long it waits
// for a response, or in which order it sends events, and end events have been
// known to be missing. So:
//
//   - Look at the call when an event arrives, and from time to time when none
//     does. The Client of the package calls reads calls back.
//   - Be ready for the same event twice. Handler drops most duplicates, but it
//     forgets old ones, and all of them when the process ends.
//   - Do not rely on the order. The call says what is true now.
//   - Respond soon: put the event into a queue in receive, and work on it later.
//
// # Responses
//
//	status  meaning
//	200     receive returned nil for every event of the request
//	400     the body is not JSON, it has no array of events, or an entry is not
//	        an event; the other entries have been received
//	401     the user name or the password is wrong
//	405     the method is not POST
//	413     the body is larger than MaxBody
//	415     the content type is not application/json
//	500     receive failed or panicked; the other events have been received
//	503     the request ended before all events were received, or Handler was
//	        called with arguments that it cannot work with
//
// # Lenient decoding
//
// No example of a request is documented, and the documents disagree on its
// shape. The data of an event can stand in the event itself or in its "item", a
// key can have any case and be written with or without underscores, and ids and
// timestamps can be numbers or strings. A field that cannot be read is left
// empty and spoils no other. [Event.RawJSON] has what the platform sent.
//
// Reference: "External session events",
// https://docs.cloud.google.com/contact-center/ccai-platform/docs/external-session-events
package events
