package senders

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// source is what one sender scrapes. Each scrape finds other values than the one before, and all of them are kept.
type source struct {
	anyBits         bool // the gauge may have any bits of a number; otherwise few digits, which every parser reads the same
	gatherer        prometheus.Gatherer
	counter         prometheus.Counter
	gauge           prometheus.Gauge
	classic, native prometheus.Histogram

	mu      sync.Mutex
	pages   []page // page k-1 has the counter's value k
	stopped bool
}

// page is what a scrape was answered.
type page struct {
	arrived         int64 // when the scrape came, in milliseconds
	gauge           float64
	classic, native *dto.Histogram
}

func newSource(t *testing.T, anyBits bool) *source {
	t.Helper()
	reg := prometheus.NewRegistry()
	s := &source{
		anyBits: anyBits, gatherer: reg,
		counter: prometheus.NewCounter(prometheus.CounterOpts{Name: "scrapes_total", Help: "Scrapes answered."}),
		gauge:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "random", Help: "Something else each time."}),
		classic: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "classic_seconds", Help: "One observation a scrape.", Buckets: []float64{0.25, 1, 4}}),
		native:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: "native_seconds", Help: "One observation a scrape.", NativeHistogramBucketFactor: 1.1}),
	}
	reg.MustRegister(s.counter, s.gauge, s.classic, s.native)
	return s
}

// advance makes the next page, and keeps it.
func (s *source) advance() ([]*dto.MetricFamily, error) {
	p := page{arrived: time.Now().UnixMilli(), gauge: float64(rand.Int64N(64e6)) / 64}
	for s.anyBits {
		p.gauge = math.Float64frombits(rand.Uint64())
		if !math.IsNaN(p.gauge) && !math.IsInf(p.gauge, 0) && p.gauge != 0 { // it is said elsewhere that Prometheus sends -0 as 0
			break
		}
	}
	label := prometheus.Labels{"scrape": fmt.Sprint(len(s.pages) + 1)}
	s.counter.(prometheus.ExemplarAdder).AddWithExemplar(1, label)
	s.gauge.Set(p.gauge)
	observation := float64(rand.Int64N(8*64)) / 64
	s.classic.(prometheus.ExemplarObserver).ObserveWithExemplar(observation, label)
	s.native.(prometheus.ExemplarObserver).ObserveWithExemplar(observation*observation, label)
	families, err := s.gatherer.Gather()
	for _, f := range families {
		switch f.GetName() {
		case "classic_seconds":
			p.classic = f.Metric[0].Histogram
		case "native_seconds":
			p.native = f.Metric[0].Histogram
		}
	}
	s.pages = append(s.pages, p)
	return families, err
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		http.Error(w, "it has stopped", http.StatusServiceUnavailable)
		return
	}
	families, err := s.advance()
	format := expfmt.NegotiateAccept(r.Header, expfmt.NewFormat(expfmt.TypeProtoDelim), expfmt.NewFormat(expfmt.TypeTextPlain))
	var body bytes.Buffer
	encoder := expfmt.NewEncoder(&body, format)
	for i := 0; i < len(families) && err == nil; i++ {
		err = encoder.Encode(families[i])
	}
	if c, ok := encoder.(expfmt.Closer); ok && err == nil {
		err = c.Close()
	}
	if err != nil {
		panic(err) // no scrape that the test could go on after
	}
	w.Header().Set("Content-Type", string(format))
	_, _ = w.Write(body.Bytes()) // a scraper that has gone reports the scrape as failed
}

func (s *source) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}

// scraped returns the pages so far.
func (s *source) scraped() []page {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pages
}
