package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// guarded is an engine that takes one Authorization only.
type guarded struct {
	*promwiretest.Receiver
	front *httptest.Server

	mu             sync.Mutex
	wanted         string
	taken, refused int // requests, since wanted is what it is
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{Receiver: promwiretest.NewReceiver(promwiretest.WithoutRequestData())}
	t.Cleanup(g.Close)
	target, err := url.Parse(strings.TrimSuffix(g.URL, "/api/v1/write"))
	if err != nil {
		t.Fatal(err)
	}
	next := httputil.NewSingleHostReverseProxy(target)
	g.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !g.lets(r.Header.Get("Authorization")):
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case r.URL.Path == "/api/v1/query":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("{}"))
		default:
			next.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(g.front.Close)
	return g
}

func (g *guarded) lets(authorization string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if authorization == g.wanted {
		g.taken++
		return true
	}
	g.refused++
	return false
}

// want changes the credentials, and returns when some requests with the old ones were refused.
func (g *guarded) want(t *testing.T, authorization string) {
	t.Helper()
	g.mu.Lock()
	g.wanted, g.taken, g.refused = authorization, 0, 0
	g.mu.Unlock()
	until(t, "requests that are refused", func() bool { return g.count(&g.refused) > 2 })
}

func (g *guarded) count(n *int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return *n
}

// basic is the Authorization of a user and a password.
func basic(password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth("gateway", password)
	return r.Header.Get("Authorization")
}

// TestUpstreamReload changes the credentials of an engine under load, first there, then at the gateway, by SIGHUP and in a
// file: nothing is lost. A configuration that can't be used changes nothing.
func TestUpstreamReload(t *testing.T) {
	engine, dir := newGuarded(t), t.TempDir()
	file := func(name, text string) {
		t.Helper()
		temporary := filepath.Join(dir, name+".new")
		if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temporary, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	configure := func(more string) {
		t.Helper()
		file("engine.yml", fmt.Sprintf("remote_write: [{url: '%s/api/v1/write', queue_config: {max_backoff: 50ms}, %s}]", engine.front.URL, more))
	}
	password := func(p string) string { return fmt.Sprintf("basic_auth: {username: gateway, password: %s}", p) }
	engine.wanted = basic("p0")
	configure(password("p0"))
	p, err := start(dir, nil, "promwire", "serve", "--listen", "127.0.0.1:0", "--data", "data",
		"--upstream", "prometheus="+engine.front.URL, "--upstream.config", filepath.Join(dir, "engine.yml"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	hangup := func(successful int) {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, "reload", func() bool {
			return strings.Contains(get(t, p.url+"/metrics"), fmt.Sprintf("\npromwire_config_last_reload_successful %d\n", successful))
		})
	}
	flows := func() {
		t.Helper()
		until(t, "requests that are taken", func() bool { return engine.count(&engine.taken) > 2 })
		if code, text := request(t, http.MethodGet, p.url+"/api/v1/query?query=up", nil); code != http.StatusOK {
			t.Errorf("a query: %d %s", code, text)
		}
	}
	stop := load(t, p)
	flows()
	for _, next := range []string{"p1", "p2"} {
		engine.want(t, basic(next))
		configure(password(next))
		hangup(1)
		flows()
	}
	file("engine.yml", "remote_write: nonsense")
	hangup(0)
	flows()
	file("token", "t1\n")
	configure("authorization: {credentials_file: token}, write_relabel_configs: [{source_labels: [__name__], regex: noise, action: drop}]")
	engine.want(t, "Bearer t1")
	hangup(1)
	flows()
	engine.want(t, "Bearer t2")
	file("token", "t2\n") // read again without SIGHUP
	flows()
	writeNoise(t, p)
	for _, s := range stop() {
		until(t, "end of the deliveries", func() bool { return s.complete(engine.Receiver) })
		if s.check(t, engine.Receiver); s.acked < 20 {
			t.Errorf("%d requests were acknowledged", s.acked)
		}
	}
	if !strings.Contains(get(t, p.url+"/metrics"), `promwire_relay_refused_samples_total{write="upstream"} 0`) {
		t.Error("something was refused")
	}
	if n := len(engine.Samples(promwire.LabelsFromStrings("__name__", "noise"))); n > 0 {
		t.Error("the new rules are not followed")
	}
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil || strings.Count(p.err.String(), "the old one stays") != 1 {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
}

// load writes until stop, which returns what was written.
func load(t *testing.T, p *process) (stop func() []*relaySource) {
	t.Helper()
	sources := []*relaySource{{id: 0}, {id: 1}}
	var ended atomic.Bool
	var wg sync.WaitGroup
	for _, s := range sources {
		c, err := remote.NewWriteClient(p.write, remote.WithMessageType(s.message()))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for !ended.Load() {
				if err := s.write(context.Background(), c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	stop = func() []*relaySource {
		ended.Store(true)
		wg.Wait()
		return sources
	}
	t.Cleanup(func() { stop() })
	return stop
}

// writeNoise writes what the rules drop, before the last of what they don't.
func writeNoise(t *testing.T, p *process) {
	t.Helper()
	if _, err := writeOne(t, p.write, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "noise"), Samples: []promwire.Sample{{Timestamp: 1, Value: 1}},
	}}}); err != nil {
		t.Fatal(err)
	}
}

// TestUpstreamHangup is no end of a gateway that has nothing to read again.
func TestUpstreamHangup(t *testing.T) {
	engine := promwiretest.NewReceiver()
	defer engine.Close()
	p, err := start(t.TempDir(), nil, "promwire", "serve", "--listen", "127.0.0.1:0", "--data", "data", "--upstream", "prometheus="+strings.TrimSuffix(engine.URL, "/api/v1/write"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	for range 2 {
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		get(t, p.url+"/-/ready")
	}
	writeNoise(t, p)
	until(t, "sample", func() bool { return len(engine.Samples(promwire.LabelsFromStrings("__name__", "noise"))) == 1 })
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil || !strings.Contains(p.err.String(), "there is no --upstream.config to read again") {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
}
