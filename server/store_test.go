package server_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
)

// memStore keeps series in a map. It refuses samples that are older than the newest of their series, and those that
// contradict it.
type memStore struct {
	mu       sync.Mutex
	series   map[string]*promwire.TimeSeries
	metadata []promwire.MetricMetadata
	calls    int
	partSize int   // samples in a part that Read yields; 0 for all
	fail     error // yielded by Read after the first part
}

func newStore() *memStore { return &memStore{series: map[string]*promwire.TimeSeries{}} }

func (m *memStore) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	var stats promwire.WriteStats
	var refused []promwire.Refusal
	for i := range req.Timeseries {
		var add promwire.WriteStats
		add, refused = m.append(refused, i, &req.Timeseries[i])
		stats = stats.Add(add)
	}
	m.metadata = append(m.metadata, req.Clone().Metadata...)
	if len(refused) > 0 {
		return stats, &promwire.PartialWriteError{Written: stats, Refused: refused}
	}
	return stats, nil
}

func (m *memStore) append(refused []promwire.Refusal, index int, ts *promwire.TimeSeries) (promwire.WriteStats, []promwire.Refusal) {
	key := ts.Labels.String()
	have := m.series[key]
	if have == nil && len(ts.Samples)+len(ts.Histograms) > 0 {
		have = &promwire.TimeSeries{Labels: ts.Labels.Clone()}
		m.series[key] = have
	}
	var stats promwire.WriteStats
	refuse := func(timestamp int64, reason error) {
		refused = append(refused, promwire.Refusal{Series: index, Labels: ts.Labels.Clone(), Timestamp: timestamp, Reason: reason})
	}
	for _, s := range ts.Samples {
		switch last := len(have.Samples) - 1; {
		case last < 0 || have.Samples[last].Timestamp < s.Timestamp:
			have.Samples = append(have.Samples, s)
			stats.Samples++
		case have.Samples[last] == s:
			stats.Samples++
		case have.Samples[last].Timestamp == s.Timestamp:
			refuse(s.Timestamp, promwire.ErrDuplicateTimestamp)
		default:
			refuse(s.Timestamp, promwire.ErrOutOfOrder)
		}
	}
	for i := range ts.Histograms {
		have.Histograms = append(have.Histograms, ts.Histograms[i].Clone())
		stats.Histograms++
	}
	for _, e := range ts.Exemplars {
		if have == nil {
			refuse(e.Timestamp, promwire.ErrUnknownSeries)
			continue
		}
		e.Labels = e.Labels.Clone()
		have.Exemplars = append(have.Exemplars, e)
		stats.Exemplars++
	}
	return stats, refused
}

// sorted returns a copy of all series that the matchers select, in label order.
func (m *memStore) sorted(q promwire.Query) []promwire.TimeSeries {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []promwire.TimeSeries
	for _, ts := range m.series {
		if !slices.ContainsFunc(q.Matchers, func(mt promwire.Matcher) bool { return !mt.Matches(ts.Labels.Get(mt.Name)) }) {
			out = append(out, ts.Clone())
		}
	}
	slices.SortFunc(out, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
	for i := range out {
		out[i].Exemplars = nil
		out[i].Samples = slices.DeleteFunc(out[i].Samples, func(s promwire.Sample) bool { return outside(q, s.Timestamp) })
		out[i].Histograms = slices.DeleteFunc(out[i].Histograms, func(h promwire.Histogram) bool { return outside(q, h.Timestamp) })
	}
	return out
}

func outside(q promwire.Query, timestamp int64) bool {
	t := time.UnixMilli(timestamp)
	return t.Before(q.Start) || t.After(q.End)
}

func (m *memStore) Read(_ context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		for _, ts := range m.sorted(q) {
			for _, part := range parts(ts, m.partSize) {
				if !yield(part, nil) {
					return
				}
				if m.fail != nil {
					yield(promwire.TimeSeries{}, m.fail)
					return
				}
			}
		}
	}
}

// parts cuts ts into parts of size samples.
func parts(ts promwire.TimeSeries, size int) []promwire.TimeSeries {
	if size == 0 {
		return []promwire.TimeSeries{ts}
	}
	var out []promwire.TimeSeries
	for samples := range slices.Chunk(ts.Samples, size) {
		out = append(out, promwire.TimeSeries{Labels: ts.Labels.Clone(), Samples: samples})
	}
	if len(ts.Histograms) > 0 {
		out = append(out, promwire.TimeSeries{Labels: ts.Labels.Clone(), Histograms: ts.Histograms})
	}
	return out
}

// bodyStore makes of a writer one that takes bodies.
type bodyStore struct{ promwire.Writer }

func (m bodyStore) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	msg, err := b.Decoded()
	if err != nil {
		return promwire.WriteStats{}, err
	}
	d := promwire.Decoder{MaxLabelBytes: b.Rules.MaxLabelBytes}
	var req promwire.WriteRequest
	var refused []promwire.Refusal
	var index []int
	for d.Reset(msg, b.Type); d.Next() && (b.Rules.MaxSeries == 0 || d.Index() < b.Rules.MaxSeries); {
		if err := d.SeriesErr(); err != nil {
			refused = b.Rules.Refuse(refused, d.Index(), d.Series().Labels, err)
			continue
		}
		var keep bool
		if refused, keep = b.Rules.Apply(refused, d.Index(), d.Series()); keep {
			req.Timeseries = append(req.Timeseries, d.Series().Clone())
			index = append(index, d.Index())
		}
	}
	if err := b.Rules.CheckMessage(&d); err != nil {
		return promwire.WriteStats{}, err
	}
	req.Metadata = d.Metadata()
	stats, err := m.Write(ctx, &req)
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		for _, f := range partial.Refused {
			f.Series = index[f.Series]
			refused = append(refused, f)
		}
	}
	if len(refused) == 0 {
		return stats, nil
	}
	slices.SortStableFunc(refused, func(a, b promwire.Refusal) int { return a.Series - b.Series })
	return stats, &promwire.PartialWriteError{Written: stats, Refused: refused}
}

// chunkStore is a memStore that has chunks.
type chunkStore struct{ *memStore }

func (m chunkStore) ReadChunks(_ context.Context, q promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	return func(yield func(promwire.ChunkedSeries, error) bool) {
		var enc chunk.Encoder
		for _, ts := range m.sorted(q) {
			for _, part := range parts(ts, m.partSize) {
				chunks := enc.AppendSamples(nil, part.Samples)
				if !yield(promwire.ChunkedSeries{Labels: part.Labels, Chunks: enc.AppendHistograms(chunks, part.Histograms)}, nil) {
					return
				}
				if m.fail != nil {
					yield(promwire.ChunkedSeries{}, m.fail)
					return
				}
			}
		}
	}
}

// writerFunc is a Writer.
type writerFunc func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error)

func (f writerFunc) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return f(ctx, req)
}

// readerFunc is a Reader.
type readerFunc func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error]

func (f readerFunc) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return f(ctx, q)
}
