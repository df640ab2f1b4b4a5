package compat

import (
	"context"
	"iter"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	promremote "github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/promwire/promwire"
)

// Read implements promwire.Reader.
func (r readClient) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		start, end := q.Range()
		var matchers []*labels.Matcher
		for _, m := range q.Matchers {
			matchers = append(matchers, labels.MustNewMatcher(labels.MatchType(m.Type), m.Name, m.Value))
		}
		query, err := promremote.ToQuery(start, end, matchers, nil)
		if err != nil {
			yield(promwire.TimeSeries{}, err)
			return
		}
		set, err := r.client.Read(ctx, query, true)
		if err != nil {
			yield(promwire.TimeSeries{}, err)
			return
		}
		for set.Next() {
			s := set.At()
			var ts promwire.TimeSeries
			s.Labels().Range(func(l labels.Label) { ts.Labels = append(ts.Labels, promwire.Label{Name: l.Name, Value: l.Value}) })
			it := s.Iterator(nil)
			for vt := it.Next(); vt != chunkenc.ValNone; vt = it.Next() {
				take(&ts, it, vt)
			}
			if !yield(ts, it.Err()) {
				return
			}
		}
		if err := set.Err(); err != nil {
			yield(promwire.TimeSeries{}, err)
		}
	}
}

func take(ts *promwire.TimeSeries, it chunkenc.Iterator, vt chunkenc.ValueType) {
	switch vt {
	case chunkenc.ValFloat:
		t, v := it.At()
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: t, Value: v})
	case chunkenc.ValHistogram:
		t, h := it.AtHistogram(nil)
		ts.Histograms = append(ts.Histograms, promwire.Histogram{
			Timestamp: t, Schema: h.Schema, Count: h.Count, Sum: h.Sum, ZeroThreshold: h.ZeroThreshold, ZeroCount: h.ZeroCount,
			PositiveSpans: spans(h.PositiveSpans), PositiveDeltas: h.PositiveBuckets,
			NegativeSpans: spans(h.NegativeSpans), NegativeDeltas: h.NegativeBuckets, CustomValues: h.CustomValues,
		})
	case chunkenc.ValFloatHistogram:
		t, h := it.AtFloatHistogram(nil)
		ts.Histograms = append(ts.Histograms, promwire.Histogram{
			Timestamp: t, IsFloat: true, Schema: h.Schema, CountFloat: h.Count, Sum: h.Sum, ZeroThreshold: h.ZeroThreshold, ZeroCountFloat: h.ZeroCount,
			PositiveSpans: spans(h.PositiveSpans), PositiveCounts: h.PositiveBuckets,
			NegativeSpans: spans(h.NegativeSpans), NegativeCounts: h.NegativeBuckets, CustomValues: h.CustomValues,
		})
	}
}

func spans(in []histogram.Span) []promwire.BucketSpan {
	var out []promwire.BucketSpan
	for _, s := range in {
		out = append(out, promwire.BucketSpan(s))
	}
	return out
}
