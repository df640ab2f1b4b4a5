package promwire

import (
	"math"
	"slices"

	"github.com/promwire/promwire/internal/pb"
)

// contBits are the continuation bits of a varint of eight bytes.
const contBits = 0x0080808080808080

// addShortSamples appends the run of Sample fields at s[i:] that have the usual form: value, then a timestamp of up to
// eight bytes, and no more. It returns the index of the first field that differs; 0 if the first one does.
func (ts *TimeSeries) addShortSamples(s string, i int) (next int) {
	for i < len(s) && s[i] == 0x12 {
		body, end := pb.ShortField(s, i)
		if len(body) < 11 || len(body) > 18 || body[0] != 0x09 || body[9] != 0x10 {
			break
		}
		// The last eight bytes hold the whole timestamp, behind others.
		others := uint(18-len(body)) * 8 & 63
		x := pb.Uint64(body, len(body)-8) >> others
		if x&0x8080808080808080 != contBits>>others {
			break
		}
		if len(ts.Samples) == cap(ts.Samples) {
			ts.Samples = slices.Grow(ts.Samples, countRun(s, i))
		}
		ts.Samples = append(ts.Samples, Sample{
			Timestamp: int64(pb.Gather(x & 0x7f7f7f7f7f7f7f7f)),
			Value:     math.Float64frombits(pb.Uint64(body, 1)),
		})
		i, next = end, end
	}
	return next
}

// addAnySample appends a Sample of any legal form. v2 says that it may have a start timestamp.
func (ts *TimeSeries) addAnySample(s string, v2 bool) bool {
	v, ok := Sample{}, false
	if v2 {
		v, ok = startedSample(s)
	}
	if !ok {
		v, ok = readAnySample(s, v2)
	}
	ts.Samples = append(ts.Samples, v)
	return ok
}

// startedSample reads a Sample of the usual form with a start timestamp: value, timestamp of up to eight bytes, start.
func startedSample(s string) (Sample, bool) {
	if len(s) < 18 || s[0] != 0x09 || s[9] != 0x10 {
		return Sample{}, false
	}
	t, n := pb.ShortUvarint(pb.Uint64(s, 10))
	if n == 0 || 10+n >= len(s) || s[10+n] != 0x18 {
		return Sample{}, false
	}
	st, next := pb.Uvarint(s, 11+n)
	return Sample{
		Timestamp:      int64(t),
		StartTimestamp: int64(st),
		Value:          math.Float64frombits(pb.Uint64(s, 1)),
	}, next == len(s)
}

func readAnySample(s string, v2 bool) (v Sample, ok bool) {
	for i := 0; i < len(s); {
		tag, _, next := pb.Field(s, i)
		if next < 0 {
			return v, false
		}
		switch {
		case tag == 0x09:
			v.Value, next = readDouble(s, next)
		case tag == 0x10:
			v.Timestamp, next = readInt64(s, next)
		case v2 && tag == 0x18:
			v.StartTimestamp, next = readInt64(s, next)
		case v2:
			next = skipUnknown(s, next, tag, 1<<1|1<<2|1<<3)
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<2)
		}
		if i = next; i < 0 {
			return v, false
		}
	}
	return v, true
}
