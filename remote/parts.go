package remote

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
	"github.com/promwire/promwire/internal/pb"
)

const (
	// fullPart is when a part is yielded: one more chunk as servers cut them may not fit.
	fullPart = maxPart - 240
	// maxValues bounds the numbers in the histograms (spans, buckets, bounds) of one part, about.
	maxValues = 1 << 20
	// maxHeld bounds the numbers for which histograms that are used again may hold memory.
	maxHeld = 4 << 20
	// maxOverlap and maxOverlapValues bound what overlapping chunks of one series may hold back.
	maxOverlap       = 1 << 20
	maxOverlapValues = 16 << 20
)

// parts decodes the chunks of a stream and yields the samples in parts.
//
// The chunks of a series come in the order of their start and may overlap. So what lies before the start of the chunk
// at hand is final, and the rest is held back: usually the samples of one chunk.
type parts struct {
	lo, hi  int64
	yield   func(promwire.TimeSeries, error) bool
	decoder chunk.Decoder

	ts     promwire.TimeSeries // what is decoded and not yet yielded of the current series
	labels labelMemory         // of ts
	begun  bool                // there is a current series
	values int                 // numbers in ts.Histograms
	held   int                 // numbers that were in the memory behind them, at most
	floor  int64               // everything before it was yielded
}

var partsPool = sync.Pool{New: func() any { return new(parts) }}

func (p *parts) reset(lo, hi int64, yield func(promwire.TimeSeries, error) bool) {
	p.lo, p.hi, p.yield = lo, hi, yield
	p.begin(nil)
	p.begun = false
}

// release gives p back to the pool, unless it holds much memory.
func (p *parts) release() {
	p.yield = nil
	p.dropHistograms(len(p.ts.Histograms))
	if cap(p.ts.Samples) <= 8*maxPart && cap(p.ts.Histograms) <= 8*maxPart {
		partsPool.Put(p)
	}
}

func (p *parts) begin(labels promwire.Labels) {
	p.dropHistograms(len(p.ts.Histograms))
	p.ts.Reset()
	p.ts.Labels = p.labels.keep(labels)
	p.begun, p.values, p.floor = true, 0, math.MinInt64
}

// add takes the next series or part of one.
func (p *parts) add(s *promwire.ChunkedSeries) error {
	if !p.begun || !s.Labels.Equal(p.ts.Labels) {
		if err := p.finish(); err != nil {
			return err
		}
		p.begin(s.Labels)
	}
	for _, c := range s.Chunks {
		if c.MaxTime < p.lo || c.MinTime > p.hi {
			continue
		}
		if err := p.addChunk(c); err != nil {
			if errors.Is(err, errStop) {
				return err
			}
			return fmt.Errorf("series %s: %w", p.ts.Labels, err)
		}
	}
	return nil
}

// finish yields what is left of the current series.
func (p *parts) finish() error {
	if !yieldParts(p.ts.Labels, p.ts.Samples, p.ts.Histograms, p.yield) {
		return errStop
	}
	return nil
}

func (p *parts) addChunk(c promwire.Chunk) error {
	if err := p.makeRoom(c.MinTime); err != nil {
		return err
	}
	n, m := len(p.ts.Samples), len(p.ts.Histograms)
	if err := p.decoder.Append(&p.ts, c, p.lo, p.hi); err != nil {
		return err
	}
	samples, histograms := p.ts.Samples[n:], p.ts.Histograms[m:]
	if !samplesAscend(samples) || !histogramsAscend(histograms) {
		return fmt.Errorf("times do not ascend in the chunk from %d to %d", c.MinTime, c.MaxTime)
	}
	if len(samples) > 0 && samples[0].Timestamp < p.floor || len(histograms) > 0 && histograms[0].Timestamp < p.floor {
		return fmt.Errorf("chunk from %d to %d comes after one that starts at %d", c.MinTime, c.MaxTime, p.floor)
	}
	if len(samples) > 0 {
		p.ts.Samples = mergeTail(p.ts.Samples, n, sampleTime)
	}
	if len(histograms) == 0 {
		return nil
	}
	if err := checkHistograms(histograms); err != nil {
		return err
	}
	p.values += values(histograms)
	p.mergeHistograms(m)
	return nil
}

// mergeHistograms merges the histograms from m on into those before. Where they overlap, a histogram may have got
// another predecessor, so that only a reader who compares can tell whether there was a reset.
func (p *parts) mergeHistograms(m int) {
	hs := p.ts.Histograms
	if m == 0 || hs[m-1].Timestamp < hs[m].Timestamp {
		return
	}
	from := hs[m].Timestamp
	hs = mergeTail(hs, m, histogramTime)
	for i := before(hs, from, histogramTime); i < len(hs); i++ {
		if hs[i].ResetHint != promwire.ResetGauge {
			hs[i].ResetHint = promwire.ResetUnknown
		}
	}
	p.ts.Histograms = hs
}

// makeRoom yields what is final if enough has come together: all samples before start, where the next chunk begins.
func (p *parts) makeRoom(start int64) error {
	n, m := len(p.ts.Samples), len(p.ts.Histograms)
	if n+m < fullPart && p.values < maxValues {
		return nil
	}
	n, m = before(p.ts.Samples, start, sampleTime), before(p.ts.Histograms, start, histogramTime)
	p.floor = max(p.floor, start)
	if !yieldParts(p.ts.Labels, p.ts.Samples[:n], p.ts.Histograms[:m], p.yield) {
		return errStop
	}
	p.ts.Samples = p.ts.Samples[:copy(p.ts.Samples, p.ts.Samples[n:])]
	p.dropHistograms(m)
	if len(p.ts.Samples)+len(p.ts.Histograms) > maxOverlap || p.values > maxOverlapValues {
		return fmt.Errorf("%w: chunks overlap with more than %d samples or %d histogram values", promwire.ErrTooLarge,
			maxOverlap, maxOverlapValues)
	}
	return nil
}

// dropHistograms removes the first m. Their memory is used again, unless too much has come together.
func (p *parts) dropHistograms(m int) {
	hs := p.ts.Histograms
	left := values(hs[m:])
	p.held += p.values - left
	p.values = left
	if p.held > maxHeld {
		p.held, p.ts.Histograms = 0, slices.Clone(hs[m:])
		return
	}
	for i := m; i < len(hs); i++ {
		hs[i-m], hs[i] = hs[i], hs[i-m] // each keeps its own nested slices
	}
	p.ts.Histograms = hs[:len(hs)-m]
}

// values counts the numbers in histograms.
func values(hs []promwire.Histogram) int {
	n := 0
	for i := range hs {
		h := &hs[i]
		n += len(h.PositiveSpans) + len(h.NegativeSpans) + len(h.CustomValues) + len(h.PositiveDeltas) +
			len(h.NegativeDeltas) + len(h.PositiveCounts) + len(h.NegativeCounts)
	}
	return n
}

// labelMemory keeps the labels of one series beyond the frame they came in.
type labelMemory struct {
	text   []byte
	labels promwire.Labels
}

// keep returns a copy of ls, valid until the next call.
func (k *labelMemory) keep(ls promwire.Labels) promwire.Labels {
	k.text, k.labels = k.text[:0], k.labels[:0]
	for _, l := range ls {
		k.text = append(append(k.text, l.Name...), l.Value...)
	}
	text := pb.AsString(k.text)
	for _, l := range ls {
		n, v := len(l.Name), len(l.Value)
		k.labels = append(k.labels, promwire.Label{Name: text[:n], Value: text[n : n+v]})
		text = text[n+v:]
	}
	return k.labels
}
