package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
	"github.com/promwire/promwire/spool"
)

// target keeps the series that it gets, by tenant, and counts how they came.
type target struct {
	mu       sync.Mutex
	series   map[string][]string
	requests int
}

func (w *target) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	if w.series == nil {
		w.series = map[string][]string{}
	}
	tenant := promwire.TenantFromContext(ctx)
	for _, ts := range req.Timeseries {
		w.series[tenant] = append(w.series[tenant], ts.Labels.String())
	}
	return req.Stats(), nil
}

// bodies returns how many requests came as they were.
func (w *bodyTarget) bodies() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// bodyTarget is a target that takes bodies.
type bodyTarget struct {
	target
	count int
}

func (w *bodyTarget) WriteBody(_ context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	return b.Stats()
}

func request(values ...string) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for _, v := range values {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels: promwire.LabelsFromStrings("__name__", "m", "team", v), Samples: []promwire.Sample{{Timestamp: 1, Value: 2}},
		})
	}
	return req
}

// fixture is a relay with a spool of its own, which post writes to.
type fixture struct {
	*Relay
	log bytes.Buffer
}

func start(t *testing.T, c Config, opts ...spool.Option) *fixture {
	t.Helper()
	f := &fixture{}
	var err error
	if c.Spool, err = spool.Open(t.TempDir(), opts...); err != nil {
		t.Fatal(err)
	}
	if c.Mode == "" {
		c.Mode = Replicate
	}
	c.Logger = slog.New(slog.NewTextHandler(&f.log, nil))
	if f.Relay, err = New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.outlets.Close() })
	return f
}

// post writes a message, and returns the answer.
func (f *fixture) post(t *testing.T, path string, body []byte, m promwire.MessageType) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", m.ContentType())
	req.Header.Set("Content-Encoding", "snappy")
	answer := httptest.NewRecorder()
	f.ServeHTTP(answer, req)
	return answer
}

func encoded(t *testing.T, req *promwire.WriteRequest, m promwire.MessageType) []byte {
	t.Helper()
	msg, err := req.AppendProto(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	b, err := promwire.Snappy.AppendEncoded(nil, msg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// finish ends the relay when all is forwarded.
func (f *fixture) finish(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := f.End(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("the end: %v, %v", err, ctx.Err())
	}
}

func TestCheck(t *testing.T) {
	one := []Target{{Name: "a", Writer: &target{}}}
	for want, c := range map[string]Config{
		"there are no targets":         {Mode: Replicate},
		`mode "both": want replicate`:  {Mode: "both", Targets: one},
		"target a is there twice":      {Mode: Replicate, Targets: append(one[:1:1], one[0])},
		"target a: ":                   {Mode: Replicate, Targets: one, TenantLabel: "__name__"},
		"target : remote: NewSharded:": {Mode: Shard, Targets: []Target{{Writer: &target{}}}},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		s, err := spool.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		c.Spool = s
		if _, err := New(c); err == nil {
			t.Errorf("a relay in spite of: %s", want)
		}
		if _, err := s.Write(t.Context(), request("x")); !errors.Is(err, spool.ErrClosed) {
			t.Errorf("%s: the spool is not closed: %v", want, err)
		}
	}
	if err := (&Config{Mode: Shard, Targets: one}).Check(); err != nil {
		t.Error(err)
	}
}

// The road to a target is the target itself where nothing has to change: only so can requests pass undecoded.
func TestRoad(t *testing.T) {
	w := &bodyTarget{}
	same := func(w promwire.Writer) promwire.Writer { return w }
	other := func(w promwire.Writer) promwire.Writer { return &target{} }
	for name, c := range map[string]struct {
		config Config
		before func(promwire.Writer) promwire.Writer
		direct bool
	}{
		"as it is":         {Config{Mode: Replicate}, nil, true},
		"nothing to do":    {Config{Mode: Replicate}, same, true},
		"relabelled":       {Config{Mode: Replicate}, other, false},
		"split by tenants": {Config{Mode: Replicate, TenantLabel: "team"}, nil, false},
		"sharded":          {Config{Mode: Shard}, nil, false},
	} {
		c.config.Targets = []Target{{Name: "a", Writer: w, Before: c.before}}
		road, _, err := c.config.road(0)
		if err != nil || (road == promwire.Writer(w)) != c.direct {
			t.Errorf("%s: direct %t, %v", name, road == promwire.Writer(w), err)
		}
	}
}

// Each series of a sharded relay goes to the target that the rule names, and to no other.
func TestShard(t *testing.T) {
	all, targets := []*target{{}, {}, {}}, []Target(nil)
	rule := map[string]promwire.Writer{}
	for i, w := range all {
		name := fmt.Sprint(i)
		targets = append(targets, Target{Name: name, Writer: w})
		rule[name] = w
	}
	sharded, err := remote.NewSharded(rule)
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, Config{Mode: Shard, Targets: targets})
	var want [3][]string
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprint("team", i))
	}
	req := request(names...)
	for _, ts := range req.Timeseries {
		at := int(sharded.Target(ts.Labels)[0] - '0')
		want[at] = append(want[at], ts.Labels.String())
	}
	if got := f.post(t, server.WritePath, encoded(t, req, promwire.WriteV2), promwire.WriteV2); got.Code != http.StatusNoContent {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	f.finish(t)
	for i, w := range all {
		if !slices.Equal(w.series[""], want[i]) || len(want[i]) == 0 {
			t.Errorf("target %d got %v, want %v", i, w.series[""], want[i])
		}
	}
	sent := int64(0)
	for _, figures := range f.outlets.Figures() {
		sent += figures.Sent
	}
	if sent != 50 {
		t.Errorf("%d samples sent, of 50", sent)
	}
}

func TestTenants(t *testing.T) {
	for _, keep := range []bool{false, true} {
		w := &target{}
		f := start(t, Config{Targets: []Target{{Name: "a", Writer: w}}, TenantLabel: "team", KeepLabel: keep})
		body := encoded(t, request("red", "blue", "red"), promwire.WriteV1)
		if got := f.post(t, server.WritePath, body, promwire.WriteV1); got.Code != http.StatusNoContent {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		f.finish(t)
		red, blue := `m{team="red"}`, `m{team="blue"}`
		if !keep {
			red, blue = "m", "m"
		}
		for tenant, want := range map[string][]string{"red": {red, red}, "blue": {blue}, "": nil} {
			got := w.series[tenant]
			for i := range got {
				got[i] = strings.NewReplacer(`{__name__="m"}`, "m", `{__name__="m", team=`, "m{team=").Replace(got[i])
			}
			if !slices.Equal(got, want) {
				t.Errorf("keep %t: tenant %q got %q, want %q", keep, tenant, got, want)
			}
		}
	}
}

// What it answers to whom, and what it counts of it.
func TestServe(t *testing.T) {
	w := &bodyTarget{}
	f := start(t, Config{Targets: []Target{{Name: "a", Writer: w}}})
	good := encoded(t, request("x", "y"), promwire.WriteV2)
	for _, path := range []string{server.WritePath, server.PushPath, ReceivePath} {
		got := f.post(t, path, good, promwire.WriteV2)
		if got.Code != http.StatusNoContent || got.Header().Get(promwire.HeaderSamplesWritten) != "2" {
			t.Errorf("%s: %d %v", path, got.Code, got.Header())
		}
	}
	bad, err := promwire.Snappy.AppendEncoded(nil, []byte("\x0a\x05no"))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.post(t, server.WritePath, bad, promwire.WriteV1); got.Code != http.StatusBadRequest {
		t.Errorf("a malformed body: %d %s", got.Code, got.Body)
	}
	for path, want := range map[string]string{
		"/-/healthy": "promwire relay is healthy\n", "/-/ready": "promwire relay is ready\n", "/other": "404 page not found\n",
	} {
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if body, _ := io.ReadAll(answer.Body); string(body) != want {
			t.Errorf("%s: %d %q, want %q", path, answer.Code, body, want)
		}
	}
	f.finish(t)
	if w.bodies() != 3 || w.requests != 0 {
		t.Errorf("%d requests as they came, %d decoded", w.bodies(), w.requests)
	}
	answer := httptest.NewRecorder()
	f.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		"promwire_relay_received_requests_total 3", "promwire_relay_received_samples_total 6", "promwire_relay_refused_requests_total 1",
		`promwire_relay_sent_samples_total{write="a"} 6`, `promwire_relay_pending_samples{write="a"} 0`,
	} {
		if !strings.Contains(answer.Body.String(), line+"\n") {
			t.Errorf("no %s in\n%s", line, answer.Body)
		}
	}
}

// stuck is a target that takes nothing until it is opened.
type stuck struct {
	target
	open chan struct{}
}

func (w *stuck) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	select {
	case <-w.open:
		return w.target.Write(ctx, req)
	case <-ctx.Done():
		return promwire.WriteStats{}, ctx.Err()
	}
}

// While the spool takes nothing, senders are told when to come again, and the log says so once; once it takes requests
// again, too.
func TestFullSpool(t *testing.T) {
	w := &stuck{open: make(chan struct{})}
	f := start(t, Config{Targets: []Target{{Name: "a", Writer: w}}}, spool.WithMaxBytes(8<<10), spool.WithRefuseWhenFull())
	body, taken := encoded(t, request("x", "y", "z"), promwire.WriteV2), 0
	var got *httptest.ResponseRecorder
	post := func() int {
		got = f.post(t, server.WritePath, body, promwire.WriteV2)
		if got.Code == http.StatusNoContent {
			taken++
		}
		return got.Code
	}
	for post() == http.StatusNoContent && taken < 1000 {
	}
	for range 30 {
		if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") != "5" || !strings.Contains(got.Body.String(), "spool is full") {
			t.Fatalf("%d %v %s", got.Code, got.Header(), got.Body)
		}
		post()
	}
	failed := f.intake.failed.Load()
	close(w.open)
	for end := time.Now().Add(30 * time.Second); post() != http.StatusNoContent; {
		if time.Now().After(end) {
			t.Fatalf("still %d %s", got.Code, got.Body)
		}
	}
	f.finish(t)
	if w.requests != taken || failed != 31 {
		t.Errorf("%d requests arrived, %d taken, %d refused", w.requests, taken, failed)
	}
	log := f.log.String()
	for text, want := range map[string]int{"the spool takes no requests": 1, "the spool takes requests again": 1, "remote storage request failed": 10} {
		if n := strings.Count(log, text); n != want {
			t.Errorf("%q is %d times in the log, want %d", text, n, want)
		}
	}
}
