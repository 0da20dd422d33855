package calls_test

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ccaip-go/calls"
)

// TestTheQuickStartOfTheReadmeCompiles finds the README's code in quickStart,
// which does.
func TestTheQuickStartOfTheReadmeCompiles(t *testing.T) {
	quickStart := regexp.MustCompile("(?s)## Quick start\n\n```go\n(.*?)```").FindStringSubmatch(read(t, "README.md"))
	if quickStart == nil {
		t.Fatal("the README has no quick start")
	}
	if code := strings.ReplaceAll(read(t, "example_test.go"), "\n\t", "\n"); !strings.Contains(code, quickStart[1]) {
		t.Errorf("example_test.go does not have\n%s", quickStart[1])
	}
}

// TestTheReadmeLeadsSomewhere follows its links to files, and looks for every
// exported sentinel and option in it.
func TestTheReadmeLeadsSomewhere(t *testing.T) {
	readme := read(t, "README.md")
	for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(filepath.FromSlash(link[1])); err != nil {
			t.Error(err)
		}
	}
	for file, pattern := range map[string]string{
		"errors.go": `\t(Err\w+) += newSentinel`, "options.go": `func (With\w+)\(`,
	} {
		names := regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, file), -1)
		if len(names) == 0 {
			t.Errorf("%s has no %s", file, pattern)
		}
		for _, name := range names {
			if !strings.Contains(readme, "`"+name[1]+"`") {
				t.Errorf("the README does not tell of %s", name[1])
			}
		}
	}
}

// TestTheVersionIsTheNewestOfTheChangelog keeps the constant that is sent as the
// User-Agent in step with the release that is being made.
func TestTheVersionIsTheNewestOfTheChangelog(t *testing.T) {
	newest := regexp.MustCompile(`(?m)^## \[(\d[^\]]*)\]`).FindStringSubmatch(read(t, "CHANGELOG.md"))
	if newest == nil {
		t.Fatal("the CHANGELOG has no release")
	}
	if newest[1] != calls.Version {
		t.Errorf("calls.Version is %s, and the newest release in the CHANGELOG is %s", calls.Version, newest[1])
	}
}

// TestDependabotWatchesEveryModule finds the directory of each go.mod in the
// configuration of dependabot.
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
