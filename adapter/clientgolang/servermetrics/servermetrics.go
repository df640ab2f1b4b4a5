// Package servermetrics shows what the handlers of package server do as metrics of client_golang:
//
//	m := servermetrics.New()
//	prometheus.MustRegister(m)
//	h := server.NewHandler(storage, server.WithMetrics(m))
//
// The metrics, all of which begin with promwire_server_; operation is "write" or "read":
//
//	requests_total{operation,code,cause}    requests that are done, by status and by [server.Causes] ("" for success)
//	requests_in_flight{operation}           requests that have begun and are not done
//	request_duration_seconds{operation}     histogram, classic and native: from the arrival to the end of the answer
//	body_bytes_total{operation}             bodies as they came
//	decoded_bytes_total{operation}          the same decompressed
//	series_total{operation}                 series in write requests (none behind a BodyWriter), parts of series read
//	written_total{kind}                     items written; kind is "sample", "histogram" or "exemplar"
//	refused_total{reason}                   items refused by name, in requests that were partly written; see [Reasons]
//	queries_total                           queries in read requests
//	read_samples_total, read_chunks_total   what was read, as samples or as chunks
//	answer_bytes_total                      answers to reads
//
// Users and tenants are no labels: senders may choose them, and each value costs memory for ever.
package servermetrics

import (
	"errors"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// Metrics is a [server.Metrics] and a [prometheus.Collector]. It is safe for concurrent use, for several handlers too.
// For requests that succeed it costs no allocation.
type Metrics struct {
	collectors []prometheus.Collector

	requests *prometheus.CounterVec
	refused  *prometheus.CounterVec
	write    operation
	read     operation

	samples, histograms, exemplars              prometheus.Counter
	queries, readSamples, readChunks, sentBytes prometheus.Counter

	mu   sync.RWMutex
	done map[outcome]prometheus.Counter
}

var (
	_ server.Metrics       = (*Metrics)(nil)
	_ prometheus.Collector = (*Metrics)(nil)
)

// operation is what both operations have.
type operation struct {
	inFlight               prometheus.Gauge
	duration               prometheus.Observer
	body, decoded, seriesN prometheus.Counter
}

// outcome is a label set of requests_total.
type outcome struct {
	operation server.Operation
	code      int
	cause     string
}

// New makes metrics. They have to be registered.
func New() *Metrics {
	m := &Metrics{done: map[outcome]prometheus.Counter{}}
	m.requests = m.vec("requests_total", "Requests that are done, by status and cause of failure.", "operation", "code", "cause")
	m.refused = m.vec("refused_total", "Items refused by name in requests that were partly written, by reason.", "reason")
	m.operations()
	written := m.vec("written_total", "Items written.", "kind")
	m.samples, m.histograms, m.exemplars = written.WithLabelValues("sample"), written.WithLabelValues("histogram"), written.WithLabelValues("exemplar")
	m.queries = m.counter("queries_total", "Queries in read requests.")
	m.readSamples = m.counter("read_samples_total", "Samples and histograms read, in answers of type SAMPLES.")
	m.readChunks = m.counter("read_chunks_total", "Chunks read, in streams.")
	m.sentBytes = m.counter("answer_bytes_total", "Bytes of answers to reads.")
	return m
}

const namespace, subsystem = "promwire", "server"

// operations makes what has the label operation.
func (m *Metrics) operations() {
	inFlight := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "requests_in_flight", Help: "Requests that have begun and are not done.",
	}, []string{"operation"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "request_duration_seconds",
		Help:                        "From the arrival of a request to the end of its answer.",
		Buckets:                     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
	}, []string{"operation"})
	m.collectors = append(m.collectors, inFlight, duration)
	body := m.vec("body_bytes_total", "Bytes of request bodies as they came.", "operation")
	decoded := m.vec("decoded_bytes_total", "Bytes of request bodies decompressed.", "operation")
	series := m.vec("series_total", "Series in write requests, or parts of series read.", "operation")
	of := func(op server.Operation) operation {
		label := string(op)
		return operation{
			inFlight.WithLabelValues(label), duration.WithLabelValues(label),
			body.WithLabelValues(label), decoded.WithLabelValues(label), series.WithLabelValues(label),
		}
	}
	m.write, m.read = of(server.OperationWrite), of(server.OperationRead)
}

func (m *Metrics) vec(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, labels)
	m.collectors = append(m.collectors, v)
	return v
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help})
	m.collectors = append(m.collectors, c)
	return c
}

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.collectors {
		c.Describe(ch)
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.collectors {
		c.Collect(ch)
	}
}

func (m *Metrics) of(op server.Operation) *operation {
	if op == server.OperationRead {
		return &m.read
	}
	return &m.write
}

// RequestBegun implements [server.Metrics].
func (m *Metrics) RequestBegun(op server.Operation) { m.of(op).inFlight.Inc() }

// RequestDone implements [server.Metrics].
func (m *Metrics) RequestDone(s server.RequestStats) {
	op := m.of(s.Operation)
	op.inFlight.Dec()
	op.duration.Observe(s.Duration.Seconds())
	m.outcome(outcome{s.Operation, s.Status, s.Cause}).Inc()
	add(op.body, s.BodyBytes)
	add(op.decoded, s.DecodedBytes)
	add(op.seriesN, s.Series)
	add(m.samples, s.Written.Samples)
	add(m.histograms, s.Written.Histograms)
	add(m.exemplars, s.Written.Exemplars)
	add(m.queries, s.Queries)
	add(m.readSamples, s.Samples)
	add(m.readChunks, s.Chunks)
	add(m.sentBytes, s.AnswerBytes)
	if s.Err != nil {
		m.countRefused(s.Err)
	}
}

// countRefused counts the items that an error names.
func (m *Metrics) countRefused(err error) {
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) {
		return
	}
	for i := range partial.Refused {
		m.refused.WithLabelValues(reason(partial.Refused[i].Reason)).Inc()
	}
}

// add spares what has not changed.
func add(c prometheus.Counter, n int) {
	if n > 0 {
		c.Add(float64(n))
	}
}

// outcome returns the counter of requests that ended so.
func (m *Metrics) outcome(o outcome) prometheus.Counter {
	m.mu.RLock()
	c := m.done[o]
	m.mu.RUnlock()
	if c != nil {
		return c
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if c = m.done[o]; c == nil {
		c = m.requests.WithLabelValues(string(o.operation), strconv.Itoa(o.code), o.cause)
		m.done[o] = c
	}
	return c
}
