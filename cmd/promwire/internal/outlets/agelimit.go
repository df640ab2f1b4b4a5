package outlets

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// AgeLimit drops samples and histograms that are too old when they are about to be sent, with their exemplars if nothing
// else is left of a series. It is safe for concurrent use.
type AgeLimit struct {
	next    promwire.Writer
	limit   time.Duration
	dropped atomic.Int64
}

// NewAgeLimit puts an AgeLimit in front of next: the writer, which takes bodies if next does, and what counts. Without a
// limit (0) that is next itself, and nil.
func NewAgeLimit(next promwire.Writer, limit time.Duration) (promwire.Writer, *AgeLimit) {
	if limit <= 0 {
		return next, nil
	}
	a := &AgeLimit{next: next, limit: limit}
	if bodies, ok := next.(promwire.BodyWriter); ok {
		return &bodyAgeLimit{a, bodies}, a
	}
	return a, a
}

// Dropped returns how many samples and histograms were dropped. That of nil is 0.
func (a *AgeLimit) Dropped() int64 {
	if a == nil {
		return 0
	}
	return a.dropped.Load()
}

// Write implements promwire.Writer. What is dropped is in no count and no error.
func (a *AgeLimit) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	oldest := time.Now().Add(-a.limit).UnixMilli()
	first := 0
	for first < len(req.Timeseries) && !old(&req.Timeseries[first], oldest) {
		first++
	}
	if first == len(req.Timeseries) {
		return a.next.Write(ctx, req)
	}
	young := &promwire.WriteRequest{Metadata: req.Metadata, Timeseries: make([]promwire.TimeSeries, 0, len(req.Timeseries))}
	var removed promwire.Removed
	dropped := int64(0)
	for i := range req.Timeseries {
		ts := req.Timeseries[i]
		if old(&ts, oldest) {
			before := Points(ts.Stats())
			without(&ts, oldest)
			dropped += before - Points(ts.Stats())
			if Points(ts.Stats()) == 0 {
				removed = append(removed, i)
				continue
			}
		}
		young.Timeseries = append(young.Timeseries, ts)
	}
	stats, err := promwire.WriteStats{}, error(nil)
	if len(young.Timeseries)+len(young.Metadata) > 0 {
		stats, err = a.next.Write(ctx, young)
	}
	if promwire.Retryable(err) {
		return stats, err
	}
	a.dropped.Add(dropped)
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		partial.Refused = removed.AppendRefusals(nil, partial.Refused)
	}
	return stats, err
}

// old reports whether something in ts is older than a time.
func old(ts *promwire.TimeSeries, oldest int64) bool {
	for i := range ts.Samples {
		if ts.Samples[i].Timestamp < oldest {
			return true
		}
	}
	for i := range ts.Histograms {
		if ts.Histograms[i].Timestamp < oldest {
			return true
		}
	}
	return false
}

// without takes samples and histograms that are older out of ts, in slices of its own.
func without(ts *promwire.TimeSeries, oldest int64) {
	var samples []promwire.Sample
	for _, s := range ts.Samples {
		if s.Timestamp >= oldest {
			samples = append(samples, s)
		}
	}
	var histograms []promwire.Histogram
	for i := range ts.Histograms {
		if ts.Histograms[i].Timestamp >= oldest {
			histograms = append(histograms, ts.Histograms[i])
		}
	}
	ts.Samples, ts.Histograms = samples, histograms
}

// bodyAgeLimit passes bodies on as they came if nothing in them is too old.
type bodyAgeLimit struct {
	*AgeLimit
	bodies promwire.BodyWriter
}

// WriteBody implements promwire.BodyWriter.
func (a *bodyAgeLimit) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	oldest := time.Now().Add(-a.limit).UnixMilli()
	message, err := b.Decoded()
	if err != nil {
		return promwire.WriteStats{}, err
	}
	var d promwire.Decoder
	d.Reset(message, b.Type)
	d.MaxLabelBytes = b.Rules.MaxLabelBytes
	aged := false
	for !aged && d.NextRaw() {
		aged = old(d.Series(), oldest)
	}
	if !aged {
		return a.bodies.WriteBody(ctx, b) // which finds out if it is malformed
	}
	return a.writeDecoded(ctx, &d, b)
}

// writeDecoded writes a body of which something is too old. Series that can't be decoded are refused by name.
func (a *bodyAgeLimit) writeDecoded(ctx context.Context, d *promwire.Decoder, b *promwire.Body) (promwire.WriteStats, error) {
	message, _ := b.Decoded() // it was decoded before
	d.Reset(message, b.Type)
	var req promwire.WriteRequest
	var refused []promwire.Refusal
	var removed promwire.Removed
	for ts := (promwire.TimeSeries{}); d.NextInto(&ts); ts = (promwire.TimeSeries{}) {
		if err := d.SeriesErr(); err != nil {
			refused = b.Rules.Refuse(refused, d.Index(), ts.Labels, err)
			removed = append(removed, d.Index())
			continue
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	if err := b.Rules.CheckMessage(d); err != nil {
		return promwire.WriteStats{}, err
	}
	req.Metadata = d.Metadata()
	stats, err := a.Write(ctx, &req)
	if len(refused) == 0 || promwire.Retryable(err) {
		return stats, err
	}
	all := &promwire.PartialWriteError{Written: stats, Refused: refused, Err: err}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		all.Refused, all.Err = removed.AppendRefusals(all.Refused, partial.Refused), partial.Err
	}
	return stats, all
}
