package tsdbstore

import (
	"errors"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/promwire/promwire"
)

// TestQuerierHoldsTheStore opens the TSDB anew among queriers: not while one is open, and no new ones begin.
func TestQuerierHoldsTheStore(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("a", 0, 1))
	q := s.Queryable()
	open, err := q.Querier(base-hour, base)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := q.ChunkQuerier(base-hour, base)
	if err != nil {
		t.Fatal(err)
	}
	s.failed.Store(true) // as after a log write that failed
	write := func() error {
		_, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{float("a", 1, 2)}})
		return err
	}
	if err := write(); !errors.Is(err, errReopening) {
		t.Fatalf("write beside queriers: %v", err)
	}
	if _, err := q.Querier(base-hour, base); !errors.Is(err, tsdb.ErrNotReady) || !errors.Is(err, promwire.ErrUnavailable) {
		t.Errorf("a querier while the TSDB waits to be opened anew: %v", err)
	}
	set := open.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "a"))
	if !set.Next() || set.At().Labels().Get("job") != "test" {
		t.Errorf("a querier that was open reads nothing: %v", set.Err())
	}
	if err := chunks.Close(); err != nil {
		t.Error(err)
	}
	_ = chunks.Close() // counts once
	if err := write(); !errors.Is(err, errReopening) {
		t.Fatalf("write beside one querier: %v", err)
	}
	if err := open.Close(); err != nil {
		t.Error(err)
	}
	if err := write(); err != nil {
		t.Fatalf("write when all queriers are closed: %v", err)
	}
}

// TestQueryableOfAClosedStore demands an error that the API answers with 503 of every method that reads.
func TestQueryableOfAClosedStore(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	q := s.Queryable()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, querier := q.Querier(0, 1)
	_, chunks := q.ChunkQuerier(0, 1)
	_, stats := q.Stats("", 1)
	_, blocks := q.BlockMetas()
	_, metrics := q.Gather()
	e, err := q.ExemplarQuerier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, exemplars := e.Select(0, 1)
	for _, err := range []error{querier, chunks, stats, blocks, metrics, exemplars} {
		if !errors.Is(err, tsdb.ErrNotReady) || !errors.Is(err, promwire.ErrUnavailable) {
			t.Errorf("of a closed store: %v", err)
		}
	}
}

// TestHeadChunks finds the gauge that status/tsdb shows among the metrics of the TSDB.
func TestHeadChunks(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("a", 0, 1), float("b", 0, 1))
	families, err := s.Queryable().Gather()
	if err != nil {
		t.Fatal(err)
	}
	if got := families[0].Metric[0].Gauge.GetValue(); got != 2 {
		t.Errorf("%v chunks in the head, want 2", got)
	}
}
