package order

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
)

// Window is the length of a window.
const Window = 30 * time.Minute

// DefaultMemory is the default of Options.Memory.
const DefaultMemory = 64 << 20

// Options are the settings of a Sorter.
type Options struct {
	// Memory bounds the points that are held in memory, in bytes, give or take a few times: while they are sorted, and while
	// parts are merged, more is taken for a moment. DefaultMemory if 0.
	Memory int
	// Dir is where temporary files are made; os.TempDir() if empty.
	Dir string
	// WholeSeries orders by series first, each from its begin to its end, as one window: the order of a promwire.Reader.
	WholeSeries bool
}

// Sorter takes points in any order. It is not safe for concurrent use.
type Sorter struct {
	options Options
	chunk   chunk
	runs    []*run
	n       int64
}

// New returns a Sorter. The caller closes it.
func New(o Options) *Sorter {
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	s := &Sorter{options: o}
	s.chunk = s.newChunk()
	return s
}

// Add copies a point.
func (s *Sorter) Add(p *formats.Point) error {
	s.chunk.add(p)
	s.n++
	if s.chunk.bytes < s.options.Memory {
		return nil
	}
	return s.spill()
}

// Len is the number of points.
func (s *Sorter) Len() int64 { return s.n }

// spill writes the points in memory to a file.
func (s *Sorter) spill() error {
	r, err := s.write(0, s.chunk.cursor())
	if err != nil {
		return err
	}
	s.chunk = s.newChunk()
	s.runs = append(s.runs, r)
	return s.mergeRuns()
}

// fanIn is how many files of a level become one of the next: it bounds the files that are open, and their buffers.
const fanIn = 32

// mergeRuns merges the newest files if there are enough of one level.
func (s *Sorter) mergeRuns() error {
	for {
		n, last := 0, len(s.runs)-1
		for n <= last && s.runs[last-n].level == s.runs[last].level {
			n++
		}
		if n < fanIn {
			return nil
		}
		old := s.runs[len(s.runs)-n:]
		cursors := s.openRuns(old)
		merged, err := s.write(old[0].level+1, newMerge(cursors))
		if err != nil {
			return err
		}
		for _, r := range old {
			err = errors.Join(err, r.close())
		}
		s.runs = append(s.runs[:len(s.runs)-n], merged)
		if err != nil {
			return err
		}
	}
}

// Conflict is told of a value that is left out, since another one of the file has the same series and time, and comes
// after it.
type Conflict func(ls promwire.Labels, timestamp int64)

// All yields the points in order, as parts of series: each in one window, of samples or of histograms only, and of at
// most MaxPart of them. Equal points are yielded once; of different ones for one time the last one that was added. A part
// is valid until the next one. All may be called again; nothing is added any more.
func (s *Sorter) All(conflict Conflict) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		cursors := append(s.openRuns(s.runs), s.chunk.cursor())
		j := joiner{conflict: conflict, yield: yield}
		m := newMerge(cursors)
		for {
			p, err := m.next()
			switch {
			case err != nil:
				yield(promwire.TimeSeries{}, err)
				return
			case p == nil:
				j.flush()
				return
			case !j.add(p):
				return
			}
		}
	}
}

// Close removes the temporary files.
func (s *Sorter) Close() error {
	var err error
	for _, r := range s.runs {
		err = errors.Join(err, r.close())
	}
	s.runs = nil
	return err
}

// windowOf returns the number of the window that a time is in.
type windowOf func(ms int64) int64

func (o *Options) windowOf() windowOf {
	if o.WholeSeries {
		return func(int64) int64 { return 0 }
	}
	return halfHour
}

func halfHour(ms int64) int64 {
	w := Window.Milliseconds()
	if ms%w < 0 {
		return ms/w - 1
	}
	return ms / w
}

// equalLabels compares labels that are mostly the same ones.
func equalLabels(a, b promwire.Labels) bool {
	return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] || a.Equal(b)
}

// item is a point on its way.
type item struct {
	window    int64
	labels    promwire.Labels
	metadata  promwire.Metadata
	sample    promwire.Sample
	histogram *promwire.Histogram
	exemplars []promwire.Exemplar
}

func (a *item) compare(b *item) int {
	if c := cmp.Compare(a.window, b.window); c != 0 {
		return c
	}
	if c := a.labels.Compare(b.labels); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.sample.Timestamp, b.sample.Timestamp), cmp.Compare(a.kind(), b.kind()))
}

// kind puts samples before histograms of the same time.
func (a *item) kind() int {
	if a.histogram != nil {
		return 1
	}
	return 0
}

// cursor yields items in order; nil is the end. An item is valid until the next call.
type cursor interface {
	next() (*item, error)
}

// ErrTempFile says that there is no place for temporary files.
var ErrTempFile = errors.New("no temporary file")

// tempFile makes a file that nobody else sees. It is removed at once where the system allows that.
func tempFile(dir string) (f *os.File, removed bool, err error) {
	if f, err = os.CreateTemp(dir, "promwire-sort-*"); err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrTempFile, err)
	}
	return f, os.Remove(f.Name()) == nil, nil
}
