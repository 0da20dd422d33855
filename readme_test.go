package calls_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
)

// quickStart is the code of the quick start in the README.
func quickStart(ctx context.Context) error {
	client, err := calls.NewClient("customer", "uc1.ccaiplatform.com", os.Getenv("CCAIP_TOKEN"))
	if err != nil {
		return err
	}
	result, err := client.CreateOutbound(ctx, calls.OutboundRequest{
		AgentEmail:    "agent@example.com",
		EndUserNumber: "+1 859-657-9625",
	})
	switch {
	case errors.Is(err, calls.ErrAgentUnavailable):
		return errors.New("the agent is busy")
	case err != nil:
		return err // see "When a create fails" before trying again
	case result.AwaitsAgent:
		fmt.Println("the agent has to place the call in the widget")
	default:
		fmt.Println("created call", result.Call.ID, result.Call.Status)
	}
	return nil
}

// TestQuickStartOfTheReadme checks that the README shows the body of quickStart,
// and runs it without a token.
func TestQuickStartOfTheReadme(t *testing.T) {
	shown := regexp.MustCompile("(?s)## Quick start\n\n```go\n(.*?)```").FindStringSubmatch(read(t, "README.md"))
	if shown == nil {
		t.Fatal("the README has no quick start")
	}
	if code := strings.ReplaceAll(read(t, "readme_test.go"), "\n\t", "\n"); !strings.Contains(code, shown[1]) {
		t.Errorf("quickStart differs from the README:\n%s", shown[1])
	}
	t.Setenv("CCAIP_TOKEN", "")
	if err := quickStart(t.Context()); err == nil || err.Error() != "calls: NewClient: the token is empty" {
		t.Errorf("without a token: %v", err)
	}
}

// TestTheReadmeLeadsSomewhere checks that the README links to files that exist, and
// mentions every method of the Client, every sentinel and every option.
func TestTheReadmeLeadsSomewhere(t *testing.T) {
	readme := read(t, "README.md")
	for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(filepath.FromSlash(link[1])); err != nil {
			t.Error(err)
		}
	}
	names := sentinelNames(t)
	for method := range reflect.TypeFor[*calls.Client]().Methods() {
		if method.Name != "Format" && method.Name != "LogValue" {
			names = append(names, method.Name)
		}
	}
	for _, option := range regexp.MustCompile(`func (With\w+)\(`).FindAllStringSubmatch(read(t, "options.go"), -1) {
		names = append(names, option[1])
	}
	for _, name := range names {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("the README does not mention %s", name)
		}
	}
	if len(names) < 80 {
		t.Errorf("only %d methods, sentinels and options were found", len(names))
	}
}

// TestTheVersionIsTheNewestOfTheChangelog checks that the version in the User-Agent
// header is the newest release.
func TestTheVersionIsTheNewestOfTheChangelog(t *testing.T) {
	newest := regexp.MustCompile(`(?m)^## \[(\d[^\]]*)\]`).FindStringSubmatch(read(t, "CHANGELOG.md"))
	if newest == nil {
		t.Fatal("the CHANGELOG has no release")
	}
	if newest[1] != calls.Version {
		t.Errorf("calls.Version is %s, and the newest release in the CHANGELOG is %s", calls.Version, newest[1])
	}
}

// TestDependabotWatchesEveryModule checks that dependabot.yml lists the directory of
// each go.mod.
func TestDependabotWatchesEveryModule(t *testing.T) {
	watched := read(t, ".github/dependabot.yml")
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "go.mod" {
			return err
		}
		dir := strings.TrimSuffix("/"+filepath.ToSlash(filepath.Dir(path)), "/.")
		if !strings.Contains(watched, `"`+cmp.Or(dir, "/")+`"`) {
			t.Errorf("dependabot.yml does not have %s", cmp.Or(dir, "/"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
