package tenants

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// Dir is the folder below the data directory that has a folder for each tenant.
const Dir = "tenants"

// DefaultMaxExemplars bounds the exemplars of a tenant where nothing else is said: their ring is memory that each one takes.
const DefaultMaxExemplars = 10_000

// Set is the stores of all tenants. It is safe for concurrent use.
type Set struct {
	dir string
	max int
	log *slog.Logger

	mu      sync.Mutex
	opts    tsdbstore.Options
	tenants map[string]*tenant // all that there are, whether their stores are open or not
	closed  bool

	opens, closes, failures atomic.Int64
	ended                   chan struct{} // closed by Close
}

var (
	errClosed = fmt.Errorf("%w: the store is closed", promwire.ErrUnavailable)
	// ErrFull says that there are as many tenants as there may be.
	ErrFull = fmt.Errorf("%w: no more tenants", promwire.ErrUnavailable)
)

// Open opens the stores of all tenants that are below dir. At most limit tenants are there at any time. o holds for each of
// them; [tsdbstore.Options.MaxExemplars] is [DefaultMaxExemplars] by default.
func Open(dir string, limit int, o tsdbstore.Options) (*Set, error) {
	s := &Set{
		dir: filepath.Join(dir, Dir), max: limit, log: o.Logger, opts: withDefaults(o),
		tenants: map[string]*tenant{}, ended: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if _, err := os.Stat(filepath.Join(dir, "wal")); err == nil {
		return nil, fmt.Errorf("data directory %s holds what was stored without tenants; to make a tenant of it in another --data: mkdir -p %s && mv %s %s",
			dir, filepath.Join("NEW", Dir), dir, filepath.Join("NEW", Dir, "NAME"))
	}
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be used: %w", dir, err)
	}
	names, err := s.found()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		_, release, err := s.get(name, true)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("tenant %s: %w", name, err), s.Close())
		}
		release()
	}
	return s, nil
}

func withDefaults(o tsdbstore.Options) tsdbstore.Options {
	if o.MaxExemplars <= 0 {
		o.MaxExemplars = DefaultMaxExemplars
	}
	return o
}

// found returns the tenants that have a folder.
func (s *Set) found() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data directory %s cannot be read: %w", s.dir, err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() || CheckName(e.Name()) != nil {
			s.log.Warn("this is no tenant's folder, and is left alone", "path", filepath.Join(s.dir, e.Name()))
			continue
		}
		names = append(names, e.Name())
	}
	if len(names) > s.max {
		return nil, fmt.Errorf("data directory %s has %d tenants, and there may be %d: raise --max-tenants", s.dir, len(names), s.max)
	}
	return names, nil
}

// get returns the store of a tenant, or makes one, and keeps it open until release is called. Without create, it is nil for
// a tenant that is not there.
func (s *Set) get(name string, create bool) (store *tsdbstore.Store, release func(), err error) {
	t, err := s.tenant(name, create)
	if t == nil {
		return nil, func() {}, err
	}
	if store, err = t.use(s); err != nil {
		return nil, func() {}, err
	}
	return store, t.release, nil
}

func (s *Set) tenant(name string, create bool) (*tenant, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenants[name]
	switch {
	case s.closed:
		return nil, errClosed
	case t != nil || !create:
		return t, nil
	case len(s.tenants) >= s.max:
		return nil, s.full(name)
	}
	t = &tenant{name: name}
	s.tenants[name] = t
	return t, nil
}

func (s *Set) full(name string) error {
	return fmt.Errorf("%w: there are %d, and %q is not one of them; --max-tenants sets how many", ErrFull, s.max, name)
}

// Full returns an error that wraps [ErrFull] if there is no room for a tenant that is not there yet.
func (s *Set) Full(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tenants[name] == nil && len(s.tenants) >= s.max {
		return s.full(name)
	}
	return nil
}

// Store returns the store of a tenant, which stays open until release is called; nil if it has written nothing yet.
func (s *Set) Store(name string) (store *tsdbstore.Store, release func(), err error) {
	return s.get(name, false)
}

// all returns the tenants, by name.
func (s *Set) all() []*tenant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.tenants), func(a, b *tenant) int { return strings.Compare(a.name, b.name) })
}

// Reconfigure has o take effect for all tenants, as [tsdbstore.Store.Reconfigure] does for one.
func (s *Set) Reconfigure(o tsdbstore.Options) error {
	o = withDefaults(o)
	s.mu.Lock()
	s.opts = o // for those that are opened from now on
	s.mu.Unlock()
	var errs []error
	for _, t := range s.all() {
		if err := t.reconfigure(o); err != nil {
			errs = append(errs, fmt.Errorf("tenant %s: %w", t.name, err))
		}
	}
	return errors.Join(errs...)
}

// Close closes all stores, after the requests that run. A second one does nothing.
func (s *Set) Close() error {
	s.mu.Lock()
	if !s.closed {
		close(s.ended)
	}
	s.closed = true
	s.mu.Unlock()
	var errs []error
	for _, t := range s.all() {
		errs = append(errs, t.end())
	}
	return errors.Join(errs...)
}
