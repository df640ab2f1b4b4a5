package promwire

import (
	"fmt"
	"math"
	"sync"

	"github.com/promwire/promwire/internal/pb"
)

// requestV2 is the reusable memory for encoding one 2.0 request. Series are encoded while the symbol table grows;
// the message is the table, then the series.
type requestV2 struct {
	symbols symbols
	series  []byte
	prev    Labels   // labels of the series before
	refs    []uint32 // symbol references of prev, two per label
	extra   []uint32 // symbol references of exemplar labels of a series
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
	dst = append(dst, e.symbols.block...)
	return append(dst, e.series...), nil
}

func (e *requestV2) encode(series []TimeSeries) error {
	e.symbols.reset()
	e.series, e.prev = e.series[:0], nil
	var err error
	for i := range series {
		if err = e.appendSeries(&series[i]); err != nil {
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
	e.numberLabels(ts.Labels)
	e.numberExemplars(ts.Exemplars)
	m := metadataRefs{ts.Metadata.Type, e.symbols.ref(ts.Metadata.Help), e.symbols.ref(ts.Metadata.Unit)}
	size := pb.SizeBytes(sizeRefs(e.refs)) + 2 + m.size() + sizePointsV2(ts.Samples, ts.Histograms) + sizeExemplarsV2(ts.Exemplars, e.extra)
	var err error
	if e.series, err = room(e.series, 0, pb.SizeMessage(size)); err != nil {
		return err
	}
	b := e.series[:cap(e.series)]
	i := pb.PutHeader(b, len(e.series), 0x2a, size)
	i = putRefs(b, i, e.refs)
	i = putPointsV2(b, i, ts.Samples, ts.Histograms)
	i = putExemplarsV2(b, i, ts.Exemplars, e.extra)
	e.series = b[:m.put(b, i)]
	return nil
}

// numberLabels makes e.refs the references of ls. A name or value equal to the one at the same place in the series
// before keeps its reference; in sorted requests that is most of them.
func (e *requestV2) numberLabels(ls Labels) {
	same := min(len(e.prev), len(ls))
	e.refs = e.refs[:2*same]
	for i := range ls[:same] {
		l, p := &ls[i], &e.prev[i]
		if l.Name != p.Name {
			e.refs[2*i] = e.symbols.ref(l.Name)
		}
		if l.Value != p.Value {
			e.refs[2*i+1] = e.symbols.ref(l.Value)
		}
	}
	e.refs = e.symbols.appendRefs(e.refs, ls[same:])
	e.prev = ls
}

func (s *symbols) appendRefs(refs []uint32, ls Labels) []uint32 {
	for i := range ls {
		refs = append(refs, s.ref(ls[i].Name))
		refs = append(refs, s.ref(ls[i].Value))
	}
	return refs
}

// numberExemplars makes e.extra the references of the exemplars' labels, one after the other.
func (e *requestV2) numberExemplars(exemplars []Exemplar) {
	e.extra = e.extra[:0]
	for i := range exemplars {
		e.extra = e.symbols.appendRefs(e.extra, exemplars[i].Labels)
	}
}

// sizeExemplarsV2 returns the size of exemplars fields; refs are the references of their labels, one after the other.
func sizeExemplarsV2(exemplars []Exemplar, refs []uint32) uint64 {
	n := uint64(0)
	for i := range exemplars {
		x := &exemplars[i]
		own := 2 * len(x.Labels)
		n += pb.SizeMessage(sizeExemplarV2(x, refs[:own]))
		refs = refs[own:]
	}
	return n
}

func putExemplarsV2(b []byte, i int, exemplars []Exemplar, refs []uint32) int {
	for k := range exemplars {
		x := &exemplars[k]
		own := 2 * len(x.Labels)
		i = pb.PutHeader(b, i, 0x22, sizeExemplarV2(x, refs[:own]))
		i = putRefs(b, i, refs[:own])
		i = pb.PutDouble(b, i, 0x11, math.Float64bits(x.Value))
		i = pb.PutUint(b, i, 0x18, uint64(x.Timestamp))
		refs = refs[own:]
	}
	return i
}

func sizeExemplarV2(x *Exemplar, refs []uint32) uint64 {
	return pb.SizeBytes(sizeRefs(refs)) + sizeSample(math.Float64bits(x.Value), x.Timestamp, 0)
}

// sizePointsV2 returns the size of the samples and histograms fields.
func sizePointsV2(samples []Sample, histograms []Histogram) uint64 {
	n := uint64(0)
	for i := range samples {
		s := &samples[i]
		n += 2 + sizeSample(math.Float64bits(s.Value), s.Timestamp, s.StartTimestamp)
	}
	for i := range histograms {
		h := &histograms[i]
		n += pb.SizeMessage(sizeHistogram(h, h.StartTimestamp))
	}
	return n
}

func putPointsV2(b []byte, i int, samples []Sample, histograms []Histogram) int {
	for k := range samples {
		s := &samples[k]
		i = putSample(b, i, math.Float64bits(s.Value), s.Timestamp, s.StartTimestamp)
	}
	for k := range histograms {
		h := &histograms[k]
		i = pb.PutHeader(b, i, 0x1a, sizeHistogram(h, h.StartTimestamp))
		i = putHistogram(b, i, h, h.StartTimestamp)
	}
	return i
}

// sizeRefs returns the size of packed references, without tag and length.
func sizeRefs(refs []uint32) int {
	n := 0
	for _, ref := range refs {
		n += pb.SizeVarint(uint64(ref))
	}
	return n
}

// putRefs writes a labels_refs field, or nothing if there are no references.
func putRefs(b []byte, i int, refs []uint32) int {
	if len(refs) == 0 {
		return i
	}
	i = pb.PutHeader(b, i, 0x0a, uint64(sizeRefs(refs)))
	for _, ref := range refs {
		i = pb.PutVarint(b, i, uint64(ref))
	}
	return i
}

// metadataRefs is the Metadata message of a series. The field is written even when empty, as Prometheus does.
type metadataRefs struct {
	kind       MetricType
	help, unit uint32
}

func (m metadataRefs) size() uint64 {
	return pb.SizeUint(uint64(m.kind)) + pb.SizeUint(uint64(m.help)) + pb.SizeUint(uint64(m.unit))
}

// put writes the metadata field, which is shorter than 128 bytes.
func (m metadataRefs) put(b []byte, i int) int {
	i = pb.PutHeader(b, i, 0x2a, m.size())
	i = pb.PutUint(b, i, 0x08, uint64(m.kind))
	i = pb.PutUint(b, i, 0x18, uint64(m.help))
	return pb.PutUint(b, i, 0x20, uint64(m.unit))
}
