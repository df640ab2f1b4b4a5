package senders

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

// sender is one way of a program to send, with what is to arrive.
type sender struct {
	name      string // also the value of the label "sender", by which its series are found
	source    *source
	message   promwire.MessageType
	up        bool // it says by the series up which scrapes failed
	exemplars bool
	native    bool
	noClassic bool // it can't send classic histograms
}

// stand is what a test has set up: who sends, and to whom.
type stand struct {
	receiver  *receiver
	senders   []*sender
	processes []*proc.Process
}

// run starts a program that sends.
func (s *stand) run(t *testing.T, p proc.Program, dir string, args ...string) *proc.Process {
	t.Helper()
	s.processes = append(s.processes, proc.Start(t, p, dir, args...))
	return s.processes[len(s.processes)-1]
}

// add takes a sender in, and returns where it writes to.
func (s *stand) add(x *sender) string {
	s.senders = append(s.senders, x)
	return s.receiver.writeURL(x.name)
}

// runPrometheus has a Prometheus scrape a source of its own and send it, as each of the messages.
func (s *stand) runPrometheus(t *testing.T, p proc.Program, mode string, messages ...promwire.MessageType) {
	t.Helper()
	source := newSource(t, true)
	old := strings.HasPrefix(p.Version, "2.")
	var config strings.Builder
	config.WriteString("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n")
	if !old {
		config.WriteString("  scrape_native_histograms: true\n")
	}
	fmt.Fprintf(&config, "scrape_configs:\n- {job_name: source, static_configs: [{targets: [%q]}]}\nremote_write:\n", serve(t, source))
	for _, m := range messages {
		name := fmt.Sprintf("prometheus-%s-%s-%s", p.Version, mode, m.Version())
		url := s.add(&sender{name: name, source: source, message: m, up: true, exemplars: true, native: true})
		fmt.Fprintf(&config, "- url: %s\n  send_exemplars: true\n  send_native_histograms: true\n  queue_config: {batch_send_deadline: 1s}\n  write_relabel_configs: [{target_label: sender, replacement: %s}]\n", url, name)
		if !old {
			fmt.Fprintf(&config, "  protobuf_message: %s\n", m)
		}
	}
	dir, address := t.TempDir(), proc.FreePorts(t, 1)[0]
	args := []string{
		"--config.file=" + write(t, dir, "prometheus.yml", config.String()), "--web.listen-address=" + address,
		"--scrape.discovery-reload-interval=50ms", // of a few seconds otherwise, before the first scrape
	}
	features := "exemplar-storage"
	if old {
		features += ",native-histograms"
	}
	switch data := filepath.Join(dir, "data"); {
	case mode == "server":
		args = append(args, "--storage.tsdb.path="+data)
	case old:
		features += ",agent"
		args = append(args, "--storage.agent.path="+data)
	default:
		args = append(args, "--agent", "--storage.agent.path="+data)
	}
	s.run(t, p, dir, append(args, "--enable-feature="+features)...).Await(t, func() string { return "http://" + address + "/-/ready" })
}

// runVmagent has one queue, as several send the samples of a series in any order.
func (s *stand) runVmagent(t *testing.T, p proc.Program) {
	t.Helper()
	x := &sender{name: "vmagent-" + p.Version, source: newSource(t, false), message: promwire.WriteV1, up: true}
	dir, address := t.TempDir(), proc.FreePorts(t, 1)[0]
	file := write(t, dir, "scrape.yml", fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\n"+
		"scrape_configs:\n- {job_name: source, static_configs: [{targets: [%q]}]}\n", serve(t, x.source)))
	s.run(t, p, dir, "-promscrape.config="+file, "-remoteWrite.url="+s.add(x), "-remoteWrite.label=sender="+x.name,
		"-remoteWrite.queues=1", "-remoteWrite.tmpDataPath="+filepath.Join(dir, "queue"), "-httpListenAddr="+address,
	).Await(t, func() string { return "http://" + address + "/health" })
}

// runTelegraf sends each metric by itself: of a batch, its serializer keeps only the newest value of each series. Classic
// histograms are left out, as it sends sum and count of 0 with each bucket then.
func (s *stand) runTelegraf(t *testing.T, p proc.Program) {
	t.Helper()
	x := &sender{name: "telegraf-" + p.Version, source: newSource(t, false), message: promwire.WriteV1, noClassic: true}
	dir := t.TempDir()
	s.run(t, p, dir, "--config", write(t, dir, "telegraf.conf", fmt.Sprintf(`[global_tags]
  sender = %q
[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_buffer_limit = 100000
  omit_hostname = true
[[inputs.prometheus]]
  urls = ["http://%s/metrics"]
  metric_version = 2
  fieldinclude = ["scrapes_total", "random"]
[[outputs.http]]
  url = %q
  data_format = "prometheusremotewrite"
  use_batch_format = false
  [outputs.http.headers]
    Content-Type = "application/x-protobuf"
    Content-Encoding = "snappy"
    X-Prometheus-Remote-Write-Version = "0.1.0"
`, x.name, serve(t, x.source), s.add(x))))
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
