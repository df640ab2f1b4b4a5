package promwire

import (
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// The functions below return a negative index, or false, for malformed input; see explain.

// nextBodyV1 goes to the next TimeSeries of a prometheus.WriteRequest and collects the metadata on the way.
func (d *Decoder) nextBodyV1() (string, bool) {
	for i := d.pos; i < len(d.msg); {
		tag, j := pb.Uvarint(d.msg, i)
		if j < 0 {
			return "", d.fail()
		}
		switch tag {
		case 0x0a:
			start, end := pb.Length(d.msg, j)
			if end < 0 {
				return "", d.fail()
			}
			return d.found(start, end)
		case 0x1a:
			i = d.metadataV1(j)
		default:
			i = skipUnknown(d.msg, j, tag, 1<<1|1<<3)
		}
		if i < 0 {
			return "", d.fail()
		}
	}
	d.pos = len(d.msg)
	return "", false
}

// skipUnknown skips a field that a message does not know. known has a bit for each number below 64 that it does know:
// these come here with a wrong wire type only.
func skipUnknown(s string, i int, tag, known uint64) int {
	if field := tag >> 3; field < 64 && known>>field&1 != 0 {
		return -1
	}
	return pb.Skip(s, i, tag)
}

// readTag is pb.Uvarint for tags, nearly all of which take one byte.
func readTag(s string, i int) (uint64, int) {
	if c := s[i]; c < 0x80 {
		return uint64(c), i + 1
	}
	return pb.Uvarint(s, i)
}

func (d *Decoder) seriesV1(ts *TimeSeries, s string, raw bool) bool {
	labels, samples := ts.Labels[:0], ts.Samples[:0]
	ts.Histograms, ts.Exemplars, ts.Metadata = ts.Histograms[:0], ts.Exemplars[:0], Metadata{}
	d.raw, d.joined = "", d.joined[:0]
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return false
		}
		switch tag {
		case 0x0a:
			if raw {
				i = d.skipLabels(s, i)
			} else {
				labels, i = appendLabels(labels, s, j)
			}
		case 0x12:
			samples, i = appendSamplesV1(samples, s, j)
		case 0x1a:
			i = appendExemplarV1(ts, s, j)
		case 0x22:
			i = appendHistogram(ts, s, j, false)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2|1<<3|1<<4)
		}
		if i < 0 {
			return false
		}
	}
	ts.Labels, ts.Samples = labels, samples
	return true
}

// skipLabels extends d.raw by the run of label fields that starts at s[i:], tag included.
func (d *Decoder) skipLabels(s string, i int) int {
	first := i
	for i < len(s) {
		tag, j := readTag(s, i)
		if tag != 0x0a || j < 0 {
			break
		}
		if _, i = pb.Length(s, j); i < 0 {
			return i
		}
	}
	if d.raw == "" {
		d.raw = s[first:i]
		return i
	}
	if len(d.joined) == 0 {
		d.joined = append(d.joined, d.raw...)
	}
	d.joined = append(d.joined, s[first:i]...)
	d.raw = pb.AsString(d.joined)
	return i
}

// appendRawLabels decodes the label fields that skipLabels collected.
func appendRawLabels(ls Labels, s string) (Labels, bool) {
	for i := 0; i < len(s); {
		_, i = readTag(s, i)
		if ls, i = appendLabels(ls, s, i); i < 0 {
			return ls, false
		}
	}
	return ls, true
}

// appendLabels appends the run of Label fields whose first length is at s[i:].
func appendLabels(ls Labels, s string, i int) (Labels, int) {
	for {
		start, end := pb.Length(s, i)
		if end < 0 {
			return ls, -1
		}
		l, ok := readLabel(s[start:end])
		if !ok {
			return ls, -1
		}
		ls = append(ls, l)
		if end == len(s) || s[end] != 0x0a {
			return ls, end
		}
		i = end + 1
	}
}

// readLabel reads a Label: the usual form, name then value with lengths of one byte each, at fixed places.
func readLabel(s string) (Label, bool) {
	if len(s) >= 4 && s[0] == 0x0a {
		if n := int(s[1]) + 2; n < 0x82 && n+1 < len(s) {
			if rest := len(s) - n - 2; s[n] == 0x12 && rest < 0x80 && int(s[n+1]) == rest {
				return Label{s[2:n], s[n+2:]}, true
			}
		}
	}
	return readAnyLabel(s)
}

func readAnyLabel(s string) (l Label, ok bool) {
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return l, false
		}
		switch tag {
		case 0x0a:
			l.Name, i = readString(s, j)
		case 0x12:
			l.Value, i = readString(s, j)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2)
		}
		if i < 0 {
			return l, false
		}
	}
	return l, true
}

func readString(s string, i int) (string, int) {
	start, end := pb.Length(s, i)
	if end < 0 {
		return "", -1
	}
	return s[start:end], end
}

func readDouble(s string, i int) (float64, int) {
	if len(s)-i < 8 {
		return 0, -1
	}
	return math.Float64frombits(pb.Uint64(s, i)), i + 8
}

func appendExemplarV1(ts *TimeSeries, s string, i int) int {
	start, end := pb.Length(s, i)
	if end < 0 {
		return -1
	}
	if !readExemplarV1(growExemplars(ts), s[start:end]) {
		return -1
	}
	return end
}

// growExemplars appends an empty exemplar, with the memory of one that was there before.
func growExemplars(ts *TimeSeries) *Exemplar {
	n := len(ts.Exemplars)
	if n < cap(ts.Exemplars) {
		ts.Exemplars = ts.Exemplars[:n+1]
	} else {
		ts.Exemplars = append(ts.Exemplars, Exemplar{})
	}
	e := &ts.Exemplars[n]
	*e = Exemplar{Labels: e.Labels[:0]}
	return e
}

func readExemplarV1(e *Exemplar, s string) bool {
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return false
		}
		switch tag {
		case 0x0a:
			e.Labels, i = appendLabels(e.Labels, s, j)
		case 0x11:
			e.Value, i = readDouble(s, j)
		case 0x18:
			e.Timestamp, i = readInt64(s, j)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2|1<<3)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

func readInt64(s string, i int) (int64, int) {
	v, next := pb.Uvarint(s, i)
	return int64(v), next
}

func (d *Decoder) metadataV1(i int) int {
	start, end := pb.Length(d.msg, i)
	if end < 0 {
		return -1
	}
	m, ok := readMetadataV1(d.msg[start:end])
	if !ok {
		return -1
	}
	d.metadata = append(d.metadata, m)
	return end
}

func readMetadataV1(s string) (m MetricMetadata, ok bool) {
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return m, false
		}
		switch tag {
		case 0x08:
			var v uint64
			v, i = pb.Uvarint(s, j)
			m.Type = MetricType(v)
		case 0x12:
			m.Family, i = readString(s, j)
		case 0x22:
			m.Help, i = readString(s, j)
		case 0x2a:
			m.Unit, i = readString(s, j)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2|1<<4|1<<5)
		}
		if i < 0 {
			return m, false
		}
	}
	return m, true
}
