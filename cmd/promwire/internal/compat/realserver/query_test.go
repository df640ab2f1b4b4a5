package realserver

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/server"
)

// expressions use all operators of selectors, and functions that need every sample in its place.
var expressions = []string{
	`compat_float`,
	`{__name__="compat_float",zone=""}`,
	`{__name__=~"compat_(float|steps)",zone!="a"}`,
	`{__name__=~"compat_.+",instance=~"host-1.*",zone!~"b|"}`,
	`compat_float{nothing=""} offset 3m`,
	`count by (__name__) ({__name__!=""})`,
	`absent(compat_nothing{zone="a"})`,
	`absent_over_time(compat_nothing[5m])`,
	`sum by (zone) (rate(compat_float[2m]))`,
	`sum without (instance) (increase(compat_float{zone!=""}[90s]))`,
	`topk(3, max_over_time(compat_float[5m]))`,
	`compat_float / ignoring(zone) group_left sum by (instance) (compat_float offset 1m)`,
	`changes(compat_steps[10m])`,
	`resets(compat_float[3m])`,
	`count_over_time(compat_steps[4m])`,
	`quantile_over_time(0.9, compat_float{zone="a"}[5m])`,
	`avg_over_time(sum(compat_float)[3m:20s])`,
	`timestamp(compat_steps)`,
	`histogram_quantile(0.9, sum by (le) (rate(compat_latency_bucket[3m])))`,
	`histogram_quantile(0.5, rate(compat_latency_bucket{path="/"}[5m]))`,
}

// modernExpressions need Prometheus 3: 2.42 does not see native histograms over remote read.
var modernExpressions = []string{
	`histogram_quantile(0.9, rate(compat_native{form="int"}[3m]))`,
	`histogram_quantile(0.5, compat_native{form=~"float|wide"})`,
	`histogram_count(compat_native)`,
	`histogram_sum(rate(compat_native{form!="stale"}[2m]))`,
	`sum(compat_native{form="int"})`,
	`compat_native{form="float"}`,
	`increase(compat_native{form="wide"}[4m])`,
	`{"compat.température °C"}`,
	`{"capteur.numéro"="1"}`,
	`histogram_quantile(0.5, rate(compat_native{form=~"custom.*"}[3m]))`,
	`histogram_fraction(0, 2, compat_native{form="gauge"})`,
	`histogram_avg(compat_native)`,
	`compat_native{form="custom int"}`,
	`sum(histogram_stddev(compat_native))`,
}

// classic makes classic histograms with a reset.
func classic(end int64) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for p, path := range []string{"/", "/api"} {
		for b, bound := range []float64{0.1, 0.5, 1, 5, math.Inf(1)} {
			ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "compat_latency_bucket", "le", promwire.FormatLe(bound), "path", path)}
			for i := range int64(120) {
				n := (i % 80) * int64((b+1)*(p+1))
				ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: end - (120-i)*step, Value: float64(n + i%3)})
			}
			out = append(out, ts)
		}
	}
	return out
}

// TestQueryOverRemoteRead asks a Prometheus that has nothing but our handler to read from, and one that has the data
// itself: the answers are the same.
func TestQueryOverRemoteRead(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		end := time.Now().UnixMilli()
		all, exprs := append(history(end, historyKind(p)), classic(end)...), expressions
		if p.major >= 3 {
			exprs = slices.Concat(expressions, modernExpressions)
		} else {
			all = slices.DeleteFunc(all, func(ts promwire.TimeSeries) bool { return len(ts.Histograms) > 0 })
		}
		r := newReceiver(t, tsdbstore.Options{})
		writeAll(t, r.store, all)
		local := start(t, p, noConfig, p.features()...)
		writeAll(t, writeClient(t, local.writeURL()), all)
		distant := start(t, p, fmt.Sprintf("remote_read:\n- {url: %q, read_recent: true}\n", r.URL+server.ReadPath), p.features()...)
		for _, expr := range exprs {
			n := 0
			for _, at := range []int64{end, end - 300_000, end - 1_000_003} {
				n += checkAnswers(t, fmt.Sprintf("%s at end%+d", expr, at-end), distant.query(t, expr, at), local.query(t, expr, at))
			}
			from, to := end-1_500_000, end-10_000
			n += checkAnswers(t, expr, distant.queryRange(t, expr, from, to, 37_000), local.queryRange(t, expr, from, to, 37_000))
			if n == 0 {
				t.Errorf("%s selects nothing: it compares nothing", expr)
			}
		}
		answer := promwire.ContentTypeStream
		if p.major < 3 {
			answer = promwire.ContentTypeProtobuf // 2.42 asks for samples only
		}
		want := []string{server.ReadPath + " " + promwire.ContentTypeProtobuf + ": 200 " + answer}
		if got := r.exchanges(); !slices.Equal(got, want) {
			t.Errorf("requests and answers: %q, want %q", got, want)
		}
	})
}

// checkAnswers compares two answers of the API and returns the number of values in them.
func checkAnswers(t *testing.T, expr string, got, want []series) int {
	t.Helper()
	n := 0
	same := slices.EqualFunc(got, want, func(a, b series) bool {
		n += len(a.Samples) + len(a.Histograms)
		return a.Labels.Equal(b.Labels) && slices.EqualFunc(a.Samples, b.Samples, func(a, b promwire.Sample) bool {
			return a.Timestamp == b.Timestamp && sameFloat(a.Value, b.Value)
		}) && slices.EqualFunc(a.Histograms, b.Histograms, func(a, b apiHistogram) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
	})
	if !same {
		t.Errorf("%s: got %+v\nwant %+v", expr, got, want)
	}
	return n
}
