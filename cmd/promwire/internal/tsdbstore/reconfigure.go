package tsdbstore

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"

	"github.com/alecthomas/units"
)

// Options returns the options in effect: a number that is 0 switches the thing off.
func (s *Store) Options() Options { return *s.opts.Load() }

// Reconfigure has Retention, RetentionBytes, OutOfOrderWindow and MaxExemplars of o take effect while the store is open;
// its other fields are not looked at. Blocks beyond a new retention go with the next compaction, within minutes; how long
// a merged block may become stays as it was until the store is opened again. After an error the old settings hold.
func (s *Store) Reconfigure(o Options) error {
	s.reopenMu.Lock()
	defer s.reopenMu.Unlock()
	next := *s.opts.Load()
	o = o.withDefaults()
	next.Retention, next.RetentionBytes = o.Retention, o.RetentionBytes
	next.OutOfOrderWindow, next.MaxExemplars = o.OutOfOrderWindow, o.MaxExemplars
	switch db, err := s.use(context.Background()); {
	case s.closed:
		return errClosed
	case err == nil:
		defer s.release()
		s.writing.Lock() // the TSDB replaces what appending reads
		defer s.writing.Unlock()
		if err := db.ApplyConfig(next.config(s.ringSize(&next))); err != nil {
			return fmt.Errorf("data directory %s: %w", s.dir, err)
		}
	}
	s.opts.Store(&next) // a TSDB that has to be opened anew gets them then
	return nil
}

// config returns what a TSDB applies while it is open, with a ring for so many exemplars.
func (o *Options) config(exemplars int) *config.Config {
	return &config.Config{StorageConfig: config.StorageConfig{
		TSDBConfig: &config.TSDBConfig{
			OutOfOrderTimeWindow: o.OutOfOrderWindow.Milliseconds(),
			Retention: &config.TSDBRetentionConfig{
				Time: model.Duration(o.Retention.Truncate(time.Millisecond)), Size: units.Base2Bytes(o.RetentionBytes),
			},
		},
		ExemplarsConfig: &config.ExemplarsConfig{MaxExemplars: int64(exemplars)},
	}}
}
