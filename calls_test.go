package calls_test

import (
	"net/http"
	"runtime"
	"slices"
	"strings"
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
		"two parts":                         {"customer", "uc1.ccaiplatform.com", nil, "customer.uc1.ccaiplatform.com", "customer"},
		"a subdomain of two labels":         {"name-7xd3onk.ue1", "ccaiplatform.com", nil, "name-7xd3onk.ue1.ccaiplatform.com", "name-7xd3onk.ue1"},
		"another user":                      {"name-7xd3onk.ue1", "ccaiplatform.com", []calls.Option{calls.WithUsername("name-7xd3onk")}, "name-7xd3onk.ue1.ccaiplatform.com", "name-7xd3onk"},
		"a host":                            {"", "", []calls.Option{calls.WithHost("ccaip-host.uc1.ccaiplatform.com")}, "ccaip-host.uc1.ccaiplatform.com", "ccaip-host"},
		"a host and a subdomain":            {"customer", "", []calls.Option{calls.WithHost("voice.example.com")}, "voice.example.com", "customer"},
		"a host and both parts":             {"customer", "uc1.ccaiplatform.com", []calls.Option{calls.WithHost("voice.example.com")}, "voice.example.com", "customer"},
		"a host and a user":                 {"", "", []calls.Option{calls.WithUsername("customer"), calls.WithHost("voice.example.com")}, "voice.example.com", "customer"},
		"a host behind a gateway":           {"", "", []calls.Option{calls.WithHost("voice.example.com"), calls.WithBaseURL(gateway)}, "gateway.example.com", "voice"},
		"a gateway, in the other order":     {"", "", []calls.Option{calls.WithBaseURL(gateway), calls.WithHost("voice.example.com")}, "gateway.example.com", "voice"},
		"a gateway, and nothing else":       {"", "", []calls.Option{calls.WithBaseURL(gateway)}, "", ""},
		"a host and a subdomain that is no": {"cust omer", "", []calls.Option{calls.WithHost("voice.example.com")}, "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, user := "", ""
			transport := wire(func(r *http.Request) (*http.Response, error) {
				host = r.URL.Host
				user, _, _ = r.BasicAuth()
				return answer(http.StatusOK, "{}"), nil
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

// A mistake is named, and no value is shown: it can be the token.
func TestMixedUpArgumentsGetAHint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ subdomain, domain, says string }{
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
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(strings.ToLower(err.Error()), "s3cret") {
			t.Errorf("%s: %v, want one that says %q", name, err, tt.says)
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
		host   string // "" for an error that names what is named in says
		says   string
	}{
		{"the three that are required", nil, nil, "customer.uc1.ccaiplatform.com", ""},
		{"with a base URL", map[string]string{"CCAIP_BASE_URL": "https://gateway.example.com"}, nil, "gateway.example.com", ""},
		{"options come after the environment", map[string]string{"CCAIP_BASE_URL": "https://gateway.example.com"},
			[]calls.Option{calls.WithBaseURL("https://other.example.com")}, "other.example.com", ""},
		{"a host", map[string]string{"CCAIP_SUBDOMAIN": "", "CCAIP_DOMAIN": "", "CCAIP_HOST": "voice.example.com"}, nil, "voice.example.com", ""},
		{"a host that is wrong", map[string]string{"CCAIP_HOST": "https://voice.example.com"}, nil, "", "host"},
		{"a host, but no token", map[string]string{"CCAIP_HOST": "voice.example.com", "CCAIP_TOKEN": ""}, nil, "", "CCAIP_TOKEN"},
		{"a user name that is wrong", map[string]string{"CCAIP_USERNAME": "a:b"}, nil, "", "user name"},
		{"no subdomain", map[string]string{"CCAIP_SUBDOMAIN": ""}, nil, "", "CCAIP_SUBDOMAIN"},
		{"no domain", map[string]string{"CCAIP_DOMAIN": ""}, nil, "", "CCAIP_DOMAIN"},
		{"no token", map[string]string{"CCAIP_TOKEN": ""}, nil, "", "CCAIP_TOKEN"},
		{"a token with a line break", map[string]string{"CCAIP_TOKEN": "s3cret-token\n"}, nil, "", "token"},
		{"swapped", map[string]string{"CCAIP_SUBDOMAIN": "uc1.ccaiplatform.com", "CCAIP_DOMAIN": "customer"}, nil, "", "domain"},
		{"a base URL that is wrong", map[string]string{"CCAIP_BASE_URL": "http://gateway.example.com"}, nil, "", "base URL"},
		{"an option that is wrong", nil, []calls.Option{calls.WithAttemptTimeout(0)}, "", "timeout"},
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
			case err == nil && client.String() != "calls.Client{host="+test.host+"}":
				t.Errorf("made %v, want one of %s", client, test.host)
			case err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret")):
				t.Errorf("error %q, want one that says %s", err, test.says)
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
	client, err := calls.NewClientFromEnv(calls.WithHTTPClient(&http.Client{Transport: wire(func(r *http.Request) (*http.Response, error) {
		user, _, _ = r.BasicAuth()
		return answer(http.StatusOK, "{}"), nil
	})}))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()); err != nil || user != "customer" {
		t.Errorf("sent as %q: %v", user, err)
	}
}

func TestOptionsOfTheEnvironmentAreNotKept(t *testing.T) {
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
	if err != nil || client.String() != "calls.Client{host=customer.uc1.ccaiplatform.com}" {
		t.Errorf("%v, %v: the caller's options have changed", client, err)
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
