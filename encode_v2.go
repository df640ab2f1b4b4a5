package promwire

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/promwire/promwire/internal/pb"
)

// requestV2 is the reusable memory for encoding one 2.0 request. Series are encoded while the symbol table grows;
// the message is the table, then the series.
type requestV2 struct {
	symbols  symbols
	series   []byte
	refs     []uint32 // symbol references of the labels of a series, two per label
	prev     Labels   // labels of the series before
	prevRefs []uint32 // and their references
	extra    []uint32 // symbol references of the labels of an exemplar
}

var requestV2Pool = sync.Pool{New: func() any { return new(requestV2) }}

// appendRequestV2 appends an io.prometheus.write.v2.Request.
func appendRequestV2(dst []byte, r *WriteRequest) ([]byte, error) {
	if len(r.Metadata) > 0 {
		return dst, fmt.Errorf("%w: %q has no place for metadata without a series, got %d entries",
			ErrUnsupported, WriteV2, len(r.Metadata))
	}
	e := requestV2Pool.Get().(*requestV2)
	defer requestV2Pool.Put(e)
	err := e.encode(r.Timeseries)
	e.prev = nil // the caller's memory
	if err != nil {
		return dst, err
	}
	dst = grow(dst, uint64(len(e.symbols.block)+len(e.series)))
	dst = append(dst, e.symbols.block...)
	return append(dst, e.series...), nil
}

func (e *requestV2) encode(series []TimeSeries) error {
	e.symbols.reset()
	e.series, e.prev = e.series[:0], nil
	for i := range series {
		if err := e.appendSeries(&series[i]); err != nil {
			return err
		}
	}
	if e.symbols.full || len(e.symbols.block)+len(e.series) > maxMessage {
		return errMessageTooLarge
	}
	return nil
}

// appendSeries appends one timeseries field. Symbols are numbered in the order labels, exemplar labels, help, unit.
func (e *requestV2) appendSeries(ts *TimeSeries) error {
	size := estimatePoints(ts.Samples, ts.Histograms)
	size.add(estimateRest(len(ts.Labels), ts.Exemplars))
	var err error
	if e.series, err = room(e.series, 0, size.most); err != nil {
		return err
	}
	b := e.series[:cap(e.series)]
	open := len(e.series)
	begin := pb.OpenMessage(b, open, 0x2a, size.likely)
	e.numberLabels(ts.Labels)
	i := putRefs(b, begin, e.refs)
	i = putPointsV2(b, i, ts.Samples, ts.Histograms)
	for k := range ts.Exemplars {
		e.extra = e.symbols.appendRefs(e.extra[:0], ts.Exemplars[k].Labels)
		i = putExemplarV2(b, i, e.extra, &ts.Exemplars[k])
	}
	if m := &ts.Metadata; m.any() {
		i = putMetadataV2(b, i, m.Type, e.symbols.ref(m.Help), e.symbols.ref(m.Unit))
	} else {
		i = putMetadataV2(b, i, TypeUnknown, 0, 0)
	}
	e.series = b[:pb.CloseMessage(b, open, begin, i)]
	return nil
}

// numberLabels makes e.refs the references of ls. A label keeps the references that it had in the series before; in
// sorted requests most do. Since labels are sorted, one more or one less than before is found by looking one further.
func (e *requestV2) numberLabels(ls Labels) {
	e.refs, e.prevRefs = slices.Grow(e.prevRefs[:0], 2*len(ls))[:2*len(ls)], e.refs
	refs, prev, prevRefs, k := e.refs, e.prev, e.prevRefs, 0
	for i := range ls {
		l := &ls[i]
		same := k < len(prev) && prev[k].Name == l.Name
		if !same && k+1 < len(prev) && prev[k+1].Name == l.Name {
			same = true
			k++
		}
		if !same {
			refs[2*i], refs[2*i+1] = e.symbols.ref(l.Name), e.symbols.ref(l.Value)
			continue
		}
		refs[2*i], refs[2*i+1] = prevRefs[2*k], prevRefs[2*k+1]
		if prev[k].Value != l.Value {
			refs[2*i+1] = e.symbols.refAfter(prevRefs[2*k+1], l.Value)
		}
		k++
	}
	e.prev = ls
}

// appendRefs appends the references of names and values.
func (s *symbols) appendRefs(refs []uint32, ls Labels) []uint32 {
	for i := range ls {
		refs = append(refs, s.ref(ls[i].Name))
		refs = append(refs, s.ref(ls[i].Value))
	}
	return refs
}

// maxMetadataV2 is the largest size of a metadata field of 2.0.
const maxMetadataV2 = 2 + 11 + 6 + 6

// estimateRest estimates a timeseries field apart from samples and histograms.
func estimateRest(labels int, exemplars []Exemplar) estimate {
	e := estimateRefs(labels)
	e.add(estimate{likely: 4, most: maxMetadataV2})
	if len(exemplars) > 0 {
		e.add(estimateExemplars(exemplars))
	}
	return e
}

func estimateExemplars(exemplars []Exemplar) (e estimate) {
	for i := range exemplars {
		e.add(estimateRefs(len(exemplars[i].Labels)))
		e.add(estimate{likely: 20, most: maxExemplar})
	}
	return e
}

func estimateRefs(labels int) estimate {
	return estimate{likely: 3 * labels, most: maxHeader + 10*uint64(labels)}
}

func putPointsV2(b []byte, i int, samples []Sample, histograms []Histogram) int {
	for k := range samples {
		s := &samples[k]
		i = putSample(b, i, math.Float64bits(s.Value), s.Timestamp, s.StartTimestamp)
	}
	for k := range histograms {
		i = putHistogram(b, i, 0x1a, &histograms[k], histograms[k].StartTimestamp)
	}
	return i
}

// putRefs writes a labels_refs field, or nothing if there are no references.
func putRefs(b []byte, i int, refs []uint32) int {
	if len(refs) == 0 {
		return i
	}
	open := i
	begin := pb.OpenMessage(b, i, 0x0a, len(refs)*3/2)
	i = begin
	for _, ref := range refs {
		i = pb.PutVarint(b, i, uint64(ref))
	}
	return pb.CloseMessage(b, open, begin, i)
}

// putExemplarV2 writes an exemplars field; refs are the references of its labels.
func putExemplarV2(b []byte, i int, refs []uint32, e *Exemplar) int {
	open := i
	begin := pb.OpenMessage(b, i, 0x22, len(refs)*3/2+20)
	i = putRefs(b, begin, refs)
	i = pb.PutDouble(b, i, 0x11, math.Float64bits(e.Value))
	i = pb.PutUint(b, i, 0x18, uint64(e.Timestamp))
	return pb.CloseMessage(b, open, begin, i)
}

// putMetadataV2 writes the metadata field, which is shorter than 128 bytes. It is written even when empty, as
// Prometheus does.
func putMetadataV2(b []byte, i int, kind MetricType, help, unit uint32) int {
	open := i
	b[open] = 0x2a
	i = pb.PutUint(b, i+2, 0x08, uint64(kind))
	i = pb.PutUint(b, i, 0x18, uint64(help))
	i = pb.PutUint(b, i, 0x20, uint64(unit))
	b[open+1] = byte(i - open - 2)
	return i
}
