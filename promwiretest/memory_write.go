package promwiretest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/promwire/promwire"
)

// stored is a series of a [Memory]: samples and histograms each in order of time, exemplars in order of arrival.
type stored struct{ promwire.TimeSeries }

// Write implements [promwire.Writer].
func (m *Memory) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if err := ctx.Err(); err != nil {
		return promwire.WriteStats{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w := memoryWrite{memory: m}
	for i := range req.Timeseries {
		w.series(i, &req.Timeseries[i])
	}
	for _, md := range req.Metadata {
		md = cloneMetadata(md)
		m.metadata[md.Family] = md.Metadata
	}
	if len(w.refused) > 0 {
		return w.stats, &promwire.PartialWriteError{Written: w.stats, Refused: w.refused}
	}
	return w.stats, nil
}

// memoryWrite is one Write at work.
type memoryWrite struct {
	memory  *Memory
	stats   promwire.WriteStats
	refused []promwire.Refusal
}

func (w *memoryWrite) refuse(index int, ls promwire.Labels, timestamp int64, reason error) {
	w.refused = append(w.refused, promwire.Refusal{Series: index, Labels: ls.Clone(), Timestamp: timestamp, Reason: reason})
}

func (w *memoryWrite) series(index int, ts *promwire.TimeSeries) {
	s := w.memory.index.find(ts.Labels)
	if s == nil && len(ts.Samples)+len(ts.Histograms) == 0 {
		for _, e := range ts.Exemplars {
			w.refuse(index, ts.Labels, e.Timestamp, promwire.ErrUnknownSeries)
		}
		return
	}
	if s == nil {
		s, _ = w.memory.index.get(ts.Labels)
		s.Labels, w.memory.sorted = ts.Labels.Clone(), nil
	}
	for _, sample := range ts.Samples {
		if err := s.addSample(sample, w.memory.rule); err != nil {
			w.refuse(index, ts.Labels, sample.Timestamp, err)
		} else {
			w.stats.Samples++
		}
	}
	for i := range ts.Histograms {
		if err := s.addHistogram(&ts.Histograms[i], w.memory.rule); err != nil {
			w.refuse(index, ts.Labels, ts.Histograms[i].Timestamp, err)
		} else {
			w.stats.Histograms++
		}
	}
	for _, e := range ts.Exemplars {
		if err := s.addExemplar(e); err != nil {
			w.refuse(index, ts.Labels, e.Timestamp, err)
		} else {
			w.stats.Exemplars++
		}
	}
	if ts.Metadata != (promwire.Metadata{}) {
		s.Metadata = cloneMetadata(promwire.MetricMetadata{Metadata: ts.Metadata}).Metadata
	}
}

func (s *stored) addSample(sample promwire.Sample, rule OrderRule) error {
	at, isNew := s.sampleAt(sample.Timestamp)
	if !isNew {
		if sameValue(s.Samples[at].Value, sample.Value) {
			return nil
		}
		return duplicate(sample.Timestamp)
	}
	if err := s.judge(sample.Timestamp, rule); err != nil {
		return err
	}
	if _, free := s.histogramAt(sample.Timestamp); !free {
		return duplicate(sample.Timestamp)
	}
	s.Samples = slices.Insert(s.Samples, at, sample)
	return nil
}

func (s *stored) addHistogram(h *promwire.Histogram, rule OrderRule) error {
	at, isNew := s.histogramAt(h.Timestamp)
	if !isNew {
		if sameHistogram(&s.Histograms[at], h) {
			return nil
		}
		return duplicate(h.Timestamp)
	}
	if err := s.judge(h.Timestamp, rule); err != nil {
		return err
	}
	if _, free := s.sampleAt(h.Timestamp); !free {
		return duplicate(h.Timestamp)
	}
	s.Histograms = slices.Insert(s.Histograms, at, h.Clone())
	return nil
}

func (s *stored) addExemplar(e promwire.Exemplar) error {
	if n := len(s.Exemplars); n > 0 {
		last := s.Exemplars[n-1]
		switch {
		case last.Timestamp > e.Timestamp:
			return fmt.Errorf("exemplar: %w", promwire.ErrOutOfOrder)
		case last.Timestamp == e.Timestamp && last.Labels.Equal(e.Labels) && sameValue(last.Value, e.Value):
			return nil
		case last.Timestamp == e.Timestamp:
			return fmt.Errorf("exemplar: %w", promwire.ErrDuplicateTimestamp)
		}
	}
	e.Labels = e.Labels.Clone()
	s.Exemplars = append(s.Exemplars, e)
	return nil
}

// judge applies the order rule to a new time.
func (s *stored) judge(timestamp int64, rule OrderRule) error {
	newest := int64(math.MinInt64)
	if n := len(s.Samples); n > 0 {
		newest = s.Samples[n-1].Timestamp
	}
	if n := len(s.Histograms); n > 0 {
		newest = max(newest, s.Histograms[n-1].Timestamp)
	}
	if rule == RefuseOlder && timestamp < newest {
		return fmt.Errorf("%w: %d, newest %d", promwire.ErrOutOfOrder, timestamp, newest)
	}
	return nil
}

// place returns where an item of this time is or belongs. The end is looked at first: that is where they come.
func place[T any](items []T, timestamp int64, timeOf func(*T) int64) (at int, isNew bool) {
	n := len(items)
	if n == 0 || timeOf(&items[n-1]) < timestamp {
		return n, true
	}
	at, found := slices.BinarySearchFunc(items, timestamp, func(x T, t int64) int { return cmp.Compare(timeOf(&x), t) })
	return at, !found
}

func (s *stored) sampleAt(timestamp int64) (at int, isNew bool) {
	return place(s.Samples, timestamp, func(x *promwire.Sample) int64 { return x.Timestamp })
}

func (s *stored) histogramAt(timestamp int64) (at int, isNew bool) {
	return place(s.Histograms, timestamp, func(x *promwire.Histogram) int64 { return x.Timestamp })
}

func duplicate(timestamp int64) error {
	return fmt.Errorf("%w: %d", promwire.ErrDuplicateTimestamp, timestamp)
}

func sameValue(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// sameHistogram compares the forms on the wire, in which NaN equals itself.
func sameHistogram(a, b *promwire.Histogram) bool { return bytes.Equal(wire(a), wire(b)) }

func wire(h *promwire.Histogram) []byte {
	bare := *h
	bare.StartTimestamp = 0 // it gets lost over 1.0
	req := promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Histograms: []promwire.Histogram{bare}}}}
	message, err := req.AppendProto(nil, promwire.WriteV2)
	if err != nil {
		return nil
	}
	return message
}
