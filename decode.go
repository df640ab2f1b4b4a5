package promwire

import (
	"github.com/promwire/promwire/internal/pb"
)

// Decoder walks the series of an encoded remote-write message, one at a time, into memory that it reuses:
//
//	d.Reset(message, promwire.WriteV1)
//	for d.Next() {
//		use(d.Series())
//	}
//	return d.Err()
//
// It takes every legal encoding: fields in any order, repeated scalars packed or not, unknown fields. It checks the
// encoding and, in 2.0, the symbol references; it neither sorts nor judges labels, names, UTF-8, times or histograms
// ([Rules.Apply] does). Metadata of 2.0 with reference 0 is unset, whatever the symbol table holds there.
//
// The zero value is ready for Reset. In steady state nothing is allocated. Memory grows with the largest series (and
// the symbols and metadata) seen, by what is really there and never by an announced count. Still, two bytes of a message
// made for that become an empty histogram, a hundred times as large: [Rules.MaxMemory] keeps a [Body] from that. A
// Decoder must not be copied after first use and is not safe for concurrent use.
type Decoder struct {
	// LegacyCreatedTimestamps reads the per-series created_timestamp (TimeSeries field 6), which Remote Write 2.0
	// had up to rc.3 and reserves since, and applies it to samples and histograms whose own start is 0. Off by
	// default: the field is then skipped like any unknown one. Set it before the walk. 1.0 has no such field.
	LegacyCreatedTimestamps bool

	// MaxLabelBytes bounds, over the whole message, the bytes of the strings that 2.0 references are resolved to: names
	// and values of labels, those of exemplars included, help and unit. 0 sets no limit. In 2.0 a reference of one byte
	// can stand for a string of megabytes, so that a small message could make every pass over its labels (sorting,
	// hashing, copying) many times as long as itself; in 1.0 all strings are in the message. What is resolved twice counts
	// twice, labels that [Decoder.NextRaw] leaves encoded do not, and series in front of symbols count for themselves.
	// Beyond the limit the walk ends: [Decoder.Err] wraps [ErrTooLarge]. Set it before the walk.
	MaxLabelBytes int

	msg   string
	t     MessageType
	pos   int // in msg, behind the current series
	start int // in msg, of the current series
	index int
	err   error
	other bool // there is a field that only the other message has

	samples, exemplars int // of the series so far; histograms are samples

	series    TimeSeries
	seriesErr error
	raw       string   // 1.0: label fields of the current series
	joined    []byte   // 1.0: memory for raw if they are not contiguous
	refs      []uint32 // 2.0: label references of the current series
	judged    bool     // 2.0: the references are known to be in order
	exRefs    []uint32 // 2.0: those of the current exemplar
	meta      encodedMetadata

	text       uint64 // bytes that references were resolved to, if they are counted
	counting   bool   // there may be more of them than MaxLabelBytes
	symbols    []string
	allSymbols bool // symbols holds those behind the current series too
	metadata   []MetricMetadata
}

// Reset begins a walk over src, an uncompressed message of type t (anything but [WriteV2] is read as [WriteV1]). src
// must stay as it is until the walk is done and its strings are no longer used.
func (d *Decoder) Reset(src []byte, t MessageType) {
	d.msg, d.t = pb.AsString(src), t
	d.pos, d.start, d.index, d.err, d.other, d.seriesErr = 0, 0, -1, nil, false, nil
	d.series.Reset()
	d.raw, d.refs = "", d.refs[:0]
	d.text, d.counting = 0, false
	d.samples, d.exemplars = 0, 0
	d.symbols, d.allSymbols = d.symbols[:0], false
	d.metadata = d.metadata[:0]
}

// Next decodes the next series, its labels included. It returns false at the end of the message and once [Decoder.Err]
// is not nil.
func (d *Decoder) Next() bool { return d.next(&d.series, false) }

// NextRaw is Next, but leaves the labels encoded, for whoever recognises series by [Decoder.RawLabels] or
// [Decoder.LabelRefs]; [Decoder.DecodeLabels] decodes them. In 1.0, label fields are not looked into before that.
func (d *Decoder) NextRaw() bool { return d.next(&d.series, true) }

// NextInto is Next, but decodes into ts, whose memory it reuses, in place of [Decoder.Series]. So a request can be
// built series by series, under limits of the caller's.
func (d *Decoder) NextInto(ts *TimeSeries) bool { return d.next(ts, false) }

func (d *Decoder) next(ts *TimeSeries, raw bool) bool {
	if d.err != nil {
		return false
	}
	d.seriesErr = nil
	var body string
	var ok bool
	if d.t == WriteV2 {
		body, ok = d.nextBodyV2()
		ok = ok && (d.seriesV2(ts, body, raw) || d.fail())
	} else {
		body, ok = d.nextBodyV1()
		ok = ok && (d.seriesV1(ts, body, raw) || d.fail())
	}
	if !ok {
		return false
	}
	d.samples += len(ts.Samples) + len(ts.Histograms)
	d.exemplars += len(ts.Exemplars)
	return true
}

// found makes the series between start and end of the message the current one.
func (d *Decoder) found(start, end int) {
	d.start, d.pos = start, end
	d.index++
}

// fail ends the walk of a malformed message.
func (d *Decoder) fail() bool {
	if d.err == nil {
		d.err = explain(d.msg, d.t)
	}
	return false
}

// Series returns the current series. It is valid until the next call of Next, NextRaw or Reset; its strings alias the
// message. The caller may modify it, as [Rules.Apply] does. After NextRaw, Labels are empty until DecodeLabels.
func (d *Decoder) Series() *TimeSeries { return &d.series }

// Index returns the index of the current series in the message, from 0; -1 before the first one.
func (d *Decoder) Index() int { return d.index }

// SeriesErr says why the current series is unusable although the message is well-formed: an odd number of label
// references, or a reference outside the symbol table, of labels, exemplars or metadata. It wraps
// [ErrInvalidSymbolRef]. The series holds what could be read. Always nil in 1.0.
func (d *Decoder) SeriesErr() error { return d.seriesErr }

// Err returns nil or the [*DecodeError] that ended the walk: the message as a whole is malformed, or has more than
// MaxLabelBytes, the series yielded before included. The error may lie behind the current series.
func (d *Decoder) Err() error { return d.err }

// DecodeLabels decodes the labels of the current series into [Decoder.Series], after NextRaw (and only then). It returns
// [Decoder.Err] if the labels turn out to be malformed or too large, which ends the walk, and otherwise
// [Decoder.SeriesErr].
func (d *Decoder) DecodeLabels() error {
	if d.err != nil || d.index < 0 {
		return d.err
	}
	if d.t == WriteV2 {
		d.series.Labels, _ = d.appendLabels(d.series.Labels[:0], d.refs)
		if d.counting && !d.withinText(d.series.Labels) {
			return d.err
		}
		return d.seriesErr
	}
	d.series.Labels = d.series.Labels[:0]
	if !d.decodeRawLabels(&d.series) {
		d.fail()
	}
	return d.err
}

// RawLabels returns the label fields of the current series as they are encoded (1.0, after NextRaw): a key for
// series seen before. Equal bytes mean equal labels; the reverse need not hold. It is valid as long as Series and
// must not be modified.
func (d *Decoder) RawLabels() []byte { return pb.AsBytes(d.raw) }

// LabelRefs returns the label references of the current series (2.0, after NextRaw): name, value, name, value. It is
// valid as long as Series. If SeriesErr is nil, they are even in number and all within Symbols.
func (d *Decoder) LabelRefs() []uint32 { return d.refs }

// Symbols returns the symbols seen so far (2.0): in usual messages all of them from the first series on, since they
// come first. It is valid until the next call of Reset, and grows at most; the strings alias the message.
func (d *Decoder) Symbols() []string { return d.symbols }

// Metadata returns the family metadata seen so far (1.0), all of it once the walk has ended. It is valid until Reset;
// the strings alias the message.
func (d *Decoder) Metadata() []MetricMetadata { return d.metadata }
