package otelexport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/snapshot"
)

// Exporter is a [metric.Exporter] that sends to a [promwire.Writer], each export in one request. It serves one meter
// provider: series that an export does not have count as gone. It is safe for concurrent use; exports take turns.
type Exporter struct {
	writer    promwire.Writer
	converter converter
	turn      chan struct{} // holds an element while an export uses what is below
	req       promwire.WriteRequest
	tracker   snapshot.Tracker
	shutdown  bool
}

var _ metric.Exporter = (*Exporter)(nil)

// New makes an Exporter that sends to w, such as a remote-write client.
func New(w promwire.Writer, opts ...Option) *Exporter {
	c := config{
		strategy:    otlptranslator.UnderscoreEscapingWithSuffixes,
		aggregation: metric.DefaultAggregationSelector, now: time.Now,
	}
	for _, o := range opts {
		o(&c)
	}
	return &Exporter{
		writer: w, converter: newConverter(c), turn: make(chan struct{}, 1), tracker: snapshot.Tracker{MarkAll: true},
	}
}

// Temporality implements [metric.Exporter]: cumulative, for all instruments.
func (e *Exporter) Temporality(metric.InstrumentKind) metricdata.Temporality {
	return metricdata.CumulativeTemporality
}

// Aggregation implements [metric.Exporter], see [WithAggregation].
func (e *Exporter) Aggregation(kind metric.InstrumentKind) metric.Aggregation {
	return e.converter.config.aggregation(kind)
}

// Export sends rm in one request. An [*IncompleteError] says what is missing of it, other errors are those of the Writer.
// The values of a failed export are lost but for those that are still current at the next one; its exemplars and stale
// markers are sent again, unless the receiver refused them for good ([snapshot.Final]). Retries are up to the Writer.
func (e *Exporter) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	if err := e.lock(ctx); err != nil {
		return err
	}
	defer e.unlock()
	if e.shutdown {
		return metric.ErrExporterShutdown
	}
	e.req.Reset()
	now := e.converter.config.now().UnixMilli()
	var incomplete IncompleteError
	e.converter.append(&e.req, rm, now, &incomplete)
	incomplete.skipSeries(e.tracker.Observe(&e.req, now, nil))
	if e.converter.config.noMarkers {
		e.tracker.Forget()
	} else {
		e.tracker.AppendMarkers(&e.req, now)
	}
	err := e.send(ctx)
	if incomplete.Skipped == 0 {
		return err
	}
	return errors.Join(&incomplete, err)
}

// ForceFlush implements [metric.Exporter]: nothing is ever held back.
func (e *Exporter) ForceFlush(ctx context.Context) error { return ctx.Err() }

// Shutdown implements [metric.Exporter]: later exports fail with [metric.ErrExporterShutdown], and so does a second
// Shutdown. See [WithMarkersOnShutdown]. The Writer stays open.
func (e *Exporter) Shutdown(ctx context.Context) error {
	if err := e.lock(ctx); err != nil {
		return err
	}
	defer e.unlock()
	if e.shutdown {
		return metric.ErrExporterShutdown
	}
	e.shutdown = true
	if !e.converter.config.endAll {
		return nil
	}
	e.req.Reset()
	e.tracker.End()
	e.tracker.AppendMarkers(&e.req, e.converter.config.now().UnixMilli())
	return e.send(ctx)
}

func (e *Exporter) send(ctx context.Context) error {
	var err error
	if len(e.req.Timeseries) > 0 {
		_, err = e.writer.Write(ctx, &e.req)
	}
	if snapshot.Final(err) {
		e.tracker.Settle()
	}
	return err
}

func (e *Exporter) lock(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("otelexport: waiting for another export: %w", ctx.Err())
	}
}

func (e *Exporter) unlock() { <-e.turn }
