package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/cli"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// safeBuffer is for use while a command writes to it.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// An engine gets the credentials that the flags have for it, with writes, reads and queries, and none of the client's.
func TestUpstreamCredentials(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]string{}
	storage := server.NewHandler(promwiretest.NewMemory(promwiretest.TakeOlder))
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		storage.ServeHTTP(w, r)
		mu.Lock()
		defer mu.Unlock()
		seen[r.URL.Path] = fmt.Sprint(user, ":", password, " ", r.Header.Get("X-Own"), " ", r.Header.Get(promwire.HeaderTenant))
	}))
	defer engine.Close()
	config := filepath.Join(t.TempDir(), "engine.yml")
	block := "remote_write: [{url: '" + engine.URL + "/api/v1/write', basic_auth: {username: me, password: secret}, headers: {X-Own: yes}}]"
	if err := os.WriteFile(config, []byte(block), 0o600); err != nil {
		t.Fatal(err)
	}
	withUser := strings.Replace(engine.URL, "http://", "http://me:secret@", 1)
	for _, args := range [][]string{
		{"--upstream", "prometheus=" + engine.URL, "--upstream.config", config},
		{"--upstream", "prometheus=" + withUser, "--upstream.header", "X-Own: yes"},
		{"--upstream", "prometheus=" + engine.URL, "--upstream.header", "X-Own: yes", "--upstream.header", "Authorization: Basic bWU6c2VjcmV0"},
	} {
		clear(seen)
		log := useGateway(t, args, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return seen[server.WritePath] != ""
		})
		for _, path := range []string{server.WritePath, server.ReadPath, "/api/v1/query"} {
			if seen[path] != "me:secret yes team" {
				t.Errorf("%v: %s with %q", args, path, seen[path])
			}
		}
		if strings.Contains(log, "secret") {
			t.Errorf("%v: it tells the password: %s", args, log)
		}
	}
}

// useGateway writes, reads and queries with credentials of its own, and returns all that the gateway says.
func useGateway(t *testing.T, args []string, written func() bool) string {
	t.Helper()
	var out safeBuffer
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int, 1)
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"), "--log-level", "debug"}, args...)
	go func() { code <- cli.Run(ctx, args, cli.IO{Out: &out, Err: &out}) }()
	address := regexp.MustCompile(`remote write +(\S+)/api/v1/write`)
	eventually(t, func() bool { return address.MatchString(out.String()) })
	url := address.FindStringSubmatch(out.String())[1]
	w, err := remote.NewWriteClient(url+server.WritePath, remote.WithBasicAuth("other", "theirs"), remote.WithTenant("team"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(ctx, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "m"), Samples: []promwire.Sample{{Timestamp: 1, Value: 2}},
	}}}); err != nil {
		t.Error(err)
	}
	eventually(t, written)
	for path, want := range map[string]string{"/": "<html", "/ui/status": "prometheus at http://", "/-/ready": "promwire is ready", "/metrics": "promwire_gateway_queries_total 0"} {
		answer := httptest.NewRecorder()
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(answer, resp.Body)
		if resp.Body.Close(); resp.StatusCode != http.StatusOK || !strings.Contains(answer.Body.String(), want) || strings.Contains(answer.Body.String(), "secret") {
			t.Errorf("%s: %d %s, want %s", path, resp.StatusCode, answer.Body, want)
		}
	}
	r, err := remote.NewReadClient(url+server.ReadPath, remote.WithBasicAuth("other", "theirs"), remote.WithTenant("team"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(promwiretest.Select(t, r, "m")); n != 1 {
		t.Errorf("%d series are read", n)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/query", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("other", "theirs")
	req.Header.Set(promwire.HeaderTenant, "team")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	cancel()
	if n := <-code; n != 0 {
		t.Errorf("it ended with %d", n)
	}
	return out.String()
}

// One bad series costs itself, and lies in the dead letters.
func TestUpstreamDeadLetters(t *testing.T) {
	engine := promwiretest.NewReceiver()
	defer engine.Close()
	engine.SetScript(promwiretest.Always(promwiretest.RefuseSeries(func(ls promwire.Labels) bool { return ls.Get("bad") != "" }, promwiretest.RefuseAll)))
	var out safeBuffer
	ctx, cancel := context.WithCancel(t.Context())
	code, letters := make(chan int, 1), filepath.Join(t.TempDir(), "letters")
	args := []string{
		"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--upstream", "prometheus=" + strings.TrimSuffix(engine.URL, server.WritePath),
		"--upstream.dead-letters", letters, "--upstream.bisect", "100", "--upstream.preflight", "strict:drop",
	}
	go func() { code <- cli.Run(ctx, args, cli.IO{Out: &out, Err: &out}) }()
	write := regexp.MustCompile(`remote write +(\S+)`)
	eventually(t, func() bool { return write.MatchString(out.String()) })
	w, err := remote.NewWriteClient(write.FindStringSubmatch(out.String())[1])
	if err != nil {
		t.Fatal(err)
	}
	req := &promwire.WriteRequest{}
	for i := range 20 {
		ls := promwire.LabelsFromMap(map[string]string{"__name__": "m", "i": fmt.Sprint(i), "bad": map[bool]string{true: "yes"}[i == 7]})
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{Labels: ls, Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 2}}})
	}
	if _, err := w.Write(ctx, req); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return len(engine.Series()) == 19 })
	cancel()
	if n := <-code; n != 0 {
		t.Errorf("it ended with %d: %s", n, &out)
	}
	text, err := os.ReadFile(filepath.Join(letters, "upstream.jsonl"))
	if err != nil || !strings.Contains(string(text), `"bad"`) || strings.Count(string(text), "\n") != 1 {
		t.Errorf("letters %s, %v", text, err)
	}
}

func eventually(t *testing.T, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ready(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}
