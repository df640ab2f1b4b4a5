package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// On SIGHUP an agent goes on by its new configuration, and by the old one if that is bad. What waits is not lost.
func TestAgentReload(t *testing.T) {
	for _, more := range [][]string{nil, {"--spool", filepath.Join(t.TempDir(), "spool")}} {
		t.Run(fmt.Sprint(len(more)), func(t *testing.T) {
			one, two := promwiretest.NewReceiver(), promwiretest.NewReceiver()
			defer one.Close()
			defer two.Close()
			first, instance, _ := exposes(t, "a 1\nb 1\n")
			_, other, _ := exposes(t, "c 1\n")
			path := filepath.Join(t.TempDir(), "agent.yml")
			configure := func(text string) {
				t.Helper()
				if err := os.WriteFile(path, []byte("global: {scrape_interval: 50ms, scrape_timeout: 50ms}\n"+text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			jobs := "scrape_configs: [{job_name: j, static_configs: [{targets: ['" + strings.TrimSuffix(strings.TrimPrefix(first, "http://"), "/metrics") + "']}]%s}%s]\n"
			configure(fmt.Sprintf(jobs, "", "") + "remote_write: [{name: one, url: '" + one.URL + "', queue_config: {capacity: 10}}]\n")
			p := startAgent(t, append([]string{"--config", path, "--batch-deadline", "20ms", "--listen", "127.0.0.1:0"}, more...)...)
			series := func(name, instance string) promwire.Labels {
				return promwire.LabelsFromStrings("__name__", name, "instance", instance, "job", "j")
			}
			until(t, "first samples", func() bool { return len(one.Samples(series("b", instance))) > 0 })
			until(t, "address", func() bool { return strings.Contains(p.text(), "msg=listening") })
			url := regexp.MustCompile(`msg=listening url=(\S+)`).FindStringSubmatch(p.text())[1]

			// Another place, another target, one series less; the queue of the first place has to be another one.
			configure(fmt.Sprintf(jobs, ", metric_relabel_configs: [{source_labels: [__name__], regex: b, action: drop}]",
				", {job_name: k, static_configs: [{targets: ['"+other+"']}]}") +
				"remote_write:\n- {name: one, url: '" + one.URL + "', queue_config: {batch_send_deadline: 10ms, max_samples_per_send: 3}}\n- {name: two, url: '" + two.URL + "'}\n")
			hangUp(t, p)
			c := promwire.LabelsFromStrings("__name__", "c", "instance", other, "job", "k")
			until(t, "samples of the new target at both places", func() bool { return len(one.Samples(c)) > 0 && len(two.Samples(c)) > 0 })
			until(t, "stale marker", func() bool {
				s := one.Samples(series("b", instance))
				return promwire.IsStaleNaN(s[len(s)-1].Value)
			})

			// A bad one changes nothing.
			configure("nonsense")
			hangUp(t, p)
			until(t, "log", func() bool { return strings.Contains(p.text(), "the old one stays") })
			if text := get(t, url+"/metrics"); !strings.Contains(text, "promwire_agent_config_last_reload_successful 0\n") {
				t.Errorf("figures %s", text)
			}
			n := len(two.Samples(c))
			until(t, "more samples", func() bool { return len(two.Samples(c)) > n })

			// One place less.
			configure(fmt.Sprintf(jobs, "", "") + "remote_write: [{name: one, url: '" + one.URL + "'}]\n")
			hangUp(t, p)
			waits := 0 // reloads that were refused since the place had not got all
			until(t, "end of a place", func() bool {
				if n := strings.Count(p.text(), "the spool holds data for a place"); n > waits {
					waits = n
					hangUp(t, p)
				}
				return strings.Contains(p.text(), "nothing is written there any more")
			})
			until(t, "figures", func() bool {
				text := get(t, url+"/metrics")
				return strings.Contains(text, "promwire_agent_config_last_reload_successful 1\n") && !strings.Contains(text, `write="two"`)
			})
			n = len(one.Samples(series("b", instance)))
			until(t, "samples that are there again", func() bool { return len(one.Samples(series("b", instance))) > n })
			p.end(t, syscall.SIGTERM, 30e9)
			samples := one.Samples(series("a", instance))
			for i := 1; i < len(samples); i++ {
				if samples[i].Timestamp < samples[i-1].Timestamp || promwire.IsStaleNaN(samples[i].Value) {
					t.Errorf("sample %d: %+v after %+v", i, samples[i], samples[i-1])
				}
			}
			if log := p.text(); strings.Count(log, "queue_config.capacity") != 1 || !strings.Contains(log, "samples_dropped=0") {
				t.Errorf("the log does not say what is ignored, or samples were dropped")
			}
		})
	}
}

func hangUp(t *testing.T, p *agentProcess) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// sample_age_limit drops what is too old when it is sent, and nothing beside it.
func TestRelayAgeLimit(t *testing.T) {
	for _, m := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		r := promwiretest.NewReceiver()
		defer r.Close()
		dir := t.TempDir()
		config := filepath.Join(dir, "prometheus.yml")
		text := "remote_write: [{name: here, url: '" + r.URL + "', queue_config: {sample_age_limit: 1h, batch_send_deadline: 1s, capacity: 5}}]"
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := startRelay(t, "--spool", filepath.Join(dir, "spool"), "--config", config)
		c, err := remote.NewWriteClient(p.write, remote.WithMessageType(m))
		if err != nil {
			t.Fatal(err)
		}
		young, old := promwire.LabelsFromStrings("__name__", "young"), promwire.LabelsFromStrings("__name__", "old")
		now := time.Now().UnixMilli()
		for range 2 {
			_, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
				{Labels: old, Samples: []promwire.Sample{{Timestamp: now - 3_601_000, Value: 1}}},
				{Labels: young, Samples: []promwire.Sample{{Timestamp: now - 3_601_000, Value: 1}, {Timestamp: now, Value: 2}}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Labels: young, Samples: []promwire.Sample{{Timestamp: now + 1, Value: 3}}}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		until(t, "end of the delivery", func() bool { return strings.Contains(get(t, p.url+"/metrics"), "pending_samples{write=\"here\"} 0\n") })
		got := r.Samples(young)
		if len(r.Samples(old)) != 0 || len(got) != 4 || got[0].Value != 2 || got[1].Value != 3 {
			t.Errorf("%s: old %v, young %v", m, r.Samples(old), got)
		}
		metrics := get(t, p.url+"/metrics")
		for _, want := range []string{"dropped_samples_total{write=\"here\"} 4\n", "sent_samples_total{write=\"here\"} 4\n"} {
			if !strings.Contains(metrics, want) {
				t.Errorf("no %s in %s", want, metrics)
			}
		}
		if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil || !strings.Contains(p.err.String(), "queue_config.capacity") || strings.Contains(p.err.String(), "batch_send_deadline") {
			t.Errorf("code %d, %v, %s", code, err, p.err)
		}
	}
}
