package remote

import (
	"time"
	"unsafe"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/pb"
)

// The sizes of the pieces of memory that a batch copies data into, in bytes: each is twice as large as the one before,
// up to a bound.
const (
	firstSlab = 1 << 10
	maxSlab   = 64 << 10
)

// arena is memory for values of one type that are all given up at once. The zero value is empty.
type arena[T any] struct {
	slabs [][]T
	used  int // slabs before it are full
	held  int // capacity of all slabs
}

// take returns memory for n values, which hold anything.
func (a *arena[T]) take(n int) []T {
	for ; a.used < len(a.slabs); a.used++ {
		s := a.slabs[a.used]
		if end := len(s) + n; end <= cap(s) {
			a.slabs[a.used] = s[:end]
			return s[len(s):end:end]
		}
	}
	size := max(n, min(firstSlab<<min(a.used, 16), maxSlab)/a.width())
	a.slabs, a.held = append(a.slabs, make([]T, n, size)), a.held+size
	return a.slabs[a.used][:n:n]
}

// keep returns a copy of values.
func (a *arena[T]) keep(values []T) []T {
	if len(values) == 0 {
		return nil
	}
	out := a.take(len(values))
	copy(out, values)
	return out
}

// reset gives up all values, and the memory that was made for a large one.
func (a *arena[T]) reset() {
	kept := a.slabs[:0]
	a.used, a.held = 0, 0
	for _, s := range a.slabs {
		if cap(s)*a.width() <= maxSlab {
			kept, a.held = append(kept, s[:0]), a.held+cap(s)
		}
	}
	clear(a.slabs[len(kept):])
	a.slabs = kept
}

func (a *arena[T]) width() int { return int(unsafe.Sizeof(*new(T))) }

func (a *arena[T]) bytes() int { return a.held * a.width() }

// batchKey says which data go into one request: those of one tenant, and family metadata apart, as those force the
// message to be 1.0.
type batchKey struct {
	tenant   string
	metadata bool
}

// batch is a request on its way, with all memory that it needs. Once it is sealed it belongs to the sender of its
// shard; before that, and for whoever drops it, the queue's lock guards it.
type batch struct {
	key    batchKey
	number uint64 // ascending in order of opening
	opened time.Time
	sealed bool // takes no more data, and is due
	req    promwire.WriteRequest
	items  int // samples, histograms, and other things that take a place in a request
	wire   int // estimated size of the message
	stats  promwire.WriteStats
	bytes  int // what memory counted when it was last asked

	origins []origin // of the series, if their writers wait
	tickets []*ticket

	text      arena[byte]
	labels    arena[promwire.Label]
	samples   arena[promwire.Sample]
	histogram arena[promwire.Histogram]
	exemplars arena[promwire.Exemplar]
	ints      arena[int64]
	floats    arena[float64]
	spans     arena[promwire.BucketSpan]
}

func (b *batch) reset() {
	b.req.Reset()
	*b = batch{
		req: b.req, bytes: b.bytes, origins: b.origins[:0], tickets: b.tickets[:0],
		text: b.text, labels: b.labels, samples: b.samples, histogram: b.histogram, exemplars: b.exemplars,
		ints: b.ints, floats: b.floats, spans: b.spans,
	}
	clear(b.origins[:cap(b.origins)])
	clear(b.tickets[:cap(b.tickets)])
	b.text.reset()
	b.labels.reset()
	b.samples.reset()
	b.histogram.reset()
	b.exemplars.reset()
	b.ints.reset()
	b.floats.reset()
	b.spans.reset()
}

// memory returns the bytes that b holds, used or not.
func (b *batch) memory() int {
	return int(unsafe.Sizeof(*b)) +
		cap(b.req.Timeseries)*int(unsafe.Sizeof(promwire.TimeSeries{})) +
		cap(b.req.Metadata)*int(unsafe.Sizeof(promwire.MetricMetadata{})) +
		cap(b.origins)*int(unsafe.Sizeof(origin{})) +
		b.text.bytes() + b.labels.bytes() + b.samples.bytes() + b.histogram.bytes() + b.exemplars.bytes() +
		b.ints.bytes() + b.floats.bytes() + b.spans.bytes()
}

// add copies a series, or a part of one.
func (b *batch) add(ts *promwire.TimeSeries) {
	series := b.req.Timeseries
	if len(series) == cap(series) {
		series = append(series, promwire.TimeSeries{})[:len(series)]
	}
	out := &series[:len(series)+1][len(series)]
	*out = promwire.TimeSeries{
		Labels:     b.keepLabels(ts.Labels),
		Samples:    b.samples.keep(ts.Samples),
		Histograms: b.histogram.keep(ts.Histograms),
		Exemplars:  b.exemplars.keep(ts.Exemplars),
		Metadata:   b.keepMetadata(ts.Metadata),
	}
	for i := range out.Histograms {
		b.keepHistogram(&out.Histograms[i])
	}
	for i := range out.Exemplars {
		out.Exemplars[i].Labels = b.keepLabels(out.Exemplars[i].Labels)
	}
	b.req.Timeseries = series[:len(series)+1]
	b.items += itemsOf(ts)
	b.wire += wireSize(ts)
	b.stats = b.stats.Add(ts.Stats())
}

func (b *batch) addMetadata(m promwire.MetricMetadata) {
	b.req.Metadata = append(b.req.Metadata, promwire.MetricMetadata{Family: b.keepText(m.Family), Metadata: b.keepMetadata(m.Metadata)})
	b.items++
	b.wire += 16 + len(m.Family) + len(m.Help) + len(m.Unit)
}

func (b *batch) keepText(s string) string {
	if s == "" {
		return ""
	}
	out := b.text.take(len(s))
	copy(out, s)
	return pb.AsString(out)
}

// keepLabels copies labels and their strings, which lie in one piece.
func (b *batch) keepLabels(ls promwire.Labels) promwire.Labels {
	out := promwire.Labels(b.labels.keep(ls))
	size := 0
	for i := range ls {
		size += len(ls[i].Name) + len(ls[i].Value)
	}
	text := b.text.take(size)
	for i := range out {
		n := copy(text, out[i].Name)
		out[i].Name, text = pb.AsString(text[:n]), text[n:]
		n = copy(text, out[i].Value)
		out[i].Value, text = pb.AsString(text[:n]), text[n:]
	}
	return out
}

func (b *batch) keepMetadata(m promwire.Metadata) promwire.Metadata {
	return promwire.Metadata{Type: m.Type, Help: b.keepText(m.Help), Unit: b.keepText(m.Unit)}
}

// keepHistogram gives a copied histogram lists of its own.
func (b *batch) keepHistogram(h *promwire.Histogram) {
	h.PositiveDeltas, h.NegativeDeltas = b.ints.keep(h.PositiveDeltas), b.ints.keep(h.NegativeDeltas)
	h.PositiveCounts, h.NegativeCounts = b.floats.keep(h.PositiveCounts), b.floats.keep(h.NegativeCounts)
	h.PositiveSpans, h.NegativeSpans = b.spans.keep(h.PositiveSpans), b.spans.keep(h.NegativeSpans)
	h.CustomValues = b.floats.keep(h.CustomValues)
}

// itemsOf counts what a series takes of a batch: its samples and histograms, and 1 if it has neither.
func itemsOf(ts *promwire.TimeSeries) int {
	return max(1, len(ts.Samples)+len(ts.Histograms))
}

// textSize is the length of all strings of labels.
func textSize(ls promwire.Labels) int {
	n := 0
	for i := range ls {
		n += len(ls[i].Name) + len(ls[i].Value)
	}
	return n
}

// wireSize estimates what a series takes in a 1.0 message, before compression.
func wireSize(ts *promwire.TimeSeries) int {
	n := 8 + textSize(ts.Labels) + 6*len(ts.Labels) + 20*len(ts.Samples) + len(ts.Metadata.Help) + len(ts.Metadata.Unit)
	for i := range ts.Histograms {
		n += 80 + 9*numbers(&ts.Histograms[i])
	}
	for i := range ts.Exemplars {
		n += 24 + textSize(ts.Exemplars[i].Labels) + 6*len(ts.Exemplars[i].Labels)
	}
	return n
}

// memorySize is what a series takes in a batch.
func memorySize(ts *promwire.TimeSeries) int {
	n := int(unsafe.Sizeof(*ts)) + labelsSize(ts.Labels) + len(ts.Metadata.Help) + len(ts.Metadata.Unit) +
		len(ts.Samples)*int(unsafe.Sizeof(promwire.Sample{}))
	for i := range ts.Histograms {
		n += int(unsafe.Sizeof(promwire.Histogram{})) + 8*numbers(&ts.Histograms[i])
	}
	for i := range ts.Exemplars {
		n += int(unsafe.Sizeof(promwire.Exemplar{})) + labelsSize(ts.Exemplars[i].Labels)
	}
	return n
}

func labelsSize(ls promwire.Labels) int {
	return textSize(ls) + len(ls)*int(unsafe.Sizeof(promwire.Label{}))
}

// numbers counts the numbers in the lists of a histogram.
func numbers(h *promwire.Histogram) int {
	return len(h.PositiveDeltas) + len(h.NegativeDeltas) + len(h.PositiveCounts) + len(h.NegativeCounts) +
		len(h.PositiveSpans) + len(h.NegativeSpans) + len(h.CustomValues)
}
