package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// TestTenants writes the same series as two tenants, and reads and queries as each of them and as a third one.
func TestTenants(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--multi-tenant", "--max-tenants", "2", "--web.enable-admin-api"}
	p := startServe(t, dir, args...)
	now := time.Now()
	write := func(tenant string, v float64) error {
		_, err := writeOne(t, p.write, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
			Labels:  promwire.LabelsFromStrings("__name__", "m"),
			Samples: []promwire.Sample{{Timestamp: now.UnixMilli(), Value: v}},
		}}}, remote.WithHeader(promwire.HeaderTenant, tenant))
		return err
	}
	if err := errors.Join(write("red", 1), write("Blue.(2)", 2)); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		for tenant, want := range map[string]float64{"red": 1, "Blue.(2)": 2, "green": 0} {
			if got := readTenant(t, p, tenant, now); got != want {
				t.Errorf("%s reads %v, want %v", tenant, got, want)
			}
			_, answer := queryTenant(t, p, tenant)
			if value := `"` + map[float64]string{1: "1", 2: "2", 0: "none"}[want] + `"]`; strings.Contains(answer, value) != (want != 0) {
				t.Errorf("%s queries %s, want %v", tenant, answer, want)
			}
		}
	}
	check()
	if _, got := request(t, http.MethodGet, p.url+"/federate?match[]=m", http.Header{promwire.HeaderTenant: {"red"}}); got != fmt.Sprintf("# TYPE m untyped\nm{instance=\"\"} 1 %d\n", now.UnixMilli()) {
		t.Errorf("federated: %s", got)
	}
	for _, want := range []string{"prometheus_engine_queries_concurrent_max 20\n", `prometheus_engine_query_duration_seconds_count{slice="inner_eval"} 2`} {
		if got := get(t, p.url+"/metrics"); !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	var answer *promwire.HTTPError
	if err := write("green", 3); !errors.As(err, &answer) || answer.StatusCode != http.StatusTooManyRequests || !strings.Contains(answer.Body, "--max-tenants") {
		t.Errorf("a third tenant: %v", err)
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "data", "tenants")); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	for _, bad := range []string{"..", ".", "../red", "a/b", `a\b`, "a b", "ä", strings.Repeat("x", 151), "a%2fb", "red|blue"} {
		if err := write(bad, 4); !errors.As(err, &answer) || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("tenant %q: %v", bad, err)
		}
	}
	for _, path := range []string{"/api/v1/write", "/api/v1/read", "/api/v1/query?query=m", "/api/v1/admin/tsdb/snapshot", "/api/v1/labels"} {
		if code, text := post(t, p.url+path, nil); code != 401 || !strings.Contains(text, promwire.HeaderTenant) {
			t.Errorf("%s without a tenant: %d %s", path, code, text)
		}
	}
	if code, text := post(t, p.url+"/api/v1/labels", http.Header{http.CanonicalHeaderKey(promwire.HeaderTenant): {"red", "Blue.(2)"}}); code != 400 {
		t.Errorf("two tenants: %d %s", code, text)
	}
	if text := get(t, p.url+"/metrics"); !strings.Contains(text, `prometheus_tsdb_head_series{tenant="red"} 1`) {
		t.Error("the metrics have no tenants")
	}
	code, text := post(t, p.url+"/api/v1/admin/tsdb/snapshot", http.Header{http.CanonicalHeaderKey(promwire.HeaderTenant): {"red"}})
	if found, err := filepath.Glob(filepath.Join(dir, "data", "tenants", "red", "snapshots", "*")); code != 200 || err != nil || len(found) != 1 {
		t.Errorf("snapshot of a tenant: %d %s, %v", code, text, found)
	}
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Fatalf("code %d, %v, %s", code, err, p.err)
	}
	p = startServe(t, dir, args...)
	check()
}

// TestTenantsRefused sends what is refused in full. No tenant may begin with that, and take the place of another one.
func TestTenantsRefused(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir, "--multi-tenant", "--max-tenants", "1")
	now := time.Now()
	write := func(tenant, label string) error {
		_, err := writeOne(t, p.write, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
			Labels: promwire.LabelsFromStrings(label, "m"), Samples: []promwire.Sample{{Timestamp: now.UnixMilli(), Value: 1}},
		}}}, remote.WithHeader(promwire.HeaderTenant, tenant))
		return err
	}
	header := http.Header{promwire.HeaderTenant: {"t1"}, "Content-Type": {promwire.ContentTypeProtobuf}, "Content-Encoding": {promwire.EncodingSnappy}}
	if code, text := post(t, p.write, header); code != 400 || !strings.Contains(text, "snappy") { // not even its length is there
		t.Errorf("corrupt snappy: %d %s", code, text)
	}
	var answer *promwire.HTTPError
	if err := write("t2", "job"); !errors.As(err, &answer) || answer.StatusCode != http.StatusBadRequest || !strings.Contains(answer.Body, "metric name is missing") {
		t.Errorf("a series without a name: %v", err)
	}
	for _, tenant := range []string{"t1", "t2"} {
		if code, text := queryTenant(t, p, tenant); code != 404 || !strings.Contains(text, "has written nothing yet") {
			t.Errorf("query of %s: %d %s", tenant, code, text)
		}
	}
	if err := write("honest", "__name__"); err != nil {
		t.Error(err)
	}
	if found, err := filepath.Glob(filepath.Join(dir, "data", "tenants", "*")); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

func queryTenant(t *testing.T, p *process, tenant string) (code int, text string) {
	t.Helper()
	header := http.Header{http.CanonicalHeaderKey(promwire.HeaderTenant): {tenant}}
	return request(t, http.MethodGet, p.url+"/api/v1/query?query="+url.QueryEscape("m"), header)
}

// readTenant returns the sum of the values of m, 0 if there is none.
func readTenant(t *testing.T, p *process, tenant string, at time.Time) (v float64) {
	t.Helper()
	client, err := remote.NewReadClient(p.read, remote.WithHeader(promwire.HeaderTenant, tenant))
	if err != nil {
		t.Fatal(err)
	}
	matchers, err := promwire.ParseSelector("m")
	if err != nil {
		t.Fatal(err)
	}
	for ts, err := range client.Read(t.Context(), promwire.Query{Start: at.Add(-time.Hour), End: at.Add(time.Hour), Matchers: matchers}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range ts.Samples {
			v += s.Value
		}
	}
	return v
}
