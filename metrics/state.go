package metrics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/diskfile"
)

// State keeps the values of a [Registry] beyond the end of the process, so that the counters and histograms of a
// program that runs again and again are one series each, which only grows. [WithState] attaches it.
//
// # What it promises
//
// A push first puts the new values into the file, then sends them, then notes in the file that they were delivered.
// The values are totals, never increments, so sending them twice counts nothing twice. Whenever the process dies:
//
//   - before the file is written: what was recorded since the last push is not counted, and nothing of it was sent;
//   - afterwards: it is counted, once. What no receiver has acknowledged, or not as far as the file knows, is sent by
//     the next push with this state, whether that program records anything in these series or not.
//
// What is sent again for the second reason may be there already. Totals get the time of the new push, so this does not
// show; samples with times of their own, and the zero that a series begins with, are the same as before, and some
// receivers refuse them as out of order. Push reports that once, and nothing is missing.
//
// So no value that Push has returned for is ever lost, and no series ever goes down or starts anew. The window of
// uncertainty is the caller's: if the process dies during a push, its recordings may be counted although Push never
// returned, and a job that is repeated for that reason counts them again. The same holds for an error that is [ErrKept]:
// the recordings are counted and need no repetition. If the file can't be written, Push sends nothing and says so.
//
// Series begin with an explicit sample of zero at their start, so that increase() sees the first increment, and all
// samples keep the start timestamp of the first run. Receivers of Remote Write 2.0 use that, those of 1.0 the zero;
// both take both, so both are always sent. Gauges do not start from their stored values; their samples that were not
// delivered are kept and sent with their own times.
//
// # Parallel runs
//
// OpenState locks the file until [State.Close] or the end of the process, however it ends; a second run waits. Where
// runs have to overlap, use [WithRunLabel] instead of a state. Locks work on local file systems of Linux, macOS, the
// BSDs and Windows. On other systems, OpenState fails with [errors.ErrUnsupported].
//
// # The file
//
// It is replaced as a whole: written beside, flushed to the disk, renamed. It has a format version and a checksum. A
// file beside it with the suffix .lock carries the lock and names its holder; it stays. Series stay in the file for ever,
// so label values should come from a bounded set.
//
// A State belongs to one Registry. It is safe for concurrent use.
type State struct {
	path     string // "" if there is no file
	lock     *diskfile.FileLock
	attached atomic.Bool

	mu      sync.Mutex
	closed  bool
	entries map[string]*entry
	order   []*entry
	orphans []*orphan
	key     []byte
	buf     []byte
}

// Reasons why a state can't be used.
var (
	// ErrStateLocked says that another run holds the state.
	ErrStateLocked = errors.New("state is held by another run")
	// ErrStateDamaged says that the file can't be trusted, or that one was set aside for that reason.
	ErrStateDamaged = errors.New("state is damaged")
	// ErrStateVersion says that a later version of this package has written the file.
	ErrStateVersion = errors.New("state has the format of a later version")
	// ErrStateClosed says that a push came after [State.Close].
	ErrStateClosed = errors.New("state is closed")
	// ErrKept says that a push failed, and that its values are kept in the state: the next push with the same state
	// delivers them.
	ErrKept = errors.New("the state keeps what was not delivered")
)

// StateOption is an option of [OpenState].
type StateOption func(*stateOptions)

type stateOptions struct{ anew bool }

// WithFreshStart makes OpenState begin with an empty state where it would report damage. All series start from zero
// again. The damaged file is kept beside.
func WithFreshStart() StateOption { return func(o *stateOptions) { o.anew = true } }

// OpenState opens the state in a file, which need not exist but for its folder, and locks it. While another run holds
// it, OpenState waits until ctx ends; the error, which wraps [ErrStateLocked] and that of ctx, then names the holder.
//
// A damaged file is renamed, with the suffix .damaged- and the time, and the error wraps [ErrStateDamaged]. So do
// those of later calls until the renamed file is put back or moved away, or [WithFreshStart] is given: counters never
// begin anew without somebody's decision. A file of a later format is left alone; the error wraps [ErrStateVersion].
// OpenState writes the file once, so that it is known from the start that this works.
func OpenState(ctx context.Context, path string, opts ...StateOption) (*State, error) {
	var o stateOptions
	for _, option := range opts {
		option(&o)
	}
	lock, err := diskfile.Lock(ctx, path+".lock")
	if held := (*diskfile.HeldError)(nil); errors.As(err, &held) {
		err = fmt.Errorf("%w: %w", ErrStateLocked, err)
	}
	if err != nil {
		return nil, fmt.Errorf("metrics: open state %s: %w", path, err)
	}
	s := newState()
	s.path, s.lock = path, lock
	if err := s.open(&o); err != nil {
		return nil, errors.Join(fmt.Errorf("metrics: open state %s: %w", path, err), lock.Close())
	}
	return s, nil
}

// PeekState reads a state without locking or changing anything, for previews: pushes with it leave the file as it is. A
// missing file is an empty state. Errors wrap [ErrStateDamaged] or [ErrStateVersion].
func PeekState(path string) (*State, error) {
	s := newState()
	if _, err := s.load(path); err != nil {
		return nil, fmt.Errorf("metrics: read state %s: %w", path, err)
	}
	return s, nil
}

func newState() *State { return &State{entries: map[string]*entry{}} }

// Close gives up the lock. It saves nothing: whatever a push has saved is in the file already. Pushes fail from now on,
// and do not send.
func (s *State) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// WithState continues the counters and histograms of earlier runs, and has every push save what it sends. A state
// belongs to one registry: the constructors of a second one fail with [ErrConflict].
func WithState(s *State) RegistryOption {
	return func(r *Registry) {
		r.state, r.zeros = s, true
		if s.attached.Swap(true) {
			r.broken = fmt.Errorf("%w: the state belongs to another registry", ErrConflict)
		}
	}
}

// save writes the file. The caller holds s.mu.
func (s *State) save() error {
	if s.closed {
		return ErrStateClosed
	}
	if s.path == "" {
		return nil
	}
	var err error
	if s.buf, err = s.append(s.buf[:0]); err != nil {
		return err
	}
	return replaceFile(s.path, s.buf)
}

// intend saves the values of a batch as not delivered.
func (s *State) intend(b *batch) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.groups {
		g := &b.groups[i]
		for j := g.lo; j < g.hi; j++ {
			ts := &b.req.Timeseries[j]
			e := s.entry(ts.Labels)
			e.set(ts)
			e.status, e.doubt = waiting, false
			if g.afloat && cumulative(ts.Metadata.Type) {
				e.status = afloat
			}
		}
	}
	if err := s.save(); err != nil {
		return fmt.Errorf("metrics: nothing was sent, since the state could not be saved: %w", err)
	}
	return nil
}

// note saves what became of the batch; err is that of sending it.
func (s *State) note(b *batch, err error) error {
	if s == nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed, kept := false, false
	for i := range b.groups {
		g := &b.groups[i]
		for j := g.lo; j < g.hi; j++ {
			e := s.entry(b.req.Timeseries[j].Labels)
			if g.sent > 0 {
				e.settle(g.verdict)
				changed = true
			}
			kept = kept || e.status != delivered
		}
	}
	if changed {
		if failed := s.save(); failed != nil {
			err = join(err, fmt.Errorf("metrics: what was delivered will be delivered again, since the state could not be saved: %w", failed))
		}
	}
	if kept && s.path != "" && err != nil {
		err = fmt.Errorf("%w; %w", err, ErrKept)
	}
	return err
}

// cumulative says whether values of this type are totals, of which the newest one tells all.
func cumulative(t promwire.MetricType) bool {
	return t == promwire.TypeCounter || t == promwire.TypeHistogram || t == promwire.TypeSummary
}
