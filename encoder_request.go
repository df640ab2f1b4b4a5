package promwire

import (
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// encoderRequest collects one request of an Encoder. Samples and histograms are encoded at once, labels when the
// message is made, straight into its memory.
type encoderRequest struct {
	items     []encoderItem
	points    []byte // encoded fields of the items, apart from labels, metadata and, in 2.0, exemplars
	stats     WriteStats
	round     uint32         // number of the request, to tell what belongs to it
	families  []uint32       // 1.0: indexes of family metadata, in order of first use
	exemplars []Exemplar     // 2.0
	labels    Labels         // 2.0: memory for the labels of exemplars
	v2        encoderSymbols // 2.0: symbols of the message
	series    []byte         // 2.0: timeseries fields of the message
}

// encoderItem is one series of a request. Its points and exemplars begin where those of the item before end.
type encoderItem struct {
	series    uint32 // index in Encoder.series
	points    int    // end in encoderRequest.points
	exemplars int    // end in encoderRequest.exemplars
}

// maxSampleField is the largest size of a sample with tag and length.
const maxSampleField = 2 + 9 + 11 + 11

// Reset begins a request, and forgets the one before.
func (e *Encoder) Reset() {
	q := &e.request
	q.items, q.points, q.stats = q.items[:0], q.points[:0], WriteStats{}
	clear(q.exemplars) // strings of callers
	clear(q.labels)
	q.families, q.exemplars, q.labels = q.families[:0], q.exemplars[:0], q.labels[:0]
	q.round++
	if q.round == 0 {
		for i := range e.families {
			e.families[i].round = 0
		}
		q.round = 1
	}
}

// Stats counts what the request has so far.
func (e *Encoder) Stats() WriteStats { return e.request.stats }

// Len returns the number of series in the request so far.
func (e *Encoder) Len() int { return len(e.request.items) }

// AppendSample adds a series with one sample to the request. It panics if h is the zero Handle or comes from another
// Encoder with more series.
func (e *Encoder) AppendSample(h Handle, s Sample) {
	q := &e.request
	e.addFamily(h)
	q.points = e.appendSample(q.points, &s)
	q.stats.Samples++
	q.items = append(q.items, encoderItem{h.n - 1, len(q.points), len(q.exemplars)})
}

// AppendSeries adds a series to the request, with samples, histograms and exemplars; each may be nil. Nothing of the
// arguments is retained, but strings of exemplars in 2.0 until Reset. It panics as AppendSample does.
func (e *Encoder) AppendSeries(h Handle, samples []Sample, histograms []Histogram, exemplars []Exemplar) {
	q := &e.request
	e.addFamily(h)
	for i := range samples {
		q.points = e.appendSample(q.points, &samples[i])
	}
	if e.kind == WriteV1 {
		q.points = appendPointsV1(q.points, histograms, exemplars)
	} else {
		q.points = appendHistogramsV2(q.points, histograms)
		q.addExemplars(exemplars)
	}
	q.stats = q.stats.Add(WriteStats{len(samples), len(histograms), len(exemplars)})
	q.items = append(q.items, encoderItem{h.n - 1, len(q.points), len(q.exemplars)})
}

// AppendTo appends the message to dst and returns the extended slice. The request stays as it is: more series may be
// added, and AppendTo called again. Receivers refuse messages of more than 32 MiB as a rule.
func (e *Encoder) AppendTo(dst []byte) []byte {
	switch e.kind {
	case WriteV1:
		return e.appendToV1(dst)
	case WriteV2:
		return e.appendToV2(dst)
	default:
		return dst // nothing could be prepared
	}
}

// addFamily notes the family metadata of the series if the request lacks them.
func (e *Encoder) addFamily(h Handle) {
	s := &e.series[h.n-1]
	if s.family == 0 {
		return
	}
	if f := &e.families[s.family-1]; f.round != e.request.round {
		f.round = e.request.round
		e.request.families = append(e.request.families, s.family-1)
	}
}

func (e *Encoder) appendSample(dst []byte, s *Sample) []byte {
	start := s.StartTimestamp
	if e.kind == WriteV1 {
		start = 0
	}
	dst = grow(dst, maxSampleField)
	b := dst[:cap(dst)]
	return b[:putSample(b, len(dst), math.Float64bits(s.Value), s.Timestamp, start)]
}

func appendPointsV1(dst []byte, histograms []Histogram, exemplars []Exemplar) []byte {
	if len(histograms) == 0 && len(exemplars) == 0 {
		return dst
	}
	ts := TimeSeries{Histograms: histograms, Exemplars: exemplars}
	return ts.AppendProto(dst)
}

func appendHistogramsV2(dst []byte, histograms []Histogram) []byte {
	if len(histograms) == 0 {
		return dst
	}
	dst = grow(dst, sizePointsV2(nil, histograms))
	b := dst[:cap(dst)]
	return b[:putPointsV2(b, len(dst), nil, histograms)]
}

// addExemplars keeps exemplars until the message is made: only then their symbols have numbers.
func (q *encoderRequest) addExemplars(exemplars []Exemplar) {
	for _, x := range exemplars {
		from := len(q.labels)
		q.labels = append(q.labels, x.Labels...)
		x.Labels = q.labels[from:len(q.labels):len(q.labels)]
		q.exemplars = append(q.exemplars, x)
	}
}

// appendToV1 appends a prometheus.WriteRequest.
func (e *Encoder) appendToV1(dst []byte) []byte {
	q := &e.request
	dst = grow(dst, e.sizeV1())
	b, i, from := dst[:cap(dst)], len(dst), 0
	for k := range q.items {
		item := &q.items[k]
		s := &e.series[item.series]
		labels, points := e.encoded[s.from:s.to], q.points[from:item.points]
		i = pb.PutHeader(b, i, 0x0a, uint64(len(labels)+len(points)))
		i += copy(b[i:], labels)
		i += copy(b[i:], points)
		from = item.points
	}
	for _, f := range q.families {
		i += copy(b[i:], e.families[f].field)
	}
	return b[:i]
}

// sizeV1 returns the size of the message, or a little more.
func (e *Encoder) sizeV1() uint64 {
	const maxHeader = 6
	q := &e.request
	n := uint64(len(q.points) + maxHeader*len(q.items))
	for k := range q.items {
		s := &e.series[q.items[k].series]
		n += uint64(s.to - s.from)
	}
	for _, f := range q.families {
		n += uint64(len(e.families[f].field))
	}
	return n
}
