package scrape

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// refresh is how often jobs are asked for their targets.
const refresh = 5 * time.Second

var errLate = errors.New("no answer within")

// Stats count since the start. Up and Down are the targets as they are now.
type Stats struct {
	Up, Down                        atomic.Int64
	Scrapes, Failed, Skipped        atomic.Int64
	Samples, Repeated, BadLines     atomic.Int64
	DiscoveryFailed, TargetsRefused atomic.Int64
}

// Manager scrapes the targets of all jobs.
type Manager struct {
	config Config
	stats  Stats

	mu      sync.Mutex // guards loops
	loops   map[string]*loop
	running sync.WaitGroup

	jobs     []*Job    // of the goroutine that runs Run
	findings []finding // of these
	reload   chan []*Job
}

// finding is what is known of a job's targets.
type finding struct {
	targets []Target
	fault   string          // the last error, to log changes only
	refused map[string]bool // keys of targets that can't be scraped, which were logged
}

// NewManager returns a manager that does nothing yet.
func NewManager(c Config) *Manager {
	return &Manager{
		config: c, loops: map[string]*loop{}, jobs: c.Jobs, findings: make([]finding, len(c.Jobs)), reload: make(chan []*Job, 1),
	}
}

// Reload makes m go on with these jobs, soon. A target that is there before and after is scraped on without a break, under
// the new settings; series that these take away are marked as stale by its next scrape. Not for concurrent use.
func (m *Manager) Reload(jobs []*Job) {
	select {
	case <-m.reload: // nobody has taken those
	default:
	}
	m.reload <- jobs
}

// adopt takes new jobs. What is known of the targets of a job that goes on stays until they are found again.
func (m *Manager) adopt(jobs []*Job) {
	findings := make([]finding, len(jobs))
	for i, job := range jobs {
		for j, old := range m.jobs {
			if old.Name == job.Name {
				findings[i].targets = m.findings[j].targets
			}
		}
	}
	for _, old := range m.jobs {
		old.Client.CloseIdleConnections()
	}
	m.jobs, m.findings = jobs, findings
}

// Stats returns the counters, which go on counting.
func (m *Manager) Stats() *Stats { return &m.stats }

// Run scrapes until ctx ends and everything has come to rest. No series are marked then: the targets live on.
func (m *Manager) Run(ctx context.Context) {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		m.sync(ctx)
		select {
		case <-ctx.Done():
			m.running.Wait()
			return
		case jobs := <-m.reload:
			m.adopt(jobs)
		case <-tick.C:
		}
	}
}

// sync starts loops for new targets, and tells those of targets that are gone.
func (m *Manager) sync(ctx context.Context) {
	found := map[string]bool{}
	for i, job := range m.jobs {
		f := &m.findings[i]
		targets, err := job.Find()
		m.complain(job, f, err)
		if err == nil || targets != nil {
			f.targets = targets
		}
		for _, t := range f.targets {
			key := job.Name + "\xff" + t.key()
			if !found[key] {
				found[key] = true
				m.ensure(ctx, job, f, t, key)
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, l := range m.loops {
		l.gone.Store(!found[key])
	}
}

func (m *Manager) complain(job *Job, f *finding, err error) {
	text := ""
	if err != nil {
		text = err.Error()
		m.stats.DiscoveryFailed.Add(1)
	}
	if text != f.fault && err != nil {
		m.config.Logger.Warn("some targets can't be found", "job", job.Name, "error", err)
	}
	f.fault = text
}

// ensure starts a loop for a target that has none, and tells the one that it has what changed.
func (m *Manager) ensure(ctx context.Context, job *Job, f *finding, t Target, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.loops[key]; l != nil {
		l.gone.Store(false)
		l.update(job, t)
		return
	}
	l, err := newLoop(m, job, t, key)
	if err != nil {
		if !f.refused[key] {
			m.stats.TargetsRefused.Add(1)
			m.config.Logger.Error("target can't be scraped", "job", job.Name, "target", place(t.URL), "error", err)
			if f.refused == nil {
				f.refused = map[string]bool{}
			}
			f.refused[key] = true
		}
		return
	}
	m.loops[key] = l
	m.running.Go(func() { l.run(ctx) })
}

// retire ends l, unless its target came back.
func (m *Manager) retire(l *loop) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !l.gone.Load() {
		return false
	}
	delete(m.loops, l.key)
	return true
}
