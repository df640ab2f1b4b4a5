package promwire

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/promwire/promwire/internal/pb"
)

// addShortLabels appends the run of Label fields at s[i:] that have the usual form: name, then a value that is not
// empty, and one byte for each length. It returns the index of the first field that differs; 0 if the first one does.
//
// This is where most of the time of decoding 1.0 goes. So it checks a label's frame with two loads, and then leaves
// out what the compiler cannot see to be safe: all reads and both strings lie before i+size <= len(s).
func (ts *TimeSeries) addShortLabels(s string, i int) int {
	first := i
	base := unsafe.Pointer(unsafe.StringData(s))
	n, all := len(ts.Labels), ts.Labels[:cap(ts.Labels)]
	for len(s)-i >= 6 {
		head := binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(base, i))[:])
		size := int(head>>8&0x7f) + 2
		name := int(head >> 24)
		value := size - 6 - name
		// The bytes are tag, length, tag, length.
		if head&0x80ff80ff != 0x000a000a || value <= 0 || size > len(s)-i {
			break
		}
		mid := i + 4 + name
		if int(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(base, mid))[:])) != value<<8|0x12 {
			break
		}
		if n >= len(all) {
			all = slices.Grow(all, countRun(s, i))
			all = all[:cap(all)]
		}
		l := &all[n]
		l.Name = unsafe.String((*byte)(unsafe.Add(base, i+4)), name)
		l.Value = unsafe.String((*byte)(unsafe.Add(base, mid+2)), value)
		n++
		i += size
	}
	if i == first {
		return 0
	}
	ts.Labels = all[:n]
	return i
}

// countRun counts the short fields from s[i:] on that have the same tag; 1 if the first one is not short. Memory that
// grows by the count holds what there is: to double it again and again would take more than twice as much.
func countRun(s string, i int) (n int) {
	for tag := s[i]; i < len(s) && s[i] == tag; n++ {
		_, next := pb.ShortField(s, i)
		if next == 0 {
			break
		}
		i = next
	}
	return max(n, 1)
}

// appendAnyLabel appends a Label of any legal form.
func appendAnyLabel(ls Labels, s string) (Labels, bool) {
	var l Label
	for i := 0; i < len(s); {
		tag, body, next := pb.Field(s, i)
		if next < 0 {
			return ls, false
		}
		switch tag {
		case 0x0a:
			l.Name = body
		case 0x12:
			l.Value = body
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<2)
		}
		if i = next; i < 0 {
			return ls, false
		}
	}
	return append(ls, l), true
}

// skipLabels extends d.raw by the run of label fields that begins with the one in s[first:next].
func (d *Decoder) skipLabels(s string, first, next int) int {
	for next < len(s) && s[next] == 0x0a {
		_, end := pb.ShortField(s, next)
		if end == 0 {
			break
		}
		next = end
	}
	if d.raw == "" {
		d.raw = s[first:next]
		return next
	}
	if len(d.joined) == 0 {
		d.joined = append(d.joined, d.raw...)
	}
	d.joined = append(d.joined, s[first:next]...)
	d.raw = pb.AsString(d.joined)
	return next
}

// decodeRawLabels decodes the label fields that skipLabels collected.
func (d *Decoder) decodeRawLabels(ts *TimeSeries) (ok bool) {
	for s, i := d.raw, 0; i < len(s); {
		next := ts.addShortLabels(s, i)
		if next == 0 {
			var body string
			_, body, next = pb.Field(s, i)
			if ts.Labels, ok = appendAnyLabel(ts.Labels, body); !ok {
				return false
			}
		}
		i = next
	}
	return true
}
