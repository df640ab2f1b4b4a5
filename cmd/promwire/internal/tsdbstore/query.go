package tsdbstore

import (
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

// empty reports whether nothing can be selected.
func (s *selection) empty() bool { return len(s.matchers) == 0 || s.mint > s.maxt }

func (s *selection) hints() *storage.SelectHints {
	return &storage.SelectHints{Start: s.mint, End: s.maxt}
}
