package tsdbstore

import "fmt"

// Most stores never get an exemplar, and a ring for 100,000 of them takes 10 MB: it is there from the first one on, or if
// there are some in the logs.

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
