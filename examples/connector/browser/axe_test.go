package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	axePackage = "axe-core@4.14.1"
	axeScript  = "package/axe.min.js"
)

// fetchAxe returns the script of axe-core or, where npm cannot fetch it, "" and why
// it cannot.
func fetchAxe(t *testing.T) (script, whyNot string) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		return "", "there is no npm here to fetch axe-core with; on Debian: apt-get install npm"
	}
	dir := t.TempDir()
	var stderr bytes.Buffer
	pack := exec.CommandContext(t.Context(), "npm", "pack", axePackage, "--silent", "--pack-destination", dir)
	pack.Dir, pack.Stderr = dir, &stderr
	out, err := pack.Output()
	if err != nil {
		return "", fmt.Sprintf("npm cannot fetch %s here: %v\n%s", axePackage, err, stderr.String())
	}
	lines := strings.Fields(string(out))
	if len(lines) == 0 {
		t.Fatal("npm does not name the file that it has written")
	}
	script, err = extract(filepath.Join(dir, lines[len(lines)-1]), axeScript)
	if err != nil {
		t.Fatal(err)
	}
	return script, ""
}

// extract returns a file of an archive.
func extract(archive, name string) (string, error) {
	f, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("%s is not in %s", name, archive)
		}
		if err != nil {
			return "", err
		}
		if header.Name == name {
			content, err := io.ReadAll(files)
			return string(content), err
		}
	}
}
