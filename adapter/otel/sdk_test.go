package otelexport_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	api "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/promwire/promwire"
	otelexport "github.com/promwire/promwire/adapter/otel"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func flush(t *testing.T, p *metric.MeterProvider) {
	t.Helper()
	if err := p.ForceFlush(t.Context()); err != nil {
		t.Fatalf("ForceFlush: %v", err)
	}
}

// exponential has histograms as exponential ones, everything else as by default.
func exponential(kind metric.InstrumentKind) metric.Aggregation {
	if kind == metric.InstrumentKindHistogram {
		return metric.AggregationBase2ExponentialHistogram{MaxSize: 4, MaxScale: 0}
	}
	return metric.DefaultAggregationSelector(kind)
}

func TestInstrumentsOfTheSDK(t *testing.T) {
	ctx := t.Context()
	attrs := api.WithAttributes(attribute.String("http.method", "GET"), attribute.Int("code", 200), attribute.StringSlice("all", []string{"a", "b"}))
	for _, c := range []struct {
		name   string
		record func(m api.Meter)
		want   string
	}{
		{"counter", func(m api.Meter) {
			must(m.Int64Counter("http.requests", api.WithUnit("{request}"), api.WithDescription("Requests."))).Add(ctx, 3, attrs)
		}, "# TYPE http_requests_total counter\nhttp_requests_total{all=\"[\\\"a\\\",\\\"b\\\"]\",code=\"200\",http_method=\"GET\"} 3\n"},
		{"float counter with unit", func(m api.Meter) {
			must(m.Float64Counter("cpu.time", api.WithUnit("s"))).Add(ctx, 0.5)
		}, "# TYPE cpu_time_seconds_total counter\ncpu_time_seconds_total 0.5\n"},
		{"up-down counter", func(m api.Meter) {
			must(m.Int64UpDownCounter("queue.length")).Add(ctx, -3)
		}, "# TYPE queue_length gauge\nqueue_length -3\n"},
		{"gauge", func(m api.Meter) {
			must(m.Float64Gauge("cache.used", api.WithUnit("1"))).Record(ctx, 0.25)
		}, "# TYPE cache_used_ratio gauge\ncache_used_ratio 0.25\n"},
		{"histogram", func(m api.Meter) {
			h := must(m.Int64Histogram("size", api.WithUnit("By"), api.WithExplicitBucketBoundaries(1, 2)))
			for _, v := range []int64{1, 2, 2, 9} {
				h.Record(ctx, v)
			}
		}, "# TYPE size_bytes histogram\nsize_bytes_bucket{le=\"1\"} 1\nsize_bytes_bucket{le=\"2\"} 3\nsize_bytes_bucket{le=\"+Inf\"} 4\nsize_bytes_count 4\nsize_bytes_sum 14\n"},
		{"observable", func(m api.Meter) {
			must(m.Int64ObservableCounter("faults", api.WithInt64Callback(func(_ context.Context, o api.Int64Observer) error {
				o.Observe(7)
				return nil
			})))
		}, "# TYPE faults_total counter\nfaults_total 7\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, s := setup()
			p := provider(t, e)
			c.record(p.Meter(""))
			flush(t, p)
			s.want(t, 1, c.want)
			checkTimes(t, s.reqs[0])
		})
	}
}

// checkTimes expects a time in all samples, and a start in those that accumulate.
func checkTimes(t *testing.T, req *promwire.WriteRequest) {
	t.Helper()
	for _, ts := range req.Timeseries {
		for _, x := range ts.Samples {
			if x.Timestamp == 0 || (x.StartTimestamp != 0) != (ts.Metadata.Type != promwire.TypeGauge) || x.StartTimestamp > x.Timestamp {
				t.Errorf("%v: start %d, time %d", ts.Labels, x.StartTimestamp, x.Timestamp)
			}
		}
	}
}

func TestExponentialHistogramOfTheSDK(t *testing.T) {
	e, s := setup(otelexport.WithAggregation(exponential))
	p := provider(t, e)
	h := must(p.Meter("").Float64Histogram("d"))
	for _, v := range []float64{0, 1.5, 3, 3, 10, -1.5} {
		h.Record(t.Context(), v)
	}
	flush(t, p)
	s.want(t, 1, "# TYPE d histogram\nd {count:6, sum:16, [-2,-1):1, [-1e-128,1e-128]:1, (1,2]:1, (2,4]:2, (8,16]:1}\n")
	if h := s.reqs[0].Timeseries[0].Histograms[0]; h.StartTimestamp == 0 || h.Validate() != nil {
		t.Errorf("start %d, %v", h.StartTimestamp, h.Validate())
	}
}

func TestResourceAndScope(t *testing.T) {
	res := resource.NewSchemaless(
		attribute.String("service.name", "shop"), attribute.String("service.namespace", "eu"), attribute.String("service.instance.id", "i-1"),
		attribute.String("host.name", "h1"), attribute.String("host/name", "h2"), attribute.String("k8s.pod", "p"))
	for _, c := range []struct {
		name string
		opts []otelexport.Option
		want string
	}{
		{"default", nil, "# TYPE c_total counter\n" +
			"c_total{instance=\"i-1\",job=\"eu/shop\",otel_scope_a_b=\"x\",otel_scope_name=\"lib\",otel_scope_schema_url=\"http://s\",otel_scope_version=\"v1\"} 1\n" +
			"# TYPE target_info gauge\ntarget_info{host_name=\"h1;h2\",instance=\"i-1\",job=\"eu/shop\",k8s_pod=\"p\"} 1\n"},
		{"less, promoted, and a label", []otelexport.Option{
			otelexport.WithoutScopeLabels(), otelexport.WithoutTargetInfo(), otelexport.WithResourceLabels("k8s.pod", "absent"),
			otelexport.WithLabel("cluster", "old"), otelexport.WithLabel("cluster", "c1"), otelexport.WithLabel("job", "mine"),
		}, "# TYPE c_total counter\nc_total{cluster=\"c1\",instance=\"i-1\",job=\"eu/shop\",k8s_pod=\"p\"} 1\n"},
		{
			"untranslated",
			[]otelexport.Option{otelexport.WithTranslation(otlptranslator.NoTranslation), otelexport.WithoutScopeLabels()},
			"# TYPE c counter\nc{instance=\"i-1\",job=\"eu/shop\"} 1\n# TYPE target_info gauge\n" +
				"target_info{\"host.name\"=\"h1\",\"host/name\"=\"h2\",instance=\"i-1\",job=\"eu/shop\",\"k8s.pod\"=\"p\"} 1\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, s := setup(c.opts...)
			p := provider(t, e, metric.WithResource(res))
			m := p.Meter("lib", api.WithInstrumentationVersion("v1"), api.WithSchemaURL("http://s"), api.WithInstrumentationAttributes(attribute.String("a.b", "x")))
			must(m.Int64Counter("c")).Add(t.Context(), 1)
			flush(t, p)
			s.want(t, 1, c.want)
		})
	}
}

func TestNoTargetInfoWithoutUse(t *testing.T) {
	for name, res := range map[string]*resource.Resource{
		"nothing to tell":    resource.NewSchemaless(attribute.String("service.name", "shop")),
		"nothing to join by": resource.NewSchemaless(attribute.String("host.name", "h"), attribute.String("service.namespace", "eu")),
	} {
		e, s := setup()
		p := provider(t, e, metric.WithResource(res))
		must(p.Meter("").Int64Gauge("g")).Record(t.Context(), 1)
		flush(t, p)
		if n := len(s.reqs[0].Timeseries); n != 1 {
			t.Errorf("%s: %d series, want the gauge alone", name, n)
		}
	}
}

// TestExemplars records within a sampled span, for a counter, a classic and a native histogram, and exports twice.
func TestExemplars(t *testing.T) {
	e, s := setup(otelexport.WithAggregation(func(kind metric.InstrumentKind) metric.Aggregation {
		return metric.AggregationDefault{}
	}))
	p := provider(t, e, metric.WithExemplarFilter(exemplar.TraceBasedFilter), metric.WithView(
		metric.NewView(metric.Instrument{Name: "c"}, metric.Stream{AttributeFilter: attribute.NewDenyKeysFilter("user.id")}),
		metric.NewView(metric.Instrument{Name: "n"}, metric.Stream{Aggregation: metric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}}),
	))
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	ctx := trace.ContextWithSpanContext(t.Context(), span)
	m := p.Meter("")
	must(m.Float64Counter("c")).Add(ctx, 2, api.WithAttributes(attribute.String("user.id", "u1")))
	must(m.Float64Histogram("h", api.WithExplicitBucketBoundaries(1, 5))).Record(ctx, 3)
	must(m.Float64Histogram("n")).Record(ctx, 3)
	flush(t, p)
	ids := "trace_id=\"01000000000000000000000000000000\""
	want := map[string]string{
		`c_total`:            `{span_id="0200000000000000",` + ids + `,user_id="u1"}`,
		`h_bucket{le="5.0"}`: `{span_id="0200000000000000",` + ids + `}`,
		`n`:                  `{span_id="0200000000000000",` + ids + `}`,
	}
	for _, ts := range s.reqs[0].Timeseries {
		var got string
		if len(ts.Exemplars) > 0 {
			got = ts.Exemplars[0].Labels.String()
		}
		if got != want[ts.Labels.String()] {
			t.Errorf("%v: exemplar %s, want %s", ts.Labels, got, want[ts.Labels.String()])
		}
	}
	flush(t, p)
	for _, ts := range s.reqs[1].Timeseries {
		if len(ts.Exemplars) != 0 {
			t.Errorf("%v: the exemplar was sent again", ts.Labels)
		}
	}
}

// TestAttributeSetThatIsNoLongerObserved expects a marker, and after Shutdown the end or not.
func TestAttributeSetThatIsNoLongerObserved(t *testing.T) {
	queues := []string{"a", "b"}
	observe := func(_ context.Context, o api.Int64Observer) error {
		for _, q := range queues {
			o.Observe(1, api.WithAttributes(attribute.String("q", q)))
		}
		return nil
	}
	for _, c := range []struct {
		name string
		opts []otelexport.Option
		want []string
	}{
		{"default", nil, []string{"# TYPE g gauge\ng{q=\"a\"} 1\ng{q=\"b\"} stale\n", "# TYPE g gauge\ng{q=\"a\"} 1\n"}},
		{"no markers", []otelexport.Option{otelexport.WithoutStaleMarkers()}, []string{"# TYPE g gauge\ng{q=\"a\"} 1\n", "# TYPE g gauge\ng{q=\"a\"} 1\n"}},
		{
			"markers at the end",
			[]otelexport.Option{otelexport.WithMarkersOnShutdown()},
			[]string{"# TYPE g gauge\ng{q=\"a\"} 1\ng{q=\"b\"} stale\n", "# TYPE g gauge\ng{q=\"a\"} 1\n", "# TYPE g gauge\ng{q=\"a\"} stale\n"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			queues = []string{"a", "b"}
			e, s := setup(c.opts...)
			p := provider(t, e)
			must(p.Meter("").Int64ObservableGauge("g", api.WithInt64Callback(observe)))
			flush(t, p)
			queues = []string{"a"}
			flush(t, p)
			s.want(t, 2, c.want[0])
			if err := p.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.want(t, 1+len(c.want), c.want[len(c.want)-1]) // Shutdown exports a last time
			if err := e.Shutdown(t.Context()); !errors.Is(err, metric.ErrExporterShutdown) {
				t.Errorf("a second Shutdown: %v", err)
			}
			if err := e.Export(t.Context(), data()); !errors.Is(err, metric.ErrExporterShutdown) {
				t.Errorf("Export after Shutdown: %v", err)
			}
		})
	}
}

func TestMarkersComeAfterTheLastSample(t *testing.T) {
	e, s := setup()
	late := gauge()
	late.DataPoints[0].Time = t0.Add(5 * time.Millisecond)
	if err := errors.Join(e.Export(t.Context(), data(named("g", late))), e.Export(t.Context(), data())); err != nil {
		t.Fatal(err)
	}
	if x := s.reqs[1].Timeseries[0].Samples[0]; x.Timestamp != t0.UnixMilli()+6 || !promwire.IsStaleNaN(x.Value) {
		t.Errorf("marker %v at %d", x.Value, x.Timestamp-t0.UnixMilli())
	}
}

func TestTheSDKGetsTheWritersError(t *testing.T) {
	e, s := setup()
	s.err = &promwire.HTTPError{StatusCode: 503}
	p := provider(t, e)
	must(p.Meter("").Int64Counter("c")).Add(t.Context(), 1)
	if err := p.ForceFlush(t.Context()); !errors.Is(err, s.err) {
		t.Errorf("got %v", err)
	}
	s.err = nil
	flush(t, p)
	s.want(t, 2, "# TYPE c_total counter\nc_total 1\n")
	if k := []metric.InstrumentKind{metric.InstrumentKindCounter, metric.InstrumentKindHistogram}; slices.ContainsFunc(k, func(k metric.InstrumentKind) bool {
		return e.Temporality(k).String() != "CumulativeTemporality"
	}) {
		t.Error("temporality is not cumulative")
	}
}
