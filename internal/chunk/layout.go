package chunk

import (
	"fmt"
	"math"

	"github.com/promwire/promwire"
)

// histogramHeader is the size of the sample count and the byte of flags or start times.
const histogramHeader = 3

// The reset states of a histogram chunk, the top two bits of its flags.
const (
	resetUnknown = 0b00
	resetNo      = 0b01
	resetYes     = 0b10
	resetGauge   = 0b11
)

// layout is what all histograms of a chunk have in common.
type layout struct {
	schema        int32
	zeroThreshold float64
	positive      []promwire.BucketSpan
	negative      []promwire.BucketSpan
	bounds        []float64
	// Numbers of buckets.
	positives, negatives int
}

// read reads the layout, reusing memory. A bucket of the first histogram takes at least bucketBits.
func (l *layout) read(r *bitReader, bucketBits uint64) (err error) {
	l.zeroThreshold = readZeroThreshold(r)
	if l.schema, err = readInt32(r, "schema"); err != nil {
		return err
	}
	if l.schema != promwire.CustomBucketsSchema && (l.schema < -9 || l.schema > 52) {
		return fmt.Errorf("histogram schema %d is not known", l.schema)
	}
	l.bounds = l.bounds[:0]
	if l.positive, l.positives, err = readSpans(l.positive[:0], r); err != nil {
		return err
	}
	if l.negative, l.negatives, err = readSpans(l.negative[:0], r); err != nil {
		return err
	}
	if l.schema == promwire.CustomBucketsSchema {
		if l.bounds, err = readBounds(l.bounds, r); err != nil {
			return err
		}
	}
	buckets := l.positives + l.negatives
	if buckets > maxBuckets {
		return fmt.Errorf("%w: histogram has %d buckets, limit %d", promwire.ErrTooLarge, buckets, maxBuckets)
	}
	if uint64(buckets)*bucketBits > r.left() {
		return errShort
	}
	return nil
}

// shared returns the number of values that every histogram of the chunk has a copy of.
func (l *layout) shared() int { return len(l.positive) + len(l.negative) + len(l.bounds) }

// apply sets the fields of h that the layout determines.
func (l *layout) apply(h *promwire.Histogram) {
	h.Schema = l.schema
	h.ZeroThreshold = l.zeroThreshold
	h.PositiveSpans = append(h.PositiveSpans, l.positive...)
	h.NegativeSpans = append(h.NegativeSpans, l.negative...)
	h.CustomValues = append(h.CustomValues, l.bounds...)
}

// readZeroThreshold reads one byte: 0 for zero, 1 to 254 for powers of two, 255 in front of any other float.
func readZeroThreshold(r *bitReader) float64 {
	switch b := r.take(8); b {
	case 0:
		return 0
	case 255:
		return math.Float64frombits(r.take(64))
	default:
		return math.Float64frombits((b + thresholdBias) << 52)
	}
}

// thresholdBias turns the byte of a zero threshold, 244 for one, into the exponent of a float, 1023 for one.
const thresholdBias = 1023 - 244

// readInt32 reads a signed variable-bit integer of 32 bits.
func readInt32(r *bitReader, what string) (int32, error) {
	v := r.varbitInt()
	if int64(int32(v)) != v {
		return 0, fmt.Errorf("%w: histogram has %s %d, limit 32 bits", promwire.ErrTooLarge, what, v)
	}
	return int32(v), nil
}

// readSpans appends spans to dst and counts their buckets.
func readSpans(dst []promwire.BucketSpan, r *bitReader) ([]promwire.BucketSpan, int, error) {
	n := r.varbitUint()
	if n > maxShared {
		return dst, 0, fmt.Errorf("%w: histogram has %d spans, limit %d", promwire.ErrTooLarge, n, maxShared)
	}
	if n > r.left()/2 {
		return dst, 0, errShort
	}
	buckets := uint64(0)
	for range n {
		length := r.varbitUint()
		if length > maxBuckets || buckets+length > maxBuckets {
			return dst, 0, fmt.Errorf("%w: histogram has a span of %d buckets, limit %d in all", promwire.ErrTooLarge,
				length, maxBuckets)
		}
		offset, err := readInt32(r, "span offset")
		if err != nil {
			return dst, 0, err
		}
		if r.failed() {
			return dst, 0, errShort
		}
		buckets += length
		dst = append(dst, promwire.BucketSpan{Offset: offset, Length: uint32(length)})
	}
	return dst, int(buckets), nil
}

// readBounds appends custom bounds to dst.
func readBounds(dst []float64, r *bitReader) ([]float64, error) {
	n := r.varbitUint()
	if n > maxShared {
		return dst, fmt.Errorf("%w: histogram has %d custom bounds, limit %d", promwire.ErrTooLarge, n, maxShared)
	}
	if n > r.left()/5 {
		return dst, errShort
	}
	for range n {
		dst = append(dst, readBound(r))
		if r.failed() {
			return dst, errShort
		}
	}
	return dst, nil
}

// readBound reads a bound: thousandths plus one, or a zero bit in front of a float.
func readBound(r *bitReader) float64 {
	if v := r.varbitUint(); v != 0 {
		return float64(v-1) / 1000
	}
	return math.Float64frombits(r.take(64))
}
