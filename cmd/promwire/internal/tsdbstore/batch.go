package tsdbstore

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/promwire/promwire"
)

// minTimestamp keeps the TSDB's arithmetic on times (differences, halves of a block range) from wrapping around.
const minTimestamp = math.MinInt64 / 4

// batch is one request on its way into the TSDB. It is reused, and not safe for concurrent use.
//
// The TSDB judges samples against what is committed, not against what waits in the same appender. So a sample that is not
// newer than what waits for its series makes the batch commit first; otherwise it would be dropped in silence later.
type batch struct {
	ctx    context.Context
	store  *Store
	db     *tsdb.DB
	app    storage.AppenderV2 // nil if nothing waits
	limit  int64              // the newest timestamp that is accepted
	oldest int64              // older samples are outside the retention

	labels    labelBuffer
	newest    newestTimes // what waits in app
	points    pointBuffer
	exemplars []pendingExemplar
	metadata  []promwire.MetricMetadata

	stats   promwire.WriteStats
	refused []promwire.Refusal

	// Of an encoded request.
	decoder   promwire.Decoder
	rules     promwire.Rules
	encoded   bool     // the labels of the current series may have to be decoded
	unchecked bool     // nothing may be committed yet
	big       bool     // the memory is not worth keeping
	ids       []uint32 // numbers of the symbols
	key       []uint32 // of the current series, in Remote Write 2.0
	guess     int      // where in the cache the next series may be
	lessons   lessons
}

func (b *batch) reset(ctx context.Context, s *Store, db *tsdb.DB) {
	b.ctx, b.store, b.db = ctx, s, db
	o := s.opts.Load()
	b.limit, b.oldest = s.now().Add(o.FutureWindow).UnixMilli(), math.MinInt64
	if o.Retention > 0 {
		b.oldest = s.now().Add(-o.Retention).UnixMilli()
	}
	b.newest.reset()
	b.exemplars = b.exemplars[:0]
	b.metadata = b.metadata[:0]
	b.stats, b.refused = promwire.WriteStats{}, nil
	b.encoded, b.unchecked, b.big = false, false, false
	b.lessons.reset()
}

// release drops what belongs to the request or the TSDB.
func (b *batch) release() {
	if b.app != nil {
		_ = b.app.Rollback() // only after a panic
		b.app = nil
	}
	b.ctx, b.store, b.db, b.refused = nil, nil, nil, nil
	clear(b.exemplars[:cap(b.exemplars)])
	clear(b.metadata[:cap(b.metadata)])
	b.points.release()
	b.lessons.reset()
	b.decoder.Reset(nil, b.rules.Type)
}

// add appends a series whose labels are decoded, and returns its reference; 0 if it has none, since nothing of it was
// accepted. An error means that the whole request fails.
func (b *batch) add(i int, ts *promwire.TimeSeries) (storage.SeriesRef, error) {
	ls, err := b.labels.view(ts.Labels)
	if err == nil && ls.IsEmpty() {
		err = promwire.ErrNoMetricName
	}
	if err != nil {
		b.refuse(i, ts, 0, err)
		return 0, nil
	}
	ref, stored := b.lookup(ls)
	if ref != 0 {
		ls = stored
	} else if len(ts.Samples)+len(ts.Histograms)+len(ts.Exemplars) > 0 {
		ls = b.labels.keep()
	}
	return b.append(i, ref, ls, ts)
}

// lookup finds a series that the head has.
func (b *batch) lookup(ls labels.Labels) (storage.SeriesRef, labels.Labels) {
	if g, ok := b.appender().(storage.GetRef); ok {
		return g.GetRef(ls, ls.Hash())
	}
	return 0, labels.EmptyLabels()
}

// append appends what ts holds to the series. ls may be empty if ref is known; errUnknownRef then says that the
// reference is of no use any more. The result is the reference to use from now on.
func (b *batch) append(i int, ref storage.SeriesRef, ls labels.Labels, ts *promwire.TimeSeries) (storage.SeriesRef, error) {
	refused := len(b.refused)
	ref, err := b.appendPoints(i, ref, ls, ts)
	if err != nil {
		return ref, err
	}
	if len(ts.Exemplars) > 0 {
		var lost error
		if n := len(ts.Samples) + len(ts.Histograms); n > 0 && len(b.refused)-refused == n {
			lost = b.refused[refused].Reason
		}
		b.deferExemplars(i, ts, lost)
	}
	b.seriesMetadata(ts)
	return ref, nil
}

func (b *batch) appender() storage.AppenderV2 {
	if b.app == nil {
		b.app = b.db.AppenderV2(b.ctx)
	}
	return b.app
}

// flush commits what waits. On an error, nothing of the request may be acknowledged.
func (b *batch) flush() error {
	if b.unchecked {
		return errUnchecked
	}
	if b.app == nil {
		return nil
	}
	app := b.app
	b.app = nil
	b.newest.reset()
	return b.store.judge(b.store.orEnd(app.Commit))
}

// finish commits and says what was written.
func (b *batch) finish() (promwire.WriteStats, error) {
	if err := b.flush(); err != nil {
		return b.abandon(err)
	}
	if err := b.commitExemplars(); err != nil {
		return b.abandon(err)
	}
	b.store.families.put(b.metadata)
	b.store.cache.learn(&b.lessons, b.rules.Type)
	if len(b.refused) == 0 {
		return b.stats, nil
	}
	slices.SortStableFunc(b.refused, func(x, y promwire.Refusal) int { return x.Series - y.Series })
	return b.stats, &promwire.PartialWriteError{Written: b.stats, Refused: b.refused}
}

// abandon gives up what waits; err is the reason.
func (b *batch) abandon(err error) (promwire.WriteStats, error) {
	return promwire.WriteStats{}, errors.Join(err, b.rollback())
}

func (b *batch) rollback() error {
	if b.app == nil {
		return nil
	}
	app := b.app
	b.app = nil
	if err := app.Rollback(); err != nil {
		return b.store.judge(err)
	}
	return nil
}
