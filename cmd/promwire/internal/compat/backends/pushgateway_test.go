package backends

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/cli"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/promwiretest"
)

// TestPushgateway lets promwire agent scrape a Pushgateway, as Prometheus is to scrape one: with the labels that jobs have
// pushed, which without --honor-labels make way for those of the gateway. What is deleted there is marked as stale.
func TestPushgateway(t *testing.T) {
	t.Parallel()
	for _, p := range proc.Must(t, "prometheus-pushgateway") {
		t.Run(p.Version, func(t *testing.T) {
			t.Parallel()
			address := proc.FreePorts(t, 1)[0]
			s := proc.Start(t, p, t.TempDir(), "--web.listen-address="+address)
			s.Await(t, func() string { return "http://" + address + "/-/ready" })
			group := "http://" + address + "/metrics/job/nightly/instance/host-1"
			send(t, http.MethodPost, group, "# TYPE rows_total counter\nrows_total{table=\"a b\"} 85.5\n")
			honored, renamed := promwiretest.NewReceiver(), promwiretest.NewReceiver()
			t.Cleanup(honored.Close)
			t.Cleanup(renamed.Close)
			scrape(t, "http://"+address+"/metrics", honored.URL, "--honor-labels")
			scrape(t, "http://"+address+"/metrics", renamed.URL)
			kept := promwire.LabelsFromStrings("__name__", "rows_total", "instance", "host-1", "job", "nightly", "table", "a b")
			moved := promwire.LabelsFromStrings("__name__", "rows_total", "exported_instance", "host-1", "exported_job", "nightly",
				"instance", address, "job", "gateway", "table", "a b")
			for _, x := range []struct {
				r  *promwiretest.Receiver
				ls promwire.Labels
			}{{honored, kept}, {renamed, moved}} {
				awaitReceived(t, x.r, func() bool { return len(x.r.Samples(x.ls)) >= 2 })
				if v := x.r.Samples(x.ls)[1].Value; v != 85.5 {
					t.Errorf("%s is %v", x.ls, v)
				}
			}
			up := promwire.LabelsFromStrings("__name__", "up", "instance", address, "job", "gateway")
			if len(honored.Samples(up)) == 0 || honored.Samples(up)[0].Value != 1 {
				t.Errorf("up %v", honored.Samples(up))
			}
			send(t, http.MethodDelete, group, "")
			awaitReceived(t, honored, func() bool {
				all := honored.Samples(kept)
				return promwire.IsStaleNaN(all[len(all)-1].Value)
			})
		})
	}
}

// scrape runs an agent until the test ends.
func scrape(t *testing.T, target, write string, more ...string) {
	t.Helper()
	var log output
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	args := append([]string{"agent", "--scrape", target, "--write", write, "--job", "gateway", "--interval", "200ms", "--batch-deadline", "0"}, more...)
	go func() { code <- cli.Run(ctx, args, cli.IO{Out: &log, Err: &log}) }()
	t.Cleanup(func() {
		cancel()
		if n := <-code; n != 0 || t.Failed() {
			t.Errorf("the agent ended with %d: %s", n, &log)
		}
	})
}

func send(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s", method, url, resp.Status)
	}
}
