// Package callstest is a double of the platform that the package calls talks
// to: an HTTP server in the test's own process, which answers as the platform
// documents it, remembers what it was asked to do, and breaks on request.
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
// Where the platform's documents are silent the double has to choose: the order
// of its checks, the messages of refusals that are not documented, the default
// page of the listing. Do not test against those.
//
// # The default world
//
// Every server has these, and takes more of each by option.
//
//	agent                  answer
//	agent@example.com      201
//	busy@example.com       400, "Agent is not available to take this call"
//	forbidden@example.com  400, "Agent does not have access to make calls"
//	chooser@example.com    202: the agent has yet to place the call
//	prompted@example.com   200: the same, with a body
//	any other              400, "Not a valid agent email"
//
//	menu            channels
//	9 "Lock Star"   IVR, mobile, web
//	10 "Web"        web
//	11 "IVR"        IVR
//	12 "Redirected" IVR, mobile, web; in manual redirection
//	13 "Closed"     IVR, mobile, web; after hours
//	50 "Nowhere"    none
//
//	ticket        end user
//	71450, 76517  +1 859-657-9625
//	1             none: "Contact not found", as for any other
//
//	language             answer
//	en, fr-CA, es, ko    available
//	fr                   400, "Language 'fr' is not available"
//	any other, as xy     400, "Language 'xy' is not found"
//
// The default outbound number is +1 339-219-5276. The first call has the id 397.
//
// # Faults
//
// [Server.Fail] scripts what goes wrong, one [Fault] for each attempt. A fault
// acts if the operation is carried out in spite of it.
//
//	fault                    acts  the client sees
//	RefuseConnection         no    a refused connection
//	BreakHandshake           no    a failed TLS handshake
//	HangUpBeforeRead         no    the end of the connection; the request did not arrive
//	HangUpAfterRead          no    the end of the connection
//	HangUpAfterCreate        yes   the same
//	Reset                    no    a reset of the connection
//	ResetAfterCreate         yes   the same
//	Stall                    no    nothing, until it gives up
//	StallAfterCreate         yes   the same
//	NotHTTP                  no    something that is not HTTP
//	RefuseStream             no    REFUSED_STREAM, over HTTP/2
//	RefuseStreamAfterCreate  yes   the same
//	ResetStream(code)        no    a reset of the stream with that code, over HTTP/2
//	ResetStreamAfterCreate(code)  yes   the same
//	GoAway                   no    GOAWAY with a last stream below the request's, over HTTP/2
//	GoAwayAfterCreate        yes   the same
//	CutStatusLine            yes   half of the first line
//	CutHeaders               yes   half of the header
//	CutBody                  yes   half of the body
//	StallBody                yes   half of the body, and then nothing
//	DripBody                 yes   the answer, byte by byte
//	HugeBody                 yes   the answer, in 64 MiB
//	Status(code)             no    that status
//	StatusAfterCreate(code)  yes   that status
//	RateLimited(retryAfter)  no    429
//	Redirect(code, location) no    a redirection
//	CloseIdle                yes   its idle connections broken, and the answer
//	Pass                     yes   the answer
package callstest
