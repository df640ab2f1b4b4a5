package realserver

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

// instance is a running Prometheus.
type instance struct {
	program
	url string // without a slash at the end
}

func (s *instance) writeURL() string { return s.url + "/api/v1/write" }
func (s *instance) readURL() string  { return s.url + "/api/v1/read" }

// start runs a server with this configuration on a free port until the test ends.
func start(t *testing.T, p program, config string, flags ...string) *instance {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	args := append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver", "--storage.remote.flush-deadline=1s",
		"--scrape.discovery-reload-interval=50ms", // of a few seconds otherwise, before the first scrape
	}, flags...)
	s := &instance{program: p}
	running := proc.Start(t, p.Program, dir, args...)
	running.Await(t, func() string {
		m := listening.FindStringSubmatch(running.Log.String())
		if m == nil {
			return ""
		}
		s.url = "http://" + m[1]
		return s.url + "/-/ready"
	})
	return s
}

// listening is how a server says which port it has got.
var listening = regexp.MustCompile(`msg="Listening on".* address=(127\.0\.0\.1:[0-9]+)`)

// waitFor asks again and again until the answer is yes.
func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	proc.WaitFor(t, what, ready)
}
