package tsdbstore

import (
	"fmt"

	"github.com/prometheus/prometheus/tsdb"
)

// Most stores never get an exemplar, and a ring for 100,000 of them takes 10 MB: it is there from the first one on.

// dropEmptyRing gives the ring of a TSDB back that found no exemplar in its log.
func (s *Store) dropEmptyRing(db *tsdb.DB, logs *logWatch) error {
	s.noRing = false
	if logs.exemplars() > 0 {
		return nil
	}
	if err := db.ApplyConfig(s.opts.Load().config(0)); err != nil {
		return fmt.Errorf("data directory %s: %w", s.dir, err)
	}
	s.noRing = true
	return nil
}

// needRing makes the ring if there is none. The caller holds s.writing.
func (b *batch) needRing() error {
	s := b.store
	if !s.noRing {
		return nil
	}
	o := s.opts.Load()
	if err := b.db.ApplyConfig(o.config(o.MaxExemplars)); err != nil {
		return fmt.Errorf("data directory %s: %w", s.dir, err)
	}
	s.noRing = false
	return nil
}

// ringSize is how many exemplars the ring has to hold when o takes effect. The caller holds s.writing.
func (s *Store) ringSize(o *Options) int {
	if s.noRing {
		return 0
	}
	return o.MaxExemplars
}
