package promwire

import (
	"math"
	"slices"

	"github.com/promwire/promwire/internal/pb"
)

// The functions below return false, or a negative index, for malformed input; see explain.

// nextBodyV1 goes to the next TimeSeries of a prometheus.WriteRequest and collects the metadata on the way.
func (d *Decoder) nextBodyV1() (string, bool) {
	for i := d.pos; i < len(d.msg); {
		tag, body, next := pb.Field(d.msg, i)
		if next < 0 {
			return "", d.fail()
		}
		switch tag {
		case 0x0a:
			d.found(i, next)
			return body, true
		case 0x1a:
			if len(d.metadata) == cap(d.metadata) {
				d.metadata = slices.Grow(d.metadata, countRun(d.msg, i))
			}
			if !d.addMetadata(body) {
				return "", d.fail()
			}
		default:
			d.other = d.other || tag == 0x22 || tag == 0x2a // symbols and series of 2.0
			if next = skipUnknown(d.msg, next, tag, 1<<1|1<<3); next < 0 {
				return "", d.fail()
			}
		}
		i = next
	}
	d.pos = len(d.msg)
	return "", false
}

// skipUnknown skips the value of a field that a message does not know; pb.Field has skipped the length-delimited ones.
// known has a bit for each number below 64 that the message does know: these come here with a wrong wire type only.
func skipUnknown(s string, i int, tag, known uint64) int {
	field := tag >> 3
	switch {
	case field < 64 && (known|1)>>field&1 != 0:
		return -1
	case tag&7 == pb.Bytes:
		return i
	default:
		return pb.Skip(s, i, tag)
	}
}

func (d *Decoder) seriesV1(ts *TimeSeries, s string, raw bool) bool {
	ts.Reset()
	d.raw, d.joined = "", d.joined[:0]
	for i := 0; i < len(s); {
		next := 0
		switch {
		case s[i] == 0x0a && !raw:
			next = ts.addShortLabels(s, i)
		case s[i] == 0x12:
			next = ts.addShortSamples(s, i)
		}
		if next == 0 {
			if next = d.fieldV1(ts, s, i, raw); next < 0 {
				return false
			}
		}
		i = next
	}
	return true
}

// fieldV1 reads the field of a TimeSeries at s[i:], in any legal form.
func (d *Decoder) fieldV1(ts *TimeSeries, s string, i int, raw bool) int {
	tag, body, next := pb.Field(s, i)
	if next < 0 {
		return -1
	}
	ok := true
	switch tag {
	case 0x0a:
		if raw {
			next = d.skipLabels(s, i, next)
		} else {
			ts.Labels, ok = appendAnyLabel(ts.Labels, body)
		}
	case 0x12:
		ok = ts.addAnySample(body, false)
	case 0x1a:
		ok = readExemplarV1(ts.addExemplar(s, i), body)
	case 0x22:
		ok = readHistogram(ts.addHistogram(s, i), body, false)
	default:
		next = skipUnknown(s, next, tag, 1<<1|1<<2|1<<3|1<<4)
	}
	if !ok {
		return -1
	}
	return next
}

func readDouble(s string, i int) (float64, int) {
	if len(s)-i < 8 {
		return 0, -1
	}
	return math.Float64frombits(pb.Uint64(s, i)), i + 8
}

func readInt64(s string, i int) (int64, int) {
	v, next := pb.Uvarint(s, i)
	return int64(v), next
}

// addExemplar appends an empty exemplar for the field at s[i:], with the memory of one that was there before.
func (ts *TimeSeries) addExemplar(s string, i int) *Exemplar {
	n := len(ts.Exemplars)
	if n == cap(ts.Exemplars) {
		ts.Exemplars = slices.Grow(ts.Exemplars, countRun(s, i))
	}
	ts.Exemplars = ts.Exemplars[:n+1]
	e := &ts.Exemplars[n]
	*e = Exemplar{Labels: e.Labels[:0]}
	return e
}

func readExemplarV1(e *Exemplar, s string) bool {
	ok := true
	for i := 0; i < len(s) && ok; {
		tag, body, next := pb.Field(s, i)
		if next < 0 {
			return false
		}
		switch tag {
		case 0x0a:
			e.Labels, ok = appendAnyLabel(e.Labels, body)
		case 0x11:
			e.Value, next = readDouble(s, next)
		case 0x18:
			e.Timestamp, next = readInt64(s, next)
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<2|1<<3)
		}
		if i = next; i < 0 {
			return false
		}
	}
	return ok
}
