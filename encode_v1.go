package promwire

import (
	"encoding/binary"
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// appendRequestV1 appends a prometheus.WriteRequest (Remote Write 1.0, "Protocol").
func appendRequestV1(dst []byte, r *WriteRequest) ([]byte, error) {
	start, metadata, likely := len(dst), false, 0
	var err error
	for i := range r.Timeseries {
		ts := &r.Timeseries[i]
		metadata = metadata || ts.Metadata.any()
		more := appendIfRoomV1(dst, start, ts, likely)
		if more == nil {
			size := estimateSeriesV1(ts)
			if uint64(cap(dst)-len(dst)) < size.most {
				dst = grow(dst, estimateRestV1(r.Timeseries[i:]))
			}
			if dst, err = room(dst, start, size.most); err != nil {
				return dst, err
			}
			more = appendSeriesV1(dst, ts, size.likely)
		}
		likely, dst = len(more)-len(dst), more
	}
	if metadata {
		if dst, err = appendSeriesMetadata(dst, start, r.Timeseries); err != nil {
			return dst, err
		}
	}
	for i := range r.Metadata {
		if dst, err = appendMetadataV1(dst, start, &r.Metadata[i]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// maxForesight bounds the memory that is taken for series not yet encoded, in bytes: the size that receivers take.
const maxForesight = 32 << 20

// estimateRestV1 returns what the series will likely take together, so that a buffer grows once.
func estimateRestV1(series []TimeSeries) uint64 {
	n := uint64(0)
	for i := 0; i < len(series) && n < maxForesight; i++ {
		n += uint64(estimateSeriesV1(&series[i]).likely) + 3
	}
	return min(n, maxForesight)
}

// appendIfRoomV1 is appendSeriesV1, or returns nil if dst may have no room for ts. It looks at labels only once, while
// it writes them: their sizes are what takes time to sum up before, as they lie all over the memory.
func appendIfRoomV1(dst []byte, start int, ts *TimeSeries, likely int) []byte {
	most := start + min(cap(dst)-start, maxMessage) - maxHeader - int(min(estimatePointsV1(ts).most, maxMessage))
	open := len(dst)
	if most < open+maxHeader {
		return nil
	}
	b := dst[:cap(dst)]
	begin := pb.OpenMessage(b, open, 0x0a, likely)
	i := putLabels(b[:most], begin, ts.Labels)
	if i < 0 {
		return nil
	}
	return b[:pb.CloseMessage(b, open, begin, putPointsV1(b, i, ts))]
}

// appendSeriesV1 appends a field with number 1 that holds ts, for which dst has room; ts likely takes so many bytes.
func appendSeriesV1(dst []byte, ts *TimeSeries, likely int) []byte {
	b, open := dst[:cap(dst)], len(dst)
	begin := pb.OpenMessage(b, open, 0x0a, likely)
	return b[:pb.CloseMessage(b, open, begin, putSeriesV1(b, begin, ts))]
}

// AppendProto appends ts to dst as one prometheus.TimeSeries message of the 1.0 form, which write requests and read
// answers share; tag and length around it are the caller's. Start timestamps and metadata have no place in it. With
// enough room in dst (about twice the message for long lists of small values) it allocates nothing.
func (ts *TimeSeries) AppendProto(dst []byte) []byte {
	size := estimateSeriesV1(ts)
	dst = grow(dst, size.most)
	b := dst[:cap(dst)]
	return b[:putSeriesV1(b, len(dst), ts)]
}

func estimateSeriesV1(ts *TimeSeries) estimate {
	e := estimateLabels(ts.Labels)
	e.add(estimatePointsV1(ts))
	return e
}

// estimatePointsV1 estimates a series apart from its labels.
func estimatePointsV1(ts *TimeSeries) estimate {
	e := estimatePoints(ts.Samples, ts.Histograms)
	for i := range ts.Exemplars {
		e.add(estimateLabels(ts.Exemplars[i].Labels))
		e.add(estimate{likely: 20, most: maxExemplar})
	}
	return e
}

func putSeriesV1(b []byte, i int, ts *TimeSeries) int {
	return putPointsV1(b, putLabels(b, i, ts.Labels), ts)
}

// putPointsV1 writes what a series has apart from its labels.
func putPointsV1(b []byte, i int, ts *TimeSeries) int {
	for k := range ts.Samples {
		s := &ts.Samples[k]
		i = putSample(b, i, math.Float64bits(s.Value), s.Timestamp, 0)
	}
	for k := range ts.Exemplars {
		i = putExemplarV1(b, i, &ts.Exemplars[k])
	}
	for k := range ts.Histograms {
		i = putHistogram(b, i, 0x22, &ts.Histograms[k], 0)
	}
	return i
}

func putExemplarV1(b []byte, i int, e *Exemplar) int {
	open := i
	begin := pb.OpenMessage(b, i, 0x1a, estimateLabels(e.Labels).likely+20)
	i = putLabels(b, begin, e.Labels)
	i = pb.PutDouble(b, i, 0x11, math.Float64bits(e.Value))
	i = pb.PutUint(b, i, 0x18, uint64(e.Timestamp))
	return pb.CloseMessage(b, open, begin, i)
}

func estimateLabels(ls Labels) estimate {
	text := 0
	most := uint64(0)
	for i := range ls {
		n := len(ls[i].Name) + len(ls[i].Value)
		text += n
		most += uint64(n)
	}
	return estimate{text + 6*len(ls), most + maxLabelHeaders*uint64(len(ls))}
}

// putLabels writes the label fields of a series or exemplar, whose tag is 1 in both. If b is too short it returns -1,
// which whoever took the room of estimateLabels does not meet.
func putLabels(b []byte, i int, ls Labels) int {
	for k := range ls {
		name, value := ls[k].Name, ls[k].Value
		n, v := len(name), len(value)
		if n == 0 || v == 0 || n+v > 0x7f-4 {
			if i = putAnyLabel(b, i, name, value); i < 0 {
				return -1
			}
			continue
		}
		if len(b)-i < n+v+6 {
			return -1
		}
		// All lengths take one byte: 0a LL 0a NN name 12 VV value.
		d := b[i : i+n+v+6]
		binary.LittleEndian.PutUint32(d, 0x0a_00_0a|uint32(n+v+4)<<8|uint32(n)<<24)
		copy(d[4:], name)
		d = d[4+n:]
		binary.LittleEndian.PutUint16(d, 0x12|uint16(v)<<8)
		copy(d[2:], value)
		i += n + v + 6
	}
	return i
}

func putAnyLabel(b []byte, i int, name, value string) int {
	size := pb.SizeBytes(len(name)) + pb.SizeBytes(len(value))
	if uint64(len(b)-i) < pb.SizeMessage(size) {
		return -1
	}
	i = pb.PutHeader(b, i, 0x0a, size)
	i = pb.PutString(b, i, 0x0a, name)
	return pb.PutString(b, i, 0x12, value)
}
