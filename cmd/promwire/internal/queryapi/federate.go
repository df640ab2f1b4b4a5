package queryapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

// FederatePath is where another Prometheus scrapes the newest samples of selected series.
const FederatePath = "/federate"

// federating is how much memory a family takes on its way to the answer, in sizes of its text.
const federating = 8

// federate answers as Prometheus does: untyped metrics with their timestamps, as text or protobuf; native histograms only as the
// latter, those with custom buckets as classic ones. The parameters are read.
func (h *Handler) federate(w http.ResponseWriter, r *http.Request) {
	selectors, err := newParser().ParseMetricSelectors(r.Form["match[]"])
	if err != nil {
		(&apifront.Refusal{Status: http.StatusBadRequest, Kind: "bad_data", Err: err}).Answer(w)
		return
	}
	newest, err := h.newest(r.Context(), selectors, time.Now())
	if err != nil {
		failed(err).Answer(w)
		return
	}
	release, err := h.memory.Reserve(r.Context(), federating*textSize(newest))
	if err != nil {
		failed(err).Answer(w)
		return
	}
	defer release()
	format := expfmt.NegotiateAccept(r.Header, expfmt.NewFormat(expfmt.TypeProtoDelim), expfmt.NewFormat(expfmt.TypeProtoText),
		expfmt.NewFormat(expfmt.TypeProtoCompact), expfmt.NewFormat(expfmt.TypeTextPlain))
	w.Header().Set("Content-Type", string(format))
	out := expfmt.NewEncoder(w, format)
	for len(newest) > 0 {
		var f *dto.MetricFamily
		f, newest = family(newest, format.FormatType() != expfmt.TypeTextPlain)
		if len(f.Metric) > 0 && out.Encode(f) != nil {
			return // the client is gone, or takes too long
		}
	}
}

// newest returns the newest sample of each series that is not older than the lookback delta, in the order of names.
func (h *Handler) newest(ctx context.Context, selectors [][]*labels.Matcher, now time.Time) (promql.Vector, error) {
	mint, maxt := now.Add(-h.opts.LookbackDelta).UnixMilli(), now.UnixMilli()
	q, err := h.store.Queryable().Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	var sets []storage.SeriesSet
	for _, matchers := range selectors {
		sets = append(sets, q.Select(ctx, true, &storage.SelectHints{Start: mint, End: maxt}, matchers...))
	}
	set := storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge)
	var out promql.Vector
	var chunks chunkenc.Iterator
	it := storage.NewMemoizedEmptyIterator(h.opts.LookbackDelta.Milliseconds())
	for set.Next() && ctx.Err() == nil {
		chunks = set.At().Iterator(chunks)
		it.Reset(chunks)
		s, ok := last(it, maxt)
		if err := it.Err(); err != nil {
			return nil, err
		}
		if !ok || value.IsStaleNaN(s.F) || s.H != nil && value.IsStaleNaN(s.H.Sum) {
			continue
		}
		if s.Metric = set.At().Labels(); len(out) == h.opts.MaxSamples {
			return nil, promql.ErrTooManySamples("federation")
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b promql.Sample) int {
		return cmp.Compare(a.Metric.Get(model.MetricNameLabel), b.Metric.Get(model.MetricNameLabel))
	})
	return out, cmp.Or(ctx.Err(), set.Err())
}

// last returns the last sample up to maxt; false if there is none.
func last(it *storage.MemoizedSeriesIterator, maxt int64) (s promql.Sample, ok bool) {
	switch it.Seek(maxt) {
	case chunkenc.ValNone:
		_, s.T, s.F, s.H, ok = it.PeekPrev()
		return s, ok
	case chunkenc.ValFloat:
		s.T, s.F = it.At()
	default:
		s.T, s.H = it.AtFloatHistogram()
	}
	return s, true
}
