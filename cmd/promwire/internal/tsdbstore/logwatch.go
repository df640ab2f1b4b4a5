package tsdbstore

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// logWatch is the registry that a TSDB gets. It keeps all metrics for [Store.Metrics], and finds two kinds of counters
// and a gauge among them. Failed log writes are failures that Commit does not return (the out-of-order log is written on
// a best effort basis), and they are counted before another request can write behind a torn record. Damages are what the
// TSDB found in its logs when it was opened, and repaired. The gauge is the number of chunks in the head.
type logWatch struct {
	mu              sync.Mutex
	failed, damaged []prometheus.Collector
	chunks          []prometheus.Collector
	all             []prometheus.Collector
}

const headChunksName = "prometheus_tsdb_head_chunks"

// failures returns the number of failed writes to both logs so far.
func (w *logWatch) failures() float64 { return w.total(&w.failed) }

// damages returns how often a log was found damaged so far.
func (w *logWatch) damages() float64 { return w.total(&w.damaged) }

// headChunks returns the number of chunks in the head.
func (w *logWatch) headChunks() float64 { return w.total(&w.chunks) }

func (w *logWatch) total(kept *[]prometheus.Collector) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	total := 0.0
	ch := make(chan prometheus.Metric, 1)
	for _, c := range *kept {
		c.Collect(ch)
		var m dto.Metric
		if err := (<-ch).Write(&m); err == nil {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() // it is one of them
		}
	}
	return total
}

// Register implements prometheus.Registerer.
func (w *logWatch) Register(c prometheus.Collector) error {
	w.add(&w.all, c)
	descs := make(chan *prometheus.Desc, 16)
	go func() { c.Describe(descs); close(descs) }()
	for d := range descs {
		switch name := d.String(); {
		case strings.Contains(name, `_writes_failed_total"`):
			w.add(&w.failed, c)
		case strings.Contains(name, `"prometheus_tsdb_wal_corruptions_total"`):
			w.add(&w.damaged, c)
		case strings.Contains(name, `"`+headChunksName+`"`):
			w.add(&w.chunks, c)
		}
	}
	return nil
}

func (w *logWatch) add(kept *[]prometheus.Collector, c prometheus.Collector) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*kept = append(*kept, c)
}

// MustRegister implements prometheus.Registerer.
func (w *logWatch) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		_ = w.Register(c) // never fails
	}
}

// Unregister implements prometheus.Registerer.
func (w *logWatch) Unregister(prometheus.Collector) bool { return false }
