package promwire

import (
	"fmt"

	"github.com/promwire/promwire/internal/pb"
)

// nextBodyV2 goes to the next TimeSeries of an io.prometheus.write.v2.Request and collects the symbols on the way.
func (d *Decoder) nextBodyV2() (string, bool) {
	for i := d.pos; i < len(d.msg); {
		tag, j := pb.Uvarint(d.msg, i)
		if j < 0 {
			return "", d.fail()
		}
		start, end := 0, 0
		switch tag {
		case 0x22, 0x2a:
			start, end = pb.Length(d.msg, j)
		default:
			end = skipUnknown(d.msg, j, tag, 1<<4|1<<5)
		}
		switch {
		case end < 0:
			return "", d.fail()
		case tag == 0x2a:
			return d.found(start, end)
		case tag == 0x22 && !d.allSymbols:
			d.symbols = append(d.symbols, d.msg[start:end])
		}
		i = end
	}
	d.pos = len(d.msg)
	return "", false
}

// collectSymbols adds the symbols that come behind the current series, which is legal but rare. False if there is
// nothing to add, or the message is malformed.
func (d *Decoder) collectSymbols() bool {
	if d.allSymbols {
		return false
	}
	d.allSymbols = true
	before := len(d.symbols)
	r := pb.NewReader(pb.AsBytes(d.msg[d.pos:]))
	for r.Next() {
		if r.Field == 4 && r.Wire == pb.Bytes {
			d.symbols = append(d.symbols, pb.AsString(r.Data))
		}
	}
	return r.Err == nil && len(d.symbols) > before
}

func (d *Decoder) seriesV2(ts *TimeSeries, s string, raw bool) bool {
	refs, samples := d.refs[:0], ts.Samples[:0]
	ts.Labels, ts.Histograms, ts.Exemplars = ts.Labels[:0], ts.Histograms[:0], ts.Exemplars[:0]
	var meta encodedMetadata
	created := int64(0)
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return false
		}
		switch tag {
		case 0x08, 0x0a:
			refs, i = appendRefs(refs, s, j, tag)
		case 0x12:
			samples, i = appendSamplesV2(samples, s, j)
		case 0x1a:
			i = appendHistogram(ts, s, j, true)
		case 0x22:
			i = d.appendExemplarV2(ts, s, j)
		case 0x2a:
			i = meta.read(s, j)
		case 0x30:
			created, i = readInt64(s, j)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2|1<<3|1<<4|1<<5)
		}
		if i < 0 {
			return false
		}
	}
	d.refs, ts.Samples = refs, samples
	if created != 0 && d.LegacyCreatedTimestamps {
		applyCreated(ts, created)
	}
	d.resolveSeries(ts, meta, raw)
	return true
}

// applyCreated sets the start timestamps that are not set.
func applyCreated(ts *TimeSeries, created int64) {
	for i := range ts.Samples {
		if ts.Samples[i].StartTimestamp == 0 {
			ts.Samples[i].StartTimestamp = created
		}
	}
	for i := range ts.Histograms {
		if ts.Histograms[i].StartTimestamp == 0 {
			ts.Histograms[i].StartTimestamp = created
		}
	}
}

// appendRefs appends references, packed or one of them.
func appendRefs(refs []uint32, s string, i int, tag uint64) ([]uint32, int) {
	if tag&7 == pb.Varint {
		v, next := pb.Uvarint(s, i)
		return append(refs, uint32(v)), next
	}
	start, end := pb.Length(s, i)
	if end < 0 {
		return refs, -1
	}
	for s, i = s[:end], start; i < end; {
		v, next := pb.Uvarint(s, i)
		if next < 0 {
			return refs, -1
		}
		refs = append(refs, uint32(v))
		i = next
	}
	return refs, end
}

func (d *Decoder) appendExemplarV2(ts *TimeSeries, s string, i int) int {
	start, end := pb.Length(s, i)
	if end < 0 {
		return -1
	}
	e, s := growExemplars(ts), s[start:end]
	refs := d.exRefs[:0]
	for i = 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return -1
		}
		switch tag {
		case 0x08, 0x0a:
			refs, i = appendRefs(refs, s, j, tag)
		case 0x11:
			e.Value, i = readDouble(s, j)
		case 0x18:
			e.Timestamp, i = readInt64(s, j)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2|1<<3)
		}
		if i < 0 {
			return -1
		}
	}
	d.exRefs = refs
	labels, err := d.appendLabels(e.Labels, refs)
	e.Labels = labels
	d.setSeriesErr("exemplar label", err)
	return end
}

// encodedMetadata is an undecoded Metadata message.
type encodedMetadata struct {
	typ        MetricType
	help, unit uint32
}

// read reads the Metadata whose length is at s[i:] on top of what is there: repeated singular messages merge.
func (m *encodedMetadata) read(s string, i int) int {
	start, end := pb.Length(s, i)
	if end < 0 {
		return -1
	}
	for s, i = s[:end], start; i < end; {
		tag, j := readTag(s, i)
		if j < 0 {
			return -1
		}
		var v uint64
		switch tag {
		case 0x08:
			v, i = pb.Uvarint(s, j)
			m.typ = MetricType(v)
		case 0x18:
			v, i = pb.Uvarint(s, j)
			m.help = uint32(v)
		case 0x20:
			v, i = pb.Uvarint(s, j)
			m.unit = uint32(v)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<3|1<<4)
		}
		if i < 0 {
			return -1
		}
	}
	return end
}

// resolveSeries looks up the references of a series.
func (d *Decoder) resolveSeries(ts *TimeSeries, meta encodedMetadata, raw bool) {
	var err error
	if raw {
		err = d.checkRefs(d.refs)
	} else {
		ts.Labels, err = d.appendLabels(ts.Labels, d.refs)
	}
	d.setSeriesErr("label", err)
	ts.Metadata.Type = meta.typ
	ts.Metadata.Help = d.symbol("help", meta.help)
	ts.Metadata.Unit = d.symbol("unit", meta.unit)
}

func (d *Decoder) setSeriesErr(what string, err error) {
	if err != nil && d.seriesErr == nil {
		d.seriesErr = fmt.Errorf("%s: %w", what, err)
	}
}

// symbol returns the symbol that a metadata field refers to; 0 means that the field is not set.
func (d *Decoder) symbol(what string, ref uint32) string {
	if ref == 0 {
		return ""
	}
	if uint(ref) >= uint(len(d.symbols)) && !d.collectSymbols() || uint(ref) >= uint(len(d.symbols)) {
		d.setSeriesErr(what, d.refError(ref))
		return ""
	}
	return d.symbols[ref]
}

func (d *Decoder) refError(ref uint32) error {
	return fmt.Errorf("%w: %d, the table has %d symbols", ErrInvalidSymbolRef, ref, len(d.symbols))
}

// appendLabels appends the labels that refs name. If one can't be read, it is left out, and the error says why.
func (d *Decoder) appendLabels(ls Labels, refs []uint32) (Labels, error) {
	symbols := d.symbols
	for i := 1; i < len(refs); i += 2 {
		name, value := refs[i-1], refs[i]
		if uint(name) >= uint(len(symbols)) || uint(value) >= uint(len(symbols)) {
			return d.appendGoodLabels(ls, refs)
		}
		ls = append(ls, Label{symbols[name], symbols[value]})
	}
	if len(refs)%2 != 0 {
		return ls, d.checkRefs(refs)
	}
	return ls, nil
}

// appendGoodLabels is appendLabels for references that are invalid, or ahead of their symbols.
func (d *Decoder) appendGoodLabels(ls Labels, refs []uint32) (Labels, error) {
	err := d.checkRefs(refs)
	ls = ls[:0]
	for i := 1; i < len(refs); i += 2 {
		name, value := refs[i-1], refs[i]
		if uint(name) < uint(len(d.symbols)) && uint(value) < uint(len(d.symbols)) {
			ls = append(ls, Label{d.symbols[name], d.symbols[value]})
		}
	}
	return ls, err
}

// checkRefs judges references after it has collected the symbols they need.
func (d *Decoder) checkRefs(refs []uint32) error {
	for _, ref := range refs {
		if uint(ref) < uint(len(d.symbols)) {
			continue
		}
		d.collectSymbols()
		if uint(ref) >= uint(len(d.symbols)) {
			return d.refError(ref)
		}
	}
	if len(refs)%2 != 0 {
		return fmt.Errorf("%w: odd number of references, %d", ErrInvalidSymbolRef, len(refs))
	}
	return nil
}
