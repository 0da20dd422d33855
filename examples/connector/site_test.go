package main

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccaip-go/calls"
	"github.com/ccaip-go/calls/callstest"
	"github.com/ccaip-go/calls/ledger"
)

// site is a connector with a double of the platform, and a person at a browser.
type site struct {
	*testing.T
	service *service
	double  *callstest.Server
	gate    *gate // between the two
	logs    *logs
	url     string
	file    string // of the database
}

func newSite(t *testing.T) *site {
	t.Helper()
	list, err := loadTickets("")
	if err != nil {
		t.Fatal(err)
	}
	return newSiteOf(t, append(list, ticket{ID: "2", Subject: `<script>alert("x")</script>`, Contact: `"><img src=x>`, Agent: "agent@example.com"}))
}

// newSiteOf has tickets of the test's own. The double knows those that have a
// telephone number.
func newSiteOf(t *testing.T, list tickets) *site {
	t.Helper()
	var known tickets
	for _, t := range list {
		if !strings.Contains(t.Contact, "<") {
			known = append(known, t)
		}
	}
	s := &site{T: t, double: callstest.NewServer(t, callstest.WithTickets(known.ofDouble()...)), gate: &gate{}, logs: &logs{}}
	t.Cleanup(func() { s.logs.check(t) })
	s.start(list, filepath.Join(t.TempDir(), "connector.db"))
	return s
}

// another is another instance of the service, on the same database and platform.
func (s *site) another() *site {
	s.Helper()
	o := &site{T: s.T, double: s.double, gate: &gate{}, logs: s.logs, file: s.file}
	o.start(s.service.tickets, s.file)
	return o
}

// start starts the service, and what settles by itself.
func (s *site) start(list tickets, file string) {
	s.Helper()
	logger := slog.New(slog.NewTextHandler(s.logs, nil))
	d := &demo{server: s.double}
	client, err := s.double.NewClient(calls.WithLogger(logger), calls.WithRateLimiter(nil), calls.WithMiddleware(s.gate.wrap),
		calls.WithMiddleware(d.wrap), calls.WithRetry(calls.RetryPolicy{MaxAttempts: 1}))
	if err != nil {
		s.Fatal(err)
	}
	db, err := openDatabase(s.Context(), file)
	if err != nil {
		s.Fatal(err)
	}
	keeper := &ledger.Keeper{Client: client, Tenant: "customer", Skew: 20 * time.Millisecond, Lag: 20 * time.Millisecond}
	s.service, err = newService(s.Context(), db, keeper, list, d, logger)
	if err != nil {
		s.Fatal(err)
	}
	s.file = file
	s.service.sweep, s.service.unread = 10*time.Millisecond, 0
	s.service.patience = time.Minute
	s.service.zone = time.UTC
	server := httptest.NewServer(s.service.handler())
	s.url = server.URL
	ctx, cancel := context.WithCancel(s.Context())
	var sweeps sync.WaitGroup
	sweeps.Go(func() { s.service.keepRecovering(ctx) })
	s.Cleanup(func() {
		s.gate.open()
		server.Close()
		s.service.background.Wait()
		cancel()
		sweeps.Wait()
		_ = db.Close()
	})
}

// seen is a page as the browser has it.
type seen struct {
	status int
	path   string
	header http.Header
	body   string
}

var elements = regexp.MustCompile(`<[^>]*>`)

// text is what a person reads.
func (p seen) text() string {
	return html.UnescapeString(strings.Join(strings.Fields(elements.ReplaceAllString(p.body, " ")), " "))
}

// main is the part of the page that differs from other pages.
func (p seen) main() string {
	_, main, _ := strings.Cut(p.body, "<main>")
	main, _, _ = strings.Cut(main, "</main>")
	return main
}

func (s *site) get(path string) seen {
	s.Helper()
	request, _ := http.NewRequestWithContext(s.Context(), http.MethodGet, s.url+path, nil)
	return s.send(request)
}

func (s *site) post(path string, form url.Values) seen {
	s.Helper()
	return s.send(s.newPost(path, form))
}

func (s *site) newPost(path string, form url.Values) *http.Request {
	request, _ := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return request
}

func (s *site) send(request *http.Request) seen {
	s.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Error(err)
		return seen{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Error(err)
	}
	return seen{status: response.StatusCode, path: response.Request.URL.Path, header: response.Header, body: string(body)}
}

var nonceField = regexp.MustCompile(`name="nonce" value="([^"]*)"`)

// nonceOf is the one of a ticket's Call button, or of the form on another page.
func (s *site) nonceOf(path, action string) string {
	s.Helper()
	return s.nonceIn(s.get(path), action)
}

func (s *site) nonceIn(p seen, action string) string {
	s.Helper()
	_, form, _ := strings.Cut(p.body, `action="`+action+`"`)
	match := nonceField.FindStringSubmatch(form)
	if match == nil {
		s.Fatalf("%s has no form for %s", p.path, action)
	}
	return match[1]
}

// find submits the form of an attempt that needs a person.
func (s *site) find(p seen, finding string) seen {
	s.Helper()
	action := p.path + "/decision"
	return s.post(action, url.Values{"nonce": {s.nonceIn(p, action)}, "finding": {finding}})
}

// lookAgain presses the other button of that form.
func (s *site) lookAgain(p seen) seen {
	s.Helper()
	return s.post(p.path+"/look", url.Values{"nonce": {s.nonceIn(p, p.path+"/decision")}})
}

// call presses the Call button of a ticket.
func (s *site) call(ticketID string) seen {
	s.Helper()
	action := "/tickets/" + url.PathEscape(ticketID) + "/call"
	return s.post(action, url.Values{"nonce": {s.nonceOf("/", action)}})
}

// settled reloads a page until it does not ask for that any more.
func (s *site) settled(p seen) seen {
	s.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if !strings.Contains(p.body, `http-equiv="refresh"`) {
			return p
		}
		p = s.get(p.path)
	}
	s.Fatal("the page does not settle")
	return p
}

// eventually waits for something that happens in the background.
func (s *site) eventually(happens func() bool) {
	s.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if happens() {
			return
		}
	}
	s.Fatal("it does not happen")
}

func (s *site) wants(p seen, status int, texts ...string) {
	s.Helper()
	if p.status != status {
		s.Errorf("%s: status %d, want %d", p.path, p.status, status)
	}
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			s.Errorf("%s does not say %q:\n%s", p.path, text, p.text())
		}
	}
}

// wantsCalls checks how many calls the platform has made.
func (s *site) wantsCalls(n int) {
	s.Helper()
	if made := len(s.double.Calls()); made != n {
		s.Errorf("%d calls were made, want %d", made, n)
	}
}

// gate delays requests to the platform.
type gate struct {
	mu      sync.Mutex
	method  string
	isOpen  chan struct{}
	arrived chan struct{}
}

// hold stops requests of a method until open. The channel is closed when the
// first of them has come.
func (g *gate) hold(method string) (arrived <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.method, g.isOpen, g.arrived = method, make(chan struct{}), make(chan struct{})
	return g.arrived
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.method != "" {
		g.method = ""
		close(g.isOpen)
	}
}

func (g *gate) pass(r *http.Request) {
	g.mu.Lock()
	if r.Method != g.method {
		g.mu.Unlock()
		return
	}
	isOpen := g.isOpen
	if g.arrived != nil {
		close(g.arrived)
		g.arrived = nil
	}
	g.mu.Unlock()
	<-isOpen
}

func (g *gate) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		g.pass(r)
		return next.RoundTrip(r)
	})
}

// logs is what the service has logged.
type logs struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// check is done after every test: no address and no number is logged.
func (l *logs) check(t *testing.T) {
	for _, secret := range []string{"example.com", "657-9625", "6579625", "6861-2345", "123-4567"} {
		if strings.Contains(l.String(), secret) {
			t.Errorf("the log has %q in it:\n%s", secret, l.String())
		}
	}
}
