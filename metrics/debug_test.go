package metrics_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

func TestDebugWriterNumbersRequests(t *testing.T) {
	var out bytes.Buffer
	s := &sink{}
	w := metrics.NewDebugWriter(&out, s)
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels:   promwire.LabelsFromStrings(promwire.MetricName, "x", "a", "b"),
		Samples:  []promwire.Sample{{Timestamp: 1000, Value: 1}, {Timestamp: 2000, Value: 2.5}},
		Metadata: promwire.Metadata{Type: promwire.TypeGauge},
	}}}
	for range 2 {
		stats, err := w.Write(t.Context(), req)
		if err != nil || stats.Samples != 2 {
			t.Fatalf("Write: %+v, %v", stats, err)
		}
	}
	s.wantRequests(t, 2)
	const want = `[DEBUG] remote_write_req_seq: 1
# TYPE x gauge
x{a="b"} 2.5

[DEBUG] remote_write_req_seq: 2
# TYPE x gauge
x{a="b"} 2.5
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestDebugWriterTimestamps(t *testing.T) {
	var out bytes.Buffer
	c := &clock{t0}
	reg := metrics.NewRegistry(metrics.WithClock(c.Now))
	g := metrics.Must(reg.Gauge("x"))
	g.Set(1_000_000)
	p := metrics.NewPusher(reg, metrics.NewDebugWriter(&out, nil, metrics.WithTimestamps()))
	push(t, p)
	if got, want := out.String(), "[DEBUG] remote_write_req_seq: 1\n# TYPE x gauge\nx 1000000 1700000000000\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

type brokenOutput struct{}

func (brokenOutput) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = errors.New("broken output")

func TestDebugWriterErrors(t *testing.T) {
	req := &promwire.WriteRequest{}
	if _, err := metrics.NewDebugWriter(brokenOutput{}, nil).Write(t.Context(), req); !errors.Is(err, errBroken) {
		t.Errorf("print only: got %v, want the output's error", err)
	}
	if _, err := metrics.NewDebugWriter(brokenOutput{}, &sink{}).Write(t.Context(), req); err != nil {
		t.Errorf("with a next writer: got %v, want none", err)
	}
	down := errors.New("down")
	var out bytes.Buffer
	if _, err := metrics.NewDebugWriter(&out, &sink{err: down}).Write(t.Context(), req); !errors.Is(err, down) {
		t.Errorf("next fails: got %v, want its error", err)
	}
	if got, want := out.String(), "[DEBUG] remote_write_req_seq: 1\n"; got != want {
		t.Errorf("a request that fails is printed: got %q, want %q", got, want)
	}
}

// All metric kinds in one request: order, labels and TYPE lines.
func TestDebugWriterOneRequest(t *testing.T) {
	var out bytes.Buffer
	reg := metrics.NewRegistry(metrics.WithConstLabel("zone", "z"))
	h := metrics.Must(reg.HistogramVec("took_seconds", []string{"worker"}, metrics.WithBounds(1, 1e6)))
	g := metrics.Must(reg.Gauge("depth"))
	c := metrics.Must(reg.Counter("hits_total"))
	c.Inc()
	g.Set(-0.00001)
	if err := h.With("a").ObserveAt(2, time.Now()); err != nil {
		t.Fatal(err)
	}
	push(t, metrics.NewPusher(reg, metrics.NewDebugWriter(&out, nil)))
	const want = `[DEBUG] remote_write_req_seq: 1
# TYPE took_seconds histogram
took_seconds_bucket{worker="a",zone="z",le="1"} 0
took_seconds_bucket{worker="a",zone="z",le="1000000"} 1
took_seconds_bucket{worker="a",zone="z",le="+Inf"} 1
took_seconds_count{worker="a",zone="z"} 1
took_seconds_sum{worker="a",zone="z"} 2
# TYPE depth gauge
depth{zone="z"} -1e-05
# TYPE hits_total counter
hits_total{zone="z"} 1
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestDebugWriterConcurrently(t *testing.T) {
	var out bytes.Buffer
	w := metrics.NewDebugWriter(&out, discard)
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings(promwire.MetricName, "x"), Samples: []promwire.Sample{{Value: 1}},
	}}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				if _, err := w.Write(t.Context(), req); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	want := ""
	for i := range 100 {
		want += fmt.Sprintf("\n[DEBUG] remote_write_req_seq: %d\nx 1\n", i+1)
	}
	if got := out.String(); got != want[1:] {
		t.Errorf("got:\n%s", got)
	}
}
