package tsdbstore

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/promwire/promwire"
)

// pendingExemplar waits until the samples of its request are committed, for an exemplar may belong to a series that
// the same request creates.
type pendingExemplar struct {
	series   int // index in the request
	labels   labels.Labels
	exemplar exemplar.Exemplar
}

// deferExemplars keeps copies of the exemplars of a series, whose labels are decoded. lost is why none of its samples
// was accepted, if that is so: then the exemplars have nothing that they could explain.
func (b *batch) deferExemplars(i int, ts *promwire.TimeSeries, lost error) {
	if _, err := b.labels.view(ts.Labels); err != nil {
		return // the series was refused for that
	}
	ls, start := b.labels.keep(), len(b.exemplars)
	for k := range ts.Exemplars {
		e := &ts.Exemplars[k]
		if _, err := b.labels.view(e.Labels); err != nil {
			b.refuse(i, ts, e.Timestamp, fmt.Errorf("%w: %w", promwire.ErrInvalidExemplar, err))
			continue
		}
		switch {
		case e.Timestamp > b.limit:
			b.refuse(i, ts, e.Timestamp, promwire.ErrTooFarInFuture)
			continue
		case e.Timestamp < b.oldest:
			b.refuse(i, ts, e.Timestamp, fmt.Errorf("%w: it keeps samples for %s", promwire.ErrOutOfBounds, b.store.opts.Load().Retention))
			continue
		case lost != nil:
			b.refuse(i, ts, e.Timestamp, fmt.Errorf("no sample of its series was stored: %w", lost))
			continue
		}
		b.exemplars = append(b.exemplars, pendingExemplar{i, ls, exemplar.Exemplar{
			Labels: b.labels.keep(), Value: e.Value, Ts: e.Timestamp, HasTs: true,
		}})
	}
	slices.SortStableFunc(b.exemplars[start:], compareExemplars)
}

// compareExemplars gives the order in which the TSDB takes all exemplars of a series.
func compareExemplars(x, y pendingExemplar) int {
	return cmp.Or(cmp.Compare(x.exemplar.Ts, y.exemplar.Ts), cmp.Compare(x.exemplar.Value, y.exemplar.Value),
		cmp.Compare(x.exemplar.Labels.Hash(), y.exemplar.Labels.Hash()))
}

// commitExemplars stores the exemplars. AppenderV2 takes them with a sample only, but Prometheus sends them in series of
// their own; the older Appender does both.
func (b *batch) commitExemplars() error {
	if len(b.exemplars) == 0 {
		return nil
	}
	if err := b.needRing(); err != nil {
		return err
	}
	app := b.db.Appender(b.ctx)
	for k := range b.exemplars {
		p := &b.exemplars[k]
		refusal, err := appendExemplar(app, p)
		switch {
		case err != nil:
			_ = app.Rollback() // err is the cause
			return err
		case refusal != nil:
			ts := promwire.TimeSeries{Labels: appendLabels(nil, p.labels)}
			b.refuse(p.series, &ts, p.exemplar.Ts, refusal)
		default:
			b.stats.Exemplars++
		}
	}
	return b.store.judge(app.Commit())
}

func appendExemplar(app storage.Appender, p *pendingExemplar) (refusal, failure error) {
	ref, stored := app.(storage.GetRef).GetRef(p.labels, p.labels.Hash())
	if ref == 0 {
		return promwire.ErrUnknownSeries, nil
	}
	_, err := app.AppendExemplar(ref, stored, p.exemplar)
	return refusalOf(err)
}
