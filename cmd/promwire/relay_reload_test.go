package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// reloadedRelay is a relay whose configuration changes, and a sender before it.
type reloadedRelay struct {
	*process
	config string
	source relaySource
	client *remote.WriteClient
}

func startReloadedRelay(t *testing.T, config string, more ...string) *reloadedRelay {
	t.Helper()
	r := &reloadedRelay{config: filepath.Join(t.TempDir(), "prometheus.yml"), source: relaySource{id: 1}}
	r.configure(t, config)
	r.process = startRelay(t, append([]string{"--spool", filepath.Join(t.TempDir(), "spool"), "--config", r.config}, more...)...)
	var err error
	if r.client, err = remote.NewWriteClient(r.write); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reloadedRelay) configure(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(r.config, []byte("remote_write:\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *reloadedRelay) reload(t *testing.T, text string) {
	t.Helper()
	r.configure(t, text)
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func (r *reloadedRelay) metric(t *testing.T, what, line string) {
	t.Helper()
	until(t, what, func() bool { return strings.Contains(get(t, r.url+"/metrics"), line) })
}

// send writes the next sample, and waits until it has arrived.
func (r *reloadedRelay) send(t *testing.T, to ...*promwiretest.Receiver) {
	t.Helper()
	if err := r.source.write(t.Context(), r.client); err != nil {
		t.Fatal(err)
	}
	for _, target := range to {
		until(t, fmt.Sprintf("sample %d", r.source.acked), func() bool { return r.source.complete(target) })
	}
}

// has demands that a receiver has these samples of a series, and each of them once.
func (r *reloadedRelay) has(t *testing.T, target *promwiretest.Receiver, want ...int64) {
	t.Helper()
	var got []int64
	for _, s := range target.Samples(r.source.labels(0)) {
		got = append(got, s.Timestamp)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("samples %v, want %v", got, want)
	}
}

const (
	reloadGood = "promwire_relay_config_last_reload_successful 1\n"
	reloadBad  = "promwire_relay_config_last_reload_successful 0\n"
)

// On SIGHUP a relay goes on by its new configuration, and by the old one if that is bad.
func TestRelayReload(t *testing.T) {
	one, two := promwiretest.NewReceiver(), promwiretest.NewReceiver()
	defer one.Close()
	defer two.Close()
	block := func(name string, r *promwiretest.Receiver, password, more string) string {
		return fmt.Sprintf("- {name: %s, url: '%s', basic_auth: {username: u, password: %s}, queue_config: {batch_send_deadline: 10ms}%s}\n", name, r.URL, password, more)
	}
	r := startReloadedRelay(t, block("one", one, "old", ""))
	r.metric(t, "figures", reloadGood)
	r.send(t, one)
	r.metric(t, "answer", `pending_samples{write="one"} 0`) // or it would be sent again

	// Another password, and another target, which gets what comes from now on.
	r.reload(t, block("one", one, "new", "")+block("two", two, "x", ", write_relabel_configs: [{source_labels: [series], regex: '1', action: drop}]"))
	r.metric(t, "second target", `pending_samples{write="two"} 0`)
	if err := r.source.write(t.Context(), r.client); err != nil {
		t.Fatal(err)
	}
	until(t, "sample at both", func() bool { return r.source.complete(one) && len(two.Samples(r.source.labels(4))) > 0 })
	r.has(t, one, 1, 2)
	r.has(t, two, 2)
	if n := len(two.Samples(r.source.labels(1))); n > 0 {
		t.Error("the rules of the new target are not followed")
	}
	requests := one.Requests()
	for i, want := range map[int]string{0: "old", len(requests) - 1: "new"} {
		if _, password, _ := (&http.Request{Header: requests[i].Header}).BasicAuth(); password != want {
			t.Errorf("request %d has password %q", i, password)
		}
	}

	// Bad ones change nothing.
	for _, bad := range []string{"nonsense", "- {url: 'foo'}\n", block("one", one, "x", "") + block("one", two, "x", "")} {
		r.reload(t, bad)
		r.metric(t, "failed reload", reloadBad)
		r.send(t, one)
		r.reload(t, block("one", one, "new", "")+block("two", two, "x", ""))
		r.metric(t, "reload", reloadGood)
	}
	if code, _, err := r.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
	log := r.err.String()
	if strings.Count(log, "the old one stays") != 3 || !strings.Contains(log, filepath.Base(r.config)) || !strings.Contains(log, "configuration is read again") {
		t.Errorf("the log is %s", log)
	}
}

// A target that a reload takes away must have got everything, unless what is left may be dropped.
func TestRelayReloadLeftOver(t *testing.T) {
	for _, more := range [][]string{nil, {"--drop-left-over"}} {
		t.Run(strings.Join(more, " "), func(t *testing.T) {
			one, two := promwiretest.NewReceiver(), promwiretest.NewReceiver()
			defer one.Close()
			defer two.Close()
			first := fmt.Sprintf("- {name: one, url: '%s', queue_config: {max_backoff: 30ms, batch_send_deadline: 10ms}}\n", one.URL)
			both := first + fmt.Sprintf("- {name: two, url: '%s', queue_config: {max_backoff: 30ms, batch_send_deadline: 10ms}}\n", two.URL)
			r := startReloadedRelay(t, both, more...)
			r.send(t, one, two)
			two.Stop()
			r.send(t, one)
			r.reload(t, first)
			if more == nil {
				r.metric(t, "failed reload", reloadBad)
				r.send(t, one)
				if err := two.Start(); err != nil {
					t.Fatal(err)
				}
				until(t, "what waited", func() bool { return r.source.complete(two) })
				r.metric(t, "empty spool", `pending_samples{write="two"} 0`)
				r.reload(t, first)
			}
			until(t, "end of the second target", func() bool { return !strings.Contains(get(t, r.url+"/metrics"), `write="two"`) })
			r.metric(t, "reload", reloadGood)
			n := len(two.Samples(r.source.labels(0)))
			r.send(t, one)
			if got := len(two.Samples(r.source.labels(0))); got != n {
				t.Errorf("%d samples at a target that is no more, before %d", got, n)
			}
			if code, _, err := r.end(syscall.SIGTERM); code != 0 || err != nil {
				t.Errorf("code %d, %v", code, err)
			}
			r.source.check(t, one)
			if log := r.err.String(); (more == nil) != strings.Contains(log, "nothing is written to any more: w_two_") {
				t.Errorf("the log is %s", log)
			}
		})
	}
}
