package tsdbstore

import (
	"context"
	"errors"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/promwire/promwire"
)

var _ promwire.BodyWriter = (*Store)(nil)

// maxPooledBody is the size of a decoded message above which the memory of its decoding is not kept.
const maxPooledBody = 8 << 20

// errUnchecked says that a part of a message would have to be committed, or a series created, before the rest is known
// to be well-formed.
var errUnchecked = errors.New("message is not checked yet")

// WriteBody implements [promwire.BodyWriter]: the same as [Store.Write] after [promwire.Rules.ApplyAll], but series
// that the store knows are recognised by their encoded labels, which are then neither decoded nor judged again. The
// cache behind it takes at most 256 MiB.
func (s *Store) WriteBody(ctx context.Context, body *promwire.Body) (promwire.WriteStats, error) {
	msg, err := body.Decoded()
	if err != nil {
		return promwire.WriteStats{}, err
	}
	b, err := s.begin(ctx)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	defer s.end(b)
	b.big = len(msg) > maxPooledBody
	err = b.walk(msg, body.Rules, false)
	if errors.Is(err, errUnchecked) {
		err = b.walkChecked(msg, body.Rules)
	}
	if err != nil {
		return b.abandon(err)
	}
	return b.finish()
}

// walkChecked begins anew, with a look at the whole message first.
func (b *batch) walkChecked(msg []byte, rules promwire.Rules) error {
	if err := b.rollback(); err != nil {
		return err
	}
	b.reset(b.ctx, b.store, b.db)
	if err := check(&b.decoder, msg, rules); err != nil {
		return err
	}
	return b.walk(msg, rules, true)
}

// check walks a message to its end.
func check(d *promwire.Decoder, msg []byte, rules promwire.Rules) error {
	d.Reset(msg, rules.Type)
	d.MaxLabelBytes = rules.MaxLabelBytes
	for d.Next() && rules.Within(d) {
	}
	return rules.CheckMessage(d)
}

// walk appends the series of a message. Nothing is committed before the message is checked, here or before.
func (b *batch) walk(msg []byte, rules promwire.Rules, checked bool) error {
	d := &b.decoder
	d.Reset(msg, rules.Type)
	d.MaxLabelBytes = rules.MaxLabelBytes
	b.rules, b.unchecked, b.encoded = rules, !checked, true
	if err := b.walkSeries(d); err != nil {
		return err
	}
	if err := rules.CheckMessage(d); err != nil {
		return err
	}
	b.unchecked, b.encoded = false, false
	b.lessons.symbols = d.Symbols()
	for i, ms := 0, d.Metadata(); i < len(ms); i++ {
		b.deferMetadata(ms[i].Family, &ms[i].Metadata)
	}
	return nil
}

func (b *batch) walkSeries(d *promwire.Decoder) error {
	b.ids, b.guess = b.ids[:0], 0
	b.store.cache.mu.RLock()
	defer b.store.cache.mu.RUnlock()
	for d.NextRaw() && b.rules.Within(d) {
		if d.Index()%ctxEvery == 0 {
			if err := b.ctx.Err(); err != nil {
				return err
			}
		}
		if err := b.addRaw(d); err != nil {
			return err
		}
	}
	return nil // CheckMessage tells what ended the walk
}

// addRaw appends the decoder's current series, whose labels are encoded.
func (b *batch) addRaw(d *promwire.Decoder) error {
	if err := d.SeriesErr(); err != nil {
		_ = d.DecodeLabels() // gives the same error, and what could be read
		b.refused = b.rules.Refuse(b.refused, d.Index(), d.Series().Labels, err)
		return nil
	}
	s, at, old := b.recognise(d)
	b.guess = at + 1
	if at != notFound && s.names == b.rules.Names {
		done, err := b.addKnown(d, s, old)
		if done || err != nil {
			return err
		}
	}
	return b.addUnknown(d)
}

// recognise looks the current series up, as [generations.get] does.
func (b *batch) recognise(d *promwire.Decoder) (s knownSeries, at int, old bool) {
	c := &b.store.cache
	if b.rules.Type != promwire.WriteV2 {
		return c.v1.get(b.guess, d.RawLabels(), c.hash)
	}
	if symbols := d.Symbols(); len(b.ids) < len(symbols) {
		b.ids = c.symbols.appendIDs(b.ids, symbols[len(b.ids):])
	}
	refs := d.LabelRefs()
	b.key = slices.Grow(b.key[:0], len(refs))[:len(refs)]
	for i, ref := range refs {
		id := b.ids[ref]
		if id == 0 {
			return s, notFound, false
		}
		b.key[i] = id
	}
	return c.v2.get(b.guess, idBytes(b.key), c.hash)
}

// addKnown appends the current series by its reference. It reports false, and has done nothing, if the reference is
// of no use any more.
func (b *batch) addKnown(d *promwire.Decoder, s knownSeries, old bool) (bool, error) {
	ts := d.Series()
	metadata := b.store.cache.metadataHash(&ts.Metadata)
	// Samples need no labels; the rest is judged with them.
	if len(ts.Samples) == 0 || len(ts.Histograms) > 0 || len(ts.Exemplars) > 0 || metadata != s.metadata && metadata != 0 {
		if err := d.DecodeLabels(); err != nil {
			return false, err
		}
		var keep bool
		if b.refused, keep = b.rules.Apply(b.refused, d.Index(), ts); !keep {
			return true, nil
		}
		old = old || metadata != 0
	}
	stats, refused := b.stats, len(b.refused)
	ref, err := b.append(d.Index(), s.ref, labels.EmptyLabels(), ts)
	if errors.Is(err, errUnknownRef) {
		b.stats, b.refused = stats, b.refused[:refused]
		return false, nil
	}
	if err == nil && (ref != s.ref || old) {
		b.learn(d, knownSeries{ref, metadata, b.rules.Names})
	}
	return true, err
}

// addUnknown appends the current series by its labels.
func (b *batch) addUnknown(d *promwire.Decoder) error {
	if err := d.DecodeLabels(); err != nil {
		return err
	}
	ts := d.Series()
	var keep bool
	if b.refused, keep = b.rules.Apply(b.refused, d.Index(), ts); !keep {
		return nil
	}
	if b.unchecked {
		return errUnchecked // series that are created stay, also if the message turns out to be malformed
	}
	ref, err := b.add(d.Index(), ts)
	if err == nil && ref != 0 {
		b.learn(d, knownSeries{ref, b.store.cache.metadataHash(&ts.Metadata), b.rules.Names})
	}
	return err
}

func (b *batch) learn(d *promwire.Decoder, s knownSeries) {
	if b.rules.Type == promwire.WriteV2 {
		b.lessons.addV2(d.LabelRefs(), s)
	} else {
		b.lessons.addV1(d.RawLabels(), s)
	}
}
