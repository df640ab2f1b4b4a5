package metrics_test

import (
	"context"
	"errors"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// answers is a sink whose answer to request n is the n-th one; the last one holds for all that follow.
type answers struct {
	sink
	errs []error
}

func (a *answers) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	a.err = a.errs[min(len(a.requests), len(a.errs)-1)]
	return a.sink.Write(ctx, req)
}

// sizes returns the numbers of series and samples of each request.
func (s *sink) sizes() [][2]int {
	var out [][2]int
	for _, r := range s.requests {
		out = append(out, [2]int{len(r.Timeseries), r.Stats().Samples})
	}
	return out
}

func wantSizes(t *testing.T, s *sink, want ...[2]int) {
	t.Helper()
	got := s.sizes()
	if len(got) != len(want) {
		t.Fatalf("requests of %v series and samples, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("request %d has %v series and samples, want %v", i, got[i], want[i])
		}
	}
}

func TestPushIsSplit(t *testing.T) {
	reg, _, s, _ := setup()
	p := metrics.NewPusher(reg, s, metrics.WithMaxSamples(8), metrics.WithMaxSeries(6))
	took := metrics.Must(reg.HistogramVec("took", []string{"n"}, metrics.WithBounds(1))) // 4 series each
	hits := metrics.Must(reg.CounterVec("hits", []string{"n"}))
	for _, n := range []string{"a", "b", "c"} {
		took.With(n).Observe(1)
		hits.With(n).Inc()
	}
	for i := range 5 { // of one histogram: 20 samples and the one of the push
		if err := took.With("b").ObserveAt(1, after(float64(i-5))); err != nil {
			t.Fatal(err)
		}
	}
	push(t, p)
	wantSizes(t, s, [2]int{4, 4}, [2]int{4, 8}, [2]int{4, 8}, [2]int{4, 8}, [2]int{6, 6}, [2]int{1, 1})
	s.requests = s.requests[3:4]
	s.want(t, `took_count{n="b"}`, point{-1, 5}, point{0, 6})
	push(t, p)
	s.wantRequests(t, 1)
}

func TestPushOfOneTooWideHistogram(t *testing.T) {
	reg, _, s, _ := setup()
	p := metrics.NewPusher(reg, s, metrics.WithMaxSamples(1), metrics.WithMaxSeries(1))
	took := metrics.Must(reg.Histogram("took", metrics.WithBounds(1)))
	if err := took.ObserveAt(1, after(-1)); err != nil {
		t.Fatal(err)
	}
	took.Observe(1)
	push(t, p)
	wantSizes(t, s, [2]int{4, 4}, [2]int{4, 4})
}

func TestSplitPushFails(t *testing.T) {
	refused := &promwire.HTTPError{StatusCode: 400}
	partial := &promwire.PartialWriteError{Written: promwire.WriteStats{Samples: 1}}
	tests := []struct {
		name string
		errs []error // of the requests of the first push: two each with two samples of a, then b
		want map[string][]point
		sent int // requests of the first push
	}{
		{"first is lost", []error{errDown}, map[string][]point{
			`hits_total{n="a"}`: {{-3, 1}, {-2, 2}, {-1, 3}, {1, 4}}, `hits_total{n="b"}`: {{1, 1}},
		}, 1},
		{"second is lost", []error{nil, errDown}, map[string][]point{
			`hits_total{n="a"}`: {{-1, 3}, {1, 4}}, `hits_total{n="b"}`: {{1, 1}},
		}, 2},
		{"third is lost", []error{nil, nil, errDown}, map[string][]point{`hits_total{n="b"}`: {{1, 1}}}, 3},
		{"first is refused", []error{refused, nil}, nil, 3},
		{"second is refused", []error{nil, refused, nil}, map[string][]point{`hits_total{n="a"}`: {{1, 4}}}, 3},
		{"all in part", []error{partial}, map[string][]point{`hits_total{n="a"}`: {{1, 4}}, `hits_total{n="b"}`: {{1, 1}}}, 3},
		{"refused, then lost", []error{refused, errDown}, map[string][]point{
			`hits_total{n="a"}`: {{-1, 3}, {1, 4}}, `hits_total{n="b"}`: {{1, 1}},
		}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reg, _, _, c := setup()
			s := &answers{errs: tt.errs}
			p := metrics.NewPusher(reg, s, metrics.WithMaxSamples(2))
			hits := metrics.Must(reg.CounterVec("hits", []string{"n"}))
			for i := range 3 {
				if err := hits.With("a").AddAt(1, after(float64(i-3))); err != nil {
					t.Fatal(err)
				}
			}
			hits.With("a").Inc()
			hits.With("b").Inc()
			err := p.Push(t.Context())
			for _, want := range tt.errs {
				if want != nil && !errors.Is(err, want) {
					t.Errorf("Push: got %v, want %v among it", err, want)
				}
			}
			s.wantRequests(t, tt.sent)
			c.advance(1e9)
			s.requests, s.errs = nil, []error{nil}
			if err := metrics.NewPusher(reg, s).Push(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				s.wantRequests(t, 0)
				return
			}
			for series, want := range tt.want {
				s.want(t, series, want...)
			}
			if got := len(s.requests[0].Timeseries); got != len(tt.want) {
				t.Errorf("%d series are sent again, want %d", got, len(tt.want))
			}
		})
	}
}
