package queryapi

import (
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// family takes the samples from the beginning that share name and type. Native histograms are left out unless native is set.
func family(samples promql.Vector, native bool) (*dto.MetricFamily, promql.Vector) {
	name, kind := samples[0].Metric.Get(model.MetricNameLabel), kindOfSample(samples[0].H)
	f := &dto.MetricFamily{Name: &name, Type: kind.Enum()}
	for len(samples) > 0 && samples[0].Metric.Get(model.MetricNameLabel) == name && kindOfSample(samples[0].H) == kind {
		s := samples[0]
		samples = samples[1:]
		if name == "" || s.H != nil && !s.H.UsesCustomBuckets() && !native {
			continue
		}
		m := &dto.Metric{TimestampMs: &s.T, Label: pairs(s.Metric)}
		switch {
		case s.H == nil:
			m.Untyped = &dto.Untyped{Value: &s.F}
		case s.H.UsesCustomBuckets():
			m.Histogram = classicHistogram(s.H)
		default:
			m.Histogram = nativeHistogram(s.H)
		}
		f.Metric = append(f.Metric, m)
	}
	return f, samples
}

func kindOfSample(h *histogram.FloatHistogram) dto.MetricType {
	switch {
	case h == nil:
		return dto.MetricType_UNTYPED
	case h.CounterResetHint == histogram.GaugeType:
		return dto.MetricType_GAUGE_HISTOGRAM
	default:
		return dto.MetricType_HISTOGRAM
	}
}

// pairs returns labels without the name. There is always an instance, so that a scrape that honors labels does not add its own.
func pairs(ls labels.Labels) []*dto.LabelPair {
	var out []*dto.LabelPair
	ls.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel {
			out = append(out, &dto.LabelPair{Name: &l.Name, Value: &l.Value})
		}
	})
	if !ls.Has(model.InstanceLabel) {
		out = append(out, &dto.LabelPair{Name: new(model.InstanceLabel), Value: new("")})
	}
	return out
}

func nativeHistogram(h *histogram.FloatHistogram) *dto.Histogram {
	spans := func(from []histogram.Span) (to []*dto.BucketSpan) {
		for _, s := range from {
			to = append(to, &dto.BucketSpan{Offset: &s.Offset, Length: &s.Length})
		}
		return to
	}
	return &dto.Histogram{
		SampleCountFloat: &h.Count, SampleSum: &h.Sum, Schema: &h.Schema, ZeroThreshold: &h.ZeroThreshold, ZeroCountFloat: &h.ZeroCount,
		NegativeSpan: spans(h.NegativeSpans), NegativeCount: h.NegativeBuckets,
		PositiveSpan: spans(h.PositiveSpans), PositiveCount: h.PositiveBuckets,
	}
}

// classicHistogram makes a histogram of one with custom buckets. Its last bucket, up to +Inf, is its count.
func classicHistogram(h *histogram.FloatHistogram) *dto.Histogram {
	out := &dto.Histogram{SampleCountFloat: &h.Count, SampleSum: &h.Sum}
	counts := make([]float64, len(h.CustomValues)+1)
	for it := h.PositiveBucketIterator(); it.Next(); {
		if b := it.At(); int(b.Index) < len(counts) {
			counts[b.Index] = b.Count
		}
	}
	sum := 0.0
	for i := range h.CustomValues {
		sum += counts[i]
		out.Bucket = append(out.Bucket, &dto.Bucket{UpperBound: &h.CustomValues[i], CumulativeCountFloat: new(sum)})
	}
	return out
}
