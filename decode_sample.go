package promwire

import (
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// appendSamplesV1 appends the run of Sample fields whose first length is at s[i:].
func appendSamplesV1(ss []Sample, s string, i int) ([]Sample, int) {
	for {
		start, end := pb.Length(s, i)
		if end < 0 {
			return ss, -1
		}
		v, ok := readSample(s[start:end])
		if !ok {
			if v, ok = readAnySample(s[start:end], false); !ok {
				return ss, -1
			}
		}
		ss = append(ss, v)
		if end == len(s) || s[end] != 0x12 {
			return ss, end
		}
		i = end + 1
	}
}

// appendSamplesV2 is appendSamplesV1 for 2.0, where samples have start timestamps.
func appendSamplesV2(ss []Sample, s string, i int) ([]Sample, int) {
	for {
		start, end := pb.Length(s, i)
		if end < 0 {
			return ss, -1
		}
		v, ok := readSample(s[start:end])
		if !ok {
			if v, ok = readStartSample(s[start:end]); !ok {
				if v, ok = readAnySample(s[start:end], true); !ok {
					return ss, -1
				}
			}
		}
		ss = append(ss, v)
		if end == len(s) || s[end] != 0x12 {
			return ss, end
		}
		i = end + 1
	}
}

// contBits are the continuation bits of a varint of eight bytes.
const contBits = 0x0080808080808080

// readSample reads a Sample of the usual form: value, then a timestamp of up to eight bytes, and no more. It reads
// the last eight bytes of s, which hold the whole timestamp, at once.
func readSample(s string) (Sample, bool) {
	if len(s) < 11 || len(s) > 18 || s[0] != 0x09 || s[9] != 0x10 {
		return Sample{}, false
	}
	others := uint(18-len(s)) * 8 & 63 // bits before the timestamp
	x := pb.Uint64(s, len(s)-8) >> others
	if x&0x8080808080808080 != contBits>>others {
		return Sample{}, false
	}
	return Sample{
		Timestamp: int64(pb.Gather(x & 0x7f7f7f7f7f7f7f7f)),
		Value:     math.Float64frombits(pb.Uint64(s, 1)),
	}, true
}

// readStartSample reads a Sample of the form that has a start timestamp at the end.
func readStartSample(s string) (Sample, bool) {
	if len(s) < 18 || s[0] != 0x09 || s[9] != 0x10 {
		return Sample{}, false
	}
	t, n := pb.ShortUvarint(pb.Uint64(s, 10))
	if n == 0 || 10+n >= len(s) || s[10+n] != 0x18 {
		return Sample{}, false
	}
	st, next := pb.Uvarint(s, 11+n)
	if next != len(s) {
		return Sample{}, false
	}
	return Sample{
		Timestamp:      int64(t),
		StartTimestamp: int64(st),
		Value:          math.Float64frombits(pb.Uint64(s, 1)),
	}, true
}

func readAnySample(s string, v2 bool) (v Sample, ok bool) {
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return v, false
		}
		switch {
		case tag == 0x09:
			v.Value, i = readDouble(s, j)
		case tag == 0x10:
			v.Timestamp, i = readInt64(s, j)
		case v2 && tag == 0x18:
			v.StartTimestamp, i = readInt64(s, j)
		case v2:
			i = skipUnknown(s, j, tag, 1<<1|1<<2|1<<3)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2)
		}
		if i < 0 {
			return v, false
		}
	}
	return v, true
}
