package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/promwire/promwire"
)

// writeSeries decodes the body, takes out what is invalid, and passes on the rest.
func (h *writeHandler) writeSeries(ctx context.Context, s *writeState) (promwire.WriteStats, error) {
	msg, err := s.body.Decoded()
	if err != nil {
		return promwire.WriteStats{}, err
	}
	s.decoder.Reset(msg, s.body.Type)
	s.decoder.MaxLabelBytes = s.body.Rules.MaxLabelBytes
	refused, err := s.decode()
	if err != nil {
		return promwire.WriteStats{}, err
	}
	var stats promwire.WriteStats
	if len(s.request.Timeseries) > 0 || len(s.request.Metadata) > 0 {
		stats, err = h.next.Write(ctx, &s.request)
	}
	return stats, merge(stats, err, refused, s.removed)
}

// decode fills the request with the valid series of the message and returns what is refused. The error says that the
// message as a whole is malformed or too large.
func (s *writeState) decode() (refused []promwire.Refusal, err error) {
	rules, d, series := s.body.Rules, &s.decoder, s.request.Timeseries[:0]
	s.removed = s.removed[:0]
	for rules.MaxSeries == 0 || d.Index() < rules.MaxSeries {
		n, keep := len(series), false
		if n == cap(series) {
			series = append(series, promwire.TimeSeries{})[:n]
		}
		ts := &series[:n+1][n]
		if !d.NextInto(ts) {
			break
		}
		if bad := d.SeriesErr(); bad != nil {
			refused = rules.Refuse(refused, d.Index(), ts.Labels, bad)
		} else {
			refused, keep = rules.Apply(refused, d.Index(), ts)
		}
		if keep {
			series = series[:n+1]
		} else {
			s.removed = append(s.removed, d.Index())
		}
	}
	s.request.Timeseries, s.request.Metadata = series, d.Metadata()
	return refused, rules.CheckMessage(d)
}

// merge joins what the handler refused with what the storage says of the rest, by the indices of the request as it
// came.
func merge(stats promwire.WriteStats, err error, refused []promwire.Refusal, removed promwire.Removed) error {
	if len(refused) == 0 && (err == nil || len(removed) == 0) {
		return err
	}
	if err != nil && statusOf(err) != http.StatusBadRequest {
		return err // the request failed as a whole, and may be sent again
	}
	all := &promwire.PartialWriteError{Written: stats, Refused: refused}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		all.Written, all.Err = written(stats, err), partial.Err
		all.Refused = removed.AppendRefusals(all.Refused, partial.Refused)
		slices.SortStableFunc(all.Refused, func(a, b promwire.Refusal) int { return cmp.Compare(a.Series, b.Series) })
	} else {
		all.Err = err
	}
	return all
}
