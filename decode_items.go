package promwire

import (
	"encoding/binary"
	"unsafe"

	"github.com/promwire/promwire/internal/pb"
)

// NextItems is [Decoder.Next] for whoever only has to know that a message is well-formed and what it carries, as what
// passes it on does. It returns what the next series carries, and false where Next does, with the same
// [Decoder.Err]. Series and SeriesErr say nothing after it: labels are decoded and references looked up only in messages
// in which they may come to more than [Decoder.MaxLabelBytes].
func (d *Decoder) NextItems() (WriteStats, bool) {
	if d.err != nil {
		return WriteStats{}, false
	}
	d.seriesErr = nil
	ts := &d.series
	var body string
	var ok bool
	if d.t == WriteV2 {
		if body, ok = d.nextBodyV2(); ok && (d.counting || !ts.plainV2(body)) {
			ok = d.seriesV2(ts, body, !d.counting) || d.fail()
		}
	} else if body, ok = d.nextBodyV1(); ok && !ts.plainV1(body) {
		ok = d.seriesV1(ts, body, false) || d.fail()
	}
	if !ok {
		return WriteStats{}, false
	}
	stats := ts.Stats()
	d.samples += stats.Samples + stats.Histograms
	d.exemplars += stats.Exemplars
	return stats, true
}

// plainV1 reads a series of nothing but labels and samples in their usual form. It decodes no labels. It is false for any
// other, malformed ones included.
func (ts *TimeSeries) plainV1(s string) bool {
	ts.Reset()
	i := skipShortLabels(s)
	return ts.plainSamples(s, i) == len(s)
}

// plainV2 is plainV1 for 2.0: of references in one short field in front, samples, and metadata, all in their usual form.
func (ts *TimeSeries) plainV2(s string) bool {
	ts.Reset()
	refs, i := pb.ShortField(s, 0)
	if i == 0 || s[0] != 0x0a || !shortRefs(refs) {
		return false
	}
	i = ts.plainSamples(s, i)
	for i < len(s) && s[i] == 0x2a {
		var m encodedMetadata
		next := m.readShort(s, i)
		if next == 0 {
			return false
		}
		i = next
	}
	return i == len(s)
}

// plainSamples reads the samples at s[i:] and returns the index behind them.
func (ts *TimeSeries) plainSamples(s string, i int) int {
	if next := ts.addShortSamples(s, i); next > 0 {
		return next
	}
	return i
}

// shortRefs reports whether s is varints of one or two bytes each.
func shortRefs(s string) bool {
	const ends = 0x8080808080808080
	i := 0
	for ; len(s)-i >= 8; i += 7 { // the last byte is seen again, beside its neighbour
		if x := pb.Uint64(s, i) & ends; x&(x>>8) != 0 {
			return false
		}
	}
	for ; i+1 < len(s); i++ {
		if s[i]&s[i+1] >= 0x80 {
			return false
		}
	}
	return len(s) == 0 || s[len(s)-1] < 0x80
}

// skipShortLabels returns the index behind the labels that s begins with, as far as they have the usual form: see
// addShortLabels, which looks at the same frame.
func skipShortLabels(s string) int {
	i, base := 0, unsafe.Pointer(unsafe.StringData(s))
	for len(s)-i >= 6 {
		head := binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(base, i))[:])
		size := int(head>>8&0x7f) + 2
		name := int(head >> 24)
		value := size - 6 - name
		if head&0x80ff80ff != 0x000a000a || value <= 0 || size > len(s)-i {
			break
		}
		if int(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(base, i+4+name))[:])) != value<<8|0x12 {
			break
		}
		i += size
	}
	return i
}
