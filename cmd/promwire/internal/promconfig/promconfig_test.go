package promconfig_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
	"github.com/promwire/promwire/remote"
)

// whole is a prometheus.yml as people have it.
const whole = `
global:
  scrape_interval: 15s
scrape_configs:
  - job_name: node
    kubernetes_sd_configs: [{role: pod}]
rule_files: [a.yml]
remote_write:
  - url: http://127.0.0.1:9/api/v1/push
    name: mimir
    remote_timeout: 7s
    protobuf_message: io.prometheus.write.v2.Request
    headers: {X-Scope-OrgID: team}
    basic_auth: {username: u, password_file: secret}
    queue_config: {max_samples_per_send: 500, batch_send_deadline: 3s, capacity: 9999, max_shards: 7, min_backoff: 1s, max_backoff: 2s, sample_age_limit: 1h}
    write_relabel_configs:
      - source_labels: [__name__]
        regex: go_.*
        action: drop
      - target_label: cluster
        replacement: eu
    metadata_config: {send: true, send_interval: 1m}
  - url: https://user:pass@example.org:8443/api/v1/write?x=1
    send_exemplars: false
    tls_config: {insecure_skip_verify: true}
`

func load(t *testing.T, content string) ([]*promconfig.RemoteWrite, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("p4ss\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return promconfig.Load(path)
}

func TestLoad(t *testing.T) {
	blocks, err := load(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 2 {
		t.Fatalf("%d blocks", len(blocks))
	}
	a, b := blocks[0], blocks[1]
	if a.Name != "mimir" || a.Message != promwire.WriteV2 || a.Timeout != 7*time.Second || a.MaxSamples != 500 ||
		a.MinBackoff != time.Second || a.MaxBackoff != 2*time.Second || a.MaxAge != time.Hour || a.BatchDeadline != 3*time.Second ||
		strings.Join(a.Ignored, " ") != "queue_config.capacity queue_config.max_shards metadata_config" ||
		a.DropExemplars || a.PassesThrough() {
		t.Errorf("first block: %+v", a)
	}
	if b.Name != "example.org_8443_api_v1_write" || b.Message != "" || b.Timeout != 30*time.Second || !b.DropExemplars ||
		b.DropHistograms || b.MinBackoff != 0 || b.BatchDeadline != 0 || b.Place() != "https://example.org:8443/api/v1/write" {
		t.Errorf("second block: %+v", b)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"nothing", "", "no remote_write block"},
		{"unknown field", "remote_write:\n  - url: http://h/\n    urll: x\n", "line 3: field urll not found"},
		{"unknown block", "remote_wite: []\n", "remote_wite not found"},
		{"no URL", "remote_write: [{name: x}]\n", "url for remote_write is empty"},
		{"scheme", "remote_write: [{url: 'ftp://h/'}]\n", "want http or https"},
		{"two auths", "remote_write: [{url: 'http://h/', bearer_token: x, basic_auth: {username: u}}]\n", "at most one of"},
		{"reserved header", "remote_write: [{url: 'http://h/', headers: {Content-Type: x}}]\n", "Content-Type"},
		{"twice", "remote_write: [{url: 'http://h/'}, {url: 'http://h/'}]\n", "give the blocks different names"},
		{"regex", "remote_write: [{url: 'http://h/', write_relabel_configs: [{regex: '('}]}]\n", "missing closing"},
		{"message", "remote_write: [{url: 'http://h/', protobuf_message: v3}]\n", "protobuf_message"},
		{"null", "remote_write: [null]\n", "block 1: it is empty"},
		{"huge", "#" + strings.Repeat("x", 5<<20), "more than a configuration can"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := load(t, c.content); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// Client and relabelling of a block, as a receiver sees them.
func TestClientRelabels(t *testing.T) {
	var got http.Header
	var body []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		body = decode(t, r)
		w.Header().Set(promwire.HeaderSamplesWritten, "1")
	}))
	defer srv.Close()
	blocks, err := load(t, strings.Replace(whole, "http://127.0.0.1:9", srv.URL, 1))
	if err != nil {
		t.Fatal(err)
	}
	client, err := blocks[0].Client()
	if err != nil {
		t.Fatal(err)
	}
	w := blocks[0].Relabel(client)
	for range 2 { // the second time from what is remembered
		stats, err := w.Write(t.Context(), request("go_info", "up"))
		if err != nil || stats.Samples != 2 {
			t.Fatalf("%+v, %v", stats, err)
		}
		if user, pass, _ := (&http.Request{Header: got}).BasicAuth(); user != "u" || pass != "p4ss" || got.Get("X-Scope-OrgID") != "team" {
			t.Errorf("headers %v", got)
		}
		if len(body) != 1 || body[0] != `up{cluster="eu"}` {
			t.Errorf("body %v", body)
		}
	}
}

// What the receiver refuses is named by its place in the original request.
func TestRelabelKeepsIndices(t *testing.T) {
	blocks, err := load(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	w := blocks[0].Relabel(refuseAll{})
	stats, err := w.Write(t.Context(), request("go_a", "a", "go_b", "b"))
	partial, ok := err.(*promwire.PartialWriteError)
	if !ok || stats.Samples != 2 || partial.Written.Samples != 2 {
		t.Fatalf("%+v, %v", stats, err)
	}
	if partial.Refused[0].Series != 1 || partial.Refused[1].Series != 3 {
		t.Errorf("refused %v", partial.Refused)
	}
}

// Credentials of a block stay with its server: a redirect elsewhere is not followed, one within it is.
func TestRedirects(t *testing.T) {
	led := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led++ }))
	defer elsewhere.Close()
	for _, c := range []struct {
		to    string
		taken bool
	}{{elsewhere.URL + "/there", false}, {"/there", true}} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/there" {
				http.Redirect(w, r, c.to, http.StatusTemporaryRedirect)
			}
		}))
		blocks, err := load(t, "remote_write: [{url: '"+srv.URL+"/write', protobuf_message: prometheus.WriteRequest, basic_auth: {username: u, password: p}}]\n")
		if err != nil {
			t.Fatal(err)
		}
		client, err := blocks[0].Client(remote.WithoutRetry())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Write(t.Context(), request("up")); (err == nil) != c.taken {
			t.Errorf("to %s: %v", c.to, err)
		}
		srv.Close()
	}
	if led > 0 {
		t.Error("the password is led elsewhere")
	}
}
