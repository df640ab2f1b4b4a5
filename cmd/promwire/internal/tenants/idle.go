package tenants

import (
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// lookEvery is the longest time between two looks for idle tenants.
const lookEvery = time.Minute

// CloseIdle has the stores closed, from now on until Close, of tenants that no request has used for so long. The next
// request opens them again. forget is called for each store that is closed; nobody uses it then.
func (s *Set) CloseIdle(after time.Duration, forget func(*tsdbstore.Store)) {
	go func() {
		tick := time.NewTicker(min(lookEvery, after))
		defer tick.Stop()
		for {
			select {
			case <-s.ended:
				return
			case <-tick.C:
			}
			for _, t := range s.all() {
				s.closeIdle(t, after, forget)
			}
		}
	}()
}

// closeIdle closes the store of a tenant if it is idle. One that could not be opened again now stays open for its readers,
// and has its next turn when it has been idle for as long again.
func (s *Set) closeIdle(t *tenant, after time.Duration, forget func(*tsdbstore.Store)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	store := t.store.Load()
	if store == nil || t.users > 0 || time.Since(t.used) < after {
		return
	}
	if err := store.Reopenable(); err != nil {
		s.failures.Add(1)
		s.log.Warn("the store of an idle tenant stays open", "tenant", t.name, "err", err)
		t.used = time.Now()
		return
	}
	t.store.Store(nil)
	forget(store)
	s.closes.Add(1)
	if err := store.Close(); err != nil {
		s.failures.Add(1)
		s.log.Warn("the store of an idle tenant was not closed as it should be", "tenant", t.name, "err", err)
		return
	}
	s.log.Info("closed the store of an idle tenant", "tenant", t.name)
}
