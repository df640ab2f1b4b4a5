package clientgolang_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang"
)

var t0 = time.UnixMilli(1_700_000_000_000).UTC()

// clock is a settable time source.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// sink keeps the text of the requests it gets, and answers err.
type sink struct {
	err   error
	texts []string
}

func (s *sink) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	s.texts = append(s.texts, text(req))
	if s.err != nil {
		return promwire.WriteStats{}, s.err
	}
	return req.Stats(), nil
}

func text(req *promwire.WriteRequest) string {
	return string(req.AppendText(nil, promwire.TextOptions{}))
}

// want checks the latest of n requests.
func (s *sink) want(t *testing.T, n int, want string) {
	t.Helper()
	if len(s.texts) != n {
		t.Fatalf("%d requests were sent, want %d", len(s.texts), n)
	}
	if got := s.texts[n-1]; got != want {
		t.Errorf("request %d:\n%s\nwant:\n%s", n, got, want)
	}
}

// setup makes a pusher of reg whose clock stands at t0.
func setup(g prometheus.Gatherer, opts ...clientgolang.Option) (*clientgolang.Pusher, *sink, *clock) {
	c, s := &clock{t0}, &sink{}
	return clientgolang.NewPusher(g, s, append(opts, clientgolang.WithClock(c.Now))...), s, c
}

func push(t *testing.T, p *clientgolang.Pusher) {
	t.Helper()
	if err := p.Push(t.Context()); err != nil {
		t.Fatalf("Push: %v", err)
	}
}

// families is a gatherer of what it holds.
type families []*dto.MetricFamily

func (f families) Gather() ([]*dto.MetricFamily, error) { return f, nil }

func ptr[T any](v T) *T { return &v }

func label(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }

func family(name string, t dto.MetricType, metrics ...*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Type: &t, Metric: metrics}
}

func gauge(v float64, labels ...*dto.LabelPair) *dto.Metric {
	return &dto.Metric{Label: labels, Gauge: &dto.Gauge{Value: &v}}
}
