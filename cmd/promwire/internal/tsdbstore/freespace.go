package tsdbstore

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// freeSpaceAge is how long a look at the disk counts that found plenty; what is less counts for one request.
const freeSpaceAge = time.Second

// freeSpace refuses work while the disk is nearly full. The TSDB survives a full disk in its write-ahead log, but not
// everywhere (a failing write of head chunks ends the process), so writes stop before.
type freeSpace struct {
	dir  string
	min  int64        // bytes; 0: no check
	seen atomic.Int64 // Unix nanoseconds of the last look that found plenty
}

// ErrNoSpace says that less than [Options.MinFree] is free on the disk. It wraps [promwire.ErrUnavailable].
var ErrNoSpace = fmt.Errorf("%w: too little free space", promwire.ErrUnavailable)

// check returns [ErrNoSpace] if less than the minimum is free, and an error that wraps [promwire.ErrUnavailable] if it can't tell.
func (f *freeSpace) check(now time.Time) error {
	if f.min == 0 || now.UnixNano()-f.seen.Load() < int64(freeSpaceAge) {
		return nil
	}
	free, err := diskFree(f.dir)
	if err != nil {
		return fmt.Errorf("%w: free space of %s: %w", promwire.ErrUnavailable, f.dir, err)
	}
	if free < uint64(f.min) {
		return fmt.Errorf("%w: the disk of %s has %d MiB free and %d MiB are needed: make room",
			ErrNoSpace, f.dir, free>>20, f.min>>20)
	}
	if free/4 > uint64(f.min) {
		f.seen.Store(now.UnixNano())
	}
	return nil
}

// forget makes the next check look at the disk.
func (f *freeSpace) forget() { f.seen.Store(0) }
