package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/promwire/promwire/promwiretest"
)

// TestRelayEmptySecret empties the file with the credentials while the relay runs: nothing is sent without them, what was
// acknowledged waits, the log and a metric say so, and it is sent when they are there again.
func TestRelayEmptySecret(t *testing.T) {
	target := promwiretest.NewReceiver()
	defer target.Close()
	token := filepath.Join(t.TempDir(), "token")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("secret")
	r := startReloadedRelay(t, fmt.Sprintf(
		"- {name: one, url: '%s', authorization: {credentials_file: '%s'}, queue_config: {max_backoff: 30ms, batch_send_deadline: 10ms}}\n", target.URL, token))
	r.send(t, target)
	put("")
	r.send(t)
	until(t, "retries", func() bool {
		text := get(t, r.url+"/metrics")
		return strings.Contains(text, `retries_total{write="one"}`) && !strings.Contains(text, `retries_total{write="one"} 0`)
	})
	put("secret")
	until(t, "sample that waited", func() bool { return r.source.complete(target) })
	r.source.check(t, target)
	for _, request := range target.Requests() {
		if got := request.Header.Get("Authorization"); got != "Bearer secret" {
			t.Errorf("sent with %q", got)
		}
	}
	if code, _, err := r.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
	if !strings.Contains(r.err.String(), token+" is empty") {
		t.Errorf("the log does not say why: %s", r.err)
	}
}
