package difftest

import (
	"math"

	"github.com/promwire/promwire"
)

// samples generates a series in order of time, with start timestamps if starts is set.
func (s *source) samples(starts bool) []promwire.Sample {
	var out []promwire.Sample
	last := promwire.Sample{Timestamp: s.int64() >> 8, Value: s.float()}
	interval := int64(15000)
	for len(out) < 300 && !s.done() {
		switch s.intn(8) {
		case 0: // a step of any size
			interval = s.int64() & math.MaxInt64 >> (1 + s.byte()&63)
		case 1: // jitter
			interval += int64(s.intn(256)) - 128
		}
		last.Timestamp += max(interval, 1)
		if s.one(3) {
			last.Value = s.float()
		} else if s.one(2) {
			last.Value += float64(s.intn(16))
		}
		if starts && s.one(4) {
			last.StartTimestamp = last.Timestamp - s.int64()>>8
		}
		out = append(out, last)
	}
	return out
}

// histograms generates a series of valid histograms of one form, in order of time.
func (s *source) histograms(isFloat, starts bool) []promwire.Histogram {
	var out []promwire.Histogram
	h := s.histogram(isFloat)
	h.Timestamp = s.int64() >> 8
	for len(out) < 300 && !s.done() {
		h = h.Clone()
		h.Timestamp += 1 + int64(s.intn(3))*15000 + max(0, s.int64()>>24)
		switch s.intn(16) {
		case 0: // another layout, possibly a counter reset
			t, st := h.Timestamp, h.StartTimestamp
			h = s.histogram(isFloat)
			h.Timestamp, h.StartTimestamp = t, st
		case 1:
			h.ResetHint = promwire.ResetHint(s.intn(4))
		case 2:
			stale := promwire.Histogram{Timestamp: h.Timestamp, IsFloat: isFloat, Sum: promwire.StaleNaN()}
			out = append(out, stale)
			h.Timestamp++
		default:
			s.observe(&h)
		}
		if starts && s.one(4) {
			h.StartTimestamp = h.Timestamp - s.int64()>>8
		}
		out = append(out, h)
	}
	return out
}

// observe adds observations to some buckets.
func (s *source) observe(h *promwire.Histogram) {
	n := uint64(s.intn(5))
	if h.IsFloat {
		if len(h.PositiveCounts) > 0 {
			h.PositiveCounts[s.intn(len(h.PositiveCounts))] += float64(n)
			h.CountFloat += float64(n)
		}
	} else if i := len(h.PositiveDeltas); i > 0 {
		i = s.intn(i)
		h.PositiveDeltas[i] += int64(n)
		if i+1 < len(h.PositiveDeltas) {
			h.PositiveDeltas[i+1] -= int64(n)
		}
		h.Count += n
	}
	if s.one(2) {
		h.Sum += float64(s.byte())
	}
}

// histogram generates a valid histogram without timestamps.
func (s *source) histogram(isFloat bool) promwire.Histogram {
	h := promwire.Histogram{
		Schema:    int32(s.intn(13)) - 4,
		ResetHint: promwire.ResetHint(s.intn(4)),
		IsFloat:   isFloat,
		Sum:       s.count(),
	}
	if s.one(4) {
		h.Schema = promwire.CustomBucketsSchema
		bound := float64(s.intn(10)) - 3
		for range s.intn(40) {
			bound += float64(1+s.byte()) / 8
			h.CustomValues = append(h.CustomValues, bound)
		}
		h.PositiveSpans = []promwire.BucketSpan{{Length: uint32(s.intn(len(h.CustomValues) + 2))}}
	} else {
		h.ZeroThreshold = [...]float64{0, 0x1p-128, 1, 0x1p10, 0x1p-243, 0x1p11, 0x1p-244, 0.001}[s.intn(8)]
		h.PositiveSpans, h.NegativeSpans = s.spans(), s.spans()
		zeros := uint64(s.byte())
		if isFloat {
			h.ZeroCountFloat = float64(zeros)
			h.CountFloat = h.ZeroCountFloat
		} else {
			h.ZeroCount, h.Count = zeros, zeros
		}
	}
	s.buckets(&h)
	return h
}

func (s *source) spans() []promwire.BucketSpan {
	var out []promwire.BucketSpan
	for range s.intn(5) {
		span := promwire.BucketSpan{Offset: int32(s.intn(20)), Length: uint32(s.intn(9))}
		if len(out) == 0 {
			span.Offset = int32(s.int64() >> 40)
		}
		out = append(out, span)
	}
	return out
}

// buckets fills the buckets that the spans of h have room for, and adds them to the count.
func (s *source) buckets(h *promwire.Histogram) {
	fill := func(spans []promwire.BucketSpan) (counts []float64, deltas []int64) {
		before := int64(0)
		for _, span := range spans {
			for range span.Length {
				n := int64(s.byte())
				if s.one(16) {
					n = s.int64() >> 16 & math.MaxInt64
				}
				h.Count += uint64(n)
				counts, deltas = append(counts, float64(n)), append(deltas, n-before)
				before = n
			}
		}
		return counts, deltas
	}
	count := h.Count
	pc, pd := fill(h.PositiveSpans)
	nc, nd := fill(h.NegativeSpans)
	if h.IsFloat {
		h.Count = count
		h.PositiveCounts, h.NegativeCounts = pc, nc
		for _, c := range append(append([]float64{}, pc...), nc...) {
			h.CountFloat += c
		}
	} else {
		h.PositiveDeltas, h.NegativeDeltas = pd, nd
	}
}
