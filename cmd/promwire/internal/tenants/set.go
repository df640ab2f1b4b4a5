package tenants

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

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

	mu     sync.Mutex
	opts   tsdbstore.Options
	stores map[string]*tenant
	closed bool
}

// tenant is one whose store is open, or being opened.
type tenant struct {
	name   string
	opened chan struct{} // closed when store or err is set
	store  *tsdbstore.Store
	err    error
}

var (
	errClosed = fmt.Errorf("%w: the store is closed", promwire.ErrUnavailable)
	// ErrFull says that there are as many tenants as there may be.
	ErrFull = fmt.Errorf("%w: no more tenants", promwire.ErrUnavailable)
)

// Open opens the stores of all tenants that are below dir. At most limit tenants are there at any time. o holds for each of
// them; [tsdbstore.Options.MaxExemplars] is [DefaultMaxExemplars] by default.
func Open(dir string, limit int, o tsdbstore.Options) (*Set, error) {
	s := &Set{dir: filepath.Join(dir, Dir), max: limit, log: o.Logger, stores: map[string]*tenant{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.opts = withDefaults(o)
	if _, err := os.Stat(filepath.Join(dir, "wal")); err == nil {
		return nil, fmt.Errorf("data directory %s holds what was stored without tenants: move it to %s", dir, filepath.Join(s.dir, "NAME"))
	}
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be used: %w", dir, err)
	}
	names, err := s.found()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := s.get(name, true); err != nil {
			return nil, errors.Join(fmt.Errorf("tenant %s: %w", name, err), s.Close())
		}
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

// get returns the store of a tenant, or makes one. Without create, it is nil for a tenant that is not there.
func (s *Set) get(name string, create bool) (*tsdbstore.Store, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	t := s.stores[name]
	switch {
	case s.closed:
		s.mu.Unlock()
		return nil, errClosed
	case t != nil:
		s.mu.Unlock()
		<-t.opened
		return t.store, t.err
	case !create:
		s.mu.Unlock()
		return nil, nil
	case len(s.stores) >= s.max:
		s.mu.Unlock()
		return nil, fmt.Errorf("%w: there are %d, and %q is not one of them; --max-tenants sets how many", ErrFull, s.max, name)
	}
	t = &tenant{name: name, opened: make(chan struct{})}
	s.stores[name] = t
	o := s.opts
	s.mu.Unlock()
	s.open(t, o)
	return t.store, t.err
}

// open opens a store, while others work. One that can't be opened is tried again by the next request.
func (s *Set) open(t *tenant, o tsdbstore.Options) {
	defer close(t.opened)
	o.Logger = s.log.With("tenant", t.name)
	if t.store, t.err = tsdbstore.Open(filepath.Join(s.dir, t.name), o); t.err != nil {
		s.log.Warn("the store of a tenant can't be opened", "tenant", t.name, "err", t.err)
		if !errors.Is(t.err, promwire.ErrUnavailable) {
			t.err = fmt.Errorf("%w: %w", promwire.ErrUnavailable, t.err)
		}
		s.mu.Lock()
		delete(s.stores, t.name)
		s.mu.Unlock()
	}
}

// Full returns an error that wraps [ErrFull] if there is no room for a tenant that is not there yet.
func (s *Set) Full(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stores[name] == nil && len(s.stores) >= s.max {
		return fmt.Errorf("%w: there are %d, and %q is not one of them; --max-tenants sets how many", ErrFull, s.max, name)
	}
	return nil
}

// Store returns the store of a tenant; nil if it has written nothing yet.
func (s *Set) Store(name string) (*tsdbstore.Store, error) { return s.get(name, false) }

// all returns the stores that are open, by name.
func (s *Set) all() []*tenant {
	s.mu.Lock()
	var ts []*tenant
	for _, t := range s.stores {
		ts = append(ts, t)
	}
	s.mu.Unlock()
	var open []*tenant
	for _, t := range ts {
		if <-t.opened; t.err == nil {
			open = append(open, t)
		}
	}
	slices.SortFunc(open, func(a, b *tenant) int { return strings.Compare(a.name, b.name) })
	return open
}

// Reconfigure has o take effect for all tenants, as [tsdbstore.Store.Reconfigure] does for one.
func (s *Set) Reconfigure(o tsdbstore.Options) error {
	o = withDefaults(o)
	s.mu.Lock()
	s.opts = o // for those who come from now on
	s.mu.Unlock()
	var errs []error
	for _, t := range s.all() {
		if err := t.store.Reconfigure(o); err != nil {
			errs = append(errs, fmt.Errorf("tenant %s: %w", t.name, err))
		}
	}
	return errors.Join(errs...)
}

// Close closes all stores, after the requests that run.
func (s *Set) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	var errs []error
	for _, t := range s.all() {
		errs = append(errs, t.store.Close())
	}
	return errors.Join(errs...)
}
