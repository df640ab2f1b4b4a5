package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
	"github.com/promwire/promwire/spool"
)

// Limits of Config.
const (
	DefaultBatchSamples  = 2_000
	MaxBatchSamples      = 10_000
	DefaultBatchDeadline = 5 * time.Second
)

// Config is what an agent does.
type Config struct {
	Jobs    []*scrape.Job
	Outlets []Outlet
	Logger  *slog.Logger
	// Spool keeps what is to be written on disk, nil for memory. The agent closes it.
	Spool *spool.Spool
	// DropLeftOver gives up what the spool holds for outlets that are none any more.
	DropLeftOver bool
	// BatchSamples bounds a request, 1 to MaxBatchSamples. A scrape stays together in one if it fits.
	BatchSamples int
	// BatchDeadline is how long scrapes wait for others to share their request.
	BatchDeadline time.Duration
	// ShutdownTimeout bounds the time to send what waits at the end.
	ShutdownTimeout time.Duration
	// Reloadable says that [Agent.Reload] may be called.
	Reloadable bool
	// ReportEvery is from one line with figures in the log to the next, 0 for none but that at the end.
	ReportEvery time.Duration
}

// Agent scrapes and writes.
type Agent struct {
	config  Config
	manager *scrape.Manager

	mu      sync.RWMutex // guards what follows
	stores  []store
	ended   bool
	leaving sync.WaitGroup // outlets that are no more
	reload  reload
}

var errNowhere = errors.New("nowhere to write to")

// New prepares an agent. It opens what it needs, and connects to nothing.
func New(c Config) (*Agent, error) {
	if c.BatchSamples < 1 || c.BatchSamples > MaxBatchSamples {
		return nil, fmt.Errorf("a batch of %d samples: want 1 to %d", c.BatchSamples, MaxBatchSamples)
	}
	if len(c.Outlets) == 0 {
		return nil, errNowhere
	}
	a := &Agent{config: c, reload: reload{good: true, at: time.Now()}}
	if err := a.open(); err != nil {
		a.end()
		return nil, err
	}
	a.manager = scrape.NewManager(scrape.Config{Jobs: c.Jobs, Sink: a.take, Logger: c.Logger})
	return a, nil
}

// open opens what keeps data until they are written.
func (a *Agent) open() error {
	if a.config.Spool != nil {
		s, err := newSpooled(a.config.Spool, &a.config)
		if err == nil {
			a.stores = append(a.stores, s)
		}
		return err
	}
	for _, o := range a.config.Outlets {
		out, err := newOutlet(o, &a.config)
		if err != nil {
			return err
		}
		a.stores = append(a.stores, out)
	}
	return nil
}

// Run works until ctx ends, and then sends what waits, within bounds. Series are not marked as stale: their targets live.
func (a *Agent) Run(ctx context.Context) {
	var reports sync.WaitGroup
	reports.Go(func() { a.report(ctx) })
	a.manager.Run(ctx)
	reports.Wait()
	a.end()
	a.config.Logger.Info("agent has ended", a.Figures().args()...)
}

// take gives what a scrape made to all stores.
func (a *Agent) take(series []promwire.TimeSeries) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	cut := map[int][][]promwire.TimeSeries{}
	for _, s := range a.stores {
		limit := s.limit()
		if cut[limit] == nil {
			cut[limit] = pieces(series, limit)
		}
		for _, piece := range cut[limit] {
			s.take(&promwire.WriteRequest{Timeseries: piece})
		}
	}
}

// end ends all stores side by side.
func (a *Agent) end() {
	ctx, cancel := context.WithTimeout(context.Background(), a.config.ShutdownTimeout)
	defer cancel()
	a.mu.Lock()
	a.ended = true
	stores := a.stores
	a.mu.Unlock()
	var all sync.WaitGroup
	for _, s := range stores {
		all.Go(func() { s.end(ctx) })
	}
	all.Wait()
	a.reload.stop(ctx, &a.leaving)
}

// report logs figures now and then.
func (a *Agent) report(ctx context.Context) {
	if a.config.ReportEvery <= 0 {
		return
	}
	tick := time.NewTicker(a.config.ReportEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.config.Logger.Info("so far", a.Figures().args()...)
		}
	}
}
