package realserver

import (
	"fmt"
	"math"
	"slices"

	"github.com/promwire/promwire"
)

// The grid of the data that TestQueryParity sends: from now on, since Prometheus sends on only what is newer than its
// start, and less than the ten minutes that receivers accept ahead.
const (
	parityStep   = 5_000 // milliseconds
	parityPoints = 90
)

// parityData are counters with resets, gauges, classic and native histograms, and series with stale markers, in label
// order. Values are whole numbers, or few bits behind the point, so that sums are exact in any order.
func parityData(start int64, natives bool) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	add := func(value func(i int) float64, labels ...string) {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings(labels...)}
		for i := range parityPoints {
			if v := value(i); v != skipped {
				ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: start + int64(i)*parityStep, Value: v})
			}
		}
		out = append(out, ts)
	}
	for n := range 12 {
		add(func(i int) float64 { return float64((i % (40 + 7*n)) * (n + 1) * 3) }, "__name__", "q_requests_total",
			"code", []string{"200", "404", "500", "503"}[n%4], "instance", fmt.Sprintf("host-%d", n%6), "job", []string{"a", "b"}[n%2], "shard", fmt.Sprint(n))
	}
	for n := range 6 {
		add(func(i int) float64 { return float64((i*i*(n+3))%97)/4 - 12 }, "__name__", "q_temperature", "instance", fmt.Sprintf("host-%d", n), "room", []string{"", "attic", "cellar"}[n%3])
	}
	for p, path := range []string{"/", "/api", "/login"} {
		for b, bound := range []float64{0.125, 0.5, 1, 4, math.Inf(1)} {
			add(func(i int) float64 { return float64((i%70)*(b+1)*(p+2) + i%70) }, "__name__", "q_latency_seconds_bucket", "le", promwire.FormatLe(bound), "path", path)
		}
		add(func(i int) float64 { return float64((i%70)*5*(p+2) + i%70) }, "__name__", "q_latency_seconds_count", "path", path)
		add(func(i int) float64 { return float64((i%70)*(p+2)) * 1.5 }, "__name__", "q_latency_seconds_sum", "path", path)
	}
	// One goes and comes back, one goes for good, one comes and goes all the time, one has gaps without a marker.
	add(func(i int) float64 { return leaving(i, i == 30, i > 30 && i < 60) }, "__name__", "q_leaving", "kind", "back")
	add(func(i int) float64 { return leaving(i, i == 50, i > 50) }, "__name__", "q_leaving", "kind", "gone")
	add(func(i int) float64 { return leaving(i, i%4 == 3, false) }, "__name__", "q_leaving", "kind", "flapping")
	add(func(i int) float64 { return leaving(i, false, i%30 > 8) }, "__name__", "q_leaving", "kind", "gaps")
	odd := []float64{math.NaN(), math.Inf(1), 1, math.Inf(-1), 5e-324, -math.MaxFloat64}
	add(func(i int) float64 { return odd[i/2%len(odd)] }, "__name__", "q_odd")
	if natives {
		out = append(out, parityNatives(start)...)
	}
	slices.SortFunc(out, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
	return out
}

// skipped is no value that the data have.
const skipped = -123456789

func leaving(i int, marked, skip bool) float64 {
	switch {
	case marked:
		return promwire.StaleNaN()
	case skip:
		return skipped
	default:
		return float64(i)
	}
}

func parityNatives(start int64) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	add := func(form string, n int, histogram func(t, i int64) promwire.Histogram) {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "q_native", "form", form, "instance", fmt.Sprintf("host-%d", n))}
		for i := range int64(parityPoints) {
			t := start + i*parityStep
			h := histogram(t, 1+i%60+int64(n))
			if form == "stale" && i%20 > 15 {
				h = promwire.Histogram{Timestamp: t, Sum: promwire.StaleNaN()}
			}
			ts.Histograms = append(ts.Histograms, h)
		}
		out = append(out, ts)
	}
	for n := range 3 {
		add("int", n, intHistogram)
	}
	add("stale", 0, intHistogram)
	add("wide", 0, wideHistogram)
	add("float", 0, func(t, i int64) promwire.Histogram { return floatHistogram(t, float64(i)*1.0625) })
	add("gauge", 0, func(t, i int64) promwire.Histogram { return gaugeHistogram(t, 1+i*7919%31) })
	return out
}

// parityQueries are more than 200, most of them combined of selectors and functions.
func parityQueries(natives bool) []string {
	var out []string
	each := func(format string, lists ...[]string) { out = append(out, combined(format, lists)...) }
	counters := []string{`q_requests_total`, `q_requests_total{job="a"}`, `q_requests_total{code=~"5.."}`, `q_requests_total{code!~"5..|2.."}`, `q_requests_total{instance!="host-0",nothing=""}`}
	gauges := []string{`q_temperature`, `q_temperature{room=""}`, `q_temperature{room=~"a.*|"}`, `{__name__=~"q_temp.+",room!=""}`}
	each(`%s(%s[%s])`, []string{"rate", "increase", "irate", "resets", "changes", "count_over_time", "last_over_time"}, counters, []string{"31s", "1m", "2m"})
	each(`%s(%s[%s])`, []string{
		"avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "stddev_over_time", "deriv", "delta", "idelta", "present_over_time",
	}, gauges, []string{"40s"})
	each(`%s %s (%s)`, []string{"sum", "avg", "min", "max", "count", "stddev", "group"}, []string{"by (job)", "without (instance,shard)"}, []string{`q_requests_total`, `rate(q_requests_total[1m])`})
	each(`%s(2, %s)`, []string{"topk", "bottomk"}, gauges)
	each(`histogram_quantile(%s, %s)`, []string{"0.1", "0.5", "0.99"}, []string{
		`rate(q_latency_seconds_bucket[1m])`, `sum by (le) (rate(q_latency_seconds_bucket[1m]))`, `sum by (le) (q_latency_seconds_bucket{path!="/"})`,
	})
	each(`%s`, []string{
		`q_leaving`, `q_leaving offset 40s`, `count(q_leaving)`, `sum(q_leaving)`, `absent(q_leaving{kind="gone"})`, `absent_over_time(q_leaving{kind="gaps"}[20s])`,
		`count_over_time(q_leaving[1m])`, `last_over_time(q_leaving[1m])`, `changes(q_leaving[2m])`, `rate(q_leaving[1m])`, `q_leaving{kind="back"} + 1`,
		`timestamp(q_leaving)`, `q_leaving{kind!~"gone|back"} unless q_leaving{kind="flapping"}`, `present_over_time(q_leaving{kind="flapping"}[7s])`,
		`q_odd`, `abs(q_odd)`, `count_values("v", q_odd)`, `max_over_time(q_odd[30s])`, `q_odd > 0`,
		`q_requests_total offset 1m`, `q_requests_total / on (shard) group_left count by (shard) (q_requests_total)`, `q_temperature > 0 and on (instance) q_requests_total`,
		`label_replace(q_temperature, "dst", "$1", "instance", "host-(.*)")`, `avg_over_time(sum(q_temperature)[1m:10s])`, `max_over_time(rate(q_requests_total[30s])[1m:15s])`,
		`count by (__name__) ({__name__=~"q_.*"})`, `quantile_over_time(0.9, q_temperature[1m])`, `predict_linear(q_temperature[1m], 60)`, `quantile(0.5, q_temperature)`,
		`q_latency_seconds_sum / q_latency_seconds_count`, `rate(q_latency_seconds_sum[1m]) / rate(q_latency_seconds_count[1m])`, `absent(q_nothing{a="b"})`,
		`sort_desc(q_temperature)`, `clamp(q_temperature, -5, 5)`, `stdvar(q_temperature)`, `{instance="host-1"}`, `{__name__!="",room="attic"}`,
	})
	if !natives {
		return out
	}
	forms := []string{`q_native{form="int"}`, `q_native{form="float"}`, `q_native{form="wide"}`, `q_native{form="stale"}`, `q_native{form="gauge"}`, `q_native`}
	each(`%s(%s)`, []string{"histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev"}, forms)
	each(`histogram_quantile(%s, %s)`, []string{"0.1", "0.9"}, forms)
	each(`%s(%s[%s])`, []string{"rate", "increase", "count_over_time"}, forms[:4], []string{"1m"})
	each(`%s`, []string{
		`sum(q_native{form="int"})`, `sum by (form) (rate(q_native{form=~"int|stale"}[1m]))`, `histogram_quantile(0.5, sum(rate(q_native{form="int"}[1m])))`,
		`histogram_fraction(-1, 2, q_native)`, `avg_over_time(q_native{form="int"}[1m])`, `sum_over_time(q_native{form="gauge"}[30s])`, `q_native`, `q_native{form="stale"} offset 20s`,
		`absent(q_native{form="stale"})`, `last_over_time(q_native{form="stale"}[1m])`, `count(q_native)`, `timestamp(q_native)`, `resets(q_native{form="int"}[5m])`,
	})
	return out
}

// combined fills every combination of elements into the format.
func combined(format string, lists [][]string) []string {
	rows := [][]any{nil}
	for _, list := range lists {
		var more [][]any
		for _, row := range rows {
			for _, s := range list {
				more = append(more, append(slices.Clone(row), s))
			}
		}
		rows = more
	}
	var out []string
	for _, row := range rows {
		out = append(out, fmt.Sprintf(format, row...))
	}
	return out
}
