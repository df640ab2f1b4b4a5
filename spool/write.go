package spool

import (
	"context"
	"fmt"
	"math"

	"github.com/promwire/promwire"
)

// entry is a record that is to be appended, and its body.
type entry struct {
	record
	body []byte
}

// writeState is what a write needs, kept for the next one.
type writeState struct {
	entries []entry
	message []byte
	encoded [2][]byte
	decoder promwire.Decoder
}

// maxKept bounds the memory that is kept for the next write, in bytes.
const maxKept = 4 << 20

func (s *Spool) release(w *writeState) {
	clear(w.entries)
	w.entries = w.entries[:0]
	w.decoder.Reset(nil, promwire.WriteV1)
	if cap(w.message)+cap(w.encoded[0])+cap(w.encoded[1]) <= maxKept {
		s.states.Put(w)
	}
}

// Write implements [promwire.Writer]: it returns when req is as durable as the policy says. The tenant of ctx is kept;
// the end of ctx is looked at only before the record is appended, as nobody can take it back afterwards.
//
// Family metadata of a request that is kept in 2.0 become a record of their own.
//
// Errors that wrap [promwire.ErrUnavailable] ([ErrDisk], [ErrFull], [ErrClosed]) say that nothing was stored and that
// the same may succeed later; [promwire.ErrTooLarge] that it never will.
func (s *Spool) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if err := ctx.Err(); err != nil {
		return promwire.WriteStats{}, err
	}
	if len(req.Timeseries) == 0 && len(req.Metadata) == 0 {
		return promwire.WriteStats{}, nil
	}
	w := s.states.Get().(*writeState)
	defer s.release(w)
	stats := req.Stats()
	split := s.config.message == promwire.WriteV2 && len(req.Metadata) > 0
	var err error
	if !split || len(req.Timeseries) > 0 {
		part := *req
		if split {
			part.Metadata = nil
		}
		err = w.encode(&part, s.config.message, stats)
	}
	if err == nil && split {
		err = w.encode(&promwire.WriteRequest{Metadata: req.Metadata}, promwire.WriteV1, promwire.WriteStats{})
	}
	if err == nil {
		err = s.store(ctx, w)
	}
	if err != nil {
		return promwire.WriteStats{}, fmt.Errorf("spool: %w", err)
	}
	return stats, nil
}

// encode adds an entry with the request.
func (w *writeState) encode(req *promwire.WriteRequest, t promwire.MessageType, stats promwire.WriteStats) (err error) {
	if w.message, err = req.AppendProto(w.message[:0], t); err != nil {
		return err
	}
	dst := &w.encoded[len(w.entries)]
	if *dst, err = promwire.Snappy.AppendEncoded((*dst)[:0], w.message); err != nil {
		return err
	}
	w.entries = append(w.entries, entry{
		record{items: stats, message: t, encoding: promwire.EncodingSnappy, decoded: len(w.message)}, *dst,
	})
	return nil
}

// WriteBody implements [promwire.BodyWriter]: it keeps the bytes as they came, and returns as Write does.
//
// The body is decompressed and walked once, to be sure that a target can read it and to count its items: a malformed
// one is refused with a [*promwire.DecodeError], a larger one than b.Rules allow with [promwire.ErrTooLarge], and
// nothing is stored. Series are not judged: that is the target's business.
func (s *Spool) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	if err := ctx.Err(); err != nil {
		return promwire.WriteStats{}, err
	}
	w := s.states.Get().(*writeState)
	defer s.release(w)
	stats, decoded, empty, err := w.inspect(b)
	if err == nil && !empty {
		w.entries = append(w.entries, entry{
			record{items: stats, message: b.Type, encoding: b.Encoding, decoded: decoded}, b.Encoded,
		})
		err = s.store(ctx, w)
	}
	if err != nil {
		return promwire.WriteStats{}, fmt.Errorf("spool: %w", err)
	}
	return stats, nil
}

// inspect walks the body to its end.
func (w *writeState) inspect(b *promwire.Body) (stats promwire.WriteStats, decoded int, empty bool, err error) {
	msg, err := b.Decoded()
	if err != nil {
		return stats, 0, false, err
	}
	d := &w.decoder
	d.Reset(msg, b.Type)
	d.MaxLabelBytes = b.Rules.MaxLabelBytes
	for b.Rules.Within(d) {
		items, ok := d.NextItems()
		if !ok {
			break
		}
		stats = stats.Add(items)
	}
	err = b.Rules.CheckMessage(d)
	return stats, len(msg), d.Index() < 0 && len(d.Metadata()) == 0, err
}

// store appends the entries of w for the tenant of ctx.
func (s *Spool) store(ctx context.Context, w *writeState) error {
	tenant := promwire.TenantFromContext(ctx)
	if len(tenant) > math.MaxUint16 {
		return fmt.Errorf("%w: tenant of %d bytes", promwire.ErrTooLarge, len(tenant))
	}
	for i := range w.entries {
		e := &w.entries[i]
		e.tenant = tenant
		if len(e.body) > maxBody-math.MaxUint16-math.MaxUint8 {
			return fmt.Errorf("%w: body of %d bytes", promwire.ErrTooLarge, len(e.body))
		}
		if len(e.encoding) > math.MaxUint8 {
			return fmt.Errorf("%w: content encoding %.100q", promwire.ErrUnsupported, e.encoding)
		}
	}
	return s.append(w.entries)
}
