package backends

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/cli"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/server"
)

// run runs a promwire command, demands its exit code, and returns what it printed.
func run(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out, log bytes.Buffer
	if got := cli.Run(t.Context(), args, cli.IO{Out: &out, Err: &log}); got != code {
		t.Fatalf("promwire %s: code %d, want %d: %s", strings.Join(args, " "), got, code, &log)
	}
	return out.String() + log.String()
}

// What VictoriaMetrics exports is what promwire imports, and what promwire exports is what VictoriaMetrics imports.
func TestVictoriaMetricsJSONLines(t *testing.T) {
	each(t, func(t *testing.T, f found) {
		vm := f.run(t, f.Program)
		url := strings.TrimSuffix(vm.write, "/api/v1/write")
		store := promwiretest.NewMemory(promwiretest.TakeOlder)
		srv := httptest.NewServer(server.NewHandler(store))
		defer srv.Close()
		dir, base := t.TempDir(), time.Now().Add(-time.Hour).Truncate(time.Hour).UnixMilli()
		var b strings.Builder
		for i := range 20 {
			fmt.Fprintf(&b, "{\"metric\":{\"__name__\":\"m\",\"i\":\"%d\",\"text\":\"a \\\"b\\\" \\\\ <&> é\\n\"},\"values\":[", i)
			for k := range 100 {
				fmt.Fprintf(&b, "%s%v", comma(k), float64(k*k)/4)
			}
			b.WriteString("],\"timestamps\":[")
			for k := range 100 {
				fmt.Fprintf(&b, "%s%d", comma(k), base+int64(k)*15_000)
			}
			b.WriteString("]}\n")
		}
		fmt.Fprintf(&b, "{\"metric\":{\"__name__\":\"n\"},\"values\":[1,\"Infinity\",\"-Infinity\",-2.5],\"timestamps\":[%d,%d,%d,%d]}\n", base, base+1000, base+2000, base+3000)
		fmt.Fprintf(&b, "{\"metric\":{\"__name__\":\"n\"},\"values\":[\"nan:7ff8000000000005\"],\"timestamps\":[%d]}\n", base+4000)
		fmt.Fprintf(&b, "{\"metric\":{\"__name__\":\"h\"},\"histograms\":[{\"timestamp\":%d,\"count\":1,\"sum\":\"2\",\"schema\":0,\"zero_threshold\":\"0\",\"zero_count\":1}]}\n", base)
		first := filepath.Join(dir, "first.json")
		write(t, first, b.String())

		// By remote write, in their own format, and back.
		run(t, 0, "push", "--url", srv.URL+"/api/v1/write", "--file", first)
		out := filepath.Join(dir, "out.json")
		run(t, 0, "read", "--url", srv.URL+"/api/v1/read", "--match", "{__name__=~\".+\"}", "--start", "-1d", "--format", "json", "--output", out)
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(url+"/api/v1/import", "application/json", bytes.NewReader(text))
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
		run(t, 0, "push", "--url", vm.write, "--file", out, "--label", "by=push")
		get(t, url+"/internal/force_flush")
		exported := filepath.Join(dir, "exported.json")
		write(t, exported, string(get(t, url+"/api/v1/export?match[]={__name__=~\"m|n\"}&reduce_mem_usage=1")))
		back := promwiretest.NewMemory(promwiretest.TakeOlder)
		srv2 := httptest.NewServer(server.NewHandler(back))
		defer srv2.Close()
		t.Log(run(t, 0, "push", "--url", srv2.URL+"/api/v1/write", "--file", exported, "--verify", srv2.URL+"/api/v1/read"))
		want, got := map[string]int{}, map[string]int{}
		for _, ts := range store.All() {
			for _, s := range ts.Samples {
				if s.Value == s.Value { // NaNs are not for VictoriaMetrics
					want[fmt.Sprint(ts.Labels, s.Timestamp, s.Value)]++
				}
			}
		}
		for _, ts := range back.All() {
			ls := ts.Labels
			if ls.Get("by") != "" {
				ls, _ = promwire.NewLabels(append(promwire.Labels{{Name: "by"}}, without(ls, "by")...)...)
			}
			for _, s := range ts.Samples {
				if s.Value == s.Value {
					got[fmt.Sprint(ls, s.Timestamp, s.Value)]++
				}
			}
		}
		for key := range want {
			if strings.Contains(key, "Inf") && f.Version == "1.79.5" { // which imports no infinities
				got[key]++
			}
			if got[key] != 2 {
				t.Errorf("%s is there %d times, want 2: by import and by push", key, got[key])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d samples, want %d", len(got), len(want))
		}
	}, "victoria-metrics")
}

func without(ls promwire.Labels, name string) (out promwire.Labels) {
	for _, l := range ls {
		if l.Name != name {
			out = append(out, l)
		}
	}
	return out
}

func comma(k int) string {
	if k == 0 {
		return ""
	}
	return ","
}
