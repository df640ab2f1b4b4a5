package spool

import (
	"context"
	"errors"

	"github.com/promwire/promwire"
)

// decodedRequest is a body as a request, for targets that take no bodies.
type decodedRequest struct {
	decoder promwire.Decoder
	request promwire.WriteRequest
	removed promwire.Removed
}

// decode fills the request with the valid series of b, and returns what is refused.
func (q *decodedRequest) decode(b *promwire.Body) (refused []promwire.Refusal, err error) {
	msg, err := b.Decoded()
	if err != nil {
		return nil, err
	}
	d, series := &q.decoder, q.request.Timeseries[:0]
	d.Reset(msg, b.Type)
	q.removed = q.removed[:0]
	for {
		n := len(series)
		series = append(series, spare(series))
		if !d.NextInto(&series[n]) {
			series = series[:n]
			break
		}
		keep := false
		if bad := d.SeriesErr(); bad != nil {
			refused = b.Rules.Refuse(refused, d.Index(), series[n].Labels, bad)
		} else {
			refused, keep = b.Rules.Apply(refused, d.Index(), &series[n])
		}
		if !keep {
			q.removed = append(q.removed, d.Index())
			series = series[:n]
		}
	}
	q.request.Timeseries, q.request.Metadata = series, d.Metadata()
	return refused, b.Rules.CheckMessage(d)
}

// spare returns the series behind the end of s, whose memory is used again.
func spare(s []promwire.TimeSeries) promwire.TimeSeries {
	if len(s) < cap(s) {
		return s[:len(s)+1][len(s)]
	}
	return promwire.TimeSeries{}
}

// write passes the valid series of b to w. What is refused here, or by w, is in a [*promwire.PartialWriteError].
func (q *decodedRequest) write(ctx context.Context, w promwire.Writer, b *promwire.Body) error {
	refused, err := q.decode(b)
	if err != nil {
		return err
	}
	var stats promwire.WriteStats
	if len(q.request.Timeseries) > 0 || len(q.request.Metadata) > 0 {
		if stats, err = w.Write(ctx, &q.request); promwire.Retryable(err) {
			return err
		}
	}
	if len(refused) == 0 && (err == nil || len(q.removed) == 0) {
		return err
	}
	all := &promwire.PartialWriteError{Written: stats, Refused: refused, Err: err}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		all.Written, all.Err = partial.Written, partial.Err
		all.Refused = q.removed.AppendRefusals(all.Refused, partial.Refused)
	}
	return all
}

// refused returns what of b was refused: the series that err names, or all; nil if b can't be decoded.
func (q *decodedRequest) refused(b *promwire.Body, err error) *promwire.WriteRequest {
	msg, failed := b.Decoded()
	if failed != nil {
		return nil
	}
	var req promwire.WriteRequest
	if failed := req.UnmarshalProto(msg, b.Type); failed != nil {
		return nil
	}
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || len(partial.Refused) == 0 {
		return &req
	}
	named := map[int]bool{}
	for _, r := range partial.Refused {
		named[r.Series] = true
	}
	var part promwire.WriteRequest
	for i := range req.Timeseries {
		if named[i] {
			part.Timeseries = append(part.Timeseries, req.Timeseries[i])
		}
	}
	return &part
}
