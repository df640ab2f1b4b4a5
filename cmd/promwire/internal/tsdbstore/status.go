package tsdbstore

import (
	"context"
	"math"
	"time"
)

// Status is how a store is at the moment. Sizes are in bytes.
type Status struct {
	Dir              string
	Retention        time.Duration // 0: for ever
	RetentionBytes   int64         // 0: no bound
	OutOfOrderWindow time.Duration // 0: samples must come in order
	FutureWindow     time.Duration
	MinFree          int64 // 0: no check
	Free             int64 // that may still be written to the disk; -1 if that can't be told

	HeadSeries uint64
	HeadBytes  int64 // logs and chunks of the head on disk
	Blocks     int
	BlockBytes int64
	// MinTime and MaxTime are those of all samples, in milliseconds since the Unix epoch; both 0 if there are none.
	MinTime, MaxTime int64
	Families         int // whose metadata is known
	// Failed says that a log write failed, and that nothing is taken until the TSDB is opened anew.
	Failed bool
}

// Status looks at the store. It opens no blocks, and costs about a listing of the log folders. Errors wrap
// [promwire.ErrUnavailable].
func (s *Store) Status() (Status, error) {
	db, err := s.use(context.Background())
	if err != nil {
		return Status{}, err
	}
	defer s.release()
	o := s.opts.Load()
	st := Status{
		Dir: s.dir, Retention: o.Retention, RetentionBytes: o.RetentionBytes, OutOfOrderWindow: o.OutOfOrderWindow,
		FutureWindow: o.FutureWindow, MinFree: o.MinFree, Free: -1,
		HeadSeries: db.Head().NumSeries(), HeadBytes: db.Head().Size(), Families: s.families.len(), Failed: s.failed.Load(),
	}
	if free, err := diskFree(s.dir); err == nil && free < math.MaxInt64 {
		st.Free = int64(free)
	}
	mint, maxt := min(db.Head().MinTime(), db.Head().MinOOOTime()), db.Head().MaxTime()
	for _, b := range db.Blocks() {
		st.Blocks++
		st.BlockBytes += b.Size()
		mint, maxt = min(mint, b.Meta().MinTime), max(maxt, b.Meta().MaxTime-1) // a block ends before its MaxTime
	}
	if mint <= maxt {
		st.MinTime, st.MaxTime = mint, maxt
	}
	return st, nil
}

// len returns how many families are known.
func (f *families) len() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.m)
}
