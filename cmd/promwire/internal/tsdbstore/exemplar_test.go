package tsdbstore

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/promwire/promwire"
)

func exemplarAt(t int64, trace string, v float64) promwire.Exemplar {
	return promwire.Exemplar{Labels: labelsOf("trace_id", trace), Timestamp: base + t, Value: v}
}

func TestWriteExemplars(t *testing.T) {
	withExemplars := func(ts promwire.TimeSeries, es ...promwire.Exemplar) promwire.TimeSeries {
		ts.Exemplars = es
		return ts
	}
	only := func(name string, es ...promwire.Exemplar) promwire.TimeSeries {
		return withExemplars(float(name), es...)
	}
	stats := func(s, e int) promwire.WriteStats { return promwire.WriteStats{Samples: s, Exemplars: e} }
	for _, tc := range []struct {
		name   string
		steps  []step
		stored int
	}{
		{"with a sample", []step{{[]promwire.TimeSeries{withExemplars(float("m", 0, 1), exemplarAt(0, "a", 1))}, stats(1, 1), nil}}, 1},
		{"alone, known series", []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, stats(1, 0), nil},
			{[]promwire.TimeSeries{only("m", exemplarAt(0, "a", 1))}, stats(0, 1), nil},
		}, 1},
		{"alone, before the series in the same request", []step{
			{[]promwire.TimeSeries{only("m", exemplarAt(0, "a", 1)), float("m", 0, 1)}, stats(1, 1), nil},
		}, 1},
		{"alone, unknown series", []step{
			{[]promwire.TimeSeries{only("m", exemplarAt(0, "a", 1))}, stats(0, 0), []error{promwire.ErrUnknownSeries}},
			{[]promwire.TimeSeries{only("m", exemplarAt(0, "a", 1)), float("n", 0, 1)}, stats(1, 0), []error{promwire.ErrUnknownSeries}},
		}, 0},
		{"a duplicate", []step{
			{[]promwire.TimeSeries{withExemplars(float("m", 0, 1), exemplarAt(0, "a", 1))}, stats(1, 1), nil},
			{[]promwire.TimeSeries{withExemplars(float("m", 0, 1), exemplarAt(0, "a", 1))}, stats(1, 1), nil},
		}, 1},
		{"several, unsorted", []step{
			{[]promwire.TimeSeries{withExemplars(float("m", 0, 1), exemplarAt(0, "c", 1), exemplarAt(-2, "a", 1), exemplarAt(-1, "b", 1))}, stats(1, 3), nil},
		}, 3},
		{"labels too long", []step{
			{
				[]promwire.TimeSeries{withExemplars(float("m", 0, 1), exemplarAt(0, strings.Repeat("x", 121), 1), exemplarAt(0, strings.Repeat("x", 120), 1))},
				stats(1, 1),
				[]error{promwire.ErrInvalidExemplar},
			},
		}, 1},
		{"out of order", []step{
			{[]promwire.TimeSeries{withExemplars(float("m", 0, 1), exemplarAt(0, "a", 1))}, stats(1, 1), nil},
			{[]promwire.TimeSeries{only("m", exemplarAt(-2*hour, "b", 1), exemplarAt(1, "c", 1))}, stats(0, 1), []error{promwire.ErrOutOfOrder}},
		}, 2},
		{"its only sample too old", []step{
			{
				[]promwire.TimeSeries{float("n", 0, 1), withExemplars(float("m", float64(-3*hour), 1), exemplarAt(-3*hour, "a", 1))},
				stats(1, 0),
				[]error{promwire.ErrTooOld, promwire.ErrTooOld},
			},
		}, 0},
		{"one of its samples too old", []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, stats(1, 0), nil},
			{
				[]promwire.TimeSeries{withExemplars(promwire.TimeSeries{Labels: float("m").Labels, Samples: append(float("m", float64(-3*hour), 1).Samples, float("m", 1, 1).Samples...)}, exemplarAt(1, "a", 1))},
				stats(1, 1),
				[]error{promwire.ErrTooOld},
			},
		}, 1},
		{"in the future", []step{
			{[]promwire.TimeSeries{withExemplars(float("m", 0, 1), exemplarAt(hour, "a", 1))}, stats(1, 0), []error{promwire.ErrTooFarInFuture}},
		}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openStore(t, t.TempDir(), Options{})
			for i, st := range tc.steps {
				got, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: st.series})
				if got != st.written {
					t.Errorf("request %d: wrote %+v, want %+v", i, got, st.written)
				}
				refused := refusalsOf(t, err)
				if len(refused) != len(st.refused) {
					t.Fatalf("request %d: refused %v, want %v", i, refused, st.refused)
				}
				for k, r := range refused {
					if !errors.Is(r.Reason, st.refused[k]) || !r.Labels.Equal(st.series[r.Series].Labels) {
						t.Errorf("request %d: refused %v, want %v", i, r, st.refused[k])
					}
				}
			}
			if n := countExemplars(t, s); n != tc.stored {
				t.Errorf("%d exemplars stored, want %d", n, tc.stored)
			}
		})
	}
}

func countExemplars(t *testing.T, s *Store) int {
	t.Helper()
	q, err := s.db.ExemplarQuerier(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	found, err := q.Select(base-24*hour, base+24*hour, []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+")})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range found {
		n += len(f.Exemplars)
	}
	return n
}
