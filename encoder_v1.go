package promwire

import (
	"strings"

	"github.com/promwire/promwire/internal/pb"
)

// encoderV1 is the 1.0 half of an Encoder: series are blocks of encoded label fields.
type encoderV1 struct {
	series    []blockV1
	labels    []byte // label fields of all series
	families  []familyV1
	familyIDs map[MetricMetadata]uint32 // 1 + index in families
	round     uint64                    // number of the request
	used      []uint32                  // indexes of the families that the request has, in order of first use
	diffs     []diffV1                  // of the series, for AppendSnappy
	bytes     uint64                    // size of the series of the request as fields
	starts    []uint32                  // where the labels of each begin in the message
	differ    differ
}

// blockV1 is where the label fields of a series are in encoderV1.labels, and 1 + index of its family metadata.
type blockV1 struct{ from, to, family uint32 }

// familyV1 is family metadata as a field of the message, and the last request that has it.
type familyV1 struct {
	field []byte
	round uint64
}

// prepare adds a series and returns the number of series.
func (v *encoderV1) prepare(ls Labels, m Metadata) (int, error) {
	from := len(v.labels)
	buf, err := room(v.labels, 0, estimateLabels(ls).most)
	if err != nil {
		return 0, errPreparedTooLarge
	}
	block := blockV1{from: uint32(from)}
	if family, ok := familyMetadata(ls, &m); ok {
		if block.family, err = v.prepareFamily(family); err != nil {
			return 0, err
		}
	}
	v.labels = buf[:putLabels(buf[:cap(buf)], from, ls)]
	block.to = uint32(len(v.labels))
	v.series = append(v.series, block)
	return len(v.series), nil
}

// prepareFamily returns 1 + the index of the family metadata.
func (v *encoderV1) prepareFamily(m MetricMetadata) (uint32, error) {
	if id, known := v.familyIDs[m]; known {
		return id, nil
	}
	field, err := appendMetadataV1(nil, 0, &m)
	if err != nil {
		return 0, err
	}
	if v.familyIDs == nil {
		v.familyIDs = make(map[MetricMetadata]uint32)
	}
	v.families = append(v.families, familyV1{field: field})
	id := uint32(len(v.families))
	v.familyIDs[MetricMetadata{m.clone(), strings.Clone(m.Family)}] = id
	return id, nil
}

func (v *encoderV1) reset() {
	v.round++
	v.used = v.used[:0]
	v.starts, v.bytes = v.starts[:0], 0
}

// use notes that the request has the series with so many bytes of points, and its family metadata with it.
func (v *encoderV1) use(series uint32, points int) {
	s := &v.series[series]
	body := uint64(s.to-s.from) + uint64(points)
	v.bytes += pb.SizeMessage(body)
	v.starts = append(v.starts, uint32(v.bytes-body))
	id := s.family
	if id == 0 {
		return
	}
	if f := &v.families[id-1]; f.round != v.round {
		f.round = v.round
		v.used = append(v.used, id-1)
	}
}

// appendTo appends a prometheus.WriteRequest.
func (v *encoderV1) appendTo(dst []byte, items []encoderItem, points []byte) []byte {
	dst = grow(dst, v.size())
	b, i := dst[:cap(dst)], len(dst)
	for _, item := range items {
		s := &v.series[item.series]
		i = putParts(b, i, 0x0a, v.labels[s.from:s.to], points[:item.points], nil)
		points = points[item.points:]
	}
	for _, f := range v.used {
		i += copy(b[i:], v.families[f].field)
	}
	return b[:i]
}

// size returns the size of the message.
func (v *encoderV1) size() uint64 {
	n := v.bytes
	for _, f := range v.used {
		n += uint64(len(v.families[f].field))
	}
	return n
}
