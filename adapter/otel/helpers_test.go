package otelexport_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/promwire/promwire"
	otelexport "github.com/promwire/promwire/adapter/otel"
)

var t0 = time.UnixMilli(1_700_000_000_000).UTC()

// sink keeps the requests it gets, and answers err.
type sink struct {
	err  error
	reqs []*promwire.WriteRequest
}

func (s *sink) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	s.reqs = append(s.reqs, req.Clone())
	if s.err != nil {
		return promwire.WriteStats{}, s.err
	}
	return req.Stats(), nil
}

// want checks the latest of n requests.
func (s *sink) want(t *testing.T, n int, want string) {
	t.Helper()
	if len(s.reqs) != n {
		t.Fatalf("%d requests were sent, want %d", len(s.reqs), n)
	}
	if got := string(s.reqs[n-1].AppendText(nil, promwire.TextOptions{})); got != want {
		t.Errorf("request %d:\n%s\nwant:\n%s", n, got, want)
	}
}

// setup makes an exporter whose clock stands at t0.
func setup(opts ...otelexport.Option) (*otelexport.Exporter, *sink) {
	s := &sink{}
	return otelexport.New(s, append(opts, otelexport.WithClock(func() time.Time { return t0 }))...), s
}

// provider makes an SDK that exports on ForceFlush.
func provider(t *testing.T, e *otelexport.Exporter, opts ...metric.Option) *metric.MeterProvider {
	t.Helper()
	opts = append([]metric.Option{
		metric.WithReader(metric.NewPeriodicReader(e, metric.WithInterval(time.Hour))), metric.WithResource(resource.Empty()),
	}, opts...)
	p := metric.NewMeterProvider(opts...)
	t.Cleanup(func() { p.Shutdown(context.Background()) })
	return p
}

// data makes metric data without resource and scope.
func data(metrics ...metricdata.Metrics) *metricdata.ResourceMetrics {
	return &metricdata.ResourceMetrics{Resource: resource.Empty(), ScopeMetrics: []metricdata.ScopeMetrics{{
		Scope: instrumentation.Scope{}, Metrics: metrics,
	}}}
}

func named(name string, a metricdata.Aggregation) metricdata.Metrics {
	return metricdata.Metrics{Name: name, Data: a}
}

func gauge(attrs ...attribute.KeyValue) metricdata.Gauge[float64] {
	return metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{{Attributes: attribute.NewSet(attrs...), Time: t0, Value: 1}}}
}
