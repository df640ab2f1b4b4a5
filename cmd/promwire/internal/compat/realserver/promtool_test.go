package realserver

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/server"
)

// TestPromtool asks promwire serve with every promtool there is.
func TestPromtool(t *testing.T) {
	t.Parallel()
	url := startOurs(t)
	now := time.Now().Truncate(time.Minute)
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "orders_total", "shop", "berlin")}
	for i := range 10 {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: now.Add(time.Duration(i-9) * time.Minute).UnixMilli(), Value: float64(60 * i)})
	}
	mustWrite(t, writeClient(t, url+server.WritePath), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}})
	for _, found := range proc.Must(t, "promtool") {
		t.Run(filepath.Base(filepath.Dir(found.Path))+" "+found.Version, func(t *testing.T) {
			for _, c := range []struct {
				args []string
				want []string
			}{
				{[]string{"instant", "--time=" + at(0), url, "rate(orders_total[5m])"}, []string{`{shop="berlin"} => 1 @[`}},
				{[]string{"instant", url, "1+1"}, []string{"scalar: 2 @["}},
				{
					[]string{"range", "--start=" + at(-2*time.Minute), "--end=" + at(0), "--step=1m", url, `orders_total{shop="berlin"}`},
					[]string{`orders_total{shop="berlin"} =>`, "420 @[", "480 @[", "540 @["},
				},
				{[]string{"series", "--match=orders_total", "--start=" + at(-time.Hour), "--end=" + at(0), url}, []string{`{__name__="orders_total", shop="berlin"}`}},
				{[]string{"labels", url, "shop"}, []string{"berlin"}},
			} {
				out, err := exec.CommandContext(t.Context(), found.Path, append([]string{"query"}, c.args...)...).CombinedOutput()
				if err != nil {
					t.Errorf("promtool query %v: %v: %s", c.args, err, out)
				}
				for _, want := range c.want {
					if !strings.Contains(string(out), want) {
						t.Errorf("promtool query %v: no %q in %s", c.args, want, out)
					}
				}
			}
			out, err := exec.CommandContext(t.Context(), found.Path, "query", "instant", url, "sum(").CombinedOutput()
			if err == nil || !strings.Contains(string(out), "unclosed left parenthesis") {
				t.Errorf("promtool query instant sum(: %v: %s", err, out)
			}
		})
	}
}
