package callstest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ccaip-go/calls/callstest"
	"golang.org/x/net/http2"
)

// overHTTP2 runs a test over HTTP/2 with ALPN and without TLS.
func overHTTP2(t *testing.T, run func(t *testing.T, s *callstest.Server)) {
	for name, opts := range map[string][]callstest.Option{
		"with ALPN":   {callstest.WithHTTP2(), callstest.WithTLS()},
		"without TLS": {callstest.WithHTTP2()},
	} {
		t.Run(name, func(t *testing.T) { run(t, callstest.NewServer(t, opts...)) })
	}
}

// postOnce creates a call with a body that net/http cannot rewind.
func postOnce(t *testing.T, s *callstest.Server) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL()+callsPath, io.MultiReader(strings.NewReader(outboundBody)))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(s.Subdomain(), s.Token())
	return s.HTTPClient().Do(r)
}

func TestHTTPClientSpeaksHTTP2(t *testing.T) {
	overHTTP2(t, func(t *testing.T, s *callstest.Server) {
		response, err := postOnce(t, s)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if response.Body.Close(); response.ProtoMajor != 2 || response.StatusCode != http.StatusCreated || err != nil {
			t.Errorf("%s %d %s, %v", response.Proto, response.StatusCode, body, err)
		}
		if got := s.Requests()[0]; string(got.Body) != outboundBody || got.Path != callsPath || got.Header.Get("Authorization") == "" {
			t.Errorf("arrived: %+v", got)
		}
	})
}

func TestClientsCanStillUseHTTP1(t *testing.T) {
	overHTTP2(t, func(t *testing.T, s *callstest.Server) {
		transport := s.HTTPClient().Transport.(*http.Transport).Clone()
		defer transport.CloseIdleConnections()
		transport.Protocols = &http.Protocols{}
		transport.Protocols.SetHTTP1(true)
		client := &http.Client{Transport: transport}
		s.Fail(callstest.HangUpBeforeRead, callstest.RefuseStream)
		for range 2 {
			if r := doWith(client, s, http.MethodPost, callsPath, outboundBody); r.err == nil {
				t.Errorf("got %d", r.status)
			}
		}
		wantStatus(t, doWith(client, s, http.MethodPost, callsPath, outboundBody), http.StatusCreated)
	})
}

func TestStreamFaults(t *testing.T) {
	overHTTP2(t, func(t *testing.T, s *callstest.Server) {
		calls := 0
		for i, test := range []struct {
			fault callstest.Fault
			name  string
			acts  bool
			want  string
		}{
			{callstest.RefuseStream, "RefuseStream", false, "REFUSED_STREAM"},
			{callstest.RefuseStreamAfterCreate, "RefuseStreamAfterCreate", true, "REFUSED_STREAM"},
			{callstest.ResetStream(http2.ErrCodeProtocol), "ResetStream(1)", false, "PROTOCOL_ERROR"},
			{callstest.ResetStreamAfterCreate(http2.ErrCodeInternal), "ResetStreamAfterCreate(2)", true, "INTERNAL_ERROR"},
			{callstest.GoAway, "GoAway", false, "GOAWAY"},
			{callstest.GoAwayAfterCreate, "GoAwayAfterCreate", true, "GOAWAY"},
		} {
			if test.fault.String() != test.name || test.fault.Acts() != test.acts {
				t.Errorf("%v acts: %t", test.fault, test.fault.Acts())
			}
			s.Fail(test.fault)
			_, err := postOnce(t, s)
			if test.acts {
				calls++
			}
			isReported := err != nil && (strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "cannot retry"))
			if !isReported || len(s.Requests()) != i+1 || len(s.Calls()) != calls {
				t.Errorf("%v: %v; %d requests, %d calls", test.fault, err, len(s.Requests()), len(s.Calls()))
			}
		}
	})
}

// The requests have no body, so that net/http retries them repeatedly.
func TestRetriesOfNetHTTPMeetTheSameFault(t *testing.T) {
	overHTTP2(t, func(t *testing.T, s *callstest.Server) {
		for _, fault := range []callstest.Fault{callstest.ResetStream(http2.ErrCodeProtocol), callstest.GoAway} {
			before := len(s.Requests())
			s.Fail(fault)
			ctx, cancel := contextUntil(t, func() bool { return len(s.Requests()) >= before+3 })
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+listingPath, nil)
			if response, err := s.HTTPClient().Do(r); err == nil {
				t.Errorf("%v: %s", fault, response.Status)
			}
			cancel()
		}
		wantStatus(t, do(s, http.MethodGet, listingPath, ""), http.StatusOK)
	})
}

func TestStreamFaultsNeedHTTP2(t *testing.T) {
	s, err := callstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Fail(callstest.GoAway, callstest.ResetStream(1))
	want := []string{"GoAway: needs a server with HTTP/2", "ResetStream(1): needs a server with HTTP/2"}
	if got := s.UnusedFaults(); !slices.Equal(got, want) {
		t.Errorf("unused: %q", got)
	}
}

// A body of 64 MiB needs flow control that works in both directions.
func TestFlowControl(t *testing.T) {
	overHTTP2(t, func(t *testing.T, s *callstest.Server) {
		s.Fail(callstest.HugeBody)
		if r := do(s, http.MethodPost, callsPath, outboundBody); r.err != nil || len(r.body) != 64<<20 {
			t.Errorf("%d bytes, %v", len(r.body), r.err)
		}
		if r := do(s, http.MethodPost, callsPath, strings.Repeat(" ", 1<<20-len(outboundBody))+outboundBody); r.status != http.StatusCreated {
			t.Errorf("a request of a mebibyte: %d, %v", r.status, r.err)
		}
		if r := do(s, http.MethodPost, callsPath, strings.Repeat(" ", 3<<20)+outboundBody); r.status != http.StatusRequestEntityTooLarge {
			t.Errorf("a request of three: %d, %v", r.status, r.err)
		}
	})
}

// The client cancels the request in the middle of its body.
func TestTruncatedRequestHasArrived(t *testing.T) {
	overHTTP2(t, func(t *testing.T, s *callstest.Server) {
		broken := errors.New("the body breaks off")
		body := io.MultiReader(bytes.NewReader([]byte(outboundBody[:20])), failing{broken})
		r, _ := http.NewRequest(http.MethodPost, s.URL()+callsPath, body)
		r.SetBasicAuth(s.Subdomain(), s.Token())
		if _, err := s.HTTPClient().Do(r); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		eventually(t, func() bool { return len(s.Requests()) == 1 })
		if got := s.Requests()[0]; string(got.Body) != outboundBody[:20] || len(s.Calls()) != 0 {
			t.Errorf("arrived: %q", got.Body)
		}
	})
}

// failing is a body that cannot be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
