package chunk

import (
	"encoding/binary"
	"fmt"

	"github.com/promwire/promwire"
)

// histogramKind is what differs between integer and float histograms.
type histogramKind interface {
	// next reads sample i, all but its start timestamp.
	next(r *bitReader, i int) error
	// fill sets counts and buckets of the sample read last.
	fill(h *promwire.Histogram)
}

// histograms is what both kinds have in common.
type histograms struct {
	layout
	time delta2
	sum  xorFloat
}

// stale reports whether the sample read last is a stale marker.
func (s *histograms) stale() bool { return s.sum.bits == promwire.StaleNaNBits }

// histogramFlags is the header of a histogram chunk.
type histogramFlags struct {
	count   int // of samples
	reset   byte
	start   byte // header of the start times
	isFloat bool
}

func readHistogramFlags(c promwire.Chunk) histogramFlags {
	n := binary.BigEndian.Uint16(c.Data)
	f := histogramFlags{count: int(n), reset: c.Data[2] >> 6}
	if c.Encoding == promwire.ChunkHistogramST || c.Encoding == promwire.ChunkFloatHistogramST {
		f = histogramFlags{count: int(n & 0x3fff), reset: byte(n >> 14), start: c.Data[2]}
	}
	f.isFloat = c.Encoding == promwire.ChunkFloatHistogram || c.Encoding == promwire.ChunkFloatHistogramST
	return f
}

// hint returns the reset hint of sample i. What the header says about the first one is about the predecessor that
// the store knew; the reader may have got another, or none.
func (f histogramFlags) hint(i int) promwire.ResetHint {
	switch {
	case f.reset == resetGauge:
		return promwire.ResetGauge
	case i > 0:
		return promwire.ResetNo
	default:
		return promwire.ResetUnknown
	}
}

// appendHistograms decodes a histogram chunk whose state is s, a part of kind.
func (d *Decoder) appendHistograms(dst []promwire.Histogram, c promwire.Chunk, lo, hi int64, s *histograms,
	kind histogramKind,
) ([]promwire.Histogram, error) {
	if len(c.Data) < histogramHeader {
		return dst, malformed(c.Encoding, 0, 0, errHeader)
	}
	flags := readHistogramFlags(c)
	start := newStartTimes(flags.start)
	r := &d.r
	*r = bitReader{data: c.Data, pos: histogramHeader}
	s.time = delta2{}
	shared, counts := 0, 0
	for i := range flags.count {
		before := s.time.value
		err := kind.next(r, i)
		if err == nil && start.due(i) {
			err = start.next(r, i, s.time.value, before)
		}
		if r.failed() {
			err = errShort
		}
		if err != nil {
			return dst, malformed(c.Encoding, i, r.pos, err)
		}
		if s.time.value > hi {
			break
		}
		if s.time.value < lo {
			continue
		}
		if shared += s.shared(); shared > maxShared {
			return dst, malformed(c.Encoding, i, r.pos, errShared)
		}
		if counts += s.positives + s.negatives; counts > maxCounts {
			return dst, malformed(c.Encoding, i, r.pos, errCounts)
		}
		dst = extend(dst)
		h := &dst[len(dst)-1]
		h.Timestamp, h.StartTimestamp = s.time.value, start.value
		h.Sum = s.sum.float()
		h.IsFloat = flags.isFloat
		if s.stale() {
			continue
		}
		h.ResetHint = flags.hint(i)
		s.apply(h)
		kind.fill(h)
		if h.Schema > promwire.MaxSchema {
			if err := h.ReduceResolution(promwire.MaxSchema); err != nil {
				return dst[:len(dst)-1], malformed(c.Encoding, i, r.pos, err)
			}
		}
	}
	return dst, nil
}

var (
	errShared = fmt.Errorf("%w: more than %d spans and custom bounds in all histograms", promwire.ErrTooLarge, maxShared)
	errCounts = fmt.Errorf("%w: more than %d buckets in all histograms", promwire.ErrTooLarge, maxCounts)
)

// extend appends an empty histogram, reusing one that lies behind the end of dst.
func extend(dst []promwire.Histogram) []promwire.Histogram {
	if len(dst) == cap(dst) {
		return append(dst, promwire.Histogram{})
	}
	dst = dst[:len(dst)+1]
	dst[len(dst)-1].Reset()
	return dst
}
