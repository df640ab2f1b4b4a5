package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
)

// reload is how the last one went.
type reload struct {
	good bool
	at   time.Time // of the last good one
	ends []context.CancelFunc
}

// stop waits for outlets that are no more, until ctx ends.
func (r *reload) stop(ctx context.Context, leaving *sync.WaitGroup) {
	defer context.AfterFunc(ctx, func() {
		for _, end := range r.ends {
			end()
		}
	})()
	leaving.Wait()
}

// Reload goes on with what load returns. If it, or something in what it returns, is bad, everything stays as it is.
// Outlets are known by their names: what waits for one goes on, by its new settings. What waits for one that is no more
// gets a minute; with a spool it must be nothing, unless Config.DropLeftOver says otherwise. The outcome is logged, and in the figures.
func (a *Agent) Reload(load func() ([]*scrape.Job, []Outlet, error)) {
	jobs, all, err := load()
	if err == nil {
		err = a.change(all)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.reload.good = err == nil; err != nil {
		a.config.Logger.Error("the configuration can't be used, the old one stays", "error", err)
		return
	}
	a.reload.at = time.Now()
	a.manager.Reload(jobs)
	a.config.Logger.Info("configuration is read again", "jobs", len(jobs), "writes", len(all))
}

var errEnded = errors.New("the agent is about to end")

// change goes on with other outlets.
func (a *Agent) change(all []Outlet) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return errEnded
	}
	if len(all) == 0 {
		return errNowhere
	}
	if a.config.Spool != nil {
		return a.stores[0].(*spooled).reload(all)
	}
	before := map[string]*outlet{}
	for _, s := range a.stores {
		o := s.(*outlet)
		before[o.Name] = o
	}
	var stores []store
	var commits []func(bool)
	finish := func(ok bool) {
		for _, commit := range commits {
			commit(ok)
		}
	}
	for _, o := range all {
		there := before[o.Name]
		delete(before, o.Name)
		if there == nil {
			made, err := newOutlet(o, &a.config)
			if err != nil {
				finish(false)
				return err
			}
			commits = append(commits, func(ok bool) {
				if !ok {
					made.end(context.Background()) // nothing is in it
				}
			})
			stores = append(stores, made)
			continue
		}
		commit, err := there.reload(o, &a.config)
		if err != nil {
			finish(false)
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		commits, stores = append(commits, commit), append(stores, there)
	}
	finish(true)
	a.stores = stores
	for _, o := range before {
		a.leave(o)
	}
	return nil
}

// leave empties an outlet that is no more. The caller holds the lock.
func (a *Agent) leave(o *outlet) {
	o.Logger.Info("nothing is written there any more")
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	a.reload.ends = append(a.reload.ends, cancel)
	a.leaving.Go(func() {
		defer cancel()
		o.end(ctx)
	})
}
