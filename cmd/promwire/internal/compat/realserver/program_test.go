package realserver

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

// program is a Prometheus to run.
type program struct {
	proc.Program
	version      string
	major, minor int
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

var versionText = regexp.MustCompile(`prometheus, version (([0-9]+)\.([0-9]+)\.[0-9]+)`)

// newProgram asks the program for its version.
func newProgram(found proc.Program) (program, error) {
	out, err := exec.Command(found.Path, "--version").CombinedOutput()
	if err != nil {
		return program{}, fmt.Errorf("%s --version: %w", found.Path, err)
	}
	m := versionText.FindSubmatch(out)
	if m == nil {
		return program{}, fmt.Errorf("%s --version does not tell one: %s", found.Path, out)
	}
	p := program{Program: found, version: string(m[1])}
	p.major, _ = strconv.Atoi(string(m[2]))
	p.minor, _ = strconv.Atoi(string(m[3]))
	return p, nil
}

// each runs a test with every server program there is, at the same time as other tests.
func each(t *testing.T, test func(t *testing.T, p program)) {
	t.Helper()
	t.Parallel()
	for _, found := range proc.Must(t, "prometheus") {
		p, err := newProgram(found)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("prometheus-"+p.version, func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}
