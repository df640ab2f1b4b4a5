package backends

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/spool"
)

// path is a road from a program to a server.
type path struct {
	name string
	// open returns a writer, and what to do so that all it has taken is delivered.
	open func(t *testing.T, url string) (w promwire.Writer, finish func())
}

func client(t *testing.T, url string, opts ...remote.WriteOption) *remote.WriteClient {
	t.Helper()
	c, err := remote.NewWriteClient(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func direct(opts ...remote.WriteOption) func(t *testing.T, url string) (promwire.Writer, func()) {
	return func(t *testing.T, url string) (promwire.Writer, func()) { return client(t, url, opts...), func() {} }
}

func queued(t *testing.T, url string) (promwire.Writer, func()) {
	t.Helper()
	q, err := remote.NewQueue(client(t, url), remote.QueueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return q, func() {
		if rest, err := q.Shutdown(t.Context()); err != nil || len(rest) > 0 {
			t.Errorf("shutdown of the queue: %d batches left, %v", len(rest), err)
		}
	}
}

var paths = []path{
	{"pinned 1.0", direct(remote.WithMessageType(promwire.WriteV1))},
	{"negotiated", direct()},
	{"queue", queued},
	{"spool", spooled},
	{"prometheus.yml", configured},
	{"relay of 1.0", relayed(promwire.WriteV1)},
	{"relay of 2.0", relayed(promwire.WriteV2)},
}

// spooled writes to a folder, which another run delivers.
func spooled(t *testing.T, url string) (promwire.Writer, func()) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		// A server that another test starts just now has the lock until its exec.
		wait := spool.WithLockWait(t.Context())
		if got, err := spool.Drain(t.Context(), dir, client(t, url), wait); err != nil || got.Records == 0 {
			t.Errorf("delivered %+v: %v", got, err)
		}
	}
}

// configured is the client of a remote_write block as it stands in docs/engines.md.
func configured(t *testing.T, url string) (promwire.Writer, func()) {
	t.Helper()
	blocks, err := promconfig.Parse([]byte("remote_write:\n- url: "+url+"\n  remote_timeout: 30s\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := blocks[0].Client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c, func() {}
}

const step = int64(15_000)

// everything makes each kind of data there is, from start on, with a label "road".
func everything(start int64, road string, k keeps) *promwire.WriteRequest {
	series := func(name string, more ...string) promwire.Labels {
		return promwire.LabelsFromStrings(append([]string{"__name__", name, "road", road}, more...)...)
	}
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{
			Labels: series("matrix_requests_total", "path", "/a b"), Samples: floats(start, 1, 85, 85.5, 1e15),
			Metadata:  promwire.Metadata{Type: promwire.TypeCounter, Help: "Requests."},
			Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace_id", "1"), Value: 0.5, Timestamp: start}},
		},
		{Labels: series("matrix_range"), Samples: floats(start, 5e-7, 12345.678, -273.15, 0.3)},
		{Labels: series("matrix_gone", "city", "Zürich 🏔"), Samples: floats(start, 1, 2, promwire.StaleNaN())},
		{Labels: series("matrix_native"), Histograms: []promwire.Histogram{histogram(start, 1), histogram(start+step, 5)}},
	}}
	if k.infinity {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels: series("matrix_odd"), Samples: floats(start, 1, math.Inf(1), math.Inf(-1), 2),
		})
	}
	return req
}

func floats(start int64, values ...float64) []promwire.Sample {
	var out []promwire.Sample
	for i, v := range values {
		out = append(out, promwire.Sample{Timestamp: start + int64(i)*step, Value: v})
	}
	return out
}

// histogram is a native histogram of 13 n observations.
func histogram(t, n int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, Count: uint64(13 * n), Sum: 10.5 * float64(n), ZeroThreshold: 0.001, ZeroCount: uint64(7 * n),
		PositiveSpans: []promwire.BucketSpan{{Offset: -1, Length: 2}, {Offset: 3, Length: 1}}, PositiveDeltas: []int64{n, 2 * n, -n},
	}
}

// TestWrite writes every kind of data over every road to every server, and compares with what the server has then.
func TestWrite(t *testing.T) {
	each(t, func(t *testing.T, f found) {
		s := f.run(t, f.Program)
		for _, p := range append(paths, path{"pinned 2.0", direct(remote.WithMessageType(promwire.WriteV2))}) {
			t.Run(p.name, func(t *testing.T) {
				start := time.Now().UnixMilli() - 4*step
				req := everything(start, p.name, f.keeps)
				w, finish := p.open(t, s.write)
				stats, err := w.Write(t.Context(), req)
				finish()
				if p.name == "pinned 2.0" && !f.speaksV2(f.Version) {
					if !errors.Is(err, promwire.ErrUnsupported) || stats != (promwire.WriteStats{}) {
						t.Errorf("got %+v, %v; want that it has written nothing", stats, err)
					}
					if got := s.query(t, "road", p.name); got != nil {
						t.Errorf("stored %v", got)
					}
					return
				}
				if err != nil || stats != req.Stats() {
					t.Fatalf("wrote %+v of %+v: %v", stats, req.Stats(), err)
				}
				check(t, f, s.query(t, "road", p.name), req)
			})
		}
	})
}

// check compares what is stored with what was written, as far as the server can hold it.
func check(t *testing.T, f found, got []stored, req *promwire.WriteRequest) {
	t.Helper()
	byLabels := map[string]stored{}
	for _, s := range got {
		byLabels[s.Labels.String()] = s
	}
	for _, ts := range req.Timeseries {
		if len(ts.Histograms) > 0 {
			checkHistograms(t, f, byLabels, ts)
			continue
		}
		var want []promwire.Sample
		for _, v := range ts.Samples {
			if !math.IsNaN(v.Value) { // Prometheus does not show stale markers, InfluxDB drops them
				want = append(want, v)
			}
		}
		s := byLabels[ts.Labels.String()]
		if shown := plain(s.Samples); !equal(shown, want) {
			t.Errorf("%s: got %v, want %v", ts.Labels, shown, want)
		}
		delete(byLabels, ts.Labels.String())
	}
	for labels := range byLabels {
		if !strings.Contains(labels, "matrix_native") {
			t.Errorf("stored %s", labels)
		}
	}
}

func plain(all []promwire.Sample) []promwire.Sample {
	var out []promwire.Sample
	for _, v := range all {
		if !math.IsNaN(v.Value) {
			out = append(out, v)
		}
	}
	return out
}

func equal(a, b []promwire.Sample) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Timestamp != b[i].Timestamp || a[i].Value != b[i].Value {
			return false
		}
	}
	return true
}

func checkHistograms(t *testing.T, f found, got map[string]stored, ts promwire.TimeSeries) {
	t.Helper()
	switch f.keeps.histogram {
	case "native":
		s := got[ts.Labels.String()]
		if len(s.Histograms) != len(ts.Histograms) {
			t.Errorf("%s: got %+v, want %+v", ts.Labels, s.Histograms, ts.Histograms)
			return
		}
		for i, h := range ts.Histograms {
			if want := (point{h.Timestamp, float64(h.Count), h.Sum}); s.Histograms[i] != want {
				t.Errorf("%s: got %+v, want %+v", ts.Labels, s.Histograms[i], want)
			}
		}
	case "buckets":
		for suffix, value := range map[string]func(promwire.Histogram) float64{
			"_count": func(h promwire.Histogram) float64 { return float64(h.Count) },
			"_sum":   func(h promwire.Histogram) float64 { return h.Sum },
		} {
			ls := promwire.LabelsFromStrings(promwire.MetricName, "matrix_native"+suffix, "road", ts.Labels.Get("road"))
			var want []promwire.Sample
			for _, h := range ts.Histograms {
				want = append(want, promwire.Sample{Timestamp: h.Timestamp, Value: value(h)})
			}
			if s := got[ls.String()]; !equal(s.Samples, want) {
				t.Errorf("%s: got %v, want %v", ls, s.Samples, want)
			}
		}
	default:
		for labels := range got {
			if strings.Contains(labels, "matrix_native") {
				t.Errorf("stored %s: the documents say that histograms are dropped", labels)
			}
		}
	}
}
