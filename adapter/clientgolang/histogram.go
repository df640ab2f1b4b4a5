package clientgolang

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
)

// histogram appends the classic series of h, the native one, or both. A histogram that has neither native buckets nor a
// zero bucket is a classic one, even without buckets (exposition formats, protobuf).
func (c *Converter) histogram(h *dto.Histogram) error {
	native := !c.config.noNative && (len(h.PositiveSpan) > 0 || len(h.NegativeSpan) > 0 || h.GetZeroThreshold() > 0 ||
		h.GetZeroCount() > 0 || h.GetZeroCountFloat() > 0)
	if !native || len(h.Bucket) > 0 && !c.config.noClassic {
		if err := c.classic(h); err != nil {
			return err
		}
	}
	if native {
		c.native(h)
	}
	return nil
}

func (c *Converter) classic(h *dto.Histogram) error {
	created := start(h.CreatedTimestamp)
	count := either(h.GetSampleCountFloat(), h.GetSampleCount())
	infinite := false
	for i, b := range h.Bucket {
		bound := b.GetUpperBound()
		if math.IsNaN(bound) || i > 0 && bound <= h.Bucket[i-1].GetUpperBound() {
			return fmt.Errorf("%w: bound %v of bucket %d; bounds increase", promwire.ErrInvalidHistogram, bound, i)
		}
		infinite = math.IsInf(bound, 1)
		ts := c.bound(c.family.bucket, "le", bound, either(b.GetCumulativeCountFloat(), b.GetCumulativeCount()), created)
		c.exemplar(ts, b.GetExemplar())
	}
	if !infinite {
		c.bound(c.family.bucket, "le", math.Inf(1), count, created)
	}
	c.sample(c.family.count, count, created)
	c.sample(c.family.sum, h.GetSampleSum(), created)
	return nil
}

// either returns the count that overrides, or else the other one (client_model, Histogram).
func either(override float64, count uint64) float64 {
	if override != 0 {
		return override
	}
	return float64(count)
}

// native appends h's native form. It is a float histogram if it has a float count.
func (c *Converter) native(h *dto.Histogram) {
	ts := c.series(c.family.plain)
	var out *promwire.Histogram
	ts.Histograms, out = extend(ts.Histograms)
	out.Reset()
	out.Timestamp, out.StartTimestamp = c.time, c.startOf(start(h.CreatedTimestamp))
	out.Schema, out.Sum, out.ZeroThreshold = h.GetSchema(), h.GetSampleSum(), h.GetZeroThreshold()
	if c.meta.Type == promwire.TypeGaugeHistogram {
		out.ResetHint = promwire.ResetGauge
	}
	out.PositiveSpans = appendSpans(out.PositiveSpans, h.PositiveSpan)
	out.NegativeSpans = appendSpans(out.NegativeSpans, h.NegativeSpan)
	if h.GetSampleCountFloat() > 0 || h.GetZeroCountFloat() > 0 {
		out.IsFloat = true
		out.CountFloat, out.ZeroCountFloat = h.GetSampleCountFloat(), h.GetZeroCountFloat()
		out.PositiveCounts = append(out.PositiveCounts, h.PositiveCount...)
		out.NegativeCounts = append(out.NegativeCounts, h.NegativeCount...)
	} else {
		out.Count, out.ZeroCount = h.GetSampleCount(), h.GetZeroCount()
		out.PositiveDeltas = append(out.PositiveDeltas, h.PositiveDelta...)
		out.NegativeDeltas = append(out.NegativeDeltas, h.NegativeDelta...)
	}
	c.nativeExemplars(ts, h)
}

// appendSpans leaves out a span without buckets that is alone: it only says that the histogram is a native one.
func appendSpans(dst []promwire.BucketSpan, spans []*dto.BucketSpan) []promwire.BucketSpan {
	if len(spans) == 1 && spans[0].GetLength() == 0 {
		return dst
	}
	for _, s := range spans {
		dst = append(dst, promwire.BucketSpan{Offset: s.GetOffset(), Length: s.GetLength()})
	}
	return dst
}

// nativeExemplars adds h's exemplars in order of time. A histogram that has none of its own shows those of its classic
// buckets. Exemplars without a time are left out: their order is not known.
func (c *Converter) nativeExemplars(ts *promwire.TimeSeries, h *dto.Histogram) {
	for _, e := range h.Exemplars {
		if e.GetTimestamp() != nil {
			c.exemplar(ts, e)
		}
	}
	if len(h.Exemplars) == 0 {
		for _, b := range h.Bucket {
			if e := b.GetExemplar(); e.GetTimestamp() != nil {
				c.exemplar(ts, e)
			}
		}
	}
	slices.SortStableFunc(ts.Exemplars, func(a, b promwire.Exemplar) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
}
