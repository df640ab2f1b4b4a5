package promconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
)

const agentFile = `
global: {scrape_interval: 20s, external_labels: {site: "${SITE}x"}}
scrape_configs:
  - job_name: node
    metrics_path: /m
    params: {module: [x]}
    scheme: https
    honor_labels: true
    honor_timestamps: false
    sample_limit: 7
    body_size_limit: 1MB
    basic_auth: {username: u, password: p}
    static_configs: [{targets: ['h:1', 'h:2'], labels: {zone: z}}]
    relabel_configs: [{source_labels: [__address__], regex: 'h:2', action: drop}]
    metric_relabel_configs: [{regex: gone, action: labeldrop}]
  - job_name: files
    scrape_interval: 5s
    scrape_native_histograms: false
    file_sd_configs: [{files: ['*.json', '*.yml']}]
remote_write: [{url: 'http://h/'}]
`

func TestParseAgent(t *testing.T) {
	t.Setenv("SITE", "s")
	dir := t.TempDir()
	a, err := promconfig.ParseAgent([]byte(agentFile), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Jobs) != 2 || len(a.Writes) != 1 {
		t.Fatalf("%d jobs, %d writes", len(a.Jobs), len(a.Writes))
	}
	j := a.Jobs[0]
	targets, err := j.Find()
	if err != nil || len(targets) != 1 {
		t.Fatal(targets, err)
	}
	want := promwire.LabelsFromStrings("instance", "h:1", "job", "node", "zone", "z")
	if g := targets[0]; g.URL != "https://h:1/m?module=x" || !g.Labels.Equal(want) || g.Interval != 20*time.Second || g.Timeout != 10*time.Second {
		t.Errorf("target %+v", g)
	}
	if !j.HonorLabels || !j.IgnoreTimestamps || j.Limits.Samples != 7 || j.Limits.Body != 1<<20 || j.External.String() != `{site="sx"}` ||
		j.Formats.NoNative || j.Formats.OnlyNative || !strings.HasPrefix(j.Accept, "application/vnd.google.protobuf") {
		t.Errorf("job %+v", j)
	}
	if got := j.Relabel(promwire.LabelsFromStrings("__name__", "a", "gone", "x")); got.String() != "a" {
		t.Errorf("relabelled: %s", got)
	}
	if j := a.Jobs[1]; !j.Formats.NoNative || strings.Contains(j.Accept, "protobuf") {
		t.Errorf("job %+v", j)
	}
}

// Targets in files: what changed is read again, and a file that can't be read counts as it was.
func TestFindInFiles(t *testing.T) {
	dir := t.TempDir()
	a, err := promconfig.ParseAgent([]byte(agentFile), dir)
	if err != nil {
		t.Fatal(err)
	}
	find := func(want, fault string) {
		t.Helper()
		targets, err := a.Jobs[1].Find()
		var got []string
		for _, x := range targets {
			got = append(got, x.Labels.Get("instance"))
		}
		if strings.Join(got, " ") != want || (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("got %s, %v", got, err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	find("", "")
	write("a.json", `[{"targets": ["x:1"]}]`)
	write("b.yml", "- targets: ['y:1', 'y:2']\n")
	find("x:1 y:1 y:2", "")
	find("x:1 y:1 y:2", "")
	write("a.json", `[{"targets": ["x:1", "x:22"]}]`)
	find("x:1 x:22 y:1 y:2", "")
	write("a.json", `[{"targets": [`)
	find("x:1 x:22 y:1 y:2", "a.json")
	write("a.json", `[{"targets": ["x:1/path", "x:333"]}]`)
	find("x:333 y:1 y:2", "x:1/path")
	if err := os.Remove(filepath.Join(dir, "a.json")); err != nil {
		t.Fatal(err)
	}
	find("y:1 y:2", "")
}

func TestParseAgentRefuses(t *testing.T) {
	const write = "\nremote_write: [{url: 'http://h/'}]\n"
	for _, c := range []struct{ name, content, want string }{
		{"nothing", write, "no scrape_configs"},
		{"unknown block", "rule_files: [a.yml]" + write, "line 1: field rule_files not found"},
		{"no name", "scrape_configs: [{static_configs: []}]" + write, "job_name is empty"},
		{"twice", "scrape_configs: [{job_name: a}, {job_name: a}]" + write, "two with this name"},
		{"null", "scrape_configs: [null]" + write, "scrape_configs 1: empty or null"},
		{"timeout", "scrape_configs: [{job_name: a, scrape_interval: 1s, scrape_timeout: 2s}]" + write, "timeout greater than scrape interval"},
		{"target", "scrape_configs: [{job_name: a, static_configs: [{targets: ['http://h/']}]}]" + write, "is not a valid hostname"},
		{"nhcb", "scrape_configs: [{job_name: a, convert_classic_histograms_to_nhcb: true}]" + write, "the agent does not follow it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := promconfig.ParseAgent([]byte(c.content), t.TempDir()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
