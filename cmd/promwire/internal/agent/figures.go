package agent

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/spool"
)

// Figures are what an agent has done.
type Figures struct {
	Up, Down                                     int64
	Scrapes, Failed, Samples, BadLines, Repeated int64
	Skipped, TargetsRefused, DiscoveryFailed     int64
	Outlets                                      []outlets.Figures
	Spool                                        *spool.Stats // nil without a spool
	// Reloadable says that there is a configuration file. ReloadGood says that what was read last is in use, ReloadedAt
	// when that was read.
	Reloadable, ReloadGood bool
	ReloadedAt             time.Time
}

// Figures returns what a has done so far.
func (a *Agent) Figures() Figures {
	s := a.manager.Stats()
	f := Figures{
		Up: s.Up.Load(), Down: s.Down.Load(), Scrapes: s.Scrapes.Load(), Failed: s.Failed.Load(),
		Samples: s.Samples.Load(), BadLines: s.BadLines.Load(), Repeated: s.Repeated.Load(),
		Skipped: s.Skipped.Load(), TargetsRefused: s.TargetsRefused.Load(), DiscoveryFailed: s.DiscoveryFailed.Load(),
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	f.Reloadable, f.ReloadGood, f.ReloadedAt = a.config.Reloadable, a.reload.good, a.reload.at
	for _, s := range a.stores {
		f.Outlets = append(f.Outlets, s.figures()...)
		if s, ok := s.(*spooled); ok {
			stats := s.spool.Stats()
			f.Spool = &stats
		}
	}
	return f
}

func (o *outlet) figures() []outlets.Figures {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.now.figures()
	for _, s := range o.older {
		f.Add(s.figures())
	}
	f.Add(o.past)
	return []outlets.Figures{f}
}

func (o *stage) figures() outlets.Figures {
	s := o.queue.Stats()
	return outlets.Figures{
		Name: o.Name, Sent: outlets.Points(s.Delivered), Refused: outlets.Points(s.Refused), Dropped: outlets.Points(s.DroppedFull) + outlets.Points(s.DroppedAge),
		NotTaken: outlets.Points(s.Rejected), Abandoned: outlets.Points(s.Abandoned), Pending: outlets.Points(s.Pending), Retries: s.Retries,
		Oldest: s.OldestPending, Findings: o.Preflight.Counts(),
	}
}

// args returns f for the log, outlets added up.
func (f Figures) args() []any {
	var sum outlets.Figures
	for _, o := range f.Outlets {
		sum.Sent += o.Sent
		sum.Refused += o.Refused
		sum.Dropped += o.Dropped + o.NotTaken + o.Abandoned
		sum.Pending += o.Pending
	}
	return []any{
		"targets_up", f.Up, "targets_down", f.Down, "scrapes", f.Scrapes, "scrapes_failed", f.Failed,
		"samples_scraped", f.Samples, "bad_lines", f.BadLines, "samples_repeated", f.Repeated,
		"samples_sent", sum.Sent, "samples_refused", sum.Refused, "samples_dropped", sum.Dropped, "samples_pending", sum.Pending,
	}
}

// WriteTo writes f as text 0.0.4.
func (f Figures) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	outlets.WriteMetric(&b, "promwire_agent_targets_up", "gauge", "Targets whose last scrape was good.", f.Up)
	outlets.WriteMetric(&b, "promwire_agent_targets_down", "gauge", "Targets whose last scrape failed.", f.Down)
	outlets.WriteMetric(&b, "promwire_agent_targets_refused_total", "counter", "Targets that can't be scraped at all.", f.TargetsRefused)
	outlets.WriteMetric(&b, "promwire_agent_discovery_failures_total", "counter", "Times that targets could not be found out.", f.DiscoveryFailed)
	outlets.WriteMetric(&b, "promwire_agent_scrapes_total", "counter", "Scrapes, failed ones included.", f.Scrapes)
	outlets.WriteMetric(&b, "promwire_agent_scrapes_failed_total", "counter", "Scrapes that failed.", f.Failed)
	outlets.WriteMetric(&b, "promwire_agent_scrapes_skipped_total", "counter", "Scrapes left out since the one before took too long.", f.Skipped)
	outlets.WriteMetric(&b, "promwire_agent_scraped_samples_total", "counter", "Samples of good scrapes, after relabelling.", f.Samples)
	outlets.WriteMetric(&b, "promwire_agent_bad_lines_total", "counter", "Lines of scrapes that were left out.", f.BadLines)
	outlets.WriteMetric(&b, "promwire_agent_repeated_samples_total", "counter", "Samples left out since their series had one already.", f.Repeated)
	if f.Reloadable {
		good := int64(0)
		if f.ReloadGood {
			good = 1
		}
		outlets.WriteMetric(&b, "promwire_agent_config_last_reload_successful", "gauge", "Whether the configuration that was read last is the one in use.", good)
		outlets.WriteMetric(&b, "promwire_agent_config_last_reload_success_timestamp_seconds", "gauge", "When the configuration in use was read.", f.ReloadedAt.Unix())
	}
	if f.Spool != nil {
		outlets.WriteSpool(&b, "promwire_agent_", f.Spool)
	}
	outlets.WriteText(&b, "promwire_agent_", f.Outlets)
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// ServeHTTP shows figures and health.
func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/metrics":
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = a.Figures().WriteTo(w) // the prober may be gone
	case "/-/healthy":
		_, _ = io.WriteString(w, "promwire agent is healthy\n")
	case "/-/ready":
		_, _ = io.WriteString(w, "promwire agent is ready\n")
	default:
		http.NotFound(w, r)
	}
}
