package tsdbstore

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// logWatch is the registry that the TSDB gets. It keeps the counters of failed log writes and nothing else: they tell
// about failures that Commit does not return (the out-of-order log is written on a best effort basis), and they are
// counted before another request can write behind a torn record.
type logWatch struct {
	mu       sync.Mutex
	counters []prometheus.Collector
}

// failures returns the number of failed writes to both logs so far.
func (w *logWatch) failures() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	total := 0.0
	ch := make(chan prometheus.Metric, 1)
	for _, c := range w.counters {
		c.Collect(ch)
		var m dto.Metric
		if err := (<-ch).Write(&m); err == nil {
			total += m.GetCounter().GetValue()
		}
	}
	return total
}

// Register implements prometheus.Registerer.
func (w *logWatch) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 16)
	go func() { c.Describe(descs); close(descs) }()
	for d := range descs {
		if strings.Contains(d.String(), `_writes_failed_total"`) {
			w.mu.Lock()
			w.counters = append(w.counters, c)
			w.mu.Unlock()
		}
	}
	return nil
}

// MustRegister implements prometheus.Registerer.
func (w *logWatch) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		_ = w.Register(c) // never fails
	}
}

// Unregister implements prometheus.Registerer.
func (w *logWatch) Unregister(prometheus.Collector) bool { return false }
