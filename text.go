package promwire

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// TextOptions choose what [WriteRequest.AppendText] shows.
type TextOptions struct {
	// Timestamps adds the time of each printed value and exemplar, in milliseconds since the Unix epoch.
	Timestamps bool
}

// AppendText appends r to dst in a form for people, close to the Prometheus text format:
//
//	# TYPE queue_depth gauge
//	queue_depth{queue="payments"} 36
//
// A TYPE line stands before each run of series of one family whose type is known, from the series or from
// r.Metadata; TYPE lines of families without series come last. A series is one line, with its newest sample:
//
//   - Labels are in order of their names, le and quantile last and written as numbers are: le="1" where the wire has
//     "1.0". A spelling of them that differs from the usual one is shown as it is.
//   - Whole numbers below 1e21 have neither point nor exponent, others the fewest digits that keep the exact value;
//     then NaN, +Inf, -Inf, and stale for a stale marker.
//   - A native histogram is {count:4, sum:18.5, (1,2]:1, (2,4]:3}: its buckets that are not empty, in ascending order;
//     #7 stands for the bounds of bucket 7 where the schema gives none. It has a line of its own if there are float
//     samples as well.
//   - The newest exemplar follows as in OpenMetrics: # {trace_id="t"} 0.5. A series that has no sample is its labels
//     alone.
//
// Any request can be printed, valid or not.
func (r *WriteRequest) AppendText(dst []byte, o TextOptions) []byte {
	w := textWriter{TextOptions: o, dst: dst}
	if len(r.Metadata) > 0 {
		w.types = make(map[string]MetricType, len(r.Metadata))
		for i := range r.Metadata {
			w.types[r.Metadata[i].Family] = r.Metadata[i].Type
		}
	}
	for i := range r.Timeseries {
		w.series(&r.Timeseries[i])
	}
	for i := range r.Metadata {
		if m := &r.Metadata[i]; w.types[m.Family] == m.Type {
			w.typeLine(m.Family, m.Type)
		}
	}
	return w.dst
}

type textWriter struct {
	TextOptions
	dst []byte
	// types holds the request's family metadata; families that had their line are set to unknown.
	types map[string]MetricType
	// run is the family metadata of the series printed last.
	run MetricMetadata
}

func (w *textWriter) series(ts *TimeSeries) {
	if family, t := w.family(ts); family != w.run.Family || t != w.run.Type {
		w.run.Family, w.run.Type = family, t
		w.typeLine(family, t)
	}
	ls := ts.Labels
	if !slices.IsSortedFunc(ls, compareNames) {
		ls = slices.Clone(ls)
		slices.SortStableFunc(ls, compareNames)
	}
	w.dst = appendSeriesText(w.dst, ls)
	if n := len(ts.Samples); n > 0 {
		s := &ts.Samples[n-1]
		w.dst = appendTextFloat(append(w.dst, ' '), s.Value)
		w.time(s.Timestamp)
		if len(ts.Histograms) > 0 {
			w.dst = appendSeriesText(append(w.dst, '\n'), ls)
		}
	}
	if n := len(ts.Histograms); n > 0 {
		h := &ts.Histograms[n-1]
		w.dst = appendHistogramText(append(w.dst, ' '), h)
		w.time(h.Timestamp)
	}
	if n := len(ts.Exemplars); n > 0 {
		e := &ts.Exemplars[n-1]
		w.dst = e.Labels.AppendText(append(w.dst, " # "...))
		w.dst = appendTextFloat(append(w.dst, ' '), e.Value)
		w.time(e.Timestamp)
	}
	w.dst = append(w.dst, '\n')
}

func (w *textWriter) time(t int64) {
	if w.Timestamps {
		w.dst = strconv.AppendInt(append(w.dst, ' '), t, 10)
	}
}

func (w *textWriter) typeLine(family string, t MetricType) {
	if t <= TypeUnknown || int(t) >= len(metricTypeNames) {
		return
	}
	if w.types != nil {
		w.types[family] = TypeUnknown
	}
	w.dst = append(w.dst, "# TYPE "...)
	if ValidName(family, LegacyNames, true) {
		w.dst = append(w.dst, family...)
	} else {
		w.dst = appendQuoted(w.dst, family)
	}
	w.dst = append(append(append(w.dst, ' '), metricTypeNames[t]...), '\n')
}

// family returns family and type of a series: its own, or what the request's family metadata say of its name.
func (w *textWriter) family(ts *TimeSeries) (string, MetricType) {
	name := ts.Labels.Get(MetricName)
	if t := ts.Metadata.Type; t != TypeUnknown || w.types == nil {
		return FamilyName(name, t), t
	}
	if t, ok := w.types[name]; ok {
		return name, t
	}
	for _, t := range []MetricType{TypeHistogram, TypeSummary, TypeGaugeHistogram} {
		if family := FamilyName(name, t); w.types[family] == t {
			return family, t
		}
	}
	// OpenMetrics names these families without the suffix.
	if family, found := strings.CutSuffix(name, "_total"); found && w.types[family] == TypeCounter {
		return family, TypeCounter
	}
	if family, found := strings.CutSuffix(name, "_info"); found && w.types[family] == TypeInfo {
		return family, TypeInfo
	}
	return name, TypeUnknown
}

var metricTypeNames = []string{"unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"}

// String returns the type as in TYPE lines of the text formats, such as "counter".
func (t MetricType) String() string {
	if t < 0 || int(t) >= len(metricTypeNames) {
		return "MetricType(" + strconv.Itoa(int(t)) + ")"
	}
	return metricTypeNames[t]
}

func compareNames(a, b Label) int { return cmp.Compare(a.Name, b.Name) }

// appendSeriesText appends sorted labels, le and quantile last.
func appendSeriesText(dst []byte, ls Labels) []byte {
	t := beginLabelText(dst, ls.Get(MetricName))
	for _, l := range ls {
		if l.Name != MetricName && !isBound(l.Name) {
			t.pair(l.Name, l.Value)
		}
	}
	for _, l := range ls {
		if isBound(l.Name) {
			t.pair(l.Name, shortBound(l.Value))
		}
	}
	return t.end()
}

func isBound(labelName string) bool { return labelName == "le" || labelName == "quantile" }

// shortBound returns a bound as appendTextFloat writes it, provided that it has the spelling of OpenMetrics; another
// one makes another series and has to stay visible.
func shortBound(s string) string {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || FormatLe(v) != s {
		return s
	}
	return string(appendTextFloat(nil, v))
}

// appendTextFloat appends v as [WriteRequest.AppendText] prints it: whole numbers below 1e21 without point and
// exponent, others with the fewest digits that keep the exact value, with an exponent below 1e-4 and from 1e21 on.
func appendTextFloat(dst []byte, v float64) []byte {
	if IsStaleNaN(v) {
		return append(dst, "stale"...)
	}
	format := byte('g')
	if abs := math.Abs(v); abs >= 1e-4 && abs < 1e21 {
		format = 'f'
	}
	return strconv.AppendFloat(dst, v, format, -1, 64)
}

// FormatLe returns v as OpenMetrics spells it in the labels le and quantile (OpenMetrics, "Canonical Numbers"): 1.0,
// 0.005, 1e+06, +Inf. The spelling is a part of the series' identity, and this is the one that Prometheus 3 gives to the
// bounds that it scrapes; receivers of remote write change nothing. -0 gives 0.0, as there.
func FormatLe(v float64) string {
	if v == 0 {
		return "0.0"
	}
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if strings.ContainsAny(s, ".eIN") {
		return s
	}
	return s + ".0"
}
