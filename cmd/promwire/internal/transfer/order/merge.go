package order

import (
	"cmp"
	"container/heap"
	"math"
	"slices"

	"github.com/promwire/promwire"
)

// merge yields the items of several cursors in order. Of equal ones those of earlier cursors come first.
type merge struct {
	sources []source
	begun   bool
}

type source struct {
	cursor
	item   *item
	number int
}

func newMerge(cursors []cursor) cursor {
	if len(cursors) == 1 {
		return cursors[0]
	}
	m := &merge{}
	for i, c := range cursors {
		m.sources = append(m.sources, source{cursor: c, number: i})
	}
	return m
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (m *merge) Len() int { return len(m.sources) }

func (m *merge) Less(i, j int) bool {
	a, b := &m.sources[i], &m.sources[j]
	if c := a.item.compare(b.item); c != 0 {
		return c < 0
	}
	return a.number < b.number
}

func (m *merge) Swap(i, j int) { m.sources[i], m.sources[j] = m.sources[j], m.sources[i] }

func (m *merge) Push(any) {}

func (m *merge) Pop() any {
	m.sources = m.sources[:len(m.sources)-1]
	return nil
}

func (m *merge) next() (*item, error) {
	if !m.begun {
		if err := m.begin(); err != nil {
			return nil, err
		}
	} else if len(m.sources) > 0 {
		if err := m.advance(); err != nil {
			return nil, err
		}
	}
	if len(m.sources) == 0 {
		return nil, nil
	}
	return m.sources[0].item, nil
}

// advance takes the next item of the source that came last.
func (m *merge) advance() error {
	first := &m.sources[0]
	item, err := first.next()
	if err != nil {
		return err
	}
	if first.item = item; item == nil {
		heap.Pop(m)
	} else {
		heap.Fix(m, 0)
	}
	return nil
}

func (m *merge) begin() error {
	m.begun = true
	kept := m.sources[:0]
	for _, s := range m.sources {
		var err error
		if s.item, err = s.next(); err != nil {
			return err
		}
		if s.item != nil {
			kept = append(kept, s)
		}
	}
	m.sources = kept
	heap.Init(m)
	return nil
}

// MaxPart bounds the samples of a part of a series, maxHistograms its histograms.
const (
	MaxPart       = 1000
	maxHistograms = 50
)

// joiner joins items to parts of series.
type joiner struct {
	conflict Conflict
	yield    func(promwire.TimeSeries, error) bool
	window   int64
	part     promwire.TimeSeries
	last     item // of the part; its slices are not used
}

// add takes an item. It reports false when no more are wanted.
func (j *joiner) add(p *item) bool {
	n := len(j.part.Samples) + len(j.part.Histograms)
	isHistogram := p.histogram != nil
	same := n > 0 && j.window == p.window && equalLabels(j.part.Labels, p.labels) && isHistogram == (len(j.part.Histograms) > 0)
	if same && j.last.sample.Timestamp == p.sample.Timestamp {
		j.replace(p)
		return true
	}
	if n > 0 && (!same || n >= MaxPart || isHistogram && n >= maxHistograms) && !j.flush() {
		return false
	}
	if len(j.part.Samples)+len(j.part.Histograms) == 0 {
		j.window = p.window
		j.part.Labels = p.labels
		j.part.Metadata = p.metadata
	}
	if isHistogram {
		p.histogram.Timestamp = p.sample.Timestamp
		j.part.Histograms = append(j.part.Histograms, *p.histogram)
	} else {
		j.part.Samples = append(j.part.Samples, p.sample)
	}
	j.part.Exemplars = append(j.part.Exemplars, p.exemplars...)
	j.last.sample = p.sample
	return true
}

// replace puts p in the place of the last point, which has its time.
func (j *joiner) replace(p *item) {
	equal := false
	if p.histogram != nil {
		p.histogram.Timestamp = p.sample.Timestamp
		old := &j.part.Histograms[len(j.part.Histograms)-1]
		equal = equalHistograms(old, p.histogram)
		*old = *p.histogram
	} else {
		old := &j.part.Samples[len(j.part.Samples)-1]
		equal = math.Float64bits(old.Value) == math.Float64bits(p.sample.Value)
		*old = p.sample
	}
	j.part.Exemplars = append(j.part.Exemplars, p.exemplars...)
	if !equal && j.conflict != nil {
		j.conflict(j.part.Labels, p.sample.Timestamp)
	}
}

// flush yields the part that was collected.
func (j *joiner) flush() bool {
	if len(j.part.Samples)+len(j.part.Histograms) == 0 {
		return true
	}
	if len(j.part.Exemplars) > 1 {
		slices.SortStableFunc(j.part.Exemplars, func(a, b promwire.Exemplar) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	}
	more := j.yield(j.part, nil)
	j.part.Samples, j.part.Histograms, j.part.Exemplars = j.part.Samples[:0], j.part.Histograms[:0], j.part.Exemplars[:0]
	return more
}
