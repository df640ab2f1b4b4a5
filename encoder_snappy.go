package promwire

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/promwire/promwire/internal/pb"
	"github.com/promwire/promwire/internal/xcompress"
)

const (
	// piecewiseFrom is the size of a message that is worth copies, in bytes.
	piecewiseFrom = 1 << 10
	// piecewisePoints is how many bytes the points of a series may take on average: three samples. Points in large
	// numbers compress better by a search than by comparing them with those of the series before.
	piecewisePoints = 64
	// maxChanges is the part of the series that may have another one before them than the last time: 1/maxChanges.
	maxChanges = 32

	// Where the parts of a samples field are: 12 LL 09 value 10 timestamp.
	sampleValue     = 3
	sampleTimestamp = sampleValue + 8
	minSample       = sampleValue + 8 + 5 // the sizes that are common: timestamps of 4 to 7 bytes
	maxSampleV1     = sampleValue + 8 + 8
)

// AppendSnappy appends the message as a snappy block to dst and returns the extended slice; the block holds exactly
// what AppendTo appends. The request stays as it is.
//
// In 1.0 the block of a request with few points per series (three samples on average) is put together from what e
// knows of its series: where nearly all of them go out behind the same one as in a request before, it is known where
// their labels repeat, and nothing is searched. Such a block is as large as that of a compressor where each target
// sends the same metrics, up to 1.25 times as large where they vary, and 1.4 times with series in random order. Every
// other request, the first one among them, is compressed as usual, and so is every message of 2.0. Blocks of the same
// request can differ therefore. What is known takes about 150 bytes per series.
//
// It panics if the message is larger than a snappy block can be, about 4 GiB, or 2 GiB on 32-bit systems. In steady
// state nothing is allocated.
func (e *Encoder) AppendSnappy(dst []byte) []byte {
	if e.kind == WriteV1 {
		if out, ok := e.v1.appendSnappy(dst, e.items, e.points); ok {
			return out
		}
	}
	e.message = e.AppendTo(e.message[:0])
	return xcompress.AppendSnappy(dst, e.message)
}

// appendSnappy appends the block of the message. If that cannot be put together of what is known, it returns false,
// and knows more the next time.
func (v *encoderV1) appendSnappy(dst []byte, items []encoderItem, points []byte) (out []byte, ok bool) {
	size := v.size()
	if size < piecewiseFrom || size > maxMessage || len(points) > piecewisePoints*len(items) {
		return dst, false
	}
	if missing := len(v.series) - len(v.diffs); missing > 0 {
		v.diffs = append(v.diffs, make([]diffV1, missing)...)
	}
	out, ok = v.appendElements(binary.AppendUvarint(dst, size), items, points)
	if !ok {
		for k := range items {
			v.follows(items, k)
		}
		return dst, false
	}
	return v.appendFamilies(out), true
}

// appendElements appends the elements of the series; false if too many of them have another one before them than the
// last time.
func (v *encoderV1) appendElements(dst []byte, items []encoderItem, points []byte) (out []byte, ok bool) {
	w := blockWriter{b: dst[:cap(dst)], i: len(dst)}
	v.differ.indexed = 0
	var places [2]seriesPlace // of the series at work and the one before, in turns
	changes := len(items) / maxChanges
	series, diffs, starts := v.series, v.diffs, v.starts
	for k, item := range items {
		s, d := &series[item.series], &diffs[item.series]
		own, before := &places[k&1], &places[(k+1)&1]
		own.start, own.labels, own.points = int(starts[k]), int(s.to-s.from), points[:item.points]
		points = points[item.points:]
		if !v.valid(d, items, k) {
			if !v.follows(items, k) {
				changes--
			}
			if changes < 0 {
				return nil, false
			}
			v.compare(d, items, k)
		}
		w.grow(d, len(own.points))
		w.series(d, own, before)
	}
	return w.end(), true
}

// appendFamilies appends the family metadata of the request as elements.
func (v *encoderV1) appendFamilies(dst []byte) []byte {
	if len(v.used) == 0 {
		return dst
	}
	v.differ.middle = v.differ.middle[:0]
	for _, f := range v.used {
		v.differ.middle = append(v.differ.middle, v.families[f].field...)
	}
	return xcompress.AppendElements(dst, v.differ.middle)
}

// blockWriter writes elements of a snappy block by index. A copy waits until something else follows, as that may
// continue it: the timestamps of two series are as far apart as the labels behind them.
type blockWriter struct {
	b           []byte
	i           int
	n, distance int // the copy that waits
}

// grow makes room for a series with these points, and for the copy that waits.
func (w *blockWriter) grow(d *diffV1, points int) {
	const extra = 64 // copies that are cut short, the header and the tag of a literal
	copied := w.n + int(d.lead) + int(d.tail) + points
	if need := copied/16 + len(d.middle) + points + extra; len(w.b)-w.i < need {
		w.b = slices.Grow(w.b[:w.i], need)
		w.b = w.b[:cap(w.b)]
	}
}

// copy writes a copy, or goes on with the one that waits.
func (w *blockWriter) copy(n, distance int) {
	if distance != w.distance {
		w.flush()
		w.distance = distance
	}
	w.n += n
}

func (w *blockWriter) flush() {
	if w.n > 0 {
		w.i = xcompress.PutCopy(w.b, w.i, w.distance, w.n)
		w.n = 0
	}
}

func (w *blockWriter) literal(p []byte) {
	if len(p) > 0 {
		w.flush()
		w.i = xcompress.PutLiteral(w.b, w.i, p)
	}
}

// putSteps writes p, whose capacity is a multiple of middleStep, in such steps.
func putSteps(b []byte, i int, p []byte) int {
	d := b[i:]
	for k := 0; k < len(p); k += middleStep {
		*(*[middleStep]byte)(d[k:]) = *(*[middleStep]byte)(p[k:cap(p)])
	}
	return i + len(p)
}

// seriesPlace is where the labels of a series begin in the message, their size, and the points behind them.
type seriesPlace struct {
	start, labels int
	points        []byte
}

func (p *seriesPlace) body() int { return p.labels + len(p.points) }

// series writes a series, behind another one.
func (w *blockWriter) series(d *diffV1, own, before *seriesPlace) {
	distance := own.start - before.start
	body, bodyBefore, n := own.body(), before.body(), int(d.lead)
	if body == bodyBefore && before.start > 0 && distance <= xcompress.MaxDistance {
		n += distance - body // tag and length
	} else {
		w.header(body, bodyBefore)
	}
	if distance != w.distance {
		w.flush()
		w.distance = distance
	}
	n += w.n
	w.n = n
	if len(d.middle) > 0 {
		i := xcompress.PutCopy(w.b, w.i, distance, n)
		w.i, w.n = putSteps(w.b, i, d.middle), 0
	}
	distance += own.labels - before.labels
	w.copy(int(d.tail), distance)
	if !w.sample(own.points, before.points, distance) {
		w.points(own.points, before.points, distance)
	}
}

// header writes tag and length of a series; before is the length in front of it.
func (w *blockWriter) header(body, before int) {
	var header [maxHeader]byte
	n := pb.PutHeader(header[:], 0, 0x0a, uint64(body))
	same := 0
	if w.n > 0 && w.distance == 1+pb.SizeVarint(uint64(before))+before {
		w.n++ // the tag
		same = 1
	}
	w.literal(header[same:n])
}

// sample writes the points of a series if they and those before are one sample each, with a value and the same
// timestamp. That is the usual case; it needs no search.
func (w *blockWriter) sample(p, before []byte, distance int) bool {
	n := len(p)
	if n != len(before) || n < minSample || n > maxSampleV1 || distance > xcompress.MaxDistance {
		return false
	}
	tags := binary.LittleEndian.Uint32(p) ^ binary.LittleEndian.Uint32(before)
	timestamps := binary.LittleEndian.Uint64(p[n-8:]) ^ binary.LittleEndian.Uint64(before[n-8:])
	value := binary.LittleEndian.Uint64(p[sampleValue:])
	differ := value ^ binary.LittleEndian.Uint64(before[sampleValue:])
	if tags<<8 != 0 || timestamps>>(8*(sampleValue+16-n)) != 0 || differ == 0 {
		return false
	}
	from, behind := bits.TrailingZeros64(differ)/8, bits.LeadingZeros64(differ)/8
	if w.distance != distance {
		w.flush()
		w.distance = distance
	}
	i := xcompress.PutCopy(w.b, w.i, distance, w.n+sampleValue+from)
	b := w.b[i : i+9]
	b[0] = byte(7-from-behind) << 2
	binary.LittleEndian.PutUint64(b[1:], value>>(8*from))
	w.i = i + 9 - from - behind
	w.n = behind + n - sampleValue - 8
	return true
}

// points writes the points of a series as differences to those of the series before, which begin distance bytes
// before them.
func (w *blockWriter) points(p, before []byte, distance int) {
	if len(p) >= piecewiseFrom {
		w.flush()
		w.b = xcompress.AppendElements(w.b[:w.i], p)
		w.i, w.b = len(w.b), w.b[:cap(w.b)]
		return
	}
	same, end := 0, 0
	endDistance := distance + len(p) - len(before)
	if max(distance, endDistance) <= xcompress.MaxDistance {
		same, end = commonEnds(p, before)
	}
	if same < minMatch && (w.n == 0 || w.distance != distance) {
		same = 0
	}
	w.copy(same, distance)
	w.literal(p[same : len(p)-end])
	w.copy(end, endDistance)
}

// end returns what was written.
func (w *blockWriter) end() []byte {
	w.b = slices.Grow(w.b[:w.i], xcompress.MaxCopies(w.n))
	w.b = w.b[:cap(w.b)]
	w.flush()
	return w.b[:w.i]
}
