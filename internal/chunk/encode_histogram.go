package chunk

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/promwire/promwire"
)

// AppendHistograms encodes histograms, in ascending order of time, and appends the chunks to dst: HISTOGRAM for
// integer histograms, FLOAT_HISTOGRAM for float ones. A chunk ends after 120 samples, or after 1024 bytes and 10
// samples; where the form, schema, zero threshold, spans or custom bounds change; at a counter reset; and behind a
// stale marker.
//
// Reset hints other than ResetYes and ResetGauge are worked out anew; start timestamps have no place there. Spans
// and buckets should agree in number, as in a valid histogram: those in excess are left out.
func (e *Encoder) AppendHistograms(dst []promwire.Chunk, hs []promwire.Histogram) []promwire.Chunk {
	reset := byte(resetUnknown)
	for len(hs) > 0 {
		e.w = newBitWriter(e.mem.take(2 * maxHistogramBytes))
		var n int
		var next byte
		c := promwire.Chunk{MinTime: hs[0].Timestamp, Encoding: promwire.ChunkHistogram}
		if hs[0].IsFloat {
			c.Encoding = promwire.ChunkFloatHistogram
			n, next = writeHistograms(&e.w, hs, &e.floats)
		} else {
			n, next = writeHistograms(&e.w, hs, &e.ints)
		}
		c.MaxTime = hs[n-1].Timestamp
		c.Data = e.mem.keep(e.w.bytes())
		binary.BigEndian.PutUint16(c.Data, uint16(n))
		c.Data[2] = firstReset(&hs[0], reset) << 6
		dst = append(dst, c)
		hs, reset = hs[n:], next
	}
	return dst
}

// firstReset returns the header's reset state of a chunk that starts with h, given how h follows on the chunk before.
func firstReset(h *promwire.Histogram, follows byte) byte {
	switch h.ResetHint {
	case promwire.ResetGauge:
		return resetGauge
	case promwire.ResetYes:
		return resetYes
	default:
		return follows
	}
}

// histogramWriter writes the samples of one form.
type histogramWriter interface {
	first(w *bitWriter, h *promwire.Histogram)
	next(w *bitWriter, h *promwire.Histogram)
}

// writeHistograms writes as many of hs as belong in one chunk, the header left blank. It returns how many, and how
// the next one follows on them.
func writeHistograms(w *bitWriter, hs []promwire.Histogram, kind histogramWriter) (n int, follows byte) {
	w.put(0, 8*histogramHeader)
	kind.first(w, agreeing(&hs[0]))
	for n = 1; n < len(hs); n++ {
		h := &hs[n]
		ok, reset := continues(&hs[n-1], h)
		if !ok || n == maxSamples || n >= minHistogramSamples && w.pos >= maxHistogramBytes {
			return n, reset
		}
		kind.next(w, agreeing(h))
	}
	return n, resetUnknown
}

// continues reports whether h may stand behind prev in a chunk, and what is known about a counter reset in between.
func continues(prev, h *promwire.Histogram) (ok bool, reset byte) {
	gauge := h.ResetHint == promwire.ResetGauge
	if h.IsFloat != prev.IsFloat || gauge != (prev.ResetHint == promwire.ResetGauge) {
		return false, resetUnknown
	}
	if h.ResetHint == promwire.ResetYes {
		return false, resetYes
	}
	if promwire.IsStaleNaN(h.Sum) {
		return true, resetUnknown
	}
	if promwire.IsStaleNaN(prev.Sum) || !sameLayout(prev, h) {
		return false, resetUnknown
	}
	if !gauge && hasReset(prev, h) {
		return false, resetYes
	}
	return true, resetNo
}

func sameLayout(a, b *promwire.Histogram) bool {
	return a.Schema == b.Schema &&
		math.Float64bits(a.ZeroThreshold) == math.Float64bits(b.ZeroThreshold) &&
		slices.Equal(a.PositiveSpans, b.PositiveSpans) &&
		slices.Equal(a.NegativeSpans, b.NegativeSpans) &&
		slices.Equal(a.CustomValues, b.CustomValues) &&
		len(a.PositiveDeltas) == len(b.PositiveDeltas) && len(a.NegativeDeltas) == len(b.NegativeDeltas) &&
		len(a.PositiveCounts) == len(b.PositiveCounts) && len(a.NegativeCounts) == len(b.NegativeCounts)
}

// hasReset reports whether a count went down from prev to h, which have the same form and layout.
func hasReset(prev, h *promwire.Histogram) bool {
	if h.IsFloat {
		return h.CountFloat < prev.CountFloat || h.ZeroCountFloat < prev.ZeroCountFloat ||
			fewer(prev.PositiveCounts, h.PositiveCounts) || fewer(prev.NegativeCounts, h.NegativeCounts)
	}
	return h.Count < prev.Count || h.ZeroCount < prev.ZeroCount ||
		fewerDeltas(prev.PositiveDeltas, h.PositiveDeltas) || fewerDeltas(prev.NegativeDeltas, h.NegativeDeltas)
}

func fewer(before, after []float64) bool {
	for i := range before {
		if after[i] < before[i] {
			return true
		}
	}
	return false
}

func fewerDeltas(before, after []int64) bool {
	var b, a int64
	for i := range before {
		b += before[i]
		a += after[i]
		if a < b {
			return true
		}
	}
	return false
}
