package realserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// program is a Prometheus to run.
type program struct {
	path, version string
	major, minor  int
}

// speaksV2 says whether it receives and sends Remote Write 2.0. Older ones answer 204 to it and store nothing.
func (p program) speaksV2() bool { return p.major >= 3 }

// features returns the flag that enables what the program keeps behind one and the tests need, and more.
func (p program) features(more ...string) []string {
	names := append([]string{"exemplar-storage"}, more...)
	if p.major < 3 {
		names = append(names, "native-histograms")
	}
	return []string{"--enable-feature=" + strings.Join(names, ",")}
}

// programs finds the servers to test with.
var programs = sync.OnceValues(func() ([]program, error) {
	var found []program
	for _, path := range filepath.SplitList(os.Getenv("PROMWIRE_PROMETHEUS")) {
		p, err := newProgram(path)
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	if len(found) > 0 {
		return found, nil
	}
	path, err := exec.LookPath("prometheus")
	if err != nil {
		return nil, nil
	}
	p, err := newProgram(path)
	return []program{p}, err
})

var versionText = regexp.MustCompile(`prometheus, version (([0-9]+)\.([0-9]+)\.[0-9]+)`)

// newProgram asks the program for its version.
func newProgram(path string) (program, error) {
	out, err := exec.Command(path, "--version").CombinedOutput()
	if err != nil {
		return program{}, &programError{path, err.Error()}
	}
	m := versionText.FindSubmatch(out)
	if m == nil {
		return program{}, &programError{path, "its --version does not tell one: " + string(out)}
	}
	p := program{path: path, version: string(m[1])}
	p.major, _ = strconv.Atoi(string(m[2]))
	p.minor, _ = strconv.Atoi(string(m[3]))
	return p, nil
}

type programError struct{ path, text string }

func (e *programError) Error() string { return "prometheus at " + e.path + ": " + e.text }

// each runs a test with every server program there is, at the same time as other tests.
func each(t *testing.T, test func(t *testing.T, p program)) {
	t.Helper()
	t.Parallel()
	found, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		const missing = "no real server to test with: put prometheus on the PATH or its path into PROMWIRE_PROMETHEUS"
		if os.Getenv("PROMWIRE_REQUIRE_SERVERS") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	for _, p := range found {
		t.Run("prometheus-"+p.version, func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}
