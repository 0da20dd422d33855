package callstest_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ccaip-go/calls/callstest"
)

// The double is an HTTP server, which can be used without package calls.
func ExampleServer_Fail() {
	server, err := callstest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	server.Fail(callstest.StatusAfterCreate(502), callstest.Pass)

	for range 2 {
		r, err := http.NewRequest(http.MethodPost, server.URL()+"/apps/api/v1/calls", strings.NewReader(`{
			"call_type":       "Voice Outbound (API)",
			"agent_email":     "agent@example.com",
			"end_user_number": "+1 859-657-9625"
		}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		r.SetBasicAuth(server.Subdomain(), server.Token())
		response, err := server.HTTPClient().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = response.Body.Close()
		fmt.Println(response.StatusCode)
	}
	// Retrying after the lost response rang the end user twice.
	fmt.Println(len(server.Calls()), "calls")
	// Output:
	// 502
	// 201
	// 2 calls
}
