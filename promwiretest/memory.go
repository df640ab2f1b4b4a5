package promwiretest

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/promwire/promwire"
)

// OrderRule says what a [Memory] does with samples that are older than the newest one of their series.
type OrderRule int

const (
	// RefuseOlder refuses them ([promwire.ErrOutOfOrder]), as Prometheus does by default.
	RefuseOlder OrderRule = iota
	// TakeOlder takes them, whatever their age, as VictoriaMetrics does. A second value for a timestamp is still
	// refused.
	TakeOlder
)

// maxPart bounds the samples and histograms of a part that Read yields.
const maxPart = 10_000

// Memory is a [promwire.Storage] in memory. It judges samples as Prometheus does: the same value for the same time of
// a series again counts as written and is kept once, another value is refused ([promwire.ErrDuplicateTimestamp]), an
// older sample is as its [OrderRule] says. Values are compared bit by bit, start timestamps are not. Samples and native histograms of a series
// share one time line. Exemplars are kept in order of arrival; one without a known series is refused
// ([promwire.ErrUnknownSeries]), one that is older than the newest of its series too.
//
// A Write is seen by readers as a whole or not at all. It is safe for concurrent use.
type Memory struct {
	rule OrderRule

	mu       sync.Mutex
	index    index[stored]
	sorted   []*stored // by labels; nil if series were added since
	metadata map[string]promwire.Metadata
}

var _ promwire.Storage = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory(rule OrderRule) *Memory {
	return &Memory{rule: rule, metadata: map[string]promwire.Metadata{}}
}

// Read implements [promwire.Reader]: series in label order, in parts of at most 10,000 samples. It sees the data as of
// its start.
func (m *Memory) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		found, err := m.find(q)
		if err != nil {
			yield(promwire.TimeSeries{}, err)
			return
		}
		for i := range found {
			for part := range parts(&found[i]) {
				if err := ctx.Err(); err != nil {
					yield(promwire.TimeSeries{}, err)
					return
				}
				if !yield(part, nil) {
					return
				}
			}
		}
	}
}

// All returns everything in the store, in label order, exemplars and metadata included. The data are copies.
func (m *Memory) All() []promwire.TimeSeries {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []promwire.TimeSeries
	for _, s := range m.inOrder() {
		out = append(out, s.Clone())
	}
	return out
}

// Metadata returns the metadata of a family that came without a series, in a 1.0 message; the last ones win.
func (m *Memory) Metadata(family string) (promwire.Metadata, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	md, ok := m.metadata[family]
	return md, ok
}

// Stats counts what the store holds.
func (m *Memory) Stats() promwire.WriteStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	var sum promwire.WriteStats
	for s := range m.index.all() {
		sum = sum.Add(s.Stats())
	}
	return sum
}

// find returns copies of the series that q selects, with what lies in its range.
func (m *Memory) find(q promwire.Query) ([]promwire.TimeSeries, error) {
	q.Matchers = slices.Clone(q.Matchers)
	if err := promwire.CompileMatchers(q.Matchers); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []promwire.TimeSeries
	for _, s := range m.inOrder() {
		if part, ok := q.Select(&s.TimeSeries); ok {
			found = append(found, promwire.TimeSeries{
				Labels: part.Labels, Samples: slices.Clone(part.Samples), Histograms: slices.Clone(part.Histograms),
			})
		}
	}
	return found, nil
}

// inOrder returns the series in label order. The caller holds the lock.
func (m *Memory) inOrder() []*stored {
	if m.sorted == nil {
		m.sorted = slices.SortedFunc(m.index.all(), func(a, b *stored) int { return a.Labels.Compare(b.Labels) })
	}
	return m.sorted
}

// parts cuts a series so that no part is longer than maxPart; times ascend from part to part.
func parts(ts *promwire.TimeSeries) iter.Seq[promwire.TimeSeries] {
	return func(yield func(promwire.TimeSeries) bool) {
		samples, histograms := ts.Samples, ts.Histograms
		for len(samples)+len(histograms) > 0 {
			i, j := 0, 0
			for i+j < maxPart && i+j < len(samples)+len(histograms) {
				if j == len(histograms) || i < len(samples) && samples[i].Timestamp < histograms[j].Timestamp {
					i++
				} else {
					j++
				}
			}
			if !yield(promwire.TimeSeries{Labels: ts.Labels, Samples: samples[:i], Histograms: histograms[:j]}) {
				return
			}
			samples, histograms = samples[i:], histograms[j:]
		}
	}
}
