package agent

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// Figures are what an agent has done.
type Figures struct {
	Up, Down                                     int64
	Scrapes, Failed, Samples, BadLines, Repeated int64
	Skipped, TargetsRefused, DiscoveryFailed     int64
	Outlets                                      []OutletFigures
}

// OutletFigures are those of one outlet, in samples and histograms.
type OutletFigures struct {
	Name                             string
	Sent, Refused, Dropped, NotTaken int64
	Abandoned, Pending, Retries      int64
	Oldest                           time.Duration
}

// Figures returns what a has done so far.
func (a *Agent) Figures() Figures {
	s := a.manager.Stats()
	f := Figures{
		Up: s.Up.Load(), Down: s.Down.Load(), Scrapes: s.Scrapes.Load(), Failed: s.Failed.Load(),
		Samples: s.Samples.Load(), BadLines: s.BadLines.Load(), Repeated: s.Repeated.Load(),
		Skipped: s.Skipped.Load(), TargetsRefused: s.TargetsRefused.Load(), DiscoveryFailed: s.DiscoveryFailed.Load(),
	}
	for _, s := range a.stores {
		f.Outlets = append(f.Outlets, s.figures()...)
	}
	return f
}

func (o *outlet) figures() []OutletFigures {
	s := o.queue.Stats()
	return []OutletFigures{{
		Name: o.name, Sent: points(s.Delivered), Refused: points(s.Refused), Dropped: points(s.DroppedFull) + points(s.DroppedAge),
		NotTaken: points(s.Rejected), Abandoned: points(s.Abandoned), Pending: points(s.Pending), Retries: s.Retries,
		Oldest: s.OldestPending,
	}}
}

func points(s promwire.WriteStats) int64 { return int64(s.Samples + s.Histograms) }

// args returns f for the log, outlets added up.
func (f Figures) args() []any {
	var sum OutletFigures
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

// metric is one that /metrics shows.
type metric struct{ name, kind, help string }

// WriteTo writes f as text 0.0.4.
func (f Figures) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	single := func(m metric, v int64) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", m.name, m.help, m.name, m.kind, m.name, v)
	}
	single(metric{"promwire_agent_targets_up", "gauge", "Targets whose last scrape was good."}, f.Up)
	single(metric{"promwire_agent_targets_down", "gauge", "Targets whose last scrape failed."}, f.Down)
	single(metric{"promwire_agent_targets_refused_total", "counter", "Targets that can't be scraped at all."}, f.TargetsRefused)
	single(metric{"promwire_agent_discovery_failures_total", "counter", "Times that targets could not be found out."}, f.DiscoveryFailed)
	single(metric{"promwire_agent_scrapes_total", "counter", "Scrapes, failed ones included."}, f.Scrapes)
	single(metric{"promwire_agent_scrapes_failed_total", "counter", "Scrapes that failed."}, f.Failed)
	single(metric{"promwire_agent_scrapes_skipped_total", "counter", "Scrapes left out since the one before took too long."}, f.Skipped)
	single(metric{"promwire_agent_scraped_samples_total", "counter", "Samples of good scrapes, after relabelling."}, f.Samples)
	single(metric{"promwire_agent_bad_lines_total", "counter", "Lines of scrapes that were left out."}, f.BadLines)
	single(metric{"promwire_agent_repeated_samples_total", "counter", "Samples left out since their series had one already."}, f.Repeated)
	each := func(m metric, value func(o *OutletFigures) float64) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
		for i := range f.Outlets {
			fmt.Fprintf(&b, "%s{write=%q} %v\n", m.name, f.Outlets[i].Name, value(&f.Outlets[i]))
		}
	}
	each(metric{"promwire_agent_sent_samples_total", "counter", "Samples and histograms written."}, func(o *OutletFigures) float64 { return float64(o.Sent) })
	each(metric{"promwire_agent_refused_samples_total", "counter", "Samples and histograms that the receiver refused for good."}, func(o *OutletFigures) float64 { return float64(o.Refused) })
	each(metric{"promwire_agent_dropped_samples_total", "counter", "Samples and histograms dropped for lack of room, or too old."}, func(o *OutletFigures) float64 { return float64(o.Dropped + o.NotTaken) })
	each(metric{"promwire_agent_pending_samples", "gauge", "Samples and histograms that wait."}, func(o *OutletFigures) float64 { return float64(o.Pending) })
	each(metric{"promwire_agent_oldest_pending_seconds", "gauge", "How long the oldest of them waits."}, func(o *OutletFigures) float64 { return o.Oldest.Seconds() })
	each(metric{"promwire_agent_retries_total", "counter", "Attempts to write that failed and were repeated."}, func(o *OutletFigures) float64 { return float64(o.Retries) })
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
