package tenants

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// tenant is one that has a store, which is open while it is used, and for some time after.
type tenant struct {
	name  string
	store atomic.Pointer[tsdbstore.Store] // nil while it is closed; it changes under mu

	mu    sync.Mutex // held to open the store, and to close one that is idle, so that requests wait for that
	users int        // requests that run
	used  time.Time  // when the last of them ended
	ended bool
}

// use opens the store unless it is open. release has to be called if there is no error. One that can't be opened is tried
// again by the next request.
func (t *tenant) use(s *Set) (*tsdbstore.Store, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil, errClosed
	}
	store := t.store.Load()
	if store == nil {
		var err error
		if store, err = s.open(t.name); err != nil {
			return nil, err
		}
		t.store.Store(store)
	}
	t.users++
	return store, nil
}

func (s *Set) open(name string) (*tsdbstore.Store, error) {
	s.mu.Lock()
	o := s.opts
	s.mu.Unlock()
	o.Logger = s.log.With("tenant", name)
	store, err := tsdbstore.Open(filepath.Join(s.dir, name), o)
	if err != nil {
		s.log.Warn("the store of a tenant can't be opened", "tenant", name, "err", err)
		if !errors.Is(err, promwire.ErrUnavailable) {
			err = fmt.Errorf("%w: %w", promwire.ErrUnavailable, err)
		}
		return nil, err
	}
	s.opens.Add(1)
	return store, nil
}

func (t *tenant) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users--
	t.used = time.Now()
}

func (t *tenant) reconfigure(o tsdbstore.Options) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if store := t.store.Load(); store != nil {
		return store.Reconfigure(o)
	}
	return nil
}

// end closes the store for good, after the requests that run.
func (t *tenant) end() error {
	t.mu.Lock()
	t.ended = true
	store := t.store.Swap(nil)
	t.mu.Unlock() // a request that runs may make another one
	if store == nil {
		return nil
	}
	return store.Close()
}
