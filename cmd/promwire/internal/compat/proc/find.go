package proc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// Program is a server program to run.
type Program struct {
	Name, Path string
	Version    string // such as "2.42.0"; "" if the file's path, links resolved, does not tell
}

// Find returns the programs of this name, in the order of the folders; none if there are none.
func Find(name string) ([]Program, error) {
	folders := os.Getenv("PROMWIRE_SERVERS")
	if folders == "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return nil, nil
		}
		return []Program{{name, path, version(path)}}, nil
	}
	var found []Program
	for _, folder := range filepath.SplitList(folders) {
		if _, err := os.Stat(folder); err != nil {
			return nil, fmt.Errorf("PROMWIRE_SERVERS: %w", err)
		}
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			found = append(found, Program{name, path, version(path)})
		}
	}
	return found, nil
}

var versionText = regexp.MustCompile(`[-_]([0-9]+\.[0-9]+\.[0-9]+)`)

// version reads the version from the path of a program. Some programs start a server when they are asked.
func version(path string) string {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	all := versionText.FindAllStringSubmatch(path, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// packaged are the programs that Debian has.
var packaged = []string{"prometheus", "promtool", "victoria-metrics", "vmagent", "influxd", "prometheus-pushgateway", "chromium"}

// Must returns the programs of this name. Without any, it fails the test if they are required, and skips it otherwise.
func Must(t testing.TB, name string) []Program {
	t.Helper()
	found, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		return found
	}
	missing := "no " + name + " to test with: put it on the PATH, or its folder into PROMWIRE_SERVERS (see scripts/servers)"
	if required := os.Getenv("PROMWIRE_REQUIRE_SERVERS"); required == "all" || required != "" && slices.Contains(packaged, name) {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return nil
}
