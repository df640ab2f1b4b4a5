package backends

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/cli"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/remote"
)

// output is what a command prints, for use while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var relayURL = regexp.MustCompile(`remote write +(\S+)`)

// relayed writes to a promwire relay before the server, as one of the messages.
func relayed(message promwire.MessageType) func(t *testing.T, url string) (promwire.Writer, func()) {
	return func(t *testing.T, url string) (promwire.Writer, func()) {
		t.Helper()
		var out, log output
		ctx, cancel := context.WithCancel(context.Background())
		code := make(chan int, 1)
		dir := t.TempDir()
		args := []string{"relay", "--listen", "127.0.0.1:0", "--spool", filepath.Join(dir, "spool"), "--write", url, "--dead-letters", filepath.Join(dir, "letters"), "--shutdown-timeout", "1m"}
		go func() { code <- cli.Run(ctx, args, cli.IO{Out: &out, Err: &log}) }()
		t.Cleanup(cancel)
		proc.WaitFor(t, "address of the relay", func() bool { return relayURL.MatchString(out.String()) })
		c := client(t, relayURL.FindStringSubmatch(out.String())[1], remote.WithMessageType(message))
		return c, func() {
			cancel() // it delivers what waits, and ends
			if n := <-code; n != 0 || strings.Contains(log.String(), "refused") || strings.Contains(log.String(), "stays in the spool") {
				t.Errorf("the relay ended with %d: %s", n, &log)
			}
		}
	}
}
