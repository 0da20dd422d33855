package calls_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
		"errors.go": `\t(Err\w+) += newSentinel`, "enduser.go": `\t(Err\w+) += newSentinel`,
		"settle.go": `var (Err\w+) = newSentinel`, "list.go": `var (Err\w+) = newSentinel`,
		"options.go": `func (With\w+)\(`,
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

// TestTheListingOfTheAPIIsCurrent makes a change of the public surface a
// deliberate one. To record it: go doc -all . > testdata/api.txt, and the same
// for the other packages.
func TestTheListingOfTheAPIIsCurrent(t *testing.T) {
	for dir, file := range map[string]string{
		".": "testdata/api.txt", "./callstest": "testdata/api_callstest.txt", "./events": "testdata/api_events.txt",
		"./ledger": "testdata/api_ledger.txt", "./ledger/sqlledger": "testdata/api_sqlledger.txt",
	} {
		listing, err := exec.Command("go", "doc", "-all", dir).Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(listing) != read(t, file) {
			t.Errorf("the public surface of %s has changed: go doc -all %s > %s records it", dir, dir, file)
		}
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
