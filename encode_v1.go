package promwire

import (
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// appendRequestV1 appends a prometheus.WriteRequest (Remote Write 1.0, "Protocol").
func appendRequestV1(dst []byte, r *WriteRequest) ([]byte, error) {
	start := len(dst)
	var err error
	for i := range r.Timeseries {
		ts := &r.Timeseries[i]
		size := sizeSeriesV1(ts)
		if dst, err = room(dst, start, pb.SizeMessage(size)); err != nil {
			return dst, err
		}
		b := dst[:cap(dst)]
		at := pb.PutHeader(b, len(dst), 0x0a, size)
		dst = b[:putSeriesV1(b, at, ts)]
	}
	if dst, err = appendSeriesMetadata(dst, start, r.Timeseries); err != nil {
		return dst, err
	}
	for i := range r.Metadata {
		if dst, err = appendMetadataV1(dst, start, &r.Metadata[i]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// AppendProto appends ts to dst as one prometheus.TimeSeries message of the 1.0 form, which write requests and read
// answers share; tag and length around it are the caller's. Start timestamps and metadata have no place in it. With
// enough room in dst it allocates nothing.
func (ts *TimeSeries) AppendProto(dst []byte) []byte {
	dst = grow(dst, sizeSeriesV1(ts))
	b := dst[:cap(dst)]
	return b[:putSeriesV1(b, len(dst), ts)]
}

func sizeSeriesV1(ts *TimeSeries) uint64 {
	n := sizeLabels(ts.Labels)
	for i := range ts.Samples {
		s := &ts.Samples[i]
		n += 2 + sizeSample(math.Float64bits(s.Value), s.Timestamp, 0)
	}
	for i := range ts.Exemplars {
		n += pb.SizeMessage(sizeExemplarV1(&ts.Exemplars[i]))
	}
	for i := range ts.Histograms {
		n += pb.SizeMessage(sizeHistogram(&ts.Histograms[i], 0))
	}
	return n
}

func putSeriesV1(b []byte, i int, ts *TimeSeries) int {
	i = putLabels(b, i, ts.Labels)
	for k := range ts.Samples {
		s := &ts.Samples[k]
		i = putSample(b, i, math.Float64bits(s.Value), s.Timestamp, 0)
	}
	for k := range ts.Exemplars {
		e := &ts.Exemplars[k]
		i = pb.PutHeader(b, i, 0x1a, sizeExemplarV1(e))
		i = putLabels(b, i, e.Labels)
		i = pb.PutDouble(b, i, 0x11, math.Float64bits(e.Value))
		i = pb.PutUint(b, i, 0x18, uint64(e.Timestamp))
	}
	for k := range ts.Histograms {
		h := &ts.Histograms[k]
		i = pb.PutHeader(b, i, 0x22, sizeHistogram(h, 0))
		i = putHistogram(b, i, h, 0)
	}
	return i
}

func sizeExemplarV1(e *Exemplar) uint64 {
	return sizeLabels(e.Labels) + sizeSample(math.Float64bits(e.Value), e.Timestamp, 0)
}

// sizeLabels returns the size of the label fields of a series or exemplar.
func sizeLabels(ls Labels) uint64 {
	n := uint64(0)
	for i := range ls {
		n += pb.SizeMessage(sizeLabel(&ls[i]))
	}
	return n
}

func sizeLabel(l *Label) uint64 { return pb.SizeBytes(len(l.Name)) + pb.SizeBytes(len(l.Value)) }

// putLabels writes the label fields of a series or exemplar, whose tag is 1 in both.
func putLabels(b []byte, i int, ls Labels) int {
	for k := range ls {
		l := &ls[k]
		i = pb.PutHeader(b, i, 0x0a, sizeLabel(l))
		i = pb.PutString(b, i, 0x0a, l.Name)
		i = pb.PutString(b, i, 0x12, l.Value)
	}
	return i
}
