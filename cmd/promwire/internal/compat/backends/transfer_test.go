package backends

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/cli"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/server"
)

// store runs promwire serve with a store of its own, and returns its URL.
func store(t *testing.T) string {
	t.Helper()
	var out, log output
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"), "--min-free-disk", "0"}
	go func() { code <- cli.Run(ctx, args, cli.IO{Out: &out, Err: &log}) }()
	t.Cleanup(func() {
		cancel()
		if n := <-code; n != 0 {
			t.Errorf("the store ended with %d: %s", n, &log)
		}
	})
	proc.WaitFor(t, "address of the store", func() bool { return relayURL.MatchString(out.String()) })
	return strings.TrimSuffix(relayURL.FindStringSubmatch(out.String())[1], server.WritePath)
}

// TestVictoriaMetricsTransfers pushes a file to VictoriaMetrics and verifies it, reads it, and copies it into a store: over its
// export, and over a gateway before it. The store then has what VictoriaMetrics says to have, bit by bit.
func TestVictoriaMetricsTransfers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f found) {
		vm := f.run(t, f.Program)
		address, end := gateway(t, f.program, vm)
		for road, ends := range map[string][2]string{
			"direct":  {vm.write, strings.TrimSuffix(vm.write, "/api/v1/write") + "/api/v1/export"},
			"gateway": {address + server.WritePath, address + server.ReadPath},
		} {
			dir, n := t.TempDir(), 0
			var b strings.Builder
			base := time.Now().Add(-time.Hour).UnixMilli()
			for i := range 20 {
				for k := range 300 {
					v := []float64{float64(i * k), math.Sin(float64(k)) * 1e6, 1 / float64(k+1), promwire.StaleNaN(), math.Inf(1 - k%2*2)}[i%5]
					fmt.Fprintf(&b, "{\"metric\":{\"__name__\":\"moved\",\"road\":%q,\"i\":\"%d\",\"text\":\"ä \\\"\"},\"values\":[%s],\"timestamps\":[%d]}\n", road, i, jsonFloat(v), base+int64(k)*1000)
					n++
				}
			}
			source, read := filepath.Join(dir, "source.json"), filepath.Join(dir, "read.json")
			write(t, source, b.String())
			all := fmt.Sprintf("samples verified: %d of %[1]d\n", n)
			if got := run(t, 0, "push", "--url", ends[0], "--file", source, "--verify", ends[1], "--verify-tolerance", "1e-11", "--verify-wait", "1m"); !strings.Contains(got, all) {
				t.Errorf("%s: a push: %s", road, got)
			}
			selector := fmt.Sprintf("{road=%q}", road)
			run(t, 0, "read", "--url", ends[1], "--match", selector, "--start", "-2h", "--format", "json", "--output", read)
			first, second := store(t), store(t)
			for from, args := range map[string][]string{
				first:  {"push", "--url", first + "/api/v1/write", "--file", read},
				second: {"copy", "--from", ends[1], "--to", second + "/api/v1/write", "--match", selector, "--start", "-2h"},
			} {
				if got := run(t, 0, append(args, "--verify", from+server.ReadPath)...); !strings.Contains(got, all) {
					t.Errorf("%s: %v: %s", road, args, got)
				}
				sameStored(t, from, selector, victoriaAPI(vm.api).query(t, "road", road), n)
			}
		}
		end()
	}, "victoria-metrics")
}

// jsonFloat is a value as promwire has it in JSON lines.
func jsonFloat(v float64) string {
	switch {
	case promwire.IsStaleNaN(v):
		return `"stale"`
	case math.IsInf(v, 0):
		return map[bool]string{true: `"Infinity"`, false: `"-Infinity"`}[v > 0]
	}
	return fmt.Sprint(v)
}

// sameStored demands that a store has n values, those of what an engine shows, bit by bit. It shows stale markers as null.
func sameStored(t *testing.T, address, selector string, want []stored, n int) {
	t.Helper()
	got, err := readThrough(t, address, selector, promwire.ResponseSamples)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]uint64{}
	for _, ts := range got {
		for _, s := range ts.Samples {
			values[fmt.Sprint(ts.Labels, s.Timestamp)] = math.Float64bits(s.Value)
		}
	}
	if len(values) != n {
		t.Errorf("%d values, want %d", len(values), n)
	}
	for _, series := range want {
		for _, s := range series.Samples {
			if math.IsNaN(s.Value) {
				s.Value = promwire.StaleNaN()
			}
			if at := fmt.Sprint(series.Labels, s.Timestamp); values[at] != math.Float64bits(s.Value) {
				t.Errorf("%s is %v, want %v", at, math.Float64frombits(values[at]), s.Value)
			}
			n--
		}
	}
	if n != 0 {
		t.Errorf("the engine lacks %d values", n)
	}
}
