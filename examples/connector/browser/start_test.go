package browser

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// person uses a window and a connector that no other test uses.
type person struct {
	t    *testing.T
	ctx  context.Context // the window's
	site string
}

// sitDown starts a connector with more arguments, and opens a window.
func sitDown(t *testing.T, args ...string) *person {
	t.Helper()
	if browser == nil {
		t.Skip("there is no Chromium here; on Debian: apt-get install chromium")
	}
	return visitor(t, startConnector(t, args...))
}

// visitor uses another window, with cookies of its own, and the same connector.
func visitor(t *testing.T, site string) *person {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // opens the window, without a deadline
		t.Fatal(err)
	}
	return &person{t: t, ctx: ctx, site: site}
}

// startBrowser starts the browser that all tests share. It returns nil if there is
// none here.
func startBrowser(dir string) (ctx context.Context, stop func(), err error) {
	path := findBrowser()
	if path == "" {
		return nil, func() {}, nil
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(dir),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	ctx, stopBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeWindow := chromedp.NewContext(ctx)
	stop = func() {
		closeWindow()
		stopBrowser()
	}
	return ctx, stop, chromedp.Do(ctx)
}

func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Shared by all tests.
var (
	binary  string          // of the connector
	browser context.Context // nil if there is none here
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "connector")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "connector")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	var stop func()
	browser, stop, err = startBrowser(filepath.Join(dir, "profile"))
	defer stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// startConnector starts the connector on the double, and has it shut down at the
// end of the test as an operator would.
func startConnector(t *testing.T, args ...string) (site string) {
	t.Helper()
	connector := exec.Command(binary, append([]string{"-addr", "127.0.0.1:0", "-settle", "3s"}, args...)...)
	connector.Env = withoutPlatform(os.Environ())
	connector.Stderr = t.Output()
	stdout, err := connector.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := connector.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutDown(t, connector) })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	site, isAddress := strings.CutPrefix(strings.TrimSpace(line), "Open ")
	if err != nil || !isAddress {
		t.Fatalf("the connector says %q, %v", line, err)
	}
	return site
}

func shutDown(t *testing.T, connector *exec.Cmd) {
	_ = connector.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(20*time.Second, func() { _ = connector.Process.Kill() })
	defer kill.Stop()
	if err := connector.Wait(); err != nil {
		t.Errorf("the connector ended with: %v", err)
	}
}

// withoutPlatform removes the account from the environment: on a real platform calls
// ring.
func withoutPlatform(environ []string) []string {
	var kept []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "CCAIP_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// callButton is the Call button of a ticket.
func callButton(ticket string) chromedp.CSS {
	return chromedp.CSS("form[action='/tickets/" + ticket + "/call'] button")
}

func press(ticket string) chromedp.Action[chromedp.Void] { return chromedp.Click(callButton(ticket)) }

// arm has the double do something to the next call.
func (p *person) arm(trick string) {
	p.t.Helper()
	p.do(p.visit("/"), chromedp.Click(chromedp.CSS("aside button[value="+trick+"]")), chromedp.WaitVisible(chromedp.CSS("aside strong")))
}

// see waits for an element with a text.
func see(element, text string) chromedp.Action[chromedp.Void] {
	return chromedp.WaitVisible(fmt.Sprintf("//%s[normalize-space()=%q]", element, text))
}

func (p *person) visit(path string) chromedp.Action[chromedp.Void] {
	return chromedp.Navigate(p.site + path)
}

func (p *person) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	for _, action := range actions {
		get(p, action)
	}
}

func get[T any](p *person, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

// colleague is another person at the same connector.
func (p *person) colleague() *person {
	p.t.Helper()
	return visitor(p.t, p.site)
}

// wantCalls checks that the calls up to the id last exist, and no more.
func (p *person) wantCalls(last int) {
	p.t.Helper()
	for id, want := range map[int]string{
		last:     fmt.Sprintf("Customer flag of call %d", last),
		last + 1: "There is no such call",
	} {
		p.do(p.visit(fmt.Sprintf("/calls/%d/flags", id)))
		if title := get(p, chromedp.Text(chromedp.CSS("h1"))); title != want {
			p.t.Errorf("of call %d the page says %q, want %q", id, title, want)
		}
	}
}
