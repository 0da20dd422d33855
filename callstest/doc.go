// Package callstest provides a double of the platform for tests of programs that use
// package [github.com/ccaip-go/calls]: an HTTP server in the test's process that
// responds as documented, keeps state, and fails on request. No call reaches a person.
//
//	func TestCallBack(t *testing.T) {
//		server := callstest.NewServer(t)
//		client, err := server.NewClient()
//		if err != nil {
//			t.Fatal(err)
//		}
//
//		server.Fail(callstest.RefuseConnection)
//		_, err = client.CreateOutbound(t.Context(), calls.OutboundRequest{
//			AgentEmail:    "agent@example.com",
//			EndUserNumber: "+1 859-657-9625",
//		})
//		if err != nil {
//			t.Fatal(err)
//		}
//		if n := len(server.Calls()); n != 1 {
//			t.Errorf("%d calls, want 1", n)
//		}
//	}
//
// [Server.Requests] and [Server.Calls] return what reached the server and the calls that
// it created. [Server.Advance] and [Server.Script] move calls through their statuses.
// Outside of a test, start a server with [Start], or as a program with cmd/ccaip-double.
//
// Where the documentation of the platform is silent, the double makes choices of its own:
// the order of its checks, the messages of undocumented refusals, the defaults of the
// listing. Tests should not depend on them.
//
// # The default world
//
// Every server starts with the following agents, menus, tickets and languages.
// [WithAgents], [WithMenus], [WithTickets] and [WithLanguages] add to them or replace
// them.
//
//	agent                  response to a create
//	agent@example.com      201
//	busy@example.com       400, "Agent is not available to take this call"
//	forbidden@example.com  400, "Agent does not have access to make calls"
//	chooser@example.com    202: the agent must place the call
//	prompted@example.com   200 with a body: the agent must place the call
//	any other              400, "Not a valid agent email"
//
//	menu            types
//	9 "Lock Star"   IVR, mobile, web
//	10 "Web"        web
//	11 "IVR"        IVR
//	12 "Redirected" IVR, mobile, web; in manual redirection
//	13 "Closed"     IVR, mobile, web; after hours
//	50 "Nowhere"    none
//
//	ticket        end user
//	71450, 76517  +1 859-657-9625
//	1             none: "Contact not found", as for an unknown ticket
//
//	language             response
//	en, fr-CA, es, ko    available
//	fr                   400, "Language 'fr' is not available"
//	any other, as xy     400, "Language 'xy' is not found"
//
// The default outbound number is +1 339-219-5276. The id of the first call is 397.
//
// # Faults
//
// [Server.Fail] scripts failures: one [Fault] for each attempt of a client. A fault acts
// if the double carries the operation out in spite of it. A scripted fault that no
// attempt meets fails the test.
//
//	fault                         acts  what the client sees
//	RefuseConnection              no    a refused connection
//	BreakHandshake                no    a failed TLS handshake
//	HangUpBeforeRead              no    a closed connection; the request did not arrive
//	HangUpAfterRead               no    a closed connection
//	HangUpAfterCreate             yes   a closed connection
//	Reset                         no    a reset of the connection
//	ResetAfterCreate              yes   a reset of the connection
//	Stall                         no    nothing, until it times out
//	StallAfterCreate              yes   nothing, until it times out
//	NotHTTP                       no    a line that is not HTTP
//	RefuseStream                  no    REFUSED_STREAM, over HTTP/2
//	RefuseStreamAfterCreate       yes   REFUSED_STREAM, over HTTP/2
//	ResetStream(code)             no    RST_STREAM with the code, over HTTP/2
//	ResetStreamAfterCreate(code)  yes   RST_STREAM with the code, over HTTP/2
//	GoAway                        no    GOAWAY with a last stream below the request's, over HTTP/2
//	GoAwayAfterCreate             yes   GOAWAY with a last stream below the request's, over HTTP/2
//	CutStatusLine                 yes   half of the status line
//	CutHeaders                    yes   half of the header
//	CutBody                       yes   half of the body
//	StallBody                     yes   half of the body, and nothing more until it times out
//	DripBody                      yes   the response, byte by byte
//	HugeBody                      yes   the response, with a body of 64 MiB
//	Status(code)                  no    that status
//	StatusAfterCreate(code)       yes   that status
//	RateLimited(retryAfter)       no    429
//	Redirect(code, location)      no    a redirect
//	CloseIdle                     yes   broken idle connections, and then the response
//	Pass                          yes   the response
//
// # Virtual time
//
// [Server.InProcess] is a transport without a network. With it and
// WithClock(time.Now), a test in a testing/synctest bubble waits through retries, polling
// and rate limits without taking real time.
//
//	server := callstest.NewServer(t, callstest.WithClock(time.Now))
//	synctest.Test(t, func(t *testing.T) {
//		client, err := server.NewClient(calls.WithHTTPClient(&http.Client{Transport: server.InProcess()}))
//		...
//	})
//
// # Events
//
// [Server.PostEvents] posts the platform's session events to a handler, such as that of
// package events. An [EventOption] makes it post them twice, in reverse, or without the
// end of a call.
//
// # Conformance tests
//
// [TestLedgerStore] checks an implementation of ledger.Store, such as a table in your own
// database, and [TestRateLimiter] checks a calls.RateLimiter.
package callstest
