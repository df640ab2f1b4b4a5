package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"unsafe"

	"github.com/promwire/promwire"
)

// partBytes is how much of a request is decoded at a time, roughly, in bytes; usual requests have less. The bound is on
// the structs: their strings are in the decompressed body.
const partBytes = 8 << 20

// writeSeries decodes the body, takes out what is invalid, and passes on the rest: at once, or a large request in several
// parts, after it was looked at as a whole.
func (h *writeHandler) writeSeries(ctx context.Context, s *writeState) (stats promwire.WriteStats, err error) {
	msg, err := s.body.Decoded()
	if err != nil {
		return stats, err
	}
	s.dropEncoded()
	d := &s.decoder
	s.begin(msg)
	refused, done := s.decode(nil)
	if !done {
		for d.Next() && s.body.Rules.Within(d) {
		}
	}
	if err := s.body.Rules.CheckMessage(d); err != nil {
		return stats, err
	}
	s.series = d.Index() + 1
	if done {
		s.request.Metadata = d.Metadata()
		return h.pass(ctx, s, refused)
	}
	return h.writeParts(ctx, s, msg)
}

// writeParts passes on a large request, part by part, until the storage fails.
func (h *writeHandler) writeParts(ctx context.Context, s *writeState, msg []byte) (promwire.WriteStats, error) {
	var all promwire.PartialWriteError
	s.begin(msg)
	for done := false; !done; {
		var refused []promwire.Refusal
		before := len(all.Refused)
		if refused, done = s.decode(all.Refused); done {
			s.request.Metadata = s.decoder.Metadata()
		}
		stats, err := h.pass(ctx, s, refused[before:])
		all.Written = all.Written.Add(stats)
		var partial *promwire.PartialWriteError
		switch {
		case err == nil:
		case errors.As(err, &partial) && statusOf(err) == http.StatusBadRequest:
			all.Refused = append(all.Refused, partial.Refused...)
			all.Err = errors.Join(all.Err, partial.Err)
		case statusOf(err) == http.StatusBadRequest: // the storage refuses this part; the others are none the worse
			all.Err = errors.Join(all.Err, err)
		default:
			return all.Written, err
		}
	}
	if len(all.Refused) > 0 || all.Err != nil {
		return all.Written, &all
	}
	return all.Written, nil
}

// pass gives what was decoded to the storage.
func (h *writeHandler) pass(ctx context.Context, s *writeState, refused []promwire.Refusal) (stats promwire.WriteStats, err error) {
	if len(s.request.Timeseries) > 0 || len(s.request.Metadata) > 0 {
		stats, err = h.next.Write(ctx, &s.request)
	}
	stats = written(stats, err)
	return stats, s.merge(stats, err, refused)
}

// begin starts a walk over the message.
func (s *writeState) begin(msg []byte) {
	s.decoder.Reset(msg, s.body.Type)
	s.decoder.MaxLabelBytes = s.body.Rules.MaxLabelBytes
}

// decode fills the request with the valid series that come next in the message, until it is a part, and returns what
// is refused. It is done at the end of the message, and when that turns out to be malformed or too large.
func (s *writeState) decode(refused []promwire.Refusal) (_ []promwire.Refusal, done bool) {
	rules, d, series, size := &s.body.Rules, &s.decoder, s.request.Timeseries[:0], 0
	s.first, s.removed = d.Index()+1, s.removed[:0]
	s.request.Metadata = nil
	for done = true; rules.Within(d); {
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
			s.removed = append(s.removed, d.Index()-s.first)
			continue
		}
		if size += sizeOf(ts); size >= partBytes {
			done = false
			break
		}
	}
	s.request.Timeseries = series
	return refused, done
}

// merge joins what the handler refused of a part with what the storage says of the rest, by the indices of the request
// as it came.
func (s *writeState) merge(stats promwire.WriteStats, err error, refused []promwire.Refusal) error {
	if len(refused) == 0 && (err == nil || len(s.removed) == 0 && s.first == 0) {
		return err
	}
	if err != nil && statusOf(err) != http.StatusBadRequest {
		return err // the request failed as a whole, and may be sent again
	}
	all := &promwire.PartialWriteError{Written: stats, Refused: refused}
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) {
		all.Err = err
		return all
	}
	all.Err = partial.Err
	all.Refused = s.removed.AppendRefusals(slices.Clip(refused), partial.Refused)
	for i := len(refused); i < len(all.Refused); i++ {
		all.Refused[i].Series += s.first
	}
	slices.SortStableFunc(all.Refused, func(a, b promwire.Refusal) int { return cmp.Compare(a.Series, b.Series) })
	return all
}

// sizeOf returns what the structs of ts take in memory, roughly.
func sizeOf(ts *promwire.TimeSeries) int {
	size := int(unsafe.Sizeof(*ts)) + len(ts.Labels)*int(unsafe.Sizeof(promwire.Label{})) +
		len(ts.Samples)*int(unsafe.Sizeof(promwire.Sample{}))
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		size += int(unsafe.Sizeof(*h)) + 8*(len(h.PositiveDeltas)+len(h.NegativeDeltas)+len(h.PositiveCounts)+
			len(h.NegativeCounts)+len(h.PositiveSpans)+len(h.NegativeSpans)+len(h.CustomValues))
	}
	for i := range ts.Exemplars {
		size += int(unsafe.Sizeof(ts.Exemplars[i])) + len(ts.Exemplars[i].Labels)*int(unsafe.Sizeof(promwire.Label{}))
	}
	return size
}

// maxKeptEncoded is the largest compressed body that is kept while a request is written, although nobody needs it any
// more: smaller ones are worth keeping for the next request.
const maxKeptEncoded = 4 << 20

// dropEncoded lets go of a large compressed body once it is decompressed.
func (s *writeState) dropEncoded() {
	if cap(s.encoded) > maxKeptEncoded {
		s.claims.release(int64(len(s.encoded)))
		s.encoded, s.body.Encoded = nil, nil
	}
}
