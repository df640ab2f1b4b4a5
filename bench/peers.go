package bench

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/promwire/promwire"
)

// series is what the Prometheus queue holds for a series: its label set and samples in the library's types.
type series struct {
	labels     labels.Labels
	samples    []promwire.Sample
	histograms []*histogram.Histogram
}

// toSeries converts a workload to the library's types, outside of any measurement.
func toSeries(req *promwire.WriteRequest) []series {
	out := make([]series, len(req.Timeseries))
	b := labels.NewScratchBuilder(12)
	for i, ts := range req.Timeseries {
		b.Reset()
		for _, l := range ts.Labels {
			b.Add(l.Name, l.Value)
		}
		out[i] = series{labels: b.Labels(), samples: ts.Samples}
		for j := range ts.Histograms {
			out[i].histograms = append(out[i].histograms, toHistogram(&ts.Histograms[j]))
		}
	}
	return out
}

func toHistogram(h *promwire.Histogram) *histogram.Histogram {
	return &histogram.Histogram{
		Schema: h.Schema, ZeroThreshold: h.ZeroThreshold, ZeroCount: h.ZeroCount, Count: h.Count, Sum: h.Sum,
		PositiveSpans: toSpans(h.PositiveSpans), PositiveBuckets: h.PositiveDeltas,
		NegativeSpans: toSpans(h.NegativeSpans), NegativeBuckets: h.NegativeDeltas,
	}
}

func toSpans(spans []promwire.BucketSpan) []histogram.Span {
	var out []histogram.Span
	for _, s := range spans {
		out = append(out, histogram.Span{Offset: s.Offset, Length: s.Length})
	}
	return out
}

// fillV1 is what the Prometheus queue does per batch before it marshals a 1.0 message, reusing dst.
func fillV1(dst []prompb.TimeSeries, in []series) []prompb.TimeSeries {
	for len(dst) < len(in) {
		dst = append(dst, prompb.TimeSeries{})
	}
	dst = dst[:len(in)]
	for i := range in {
		ts := &dst[i]
		ts.Labels = prompb.FromLabels(in[i].labels, ts.Labels)
		ts.Samples, ts.Histograms = ts.Samples[:0], ts.Histograms[:0]
		for _, s := range in[i].samples {
			ts.Samples = append(ts.Samples, prompb.Sample{Value: s.Value, Timestamp: s.Timestamp})
		}
		for _, h := range in[i].histograms {
			ts.Histograms = append(ts.Histograms, prompb.FromIntHistogram(int64(nowMillis), h))
		}
	}
	return dst
}

// fillV2 is the same for a 2.0 message; symbols is reset by the caller.
func fillV2(dst []writev2.TimeSeries, symbols *writev2.SymbolsTable, in []series) []writev2.TimeSeries {
	for len(dst) < len(in) {
		dst = append(dst, writev2.TimeSeries{})
	}
	dst = dst[:len(in)]
	for i := range in {
		ts := &dst[i]
		ts.LabelsRefs = symbols.SymbolizeLabels(in[i].labels, ts.LabelsRefs)
		ts.Samples, ts.Histograms = ts.Samples[:0], ts.Histograms[:0]
		for _, s := range in[i].samples {
			ts.Samples = append(ts.Samples, writev2.Sample{Value: s.Value, Timestamp: s.Timestamp})
		}
		for _, h := range in[i].histograms {
			ts.Histograms = append(ts.Histograms, writev2.FromIntHistogram(0, int64(nowMillis), h))
		}
	}
	return dst
}
