package promwire

import (
	"github.com/promwire/promwire/internal/pb"
)

// nextBodyV2 goes to the next TimeSeries of an io.prometheus.write.v2.Request and collects the symbols on the way.
func (d *Decoder) nextBodyV2() (string, bool) {
	if i := d.pos; i < len(d.msg) && d.msg[i] == 0x2a {
		if body, next := pb.ShortField(d.msg, i); next > 0 {
			d.found(i, next)
			return body, true
		}
	}
	symbols := d.symbols
	old := len(symbols)
	for i := d.pos; i < len(d.msg); {
		tag := uint64(d.msg[i])
		body, next := pb.ShortField(d.msg, i)
		if next == 0 {
			tag, body, next = pb.Field(d.msg, i)
		}
		switch {
		case next < 0:
			return "", d.fail()
		case tag == 0x22:
			if !d.allSymbols {
				if len(symbols) == cap(symbols) {
					symbols = growSymbols(symbols, d.msg, i)
				}
				symbols = append(symbols, body)
			}
		case tag == 0x2a:
			d.symbols = symbols
			d.weigh(symbols[old:])
			d.found(i, next)
			return body, true
		default:
			d.other = d.other || tag == 0x0a || tag == 0x1a // series and metadata of 1.0
			if next = skipUnknown(d.msg, next, tag, 1<<4|1<<5); next < 0 {
				return "", d.fail()
			}
		}
		i = next
	}
	d.symbols, d.pos = symbols, len(d.msg)
	return "", false
}

func (d *Decoder) seriesV2(ts *TimeSeries, s string, raw bool) bool {
	ts.Reset()
	d.refs = d.refs[:0]
	d.meta = encodedMetadata{}
	i := 0
	if raw {
		i = d.readShortRefs(s)
	} else {
		i = ts.addShortRefs(s, d.symbols)
	}
	d.judged = i > 0
	for i < len(s) {
		next := 0
		switch s[i] {
		case 0x12:
			next = ts.addShortSamples(s, i)
		case 0x2a:
			next = d.meta.readShort(s, i)
		}
		if next == 0 {
			if next = d.fieldV2(ts, s, i); next < 0 {
				return false
			}
		}
		i = next
	}
	d.finishV2(ts, raw)
	if d.counting {
		return d.withinText(ts.Labels)
	}
	return true
}

// fieldV2 reads the field of a TimeSeries at s[i:], in any legal form.
func (d *Decoder) fieldV2(ts *TimeSeries, s string, i int) int {
	tag, body, next := pb.Field(s, i)
	if next < 0 {
		return -1
	}
	ok := true
	switch tag {
	case 0x08, 0x0a:
		d.judged = false
		if len(ts.Labels) > 0 { // more of them: take back what addShortRefs has done
			first, _ := pb.ShortField(s, 0)
			d.refs, _ = appendPackedRefs(d.refs, first)
			ts.Labels = ts.Labels[:0]
		}
		d.refs, next, ok = appendRefs(d.refs, s, tag, body, next)
	case 0x12:
		ok = ts.addAnySample(body, true)
	case 0x1a:
		ok = readHistogram(ts.addHistogram(s, i), body, true)
	case 0x22:
		ok = d.readExemplarV2(ts.addExemplar(s, i), body)
	case 0x2a:
		ok = d.meta.read(body)
	case 0x30:
		d.meta.created, next = readInt64(s, next)
	default:
		next = skipUnknown(s, next, tag, 1<<1|1<<2|1<<3|1<<4|1<<5)
	}
	if !ok {
		return -1
	}
	return next
}

// finishV2 looks up the references of a series whose fields are all read.
func (d *Decoder) finishV2(ts *TimeSeries, raw bool) {
	if len(d.refs) > 0 && !d.judged {
		d.resolveLabels(ts, raw)
	}
	ts.Metadata.Type = d.meta.typ
	if d.meta.help != 0 {
		ts.Metadata.Help = d.symbol("help", d.meta.help)
	}
	if d.meta.unit != 0 {
		ts.Metadata.Unit = d.symbol("unit", d.meta.unit)
	}
	if d.meta.created != 0 && d.LegacyCreatedTimestamps {
		applyCreated(ts, d.meta.created)
	}
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

func (d *Decoder) readExemplarV2(e *Exemplar, s string) bool {
	refs, ok := d.exRefs[:0], true
	for i := 0; i < len(s) && ok; {
		tag, body, next := pb.Field(s, i)
		if next < 0 {
			return false
		}
		switch tag {
		case 0x08, 0x0a:
			refs, next, ok = appendRefs(refs, s, tag, body, next)
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
	d.exRefs = refs
	labels, err := d.appendLabels(e.Labels, refs)
	e.Labels = labels
	if d.counting {
		d.text += labels.text()
	}
	d.setSeriesErr("exemplar label", err)
	return ok
}
