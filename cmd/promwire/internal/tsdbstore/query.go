package tsdbstore

import (
	"context"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/promwire/promwire"
)

// partSamples bounds the samples of one part of a series.
const partSamples = 10_000

// selection is a query in the TSDB's terms.
type selection struct {
	mint, maxt int64 // inclusive, milliseconds
	matchers   []*labels.Matcher
}

func newSelection(q promwire.Query) (selection, error) {
	var s selection
	s.mint, s.maxt = q.Range()
	for _, m := range q.Matchers {
		if m.Type < promwire.MatchEqual || m.Type > promwire.MatchNotRegexp {
			return s, fmt.Errorf("matcher on label %q: unknown type %d", m.Name, m.Type)
		}
		// The numbers of the types are the same on both sides.
		lm, err := labels.NewMatcher(labels.MatchType(m.Type), m.Name, m.Value)
		if err != nil {
			return s, fmt.Errorf("matcher on label %q: %w", m.Name, err)
		}
		s.matchers = append(s.matchers, lm)
	}
	return s, nil
}

// each calls visit for every selected series, in label order, until it reports false. The chunks of a series are in
// order and do not overlap, for the TSDB merges those that do; they may reach beyond the range.
func (s *Store) each(ctx context.Context, sel selection, visit func(storage.ChunkSeries) (more bool, err error)) error {
	if s.wanted.Load() {
		return errReopening
	}
	db, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer s.release()
	if len(sel.matchers) == 0 || sel.mint > sel.maxt {
		return nil
	}
	querier, err := db.ChunkQuerier(sel.mint, sel.maxt)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.dir, err)
	}
	defer querier.Close()
	hints := &storage.SelectHints{Start: sel.mint, End: sel.maxt, DisableTrimming: true}
	set := querier.Select(ctx, true, hints, sel.matchers...)
	for set.Next() {
		if more, err := visit(set.At()); err != nil || !more {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := set.Err(); err != nil {
		return fmt.Errorf("read %s: %w", s.dir, err)
	}
	return ctx.Err()
}
