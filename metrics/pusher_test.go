package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

var errDown = errors.New("receiver is down")

func TestPushSendsChangesOnly(t *testing.T) {
	reg, p, s, c := setup()
	hits := metrics.Must(reg.Counter("hits"))
	depth := metrics.Must(reg.GaugeVec("depth", []string{"queue"}))
	push(t, p)
	s.wantRequests(t, 0) // nothing was recorded yet

	hits.Inc()
	depth.With("b").Set(0)
	depth.With("a").Set(7)
	c.advance(time.Second)
	push(t, p)
	s.wantRequests(t, 1)
	s.want(t, "hits_total", point{1, 1})
	s.want(t, `depth{queue="b"}`, point{1, 0})
	s.want(t, `depth{queue="a"}`, point{1, 7})
	if got := s.requests[0].Timeseries[1].Labels.Get("queue"); got != "b" {
		t.Errorf("series are not in order of their creation: second one is %q", got)
	}

	push(t, p)
	s.wantRequests(t, 1) // nothing changed

	hits.Add(2.5)
	depth.With("a").Add(-1)
	depth.With("a").Sub(2)
	c.advance(time.Second)
	push(t, p)
	s.want(t, "hits_total", point{2, 3.5})
	s.want(t, `depth{queue="a"}`, point{2, 4})
	s.want(t, `depth{queue="b"}`)
}

func TestPushStartTimestampsAndMetadata(t *testing.T) {
	reg, p, s, c := setup(metrics.WithConstLabel("job", "j"))
	hits := metrics.Must(reg.Counter("moved_bytes", metrics.WithHelp("Bytes moved."), metrics.WithUnit("bytes")))
	old := metrics.Must(reg.HistogramVec("took", nil)).With()
	depth := metrics.Must(reg.Gauge("depth"))
	c.advance(time.Minute)
	hits.Inc()
	depth.Set(1)
	if err := old.ObserveAt(1, after(-60)); err != nil { // before the histogram was made
		t.Fatal(err)
	}
	push(t, p)
	series := s.requests[0].Timeseries
	got := series[0]
	if want := (promwire.Metadata{Type: promwire.TypeCounter, Help: "Bytes moved.", Unit: "bytes"}); got.Metadata != want {
		t.Errorf("metadata: got %+v, want %+v", got.Metadata, want)
	}
	if want := promwire.LabelsFromStrings(promwire.MetricName, "moved_bytes_total", "job", "j"); !got.Labels.Equal(want) {
		t.Errorf("labels: got %v, want %v", got.Labels, want)
	}
	if want := t0.UnixMilli(); got.Samples[0].StartTimestamp != want {
		t.Errorf("counter: start %d, want its creation %d", got.Samples[0].StartTimestamp, want)
	}
	if got, want := series[1].Samples[0].StartTimestamp, after(-60).UnixMilli()-1; got != want {
		t.Errorf("backdated histogram: start %d, want %d, before its first sample", got, want)
	}
	if got := series[len(series)-1].Samples[0].StartTimestamp; got != 0 {
		t.Errorf("gauge: start %d, want none", got)
	}
}

func TestFailedPushLosesNothing(t *testing.T) {
	reg, p, s, c := setup()
	hits := metrics.Must(reg.Counter("hits"))
	depth := metrics.Must(reg.Gauge("depth"))
	took := metrics.Must(reg.Histogram("took", metrics.WithBounds(1)))
	hits.Add(5)
	depth.Set(3)
	for _, at := range []float64{-2, -1} {
		if err := took.ObserveAt(0.5, after(at)); err != nil {
			t.Fatal(err)
		}
	}
	s.err = errDown
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatalf("Push: got %v, want the writer's error", err)
	}
	s.want(t, "hits_total", point{0, 5})

	// Without new recordings: values without a time are as of the new push, the others are sent as they were.
	c.advance(time.Second)
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	s.want(t, "hits_total", point{1, 5})
	s.want(t, "depth", point{1, 3})
	s.want(t, "took_count", point{-2, 1}, point{-1, 2})

	s.err = nil
	hits.Inc()
	if err := took.ObserveAt(2, after(1.5)); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Second)
	push(t, p)
	s.want(t, "hits_total", point{2, 6})
	s.want(t, "depth", point{2, 3})
	s.want(t, "took_count", point{-2, 1}, point{-1, 2}, point{1.5, 3})
	s.want(t, `took_bucket{le="1.0"}`, point{-2, 1}, point{-1, 2}, point{1.5, 2})

	push(t, p)
	s.wantRequests(t, 3)
}

// A failed push may have been stored all the same: what is sent later must fit to it.
func TestFailedPushStaysConsistent(t *testing.T) {
	reg, p, s, c := setup()
	took := metrics.Must(reg.Histogram("took", metrics.WithBounds(1)))
	hits := metrics.Must(reg.Counter("hits"))
	s.err = errDown
	if err := errors.Join(took.ObserveAt(1, after(-1)), hits.AddAt(1, after(-1))); err != nil {
		t.Fatal(err)
	}
	took.Observe(1)
	took.Observe(1)
	hits.Add(10)
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	s.want(t, "took_count", point{-1, 1}, point{0, 3})
	s.want(t, "hits_total", point{-1, 1}, point{0, 11})

	// Not after the newest sample that went out, although that push failed.
	for _, at := range []float64{-0.5, 0} {
		if err := took.ObserveAt(1, after(at)); !errors.Is(err, metrics.ErrLate) {
			t.Errorf("ObserveAt %v: got %v, want ErrLate", at, err)
		}
	}
	s.err = nil
	c.advance(2 * time.Second)
	if err := errors.Join(took.ObserveAt(1, after(1)), hits.AddAt(1, after(1))); err != nil {
		t.Fatal(err)
	}
	took.Observe(1)
	push(t, p)
	s.want(t, "took_count", point{-1, 1}, point{1, 4}, point{2, 5})
	s.want(t, "hits_total", point{-1, 1}, point{1, 12}, point{2, 12})
}

func TestPushAfterRefusal(t *testing.T) {
	partial := &promwire.PartialWriteError{Written: promwire.WriteStats{Samples: 1}}
	partialWith := func(status int) error {
		return &promwire.PartialWriteError{Err: &promwire.HTTPError{StatusCode: status}}
	}
	named := func(reason error) error {
		refused := promwire.Refusal{Series: 0, Timestamp: t0.UnixMilli(), Reason: fmt.Errorf("details: %w", reason)}
		return &promwire.PartialWriteError{Refused: []promwire.Refusal{refused}}
	}
	elsewhere := &promwire.PartialWriteError{Refused: []promwire.Refusal{{Series: 1, Timestamp: 1, Reason: promwire.ErrTooOld}}}
	again := []point{{-1, 1}, {1, 1}}
	tests := []struct {
		name string
		err  error
		want []point // what a second push sends of a counter with a timed and an untimed recording
	}{
		{"network", errDown, again},
		{"cancelled", context.Canceled, again},
		{"server error", &promwire.HTTPError{StatusCode: 503}, again},
		{"too many requests", &promwire.HTTPError{StatusCode: 429}, again},
		{"no credentials", &promwire.HTTPError{StatusCode: 401}, again},
		{"partial, server error", partialWith(500), again},
		{"bad request", &promwire.HTTPError{StatusCode: 400}, again[1:]},
		{"conflict", &promwire.HTTPError{StatusCode: 409}, again[1:]},
		{"unprocessable", &promwire.HTTPError{StatusCode: 422}, again[1:]},
		{"partial", partial, again[1:]},
		{"partial, bad request", partialWith(400), again[1:]},
		{"partial, by time", named(promwire.ErrTooOld), again[1:]},
		{"partial, by name", named(promwire.ErrInvalidName), nil},
		{"partial, other series", elsewhere, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reg, p, s, c := setup()
			hits := metrics.Must(reg.Counter("hits"))
			if err := hits.AddAt(1, after(-1)); err != nil {
				t.Fatal(err)
			}
			hits.Add(0)
			s.err = tt.err
			if err := p.Push(t.Context()); !errors.Is(err, tt.err) {
				t.Fatalf("Push: got %v, want %v", err, tt.err)
			}
			s.want(t, "hits_total", point{-1, 1}, point{0, 1})
			s.err, s.requests = nil, s.requests[:0]
			c.advance(time.Second)
			push(t, p)
			if tt.want == nil {
				s.wantRequests(t, 0)
				return
			}
			s.want(t, "hits_total", tt.want...)
		})
	}
}

func TestPushWaitsForItsTurn(t *testing.T) {
	reg, _, _, _ := setup()
	metrics.Must(reg.Counter("hits")).Inc()
	inside, leave := make(chan struct{}), make(chan struct{})
	p := metrics.NewPusher(reg, writerFunc(func(*promwire.WriteRequest) error {
		close(inside)
		<-leave
		return nil
	}))
	done := make(chan error)
	go func() { done <- p.Push(context.Background()) }()
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Push(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("second push: got %v, want the context's error", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Errorf("first push: %v", err)
	}
}

// Time that stands still or goes back must not give two samples of one time.
func TestClockGoesBack(t *testing.T) {
	reg, p, s, c := setup()
	hits := metrics.Must(reg.Counter("hits"))
	hits.Inc()
	push(t, p)
	hits.Inc()
	push(t, p)
	s.want(t, "hits_total", point{0.001, 2})
	c.advance(-time.Hour)
	hits.Inc()
	push(t, p)
	s.want(t, "hits_total", point{0.002, 3})
	c.advance(2 * time.Hour)
	hits.Inc()
	push(t, p)
	s.want(t, "hits_total", point{3600, 4})
}

type writerFunc func(*promwire.WriteRequest) error

func (f writerFunc) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return req.Stats(), f(req)
}
