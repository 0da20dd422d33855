package calls_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
)

func TestHostsAndUsernames(t *testing.T) {
	t.Parallel()
	const gateway = "https://gateway.example.com"
	tests := map[string]struct {
		subdomain, domain string
		opts              []calls.Option
		host, user        string // "" for an error
	}{
		"two parts":                       {"customer", "uc1.ccaiplatform.com", nil, "customer.uc1.ccaiplatform.com", "customer"},
		"a subdomain of two labels":       {"name-7xd3onk.ue1", "ccaiplatform.com", nil, "name-7xd3onk.ue1.ccaiplatform.com", "name-7xd3onk.ue1"},
		"another user":                    {"name-7xd3onk.ue1", "ccaiplatform.com", []calls.Option{calls.WithUsername("name-7xd3onk")}, "name-7xd3onk.ue1.ccaiplatform.com", "name-7xd3onk"},
		"a host":                          {"", "", []calls.Option{calls.WithHost("ccaip-host.uc1.ccaiplatform.com")}, "ccaip-host.uc1.ccaiplatform.com", "ccaip-host"},
		"a host and a subdomain":          {"customer", "", []calls.Option{calls.WithHost("voice.example.com")}, "voice.example.com", "customer"},
		"a host and both parts":           {"customer", "uc1.ccaiplatform.com", []calls.Option{calls.WithHost("voice.example.com")}, "voice.example.com", "customer"},
		"a host and a user":               {"", "", []calls.Option{calls.WithUsername("customer"), calls.WithHost("voice.example.com")}, "voice.example.com", "customer"},
		"a host behind a gateway":         {"", "", []calls.Option{calls.WithHost("voice.example.com"), calls.WithBaseURL(gateway)}, "gateway.example.com", "voice"},
		"a gateway, in the other order":   {"", "", []calls.Option{calls.WithBaseURL(gateway), calls.WithHost("voice.example.com")}, "gateway.example.com", "voice"},
		"only a gateway":                  {"", "", []calls.Option{calls.WithBaseURL(gateway)}, "", ""},
		"a host and an invalid subdomain": {"cust omer", "", []calls.Option{calls.WithHost("voice.example.com")}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, user := "", ""
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				host = r.URL.Host
				user, _, _ = r.BasicAuth()
				return newResponse(http.StatusOK, "{}"), nil
			})
			opts := append(slices.Clip(tt.opts), calls.WithHTTPClient(&http.Client{Transport: transport}))
			client, err := calls.NewClient(tt.subdomain, tt.domain, "token", opts...)
			checkMade(t, client, err, tt.host != "")
			if err == nil {
				_, err = client.GetCustomerFlag(t.Context(), 397)
			}
			if host != tt.host || user != tt.user || (err == nil) != (tt.host != "") {
				t.Errorf("sent to %q as %q, want %q as %q: %v", host, user, tt.host, tt.user, err)
			}
		})
	}
}

// TestMixedUpArgumentsGetAHint checks that the error has a hint and no value, since the
// value may be the token.
func TestMixedUpArgumentsGetAHint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ subdomain, domain, hint string }{
		"the whole host for the subdomain":     {"s3cret.uc1.ccaiplatform.com", "uc1.ccaiplatform.com", "contains the domain"},
		"the whole host, and a shorter domain": {"s3cret.uc1.ccaiplatform.com", "ccaiplatform.com", "contains the domain"},
		"the whole host, and another region":   {"s3cret.uc1.ccaiplatform.com", "UC2.ccaiplatform.com", "contains the domain"},
		"the whole host, and no domain":        {"s3cret.uc1.ccaiplatform.com", "", "WithHost"},
		"the whole host, and the token":        {"customer.uc1.ccaiplatform.com", "s3cret", "swapped"},
		"the whole host twice":                 {"s3cret.uc1.ccaiplatform.com", "s3cret.uc1.ccaiplatform.com", "contains the domain"},
		"the whole host for the domain":        {"s3cret", "S3cret.uc1.ccaiplatform.com", "begins with the subdomain"},
		"swapped":                              {"uc1.ccaiplatform.com", "s3cret", "swapped"},
		"a URL for the subdomain":              {"https://s3cret.uc1.ccaiplatform.com", "uc1.ccaiplatform.com", "is a URL"},
		"a URL for the domain":                 {"s3cret", "https://uc1.ccaiplatform.com/", "is a URL"},
		"no subdomain":                         {"", "uc1.ccaiplatform.com", "subdomain"},
	}
	for name, tt := range tests {
		_, err := calls.NewClient(tt.subdomain, tt.domain, "token")
		if err == nil || !strings.Contains(err.Error(), tt.hint) || strings.Contains(strings.ToLower(err.Error()), "s3cret") {
			t.Errorf("%s: %v, want %q in it", name, err, tt.hint)
		}
	}
}

func TestNewClientFromEnv(t *testing.T) {
	good := map[string]string{
		"CCAIP_SUBDOMAIN": "customer", "CCAIP_DOMAIN": "uc1.ccaiplatform.com", "CCAIP_TOKEN": "s3cret-token", "CCAIP_BASE_URL": "",
		"CCAIP_HOST": "", "CCAIP_USERNAME": "",
	}
	tests := []struct {
		name   string
		change map[string]string
		opts   []calls.Option
		host   string // "" for an error that contains hint
		hint   string
	}{
		{"the three that are required", nil, nil, "customer.uc1.ccaiplatform.com", ""},
		{"with a base URL", map[string]string{"CCAIP_BASE_URL": "https://gateway.example.com"}, nil, "gateway.example.com", ""},
		{"options come after the environment", map[string]string{"CCAIP_BASE_URL": "https://gateway.example.com"},
			[]calls.Option{calls.WithBaseURL("https://other.example.com")}, "other.example.com", ""},
		{"a host", map[string]string{"CCAIP_SUBDOMAIN": "", "CCAIP_DOMAIN": "", "CCAIP_HOST": "voice.example.com"}, nil, "voice.example.com", ""},
		{"an invalid host", map[string]string{"CCAIP_HOST": "https://voice.example.com"}, nil, "", "host"},
		{"a host, but no token", map[string]string{"CCAIP_HOST": "voice.example.com", "CCAIP_TOKEN": ""}, nil, "", "CCAIP_TOKEN"},
		{"an invalid user name", map[string]string{"CCAIP_USERNAME": "a:b"}, nil, "", "user name"},
		{"no subdomain", map[string]string{"CCAIP_SUBDOMAIN": ""}, nil, "", "CCAIP_SUBDOMAIN"},
		{"no domain", map[string]string{"CCAIP_DOMAIN": ""}, nil, "", "CCAIP_DOMAIN"},
		{"no token", map[string]string{"CCAIP_TOKEN": ""}, nil, "", "CCAIP_TOKEN"},
		{"a token with a line break", map[string]string{"CCAIP_TOKEN": "s3cret-token\n"}, nil, "", "token"},
		{"swapped", map[string]string{"CCAIP_SUBDOMAIN": "uc1.ccaiplatform.com", "CCAIP_DOMAIN": "customer"}, nil, "", "domain"},
		{"an invalid base URL", map[string]string{"CCAIP_BASE_URL": "http://gateway.example.com"}, nil, "", "base URL"},
		{"an invalid option", nil, []calls.Option{calls.WithAttemptTimeout(0)}, "", "timeout"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, variables := range []map[string]string{good, test.change} {
				for name, value := range variables {
					t.Setenv(name, value)
				}
			}
			client, err := calls.NewClientFromEnv(test.opts...)
			checkMade(t, client, err, test.host != "")
			switch {
			case err == nil && fmt.Sprint(client) != "calls.Client{host="+test.host+"}":
				t.Errorf("client %v, want host %s", client, test.host)
			case err != nil && (!strings.Contains(err.Error(), test.hint) || strings.Contains(err.Error(), "s3cret")):
				t.Errorf("error %q, want %s in it", err, test.hint)
			}
		})
	}
}

func TestUsernameFromEnv(t *testing.T) {
	t.Setenv("CCAIP_HOST", "voice.example.com")
	t.Setenv("CCAIP_TOKEN", "s3cret-token")
	t.Setenv("CCAIP_USERNAME", "customer")
	t.Setenv("CCAIP_BASE_URL", "")
	user := ""
	client, err := calls.NewClientFromEnv(calls.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		user, _, _ = r.BasicAuth()
		return newResponse(http.StatusOK, "{}"), nil
	})}))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()); err != nil || user != "customer" {
		t.Errorf("sent as %q: %v", user, err)
	}
}

func TestNewClientFromEnvLeavesTheOptionsOfTheCaller(t *testing.T) {
	t.Setenv("CCAIP_SUBDOMAIN", "customer")
	t.Setenv("CCAIP_DOMAIN", "uc1.ccaiplatform.com")
	t.Setenv("CCAIP_TOKEN", "s3cret-token")
	t.Setenv("CCAIP_BASE_URL", "https://gateway.example.com")
	opts := make([]calls.Option, 1, 4)
	opts[0] = calls.WithAttemptTimeout(time.Second)
	if _, err := calls.NewClientFromEnv(opts...); err != nil {
		t.Fatal(err)
	}
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", "s3cret-token", opts...)
	if err != nil || fmt.Sprint(client) != "calls.Client{host=customer.uc1.ccaiplatform.com}" {
		t.Errorf("%v, %v: the caller's options were changed", client, err)
	}
}

func TestNewClientChecksItsArguments(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	tests := []struct {
		name, subdomain, domain, token string
		ok                             bool
	}{
		{"a subdomain, a domain and a token", "customer", "uc1.ccaiplatform.com", "s3cret-token", true},
		{"a subdomain of two labels", "name-7xd3onk.ue1", "ccaiplatform.com", "s3cret-token", true},
		{"upper case", "Customer", "UC1.ccaiplatform.com", "s3cret-token", true},
		{"the longest label", label, "ccaiplatform.com", "s3cret-token", true},
		{"a token with special characters", "customer", "ccaiplatform.com", "s3cret token:ü/+=", true},
		{"no subdomain", "", "ccaiplatform.com", "s3cret-token", false},
		{"no domain", "customer", "", "s3cret-token", false},
		{"no token", "customer", "ccaiplatform.com", "", false},
		{"a domain without a dot", "customer", "ccaiplatform", "s3cret-token", false},
		{"subdomain and domain swapped", "ccaiplatform.com", "customer", "s3cret-token", false},
		{"domain and token swapped", "customer", "s3cret-token", "ccaiplatform.com", false},
		{"token and subdomain swapped", "s3cret_token=", "ccaiplatform.com", "customer", false},
		{"a URL for a subdomain", "https://customer", "ccaiplatform.com", "s3cret-token", false},
		{"a path behind the domain", "customer", "ccaiplatform.com/apps", "s3cret-token", false},
		{"a port behind the domain", "customer", "ccaiplatform.com:443", "s3cret-token", false},
		{"a user before the domain", "customer", "user@ccaiplatform.com", "s3cret-token", false},
		{"a dot at the beginning", ".customer", "ccaiplatform.com", "s3cret-token", false},
		{"a dot at the end", "customer", "ccaiplatform.com.", "s3cret-token", false},
		{"two dots", "customer", "ccaiplatform..com", "s3cret-token", false},
		{"a hyphen at the end", "customer-", "ccaiplatform.com", "s3cret-token", false},
		{"an underscore", "cust_omer", "ccaiplatform.com", "s3cret-token", false},
		{"space in the subdomain", " customer", "ccaiplatform.com", "s3cret-token", false},
		{"a line break behind the domain", "customer", "ccaiplatform.com\n", "s3cret-token", false},
		{"letters outside ASCII", "cüstomer", "ccaiplatform.com", "s3cret-token", false},
		{"a label that is too long", label + "a", "ccaiplatform.com", "s3cret-token", false},
		{"a domain that is too long", "customer", strings.Repeat(label+".", 4) + "com", "s3cret-token", false},
		{"space before the token", "customer", "ccaiplatform.com", " s3cret-token", false},
		{"a line break behind the token", "customer", "ccaiplatform.com", "s3cret-token\n", false},
		{"a control character in the token", "customer", "ccaiplatform.com", "s3cret\x00token", false},
		{"only space for a token", "customer", "ccaiplatform.com", "  ", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, err := calls.NewClient(test.subdomain, test.domain, test.token)
			checkMade(t, client, err, test.ok)
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the token is in %q", err)
			}
		})
	}
}

func TestURLsOfRequests(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		opts []calls.Option
		want string
	}{
		"the platform":                      {nil, "https://customer.uc1.ccaiplatform.com/apps/api/v1/calls"},
		"a gateway":                         {[]calls.Option{calls.WithBaseURL("https://gateway.example.com")}, "https://gateway.example.com/apps/api/v1/calls"},
		"a final slash":                     {[]calls.Option{calls.WithBaseURL("https://gateway.example.com/")}, "https://gateway.example.com/apps/api/v1/calls"},
		"a path before the path of the API": {[]calls.Option{calls.WithBaseURL("https://gateway.example.com:8443/ujet/eu/")}, "https://gateway.example.com:8443/ujet/eu/apps/api/v1/calls"},
		"an escaped path stays escaped":     {[]calls.Option{calls.WithBaseURL("https://gateway.example.com/a%2Fb")}, "https://gateway.example.com/a%2Fb/apps/api/v1/calls"},
		"the last option wins":              {[]calls.Option{calls.WithBaseURL("https://a.example.com"), calls.WithBaseURL("https://b.example.com")}, "https://b.example.com/apps/api/v1/calls"},
		"a scheme in upper case is lowered": {[]calls.Option{calls.WithBaseURL("HTTPS://gateway.example.com")}, "https://gateway.example.com/apps/api/v1/calls"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := requestSent(t, test.opts...)
			if got := r.URL.String(); got != test.want {
				t.Errorf("sent to %s, want %s", got, test.want)
			}
			if user, password, _ := r.BasicAuth(); user != "customer" || password != "token" {
				t.Error("the credentials are not those of the subdomain")
			}
		})
	}
}

func TestUserAgents(t *testing.T) {
	t.Parallel()
	own := "ccaip-go-calls/" + calls.Version + " (" + runtime.Version() + ")"
	if !regexp.MustCompile(`^ccaip-go-calls/\d+\.\d+\.\d+ \(.*go\d`).MatchString(own) {
		t.Errorf("the user agent %q does not have the documented form", own)
	}
	if got := requestSent(t).UserAgent(); got != own {
		t.Errorf("user agent %q, want %q", got, own)
	}
	if got := requestSent(t, calls.WithUserAgent("crm-connector/2.1")).UserAgent(); got != "crm-connector/2.1 "+own {
		t.Errorf("user agent %q, want crm-connector before %q", got, own)
	}
}

// requestSent returns the request of a create that a client with these options sends.
func requestSent(t *testing.T, opts ...calls.Option) (sent *http.Request) {
	t.Helper()
	client := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = r
		return newResponse(http.StatusAccepted, ""), nil
	}), opts...)
	if _, err := client.CreateOutbound(t.Context(), anOutbound); err != nil {
		t.Fatal(err)
	}
	return sent
}

func checkMade(t *testing.T, client *calls.Client, err error, ok bool) {
	t.Helper()
	switch {
	case ok && (err != nil || client == nil):
		t.Errorf("client %v, error %v", client, err)
	case !ok && (err == nil || client != nil):
		t.Errorf("client %v, error %v, want an error", client, err)
	case !ok && !strings.HasPrefix(err.Error(), "calls: "):
		t.Errorf("error %q has no prefix", err)
	case !ok && calls.DeliveryOf(err) != calls.DeliveryNotSent:
		t.Errorf("%v is %v", err, calls.DeliveryOf(err))
	}
}

func TestClientsThatWereNotMadeReturnErrors(t *testing.T) {
	t.Parallel()
	var none *calls.Client
	for name, client := range map[string]*calls.Client{"nil": none, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			_, outbound := client.CreateOutbound(ctx, anOutbound)
			_, inbound := client.CreateInbound(ctx, anInbound)
			_, scheduled := client.CreateScheduled(ctx, aScheduled)
			_, canceled := client.CancelScheduled(ctx, 397)
			_, canceledMany := client.CancelScheduledMany(ctx, []int64{397})
			_, dialed := client.DialThirdParty(ctx, 397, aThirdParty)
			_, done := client.Do(ctx, http.MethodGet, "calls", nil, nil, nil)
			failed := map[string]error{
				"CreateOutbound": outbound, "CreateInbound": inbound, "CreateScheduled": scheduled,
				"UpdateCustomerFlag": client.UpdateCustomerFlag(ctx, 397, calls.CustomerFlagUpdate{BadActor: ptr(true)}),
				"CancelScheduled":    canceled, "CancelScheduledMany": canceledMany, "DialThirdParty": dialed, "Do": done,
				"Ping":            client.Ping(ctx),
				"Validate":        client.Validate(anOutbound),
				"Validate of nil": client.Validate(nil),
			}
			for name, read := range reads {
				failed[name] = read(ctx, client, 397)
			}
			for operation, err := range failed {
				if err == nil || !strings.Contains(err.Error(), "NewClient") {
					t.Errorf("%s: error %v, want NewClient in it", operation, err)
				}
			}
			if fmt.Sprint(client) != "calls.Client{}" {
				t.Errorf("prints as %q", client)
			}
		})
	}
}

func TestNilContextIsAnError(t *testing.T) {
	t.Parallel()
	var none context.Context
	_, err := newClient(t, untouched(t)).CreateOutbound(none, anOutbound)
	if err == nil || calls.DeliveryOf(err) != calls.DeliveryNotSent {
		t.Errorf("error %v, delivery %v", err, calls.DeliveryOf(err))
	}
}

func TestClientIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":397,"rating":"4"}`)
	}))
	defer server.Close()
	client := newClient(t, nil, calls.WithBaseURL(server.URL), calls.WithLogger(slog.New(slog.DiscardHandler)))
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			result, err := client.CreateInbound(t.Context(), anInbound)
			if err != nil || result.Call.ID != 397 || client.Validate(aScheduled) != nil {
				t.Errorf("result %v, error %v", result, err)
			}
		})
	}
	all.Wait()
}

func TestCustomerFlagUpdateSendsOnlyWhatIsSet(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		update calls.CustomerFlagUpdate
		want   string
	}{
		"only verified":               {calls.CustomerFlagUpdate{VerifiedCustomer: ptr(true)}, `{"verified_customer":true}`},
		"a flag that is set to false": {calls.CustomerFlagUpdate{BadActor: ptr(false)}, `{"bad_actor":false}`},
		"repeat, in both spellings":   {calls.CustomerFlagUpdate{RepeatCustomer: ptr(false)}, `{"repeat_customer":false,"repeat_customers":false}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := ""
			client := newClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				sent = r.Method + " " + r.URL.Path + " " + textOf(r.Body)
				return newResponse(http.StatusNoContent, ""), nil
			}))
			if err := client.UpdateCustomerFlag(t.Context(), 9007199254740993, test.update); err != nil {
				t.Fatal(err)
			}
			if want := "PATCH /apps/api/v1/calls/9007199254740993/customer_flag " + test.want; sent != want {
				t.Errorf("sent %s\nwant %s", sent, want)
			}
		})
	}
}

func TestCustomerFlagArgumentsAreValidated(t *testing.T) {
	t.Parallel()
	update := calls.CustomerFlagUpdate{BadActor: ptr(true)}
	for _, id := range []int64{0, -1, -1 << 63} {
		client := newClient(t, untouched(t))
		_, err := client.GetCustomerFlag(t.Context(), id)
		checkProblems(t, err, []problem{{"id", calls.ErrCallIDInvalid}})
		checkProblems(t, client.UpdateCustomerFlag(t.Context(), id, update), []problem{{"id", calls.ErrCallIDInvalid}})
	}
	err := newClient(t, untouched(t)).UpdateCustomerFlag(t.Context(), 397, calls.CustomerFlagUpdate{})
	checkProblems(t, err, []problem{{"customer_flag", calls.ErrFlagUpdateEmpty}})
}

func TestUndecodableFlag(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>", "[]", "null", `{"bad_actor":`} {
		flag, err := newClient(t, responding(http.StatusOK, body)).GetCustomerFlag(t.Context(), 397)
		if flag != nil || !errors.Is(err, calls.ErrUndecodable) || errors.Is(err, calls.ErrOutcomeUnknown) {
			t.Errorf("body %q: flag %v, error %v", body, flag, err)
		}
	}
}

// TestUpdateAcceptsAny2xx has bodies that are not decoded.
func TestUpdateAcceptsAny2xx(t *testing.T) {
	t.Parallel()
	for status, body := range map[int]string{200: "<html>", 201: "{}", 202: "", 204: ""} {
		err := newClient(t, responding(status, body)).UpdateCustomerFlag(t.Context(), 397, calls.CustomerFlagUpdate{BadActor: ptr(true)})
		if err != nil {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

// TestAClientIsSmall leaves room for a thousand customers in a process.
func TestAClientIsSmall(t *testing.T) {
	const n = 1000
	clients := make([]*calls.Client, n)
	goroutines, before := runtime.NumGoroutine(), heapInUse()
	for i := range clients {
		var err error
		if clients[i], err = calls.NewClient("customer", "uc1.ccaiplatform.com", "token"); err != nil {
			t.Fatal(err)
		}
	}
	size := (float64(heapInUse()) - float64(before)) / n
	t.Logf("%.0f bytes for each Client", size)
	if size >= 2<<10 {
		t.Errorf("%.0f bytes for each Client", size)
	}
	if more := runtime.NumGoroutine() - goroutines; more > 0 {
		t.Errorf("%d goroutines more", more)
	}
	runtime.KeepAlive(clients)
}
